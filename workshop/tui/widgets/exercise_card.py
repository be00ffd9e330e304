"""Beside the map: what the highlighted exercise is, and how its block stands."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import PurePosixPath

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from workshop.content import Exercise
from workshop.texts import Text
from workshop.tui.state import State
from workshop.tui.words import MUTED, VERDICT_WORDS, gauge, minutes, prose, style, symbol
from workshop.verdicts import Half, Verdict

_HALVES = {
    Half.FILES: Text("your files"),
    Half.CLUSTER: Text("the cluster"),
    Half.NETWORK: Text("the network"),
}


class ExerciseCard(Static):
    """One exercise and its block."""

    state: reactive[State | None] = reactive(None, init=False)
    exercise: reactive[Exercise | None] = reactive(None, init=False)

    def watch_state(self) -> None:
        """Draw again."""
        self._draw()

    def watch_exercise(self) -> None:
        """Draw again."""
        self._draw()

    def _draw(self) -> None:
        state, exercise = self.state, self.exercise
        if state is not None and exercise is not None:
            self.update(Content("\n").join(_lines(state, exercise)))


def _lines(state: State, exercise: Exercise) -> Iterator[Content]:
    say = state.say
    verdict = state.verdict(exercise.id)
    yield Content.styled(say(exercise.title), "bold $text-primary")
    if exercise.id not in state.unlocked:
        yield Content.styled(say(Text("Locked: finish the one before it first.")), "$text-warning")
    elif verdict is None:
        yield Content.styled(say(Text("not started")), MUTED)
    else:
        yield Content.styled(f"{symbol(verdict)} {say(VERDICT_WORDS[verdict])}", style(verdict))
    yield Content("")
    worth = (
        say(Text("{points} points", points=f"{exercise.points:g}"))
        if exercise.points
        else say(Text("no points"))
    )
    spent = minutes(state.spent.get(exercise.id, 0.0))
    yield Content(f"{worth}  ·  {spent}/{exercise.minutes} min")
    looked = ", ".join(say(_HALVES[half]) for half in exercise.halves)
    yield Content.styled(say(Text("Judged by {what}", what=looked)), MUTED)
    if verdict is Verdict.UNKNOWN:
        yield Content.styled(say(state.unverified), MUTED)
    if exercise.deliverables:
        yield Content("")
        yield Content.styled(say(Text("Deliverables")), "bold")
        for folder, files in groupby(map(PurePosixPath, exercise.deliverables), key=lambda path: path.parent):
            yield Content.styled(f"{folder}/", MUTED)
            for file in files:
                yield Content.styled(f"  {file.name}", "$text-accent")
    block = state.block_of(exercise)
    yield Content("")
    yield Content.styled(say(block.title), "bold")
    yield prose(say(block.goal), MUTED)
    total = sum(each.points for each in block.exercises)
    yield Content.assemble(
        gauge(state.passed(block), len(block.exercises), 12),
        f"  {state.points(block.exercises):g}/{total:g} pts  ·  ",
        f"{minutes(state.seconds(block.exercises))}/{block.minutes} min",
    )
