"""A run: every mutant judged offline, and what is to be thought of those that pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .judging import Bench, Outcome
from .mutants import Mutant
from .reasons import Reason, reason_for


@dataclass
class Figures:
    """What a run found. `survivors` are the mutants that pass, each with its reason or None."""

    words: dict[str, Counter[str]] = field(default_factory=dict)
    survivors: list[tuple[Mutant, Outcome, Reason | None]] = field(default_factory=list)
    caught: list[tuple[Mutant, Outcome]] = field(default_factory=list)
    untold: list[tuple[Mutant, Outcome]] = field(default_factory=list)

    @property
    def unexplained(self) -> list[tuple[Mutant, Outcome]]:
        return [(mutant, outcome) for mutant, outcome, reason in self.survivors if reason is None]


def run(
    bench: Bench, todo: Iterable[Mutant], known: list[Reason], told: Callable[[Mutant], None] = lambda _: None
) -> Figures:
    """Judge every mutant."""
    figures = Figures()
    for mutant in todo:
        told(mutant)
        outcome = bench.judge(mutant.exercise, {mutant.file: mutant.text})
        figures.words.setdefault(mutant.exercise, Counter())[outcome.word] += 1
        if outcome.word in ("silent", "advised"):
            figures.survivors.append((mutant, outcome, reason_for(known, mutant, outcome)))
        elif outcome.word == "caught":
            figures.caught.append((mutant, outcome))
        else:
            figures.untold.append((mutant, outcome))
    return figures
