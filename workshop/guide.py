"""The troubleshooting guide as data, and the hint it has for a failed check.

Entries are YAML files below `exercises/<lab>/guide/`: symptom, how it shows, cause, remedy, the
exercises it belongs to, and what gives it away: facts of checks, and signals seen on a cluster.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from workshop.content import Exercise, Lab, read_guide_entries
from workshop.texts import Bilingual, Message
from workshop.verdicts import CheckResult, Finding, Level


@dataclass(frozen=True, slots=True)
class Entry:
    """One symptom and what to do about it.

    `facts` are ids of facts that, when not met, show it; `signals` ids of symptoms read off a cluster. `log`
    says that only a log shows it, and `shows` then how to read that.
    """

    id: str
    symptom: Bilingual
    shows: Bilingual
    cause: Bilingual
    remedy: Bilingual
    exercises: tuple[str, ...]
    facts: tuple[str, ...]
    signals: tuple[str, ...] = ()
    log: bool = False


@functools.cache
def load_guide(lab: Lab) -> tuple[Entry, ...]:
    """Return every entry of the lab's guide. Raises ContentError when one is not well-formed."""
    return tuple(Entry(**entry) for entry in read_guide_entries(lab))


def in_logs(lab: Lab, exercise: Exercise) -> tuple[Entry, ...]:
    """Return what can be wrong with an exercise on the cluster that only a log tells."""
    return tuple(entry for entry in load_guide(lab) if entry.log and exercise.id in entry.exercises)


def entry_for(lab: Lab, exercise: Exercise, signal: str) -> Entry | None:
    """Return the entry about a symptom seen on the cluster: the one most about this exercise.

    Of its own entries that is the one with the fewest others; without any, the most general one.
    """
    about = [entry for entry in load_guide(lab) if signal in entry.signals]
    own = [entry for entry in about if exercise.id in entry.exercises]
    if own:
        return min(own, key=lambda entry: len(entry.exercises))
    return max(about, key=lambda entry: len(entry.exercises), default=None)


def hint_for(
    lab: Lab, exercise: Exercise, results: Iterable[CheckResult], diagnosis: Iterable[Finding] = ()
) -> Message | None:
    """Return the remedy the guide has for a failure, None when it has none.

    Where facts of `must` checks are unmet they alone speak: advice on something else would mislead. What a
    file says wrongly comes first; then what is seen to be wrong on the cluster, which knows more than that
    something is not there; then what the guide says of such a fact in general.
    """
    found = list(results)
    deciding = [fact for result in found if result.level is Level.MUST for fact in result.unmet]
    unmet = deciding or [fact for result in found for fact in result.unmet]
    # The guide is read when something is wrong, not for what merely could not be looked at.
    entries = [entry for entry in load_guide(lab) if exercise.id in entry.exercises] if unmet else []
    known = [(fact, entry.remedy) for fact in unmet for entry in entries if fact.id in entry.facts]
    in_files = [remedy for fact, remedy in known if fact.source is not None and fact.source.file is not None]
    seen = [finding.remedy for finding in diagnosis if finding.remedy is not None]
    return next(iter((*in_files, *seen, *(remedy for _, remedy in known))), None)
