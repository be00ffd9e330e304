"""Bad input costs its own exercise: a clear message with a place, the others still graded, nothing lost."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workshop.content import Lab
from workshop.engine import Run, judge
from workshop.texts import translate
from workshop.verdicts import ExerciseResult, Fact, Mode, Verdict
from workshop.workspace import Workspace

DENY = "td/kyverno/policy-deny-latest.yaml"
HEAD = b"apiVersion: kyverno.io/v1\nkind: ClusterPolicy\n"
Spoil = Callable[[Path], None]


def _write(content: bytes) -> Spoil:
    def spoil(path: Path) -> None:
        path.write_bytes(content)

    return spoil


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(200 * 2**20)


def _replaced_by(make: Spoil) -> Spoil:
    def spoil(path: Path) -> None:
        path.unlink()
        make(path)

    return spoil


FAILED: dict[str, Spoil] = {
    "a broken line": _write(HEAD + b"metadata: {name: x\nspec: [}\n"),
    "a tab": _write(HEAD + b"metadata:\n\tname: x\n"),
    "a key twice": _write(HEAD + b"metadata: {name: x}\nspec: {}\nspec: {}\n"),
    "another encoding": _write(HEAD + "metadata: {name: é}\n".encode("latin-1")),
    "binary": _write(bytes(range(256)) * 8),
    "200 MB": _huge,
    "20,000 levels": _write(b"[" * 20_000),
    "an alias bomb": _write(
        b"a0: &a0 [x, x]\n"
        + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 40))
    ),
    "a Python object": _write(b"!!python/object/apply:os.system ['echo hacked']\n"),
    "a folder": _replaced_by(lambda path: path.mkdir()),
    "a FIFO": _replaced_by(os.mkfifo),
    "a link to a system file": _replaced_by(lambda path: path.symlink_to("/etc/hostname")),
    "a link to a device": _replaced_by(lambda path: path.symlink_to("/dev/zero")),
    "a link to itself": _replaced_by(lambda path: path.symlink_to(path.name)),
}
UNFINISHED: dict[str, Spoil] = {
    "empty": _write(b""),
    "only comments": _write(b"# later\n---\n# really\n"),
    "missing": lambda path: path.unlink(),
    "the starter's placeholder": _write(HEAD + b"metadata: {name: TODO}\n"),
}


def _judged(root: Path, lab: Lab) -> dict[str, ExerciseResult]:
    report = judge(Run.of(lab, Workspace(root), Mode.OFFLINE), ["2.2", "2.3", "1.2"])
    return {result.id: result for result in report.exercises}


@pytest.mark.parametrize("name", FAILED)
def test_a_file_that_cannot_be_read_fails_its_exercise_alone(name: str, solved: Path, lab: Lab) -> None:
    FAILED[name](solved / DENY)
    results = _judged(solved, lab)
    assert {key: result.verdict for key, result in results.items()} == {
        "2.2": Verdict.FAILED,
        "2.3": Verdict.PASSED,
        "1.2": Verdict.PASSED,
    }
    first = results["2.2"].checks[0]
    assert first.id == "2.2.readable"
    (fact,) = first.unmet
    _explains_itself(fact)
    others = {check.verdict for check in results["2.2"].checks[1:] if not check.left_out}
    assert others == {Verdict.BLOCKED}


@pytest.mark.parametrize("name", UNFINISHED)
def test_work_that_is_not_done_is_unfinished(name: str, solved: Path, lab: Lab) -> None:
    UNFINISHED[name](solved / DENY)
    results = _judged(solved, lab)
    assert results["2.2"].verdict is Verdict.UNFINISHED
    assert results["2.3"].verdict is Verdict.PASSED


def test_an_impossible_date_is_a_text_like_any_other(solved: Path, lab: Lab) -> None:
    path = solved / DENY
    path.write_text(path.read_text().replace("metadata:", "metadata:\n  labels: {when: 2024-13-45}", 1))
    assert _judged(solved, lab)["2.2"].verdict is Verdict.PASSED


@pytest.mark.parametrize(("old", "new"), [(b"", b"\xef\xbb\xbf"), (b"\n", b"\r\n")], ids=["bom", "crlf"])
def test_windows_editors_are_welcome(old: bytes, new: bytes, solved: Path, lab: Lab) -> None:
    path = solved / DENY
    content = path.read_bytes()
    path.write_bytes(new + content if not old else content.replace(old, new))
    assert _judged(solved, lab)["2.2"].verdict is Verdict.PASSED


def test_answers_that_cannot_be_read_block_the_questions_alone(solved: Path, lab: Lab) -> None:
    (solved / "td/answers.yaml").write_bytes(b"answers: [\n")
    assert _judged(solved, lab)["2.2"].verdict is Verdict.PASSED


def _explains_itself(fact: Fact) -> None:
    for language in ("en", "fr"):
        assert fact.observed is not None
        assert translate(fact.observed, language)
        assert fact.next is not None
        assert translate(fact.next, language)
    assert fact.observed is not None
    assert translate(fact.observed, "fr") != translate(fact.observed, "en")
    assert fact.source is not None
    assert fact.source.file == DENY


def test_a_full_disk_costs_the_memory_of_it_and_no_verdict(started: Path) -> None:
    """No file may grow in the child: what a full disk looks like to a program."""
    command = [sys.executable, "-m", "workshop", "check", "1.2", "--offline", "--format", "json"]
    done = subprocess.run(
        [*command, "--workspace", str(started)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["exercises"][0]["verdict"] == "unfinished"
    assert "Traceback" not in done.stderr
    assert "progress" in done.stderr.lower()
