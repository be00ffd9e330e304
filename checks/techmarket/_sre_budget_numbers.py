"""Numbers of an error budget that contradict each other: times said twice, percentages from nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from workshop.prose.quantities import Quantity, quantities

from ._sre_budget import DAYS, MINUTES, POINTS, USED, Topic, right

_MORE: Final = 30.0
_IN_MINUTES: Final[tuple[Topic, ...]] = ("total", "remaining")
_AVAILABILITY: Final = 0.02
#: What stands between a time and the same time in other words: “43,2 min (43 min 12 s)”.
_AGAIN: Final = re.compile(r"[\s*_]*\([\s*_]*(?:soit|c'est-à-dire|i\.e\.)?[\s*_]*", re.IGNORECASE)


def restated(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines on which a time is said again and differs, with both."""
    for number, line in enumerate(text.split("\n"), 1):
        for first, second in pairwise(quantities(line)):
            between = line[first.end : second.start]
            again = first.dimension == second.dimension == "time" and _AGAIN.fullmatch(between)
            if again and not _same(first, second):
                yield number, line[first.start : second.end].strip()


def _same(first: Quantity, second: Quantity) -> bool:
    """Whether two times are one, or the same result for the two lengths of a month."""
    if any(second.near(value, MINUTES) for value in first.values):
        return True
    months = (right(topic, days) for topic in _IN_MINUTES for days in DAYS)
    return sum(first.near(each, MINUTES) or second.near(each, MINUTES) for each in months) == len(DAYS)


def stray_percentages(text: str) -> Iterator[tuple[int, str]]:
    """Yield percentages above 100 and availabilities that no right answer to the fourth question has."""
    for number, line in enumerate(text.split("\n"), 1):
        for each in quantities(line):
            if each.dimension == "percent" and _is_an_answer(each) and not _follows(each):
                yield number, line[each.start : each.end].strip()


def _is_an_answer(quantity: Quantity) -> bool:
    return any(100 < value < 1000 or 99 < value < 99.9 for value in quantity.values)


def _follows(quantity: Quantity) -> bool:
    for days in DAYS:
        spent = (USED + _MORE) / right("total", days) * 100
        missed = 100 - (USED + _MORE) / (days * 24 * 60) * 100
        if quantity.near(spent, POINTS) or quantity.near(missed, _AVAILABILITY):
            return True
    return False
