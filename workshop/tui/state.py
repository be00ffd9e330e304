"""What every screen is drawn from: one frozen snapshot, replaced when something is found out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from workshop.content import Block, Criterion, Exercise, Lab
from workshop.gating import unlocked
from workshop.texts import Language, Message, Text
from workshop.tui.connecting import ClusterView
from workshop.tui.words import say
from workshop.verdicts import ExerciseResult, Half, Level, Mode, Verdict


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class State:
    """The lab as the student stands in it.

    `results` are this session's, by exercise id; `remembered` the verdicts of earlier sessions, shown
    until the files have been judged again; `passed_once` keeps what was unlocked open; `spent` is in
    seconds by exercise id. `cluster` is how the newest run found it, None before it was asked;
    `starting` is what a sandbox under way is doing, `start_problem` why the last one did not come up.
    """

    lab: Lab
    folder: Path
    language: Language = "en"
    mode: Mode = Mode.OFFLINE
    instructor: bool = False
    results: Mapping[str, ExerciseResult] = field(default_factory=_nothing)
    remembered: Mapping[str, Verdict] = field(default_factory=_nothing)
    passed_once: frozenset[str] = frozenset()
    running: frozenset[str] = frozenset()
    hints: Mapping[str, int] = field(default_factory=_nothing)
    spent: Mapping[str, float] = field(default_factory=_nothing)
    files_readable: bool | None = None
    cluster: ClusterView | None = None
    starting: Message | None = None
    start_problem: Message | None = None

    def say(self, message: Message) -> str:
        """Return a message in the student's language, safe to print."""
        return say(message, self.language)

    def verdict(self, exercise_id: str) -> Verdict | None:
        """Return the newest known verdict of an exercise, None before the first."""
        result = self.results.get(exercise_id)
        return result.verdict if result is not None else self.remembered.get(exercise_id)

    @property
    def unlocked(self) -> frozenset[str]:
        """The exercises that can be opened. What was open once stays open, whatever breaks later."""
        verdicts = {each.id: verdict for each in self.lab.exercises if (verdict := self.verdict(each.id))}
        verdicts.update(dict.fromkeys(self.passed_once, Verdict.PASSED))
        return unlocked(self.lab, verdicts, instructor=self.instructor)

    @property
    def unverified(self) -> Message:
        """Why an exercise cannot be told right or wrong: the cluster is lost, or the mode does not look."""
        if self.cluster is not None and self.cluster.problem is not None:
            return Text("The cluster does not answer: what it has is not verified, and locks nothing.")
        return Text("This mode cannot verify it, and it locks nothing.")

    def points(self, exercises: Iterable[Exercise] | None = None) -> float:
        """Return the points earned in these exercises, in the whole lab when none are given."""
        chosen = self.lab.exercises if exercises is None else exercises
        return sum(each.points for each in chosen if self.verdict(each.id) is Verdict.PASSED)

    def passed(self, block: Block) -> int:
        """Return how many exercises of a block have passed."""
        return sum(self.verdict(each.id) is Verdict.PASSED for each in block.exercises)

    def seconds(self, exercises: Iterable[Exercise] | None = None) -> float:
        """Return the time spent on these exercises, on the whole lab when none are given."""
        chosen = self.lab.exercises if exercises is None else exercises
        return sum(self.spent.get(each.id, 0.0) for each in chosen)

    def block_of(self, exercise: Exercise) -> Block:
        """Return the block an exercise belongs to."""
        return next(block for block in self.lab.blocks if block.id == exercise.block)

    def neighbour(self, exercise: Exercise, step: int) -> Exercise | None:
        """Return the open exercise that many places further in the lab, or None."""
        order = [each for each in self.lab.exercises if each.id in self.unlocked or each.id == exercise.id]
        index = order.index(exercise) + step
        return order[index] if 0 <= index < len(order) else None

    def criterion(self, criterion: Criterion) -> Verdict | None:
        """Return what became of a success criterion: met, open (None) or not verifiable in this mode."""
        if criterion.every_file_readable:
            if self.files_readable is None:
                return None
            return Verdict.PASSED if self.files_readable else Verdict.FAILED
        verdicts = [self._towards(criterion, exercise_id) for exercise_id in criterion.exercises]
        passed = verdicts.count(Verdict.PASSED)
        if passed >= criterion.at_least:
            return Verdict.PASSED
        cannot_tell = sum(verdict in (Verdict.UNKNOWN, Verdict.BLOCKED) for verdict in verdicts)
        if len(verdicts) - cannot_tell < criterion.at_least:
            return Verdict.UNKNOWN
        return None

    def _towards(self, criterion: Criterion, exercise_id: str) -> Verdict | None:
        """Return what an exercise says of a criterion: its verdict, where that says neither more nor less."""
        verdict, result = self.verdict(exercise_id), self.results.get(exercise_id)
        if verdict is Verdict.PASSED and criterion.live:
            looked = self.mode is Mode.CLUSTER and result is not None and _passed(result, beyond_files=True)
            return Verdict.PASSED if looked else Verdict.UNKNOWN
        if verdict in (Verdict.UNKNOWN, Verdict.BLOCKED) and exercise_id in criterion.files_suffice:
            return Verdict.PASSED if result is not None and _passed(result, beyond_files=False) else verdict
        return verdict


def _passed(result: ExerciseResult, *, beyond_files: bool) -> bool:
    """Whether the musts of the files have passed, or one of those that look further."""
    musts = [each for each in result.checks if each.level is Level.MUST]
    if beyond_files:
        return any(each.half is not Half.FILES and each.verdict is Verdict.PASSED for each in musts)
    files = [each.verdict for each in musts if each.half is Half.FILES]
    return bool(files) and set(files) == {Verdict.PASSED}
