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
from tests.faults.proxy import Spoilt
from tests.faults.test_grader import compared
from tests.rig.cluster import Rig
from workshop.content import Lab
from workshop.verdicts import Half, Verdict

_NOT_DONE = (Verdict.UNFINISHED, Verdict.FAILED, Verdict.BLOCKED, Verdict.UNKNOWN)


@pytest.fixture(scope="module")
def undone(rig: Rig, lab: Lab, student: Student) -> Student:
    """Somebody with the right files, of which the cluster has none."""
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


def test_the_grader_sees_that_nothing_is_applied(
    rig: Rig, undone: Student, token: str, tmp_path: Path
) -> None:
    compared(rig, undone, token, tmp_path)
