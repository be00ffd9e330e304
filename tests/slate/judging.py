"""Judging a case of `tests/content/cases` with both halves."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.content.test_cases import Case
from workshop.content import Lab
from workshop.engine import Run, judge_exercise
from workshop.slate import Slate
from workshop.verdicts import ExerciseResult, Mode
from workshop.workspace import Workspace


def judged(lab: Lab, case: Case, folder: Path, slate: Slate) -> ExerciseResult:
    """Lay a case out in a folder and judge its exercise in sandbox mode."""
    exercise = lab.exercise(case.slug)
    assert exercise is not None
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
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
    return judge_exercise(Run.of(lab, Workspace(folder), Mode.SANDBOX, slate), exercise)
