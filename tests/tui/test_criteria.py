"""The seven success criteria follow from verdicts, and claim nothing that nobody has looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from workshop.content import Lab
from workshop.tui.state import State
from workshop.verdicts import CheckResult, ExerciseResult, Half, Level, Mode, Verdict

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN


def result(exercise: str, verdict: Verdict, **halves: Verdict) -> ExerciseResult:
    checks = tuple(
        CheckResult(f"{exercise}.{half}", half, Level.MUST, Half(half), found)
        for half, found in halves.items()
    )
    return ExerciseResult(exercise, exercise, exercise, verdict, 1.0, checks)


def met(lab: Lab, criterion: str, *results: ExerciseResult, mode: Mode = Mode.CLUSTER) -> Verdict | None:
    state = State(lab, Path(), mode=mode, results={each.id: each for each in results}, files_readable=True)
    return state.criterion(next(each for each in lab.criteria if each.id == criterion))


def test_there_are_seven(lab: Lab) -> None:
    assert [each.id for each in lab.criteria] == [
        "backstage",
        "policies",
        "signature",
        "chaos",
        "pipeline",
        "postmortem",
        "readable",
    ]


def test_backstage_needs_its_cluster_and_forgives_a_missing_token(lab: Lab) -> None:
    runs = result("1.1", PASSED, cluster=PASSED)
    assert met(lab, "backstage", runs, result("1.2", PASSED, files=PASSED, cluster=PASSED)) is PASSED
    assert met(lab, "backstage", runs, result("1.2", UNKNOWN, files=PASSED, cluster=UNKNOWN)) is PASSED
    assert met(lab, "backstage", runs, result("1.2", FAILED, files=FAILED, cluster=UNKNOWN)) is None
    assert met(lab, "backstage", runs, result("1.2", Verdict.UNFINISHED, files=PASSED)) is None
    unseen = result("1.1", UNKNOWN, cluster=UNKNOWN)
    assert met(lab, "backstage", unseen, result("1.2", PASSED, files=PASSED)) is UNKNOWN


@pytest.mark.parametrize(("criterion", "exercises"), [("chaos", ["3.4"]), ("pipeline", ["4.6", "4.7"])])
def test_what_has_to_have_happened_is_not_read_off_files(
    criterion: str, exercises: list[str], lab: Lab
) -> None:
    files = [result(each, PASSED, files=PASSED) for each in exercises]
    live = [result(each, PASSED, files=PASSED, cluster=PASSED) for each in exercises]
    assert met(lab, criterion, *files, mode=Mode.OFFLINE) is UNKNOWN
    assert met(lab, criterion, *live, mode=Mode.SANDBOX) is UNKNOWN
    assert met(lab, criterion, *live) is PASSED
    assert met(lab, criterion, *[result(each, FAILED, cluster=FAILED) for each in exercises]) is None


def test_three_policies_are_enough(lab: Lab) -> None:
    good = [result(each, PASSED, files=PASSED) for each in ("2.2", "2.3", "2.6")]
    assert met(lab, "policies", *good[:2], result("2.4", FAILED, files=FAILED)) is None
    assert met(lab, "policies", *good, result("2.4", FAILED, files=FAILED)) is PASSED


def test_signature_postmortem_and_files(lab: Lab) -> None:
    assert met(lab, "signature", result("2.5", PASSED, network=PASSED)) is PASSED
    assert met(lab, "signature", result("2.5", UNKNOWN, network=UNKNOWN)) is UNKNOWN
    assert met(lab, "postmortem", result("3.5", PASSED, files=PASSED), mode=Mode.OFFLINE) is PASSED
    assert met(lab, "readable") is PASSED
