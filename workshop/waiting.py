"""Judging until the cluster stands still, or the time is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from workshop.converging import may_change
from workshop.engine import Run, judge, score
from workshop.standstill import SECONDS, Standstill
from workshop.texts import Message, Text
from workshop.verdicts import Report

_BETWEEN_LOOKS: Final = 1.0


def judge_until_settled(
    run: Run,
    ids: Iterable[str],
    *,
    seconds: float,
    look_anew: Callable[[Run], Run],
    tell: Callable[[Message], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Judge, and judge what may still change again and again, until nothing may or the time is over.

    `look_anew` returns the run with the cluster as it is now; `tell` hears how much time is left for what.
    What certainly stays wrong is not waited for any longer, and a warning of the report says so.
    Raises KeyError for an id that the lab does not have.
    """
    deadline = clock() + seconds
    report = judge(run, ids)
    standstill = Standstill(clock)
    while waiting := [each.id for each in report.exercises if each.asked and may_change(each)]:
        left = deadline - clock()
        final = standstill.final(run, [each for each in report.exercises if each.id in waiting])
        if left > 0 and final == waiting:
            why = Text(
                "the last {left} s were not waited for: nothing that {ids} depends on has changed for "
                "{seconds} s, and nothing on the cluster is on its way",
                left=f"{left:.0f}",
                seconds=f"{SECONDS:.0f}",
                ids=" ".join(waiting),
            )
            return replace(report, warnings=(*report.warnings, why))
        if left <= 0:
            break
        tell(Text("converging, {seconds} s left: {ids}", seconds=f"{left:.0f}", ids=" ".join(waiting)))
        sleep(min(_BETWEEN_LOOKS, left))
        run = look_anew(run)
        newer = {each.id: each for each in judge(run, waiting).exercises}
        results = tuple(
            replace(newer[each.id], asked=each.asked) if each.id in newer else each
            for each in report.exercises
        )
        report = replace(report, exercises=results, score=score(run.lab, results))
    return report
