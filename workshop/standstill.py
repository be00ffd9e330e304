"""When is waiting over although the time is not? When what is wrong on a cluster certainly stays as it is.

That is certain of an exercise only while all of this holds for a while, in which every webhook catches up: it
is judged by objects of the API server alone, all it asks for is there, what it looked at and what was found
do not change, and nothing on the whole cluster is on its way. In every other case waiting goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from typing import Final

from workshop.cluster.port import Unreachable
from workshop.cluster.stage import LiveStages
from workshop.cluster.stillness import on_its_way, unsettled
from workshop.converging import only_behind
from workshop.engine import Run
from workshop.verdicts import ExerciseResult

# Longer than the API server, Kyverno and Tekton take to act on a change of what they have stored.
SECONDS: Final = 15.0


class Standstill:
    """Remembers since when exercises stand still."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[str, tuple[float, Hashable]] = {}

    def final(self, run: Run, results: Iterable[ExerciseResult]) -> list[str]:
        """Return the ids of those results that waiting certainly does not change any more."""
        candidates = [each.id for each in results if self._stands(run, each)]
        for gone in self._since.keys() - set(candidates):
            del self._since[gone]
        now = self._clock()
        begun = [each for each in candidates if self._since[each][0] == now]
        long = [each for each in candidates if now - self._since[each][0] >= SECONDS]
        if (begun or long) and not _is_quiet(run):
            for each in (*begun, *long):
                del self._since[each]
            return []
        return long

    def _stands(self, run: Run, result: ExerciseResult) -> bool:
        """Whether nothing of an exercise moves; notes since when."""
        exercise = run.lab.exercise(result.id)
        if exercise is None or not isinstance(run.stages, LiveStages) or not only_behind(result):
            return False
        seen = run.stages.seen(exercise)
        if seen is None or any(name for kind, objects in seen.items() for name in unsettled(kind, objects)):
            return False
        found = tuple(
            (check.id, check.verdict, tuple((fact.id, fact.met) for fact in check.facts))
            for check in result.checks
        )
        versions = frozenset(
            (kind, str(each["metadata"].get("uid")), str(each["metadata"].get("resourceVersion")))
            for kind, objects in seen.items()
            for each in objects
        )
        before = self._since.get(result.id)
        if before is None or before[1] != (found, versions):
            self._since[result.id] = self._clock(), (found, versions)
        return True


def _is_quiet(run: Run) -> bool:
    """Whether the whole cluster says that nothing is on its way."""
    if not isinstance(run.stages, LiveStages):
        return False
    try:
        return not any(on_its_way(run.stages.cluster))
    except Unreachable:
        return False
