"""Judging an exercise against the rig as a student's own cluster, with the reference files or others."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.rig.cluster import Rig
from workshop.cluster.stage import LiveStages
from workshop.content import Lab
from workshop.engine import Run, judge_exercise
from workshop.verdicts import CheckResult, ExerciseResult, Half, Mode
from workshop.workspace import Workspace


def look(
    lab: Lab, rig: Rig, folder: Path, exercise: str, files: Mapping[str, str] | None = None
) -> ExerciseResult:
    """Judge an exercise on the cluster, with the reference files except for some that are written anew."""
    if not (folder / "td").exists():
        shutil.copytree(lab.solutions / "td", folder / "td")
    for name, content in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    found = lab.exercise(exercise)
    assert found is not None, exercise
    return judge_exercise(Run.of(lab, Workspace(folder), Mode.CLUSTER, LiveStages(rig.cluster())), found)


def check(result: ExerciseResult, name: str) -> CheckResult:
    """Return one check of the cluster half by the name of its function."""
    return next(each for each in result.checks if each.id.endswith(f".{name}") and each.half is Half.CLUSTER)


def unmet(result: ExerciseResult, name: str) -> list[str]:
    """Return the ids of the facts of a check that do not hold."""
    return [fact.id for fact in check(result, name).facts if fact.met is False]


def untold(result: ExerciseResult, name: str) -> list[str]:
    """Return the ids of the facts of a check that could not be told."""
    return [fact.id for fact in check(result, name).facts if fact.met is None]
