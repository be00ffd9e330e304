"""Judging a case of `tests/content/cases` with both halves."""

from __future__ import annotations

from pathlib import Path

from tests.content.case import Case, lay_out
from workshop.content import Lab
from workshop.engine import Run, judge_exercise
from workshop.slate import Slate
from workshop.verdicts import ExerciseResult, Mode
from workshop.workspace import Workspace


def judged(lab: Lab, case: Case, folder: Path, slate: Slate) -> ExerciseResult:
    """Lay a case out in a folder and judge its exercise in sandbox mode."""
    exercise = lay_out(case, lab, folder)
    return judge_exercise(Run.of(lab, Workspace(folder), Mode.SANDBOX, slate), exercise)
