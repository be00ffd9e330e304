"""Starters earn nothing, solutions earn everything that files can show."""

from __future__ import annotations

from pathlib import Path

from workshop.content import Lab
from workshop.engine import Run, judge
from workshop.verdicts import Half, Level, Mode, Verdict
from workshop.workspace import Workspace


def test_no_starter_earns_a_point(lab: Lab, started: Path) -> None:
    report = judge(Run.of(lab, Workspace(started), Mode.OFFLINE))
    assert report.score.points == 0
    assert {
        result.id for result in report.exercises if result.asked and result.verdict is not Verdict.UNFINISHED
    } == set()


def test_every_solution_passes_all_that_files_can_show(lab: Lab, solved: Path) -> None:
    report = judge(Run.of(lab, Workspace(solved), Mode.OFFLINE))
    unmet = [
        (check.id, check.verdict.value, [fact.id for fact in check.facts if not fact.met])
        for result in report.exercises
        for check in result.checks
        if check.half is Half.FILES
        and check.level is not Level.REMARK
        and check.verdict is not Verdict.PASSED
    ]
    assert unmet == []
    assert report.exit_code == 0


def test_an_empty_workspace_is_unfinished_everywhere(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "td").mkdir()
    report = judge(Run.of(lab, Workspace(tmp_path), Mode.OFFLINE))
    assert report.score.points == 0
    judged = {result.id: result.verdict for result in report.exercises if result.asked}
    assert set(judged.values()) == {Verdict.UNFINISHED}
