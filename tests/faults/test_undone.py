"""The other half of honesty: what was not done is passed under no fault.

Everything that the reference files made is taken away; the platform stays. Last of all in this folder: nobody
needs the finished lab any more.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults import faults, lab_state
from tests.faults.conftest import Student
from tests.faults.grader import Right, compared, granted, role_of
from tests.faults.kinds import is_named, named
from tests.faults.proxy import Spoilt
from tests.rig.cluster import Rig
from workshop.content import Lab
from workshop.verdicts import Half, Verdict

# No name in the program leads to these: the student's own file orders or refers to such objects.
_OF_THE_STUDENT = {
    ("helm.crossplane.io", "releases"),
    ("helm.m.crossplane.io", "releases"),
    ("helm.m.crossplane.io", "clusterproviderconfigs"),
    ("argoproj.io", "clusteranalysistemplates"),
}
_NOT_DONE = (Verdict.UNFINISHED, Verdict.FAILED, Verdict.BLOCKED, Verdict.UNKNOWN)


@pytest.fixture(scope="module")
def undone(rig: Rig, lab: Lab, student: Student, asked_when_done: set[Right]) -> Student:
    """Somebody with the right files, of which the cluster has none; the finished lab is asked first."""
    lab_state.take_away(rig, lab)
    made = replace(student, truth={}, asked={}, asked_at_all={})
    made.learn()
    return made


def test_there_is_something_that_was_not_done(undone: Student) -> None:
    checks = [check for each in undone.truth.values() for check in each.checks if check.half is Half.CLUSTER]
    assert sum(check.verdict in _NOT_DONE for check in checks) > 30
    assert {check.verdict for check in checks} <= {Verdict.PASSED, *_NOT_DONE}
    for exercise in ("2.2", "2.3", "2.4", "2.6", "3.4", "4.2", "4.6", "4.7"):
        assert undone.truth[exercise].verdict is not Verdict.PASSED, exercise


_KNOWN = (
    *faults.answers(faults.everything),
    *(faults.dead_after(count) for count in (3, 20, 40)),
    *faults.half_ready_webhooks(),
)


@pytest.mark.parametrize("fault", _KNOWN, ids=lambda fault: fault.name)
def test_nothing_is_passed_that_was_not_done(undone: Student, fault: Spoilt) -> None:
    assert undone.under(fault) == []


def test_the_grader_sees_that_too_and_has_no_right_to_spare(
    rig: Rig, lab: Lab, undone: Student, token: str, asked_when_done: set[Right], tmp_path: Path
) -> None:
    """What no state here asks for is named in the program: right answers of another shape ask for it."""
    asked = asked_when_done | compared(rig, undone, token, tmp_path)
    kinds, names = {right[1:] for right in asked}, named()
    to_spare = {
        right
        for right in granted(role_of(lab))
        if (right[0] == "create" and right not in asked)
        or (right[1:] not in kinds | _OF_THE_STUDENT and not is_named(right[1:], names))
    }
    assert to_spare == set()
