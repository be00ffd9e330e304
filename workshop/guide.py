"""The troubleshooting guide as data, and the hint it has for a failed check.

Entries are YAML files below `exercises/<lab>/guide/`: symptom, how it shows, cause, remedy, the
exercises it belongs to, and the ids of the facts that give it away.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from workshop.content import Exercise, Lab, read_guide_entries
from workshop.texts import Bilingual
from workshop.verdicts import CheckResult, Level


@dataclass(frozen=True, slots=True)
class Entry:
    """One symptom and what to do about it. `facts` are ids of facts that, when not met, show it."""

    id: str
    symptom: Bilingual
    shows: Bilingual
    cause: Bilingual
    remedy: Bilingual
    exercises: tuple[str, ...]
    facts: tuple[str, ...]


@functools.cache
def load_guide(lab: Lab) -> tuple[Entry, ...]:
    """Return every entry of the lab's guide. Raises ContentError when one is not well-formed."""
    return tuple(Entry(**entry) for entry in read_guide_entries(lab))


def hint_for(lab: Lab, exercise: Exercise, results: Iterable[CheckResult]) -> Bilingual | None:
    """Return the remedy of the first entry that an unmet fact of the exercise points to.

    Where facts of `must` checks are unmet they alone speak: advice on something else would mislead.
    """
    found = list(results)
    deciding = [fact.id for result in found if result.level is Level.MUST for fact in result.unmet]
    unmet = deciding or [fact.id for result in found for fact in result.unmet]
    if not unmet:
        return None
    entries = [entry for entry in load_guide(lab) if exercise.id in entry.exercises]
    return next((entry.remedy for fact in unmet for entry in entries if fact in entry.facts), None)
