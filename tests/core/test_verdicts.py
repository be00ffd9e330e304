"""How facts, checks and exercises add up."""

from __future__ import annotations

import itertools

import pytest

from workshop.texts import Text
from workshop.verdicts import CheckResult, Fact, Half, Level, Reason, Verdict, check_verdict, exercise_verdict


def _fact(met: bool | None) -> Fact:
    return Fact("f", Text("claim"), met)


def _check(verdict: Verdict, level: Level = Level.MUST, reason: Reason | None = None) -> CheckResult:
    return CheckResult("1.c", Text("c"), level, Half.FILES, verdict, reason)


def test_a_check_without_a_fact_is_a_defect() -> None:
    assert check_verdict([]) == (Verdict.ERROR, Reason.NO_FACT)


@pytest.mark.parametrize(
    ("mets", "verdict"),
    [
        ([True], Verdict.PASSED),
        ([True, False], Verdict.FAILED),
        ([None, False], Verdict.FAILED),
        ([True, None], Verdict.UNKNOWN),
    ],
)
def test_facts_add_up(mets: list[bool | None], verdict: Verdict) -> None:
    assert check_verdict(map(_fact, mets))[0] is verdict


def test_the_worst_must_decides_in_the_contract_order() -> None:
    order = [
        Verdict.FAILED,
        Verdict.UNFINISHED,
        Verdict.ERROR,
        Verdict.BLOCKED,
        Verdict.UNKNOWN,
        Verdict.PASSED,
    ]
    for worse, better in itertools.combinations(order, 2):
        assert exercise_verdict([_check(better), _check(worse)]) is worse


def test_advice_never_decides() -> None:
    checks = [
        _check(Verdict.PASSED),
        _check(Verdict.FAILED, Level.SHOULD),
        _check(Verdict.FAILED, Level.REMARK),
    ]
    assert exercise_verdict(checks) is Verdict.PASSED


def test_what_the_mode_leaves_out_decides_only_when_nothing_else_does() -> None:
    left_out = _check(Verdict.UNKNOWN, reason=Reason.OFFLINE)
    assert exercise_verdict([_check(Verdict.PASSED), left_out]) is Verdict.PASSED
    assert exercise_verdict([left_out]) is Verdict.UNKNOWN


def test_a_check_waiting_for_another_file_does_not_decide() -> None:
    waiting = _check(Verdict.BLOCKED, reason=Reason.MISSING_FILE)
    assert exercise_verdict([_check(Verdict.PASSED), waiting]) is Verdict.PASSED
