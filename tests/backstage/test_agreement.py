"""Our reader of entities says yes and no where Backstage's own validators do.

Node.js runs them: `judge/` names the packages, a cache folder outside the checkout holds them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import platformdirs
import pytest

from workshop.backstage import refusals
from workshop.workspace import Unreadable, parse_documents

from .documents import mutated, written

JUDGE = Path(__file__).parent / "judge"
DOCUMENTS = written()
MUTANTS = 600


def _cannot(reason: str) -> NoReturn:
    """Skip where the judge cannot be had; in continuous integration that is an error."""
    if os.environ.get("CI"):
        pytest.fail(f"Backstage's validators cannot be asked: {reason}")
    pytest.skip(f"Backstage's validators cannot be asked: {reason}")


def _installed() -> Path:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        _cannot("node and npm are not on PATH")
    cache = os.environ.get("WORKSHOP_CACHE") or platformdirs.user_cache_dir("techmarket-workshop")
    lock = (JUDGE / "package-lock.json").read_bytes()
    # One folder a lock file: another version never meets an old installation.
    folder = Path(cache) / "node-judge" / hashlib.sha256(lock).hexdigest()[:16]
    if (folder / "complete").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(JUDGE / name, folder / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        _cannot("npm ci took more than 300 seconds")
    if done.returncode != 0:
        _cannot(f"npm ci: {done.stderr.strip()[-300:]}")
    (folder / "complete").touch()
    return folder


def _ask(texts: Sequence[str], folder: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        ["node", str(JUDGE / "judge.mjs"), str(folder)],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(answers) == len(texts)
    return answers


@pytest.fixture(scope="session")
def judge() -> Path:
    return _installed()


@pytest.fixture(scope="session")
def verdicts(judge: Path) -> dict[str, dict[str, Any]]:
    return dict(zip(DOCUMENTS, _ask(list(DOCUMENTS.values()), judge), strict=True))


def _ours(text: str) -> list[bool] | None:
    """Return for each document whether we take it; None when the text is no YAML we read."""
    try:
        documents = parse_documents(text, file="td/backstage/x.yaml", dialect="core")
    except Unreadable as unreadable:
        return [] if unreadable.problem.kind == "empty" else None
    return [not refusals(document.data) for document in documents]


def _theirs(answer: dict[str, Any]) -> list[bool] | None:
    return None if "error" in answer else [reason is None for reason in answer["documents"]]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_we_agree_on(name: str, verdicts: dict[str, dict[str, Any]]) -> None:
    assert _ours(DOCUMENTS[name]) == _theirs(verdicts[name]), verdicts[name]


def test_the_documents_are_worth_asking(verdicts: dict[str, dict[str, Any]]) -> None:
    said = [_theirs(answer) for answer in verdicts.values()]
    assert sum(each == [True] for each in said) >= 25
    assert sum(each == [False] for each in said) >= 50


def test_we_agree_on_random_changes(judge: Path) -> None:
    names = ("component", "template", "api", "system", "domain", "resource", "group", "user", "location")
    bases = [parse_documents(DOCUMENTS[name], file="x", dialect="core")[0].data for name in names]
    texts = list(mutated(bases, MUTANTS, seed=20261121))
    different = {
        text: (answer, _ours(text))
        for text, answer in zip(texts, _ask(texts, judge), strict=True)
        if _theirs(answer) != _ours(text)
    }
    assert not different
