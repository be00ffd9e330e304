"""Every right variant and every typical mistake, as data: `cases/<slug>.yaml`.

A case is the reference solution with some files replaced. It says the verdict of the exercise, the
facts that must be unmet (`check/fact`), and at which level.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from workshop.content import Lab, load_lab
from workshop.engine import Run, judge_exercise
from workshop.verdicts import ExerciseResult, Level, Mode, Verdict
from workshop.workspace import Workspace

CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    slug: str
    name: str
    files: dict[str, str | None]
    replace: dict[str, list[list[str]]]
    verdict: Verdict
    unmet: list[str]
    level: Level | None
    alone: bool


def _cases() -> list[Case]:
    found = []
    for path in sorted(CASES.glob("*.yaml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
            unknown = set(entry) - {"name", "files", "replace", "verdict", "unmet", "level", "alone", "why"}
            assert not unknown, f"{path.name}: {entry.get('name')}: unknown keys {unknown}"
            found.append(
                Case(
                    slug=path.stem,
                    name=entry["name"],
                    files=entry.get("files", {}),
                    replace=entry.get("replace", {}),
                    verdict=Verdict(entry["verdict"]),
                    unmet=entry.get("unmet", []),
                    level=Level(entry["level"]) if "level" in entry else None,
                    alone=entry.get("alone", False),
                )
            )
    return found


def _judged(lab: Lab, case: Case, folder: Path) -> ExerciseResult:
    exercise = lab.exercise(case.slug)
    assert exercise is not None, f"no exercise {case.slug}"
    if case.alone:
        (folder / "td").mkdir()
    else:
        shutil.copytree(lab.solutions / "td", folder / "td")
    for name, content in case.files.items():
        target = folder / name
        if content is None:
            target.unlink(missing_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    for name, edits in case.replace.items():
        text = (folder / name).read_text(encoding="utf-8")
        for old, new in edits:
            assert old in text, f"{case.name}: {name} does not contain {old!r}"
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
    return judge_exercise(Run.of(lab, Workspace(folder), Mode.OFFLINE), exercise)


@pytest.mark.parametrize("case", _cases(), ids=lambda case: f"{case.slug}:{case.name}")
def test_case(case: Case, tmp_path: Path) -> None:
    result = _judged(load_lab("techmarket"), case, tmp_path)
    unmet = {
        f"{check.id.removeprefix(result.id + '.')}/{fact.id}": check
        for check in result.checks
        for fact in check.unmet
    }
    story = {name: (check.verdict.value, check.level.value) for name, check in unmet.items()}
    assert result.verdict is case.verdict, story
    assert not [check.id for check in result.checks if check.verdict is Verdict.ERROR]
    for name in case.unmet:
        assert name in unmet, story
        if case.level is not None:
            assert unmet[name].level is case.level
    if case.verdict is Verdict.FAILED:
        assert case.unmet, "a case that fails names the fact that says why"
    if case.verdict is Verdict.PASSED:
        assert set(case.unmet) == set(unmet), "a case that passes lists every advice and remark it earns"


def test_cases_are_named_once() -> None:
    names = [(case.slug, case.name) for case in _cases()]
    assert len(names) == len(set(names))


def test_every_unmet_fact_explains_itself(lab: Lab, tmp_path: Path) -> None:
    """Expected or observed, and what to try next: no bare 'wrong'."""
    silent: dict[str, Any] = {}
    for index, case in enumerate(_cases()):
        folder = tmp_path / str(index)
        folder.mkdir()
        for check in _judged(lab, case, folder).checks:
            for fact in check.unmet:
                if check.level is Level.MUST and (
                    fact.next is None or (fact.expected or fact.observed) is None
                ):
                    silent[f"{check.id}/{fact.id}"] = fact
    assert not silent
