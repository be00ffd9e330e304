"""Status codes worth trying, and which of them an expression cannot tell apart."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Final

from promql_parser import Call

from workshop.promql.demand import Demand
from workshop.promql.matching import accepts_value
from workshop.promql.traffic import Counters, written

SERVER_ERRORS: Final = ("500", "502", "503", "504")
REDIRECTS: Final = ("301", "302", "304")
CLIENT_ERRORS: Final = ("400", "401", "403", "404", "429")
OTHER_SUCCESSES: Final = ("201", "202", "204")
RARE_GOOD: Final = ("206", "307", "308", "402", "405", "409", "410", "422")
RARE_ERRORS: Final = ("501", "505", "507")
ALL: Final = (
    "200", *OTHER_SUCCESSES, *REDIRECTS, *CLIENT_ERRORS, *RARE_GOOD, *SERVER_ERRORS, *RARE_ERRORS,
)  # fmt: skip
# Functions that make labels out of labels: after them a value is more than a name.
_RENAMING: Final = frozenset({"label_replace", "label_join"})


def present(counters: Counters, demand: Demand) -> list[str]:
    """Return the codes whose series exist from the start: one of every class, and those that are named."""
    named = (each.value for label in counters.ways for group in demand.matchers(label) for each in group)
    return list(dict.fromkeys(("200", "301", "404", "500", *(each for each in named if each in ALL))))


def likeness(code: str, others: Collection[str], counters: Counters, demand: Demand) -> Hashable:
    """Return what a status code is to an expression: codes of the same likeness yield the same.

    Matchers aside, a label's value is only a name, which another one may replace – unless one of the
    `others`, whose series are there too, has it already. Raises Beyond for a pattern that is not tried.
    """
    if code == "200" or any(isinstance(node, Call) and node.func.name in _RENAMING for node in demand.nodes):
        return code
    likenesses: list[Hashable] = []
    for label, way in counters.ways.items():
        value = written(code, way)
        taken = value if any(value == written(other, way) for other in others) else None
        groups = demand.matchers(label)
        likenesses.append((taken, *(accepts_value(each, value) for group in groups for each in group)))
    return tuple(likenesses)
