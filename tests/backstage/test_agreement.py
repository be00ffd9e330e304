"""Our reader of entities says yes and no where Backstage's own validators do.

Node.js runs them: `judge/` names the packages, a cache folder outside the checkout holds them.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.rig.node import installed
from workshop.backstage import refusals
from workshop.workspace import Unreadable, parse_documents

from .documents import mutated, written

JUDGE = Path(__file__).parent / "judge"
DOCUMENTS = written()
MUTANTS = 600


def ask(texts: Sequence[str], folder: Path) -> list[dict[str, Any]]:
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
    return installed(JUDGE, "judge")


@pytest.fixture(scope="session")
def verdicts(judge: Path) -> dict[str, dict[str, Any]]:
    return dict(zip(DOCUMENTS, ask(list(DOCUMENTS.values()), judge), strict=True))


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
        for text, answer in zip(texts, ask(texts, judge), strict=True)
        if _theirs(answer) != _ours(text)
    }
    assert not different
