"""The hints asked for so far, and what the troubleshooting guide has to say about the failure."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from workshop.content import Exercise
from workshop.texts import Text
from workshop.tui.state import State
from workshop.tui.words import MUTED, prose


class HintPane(Static):
    """Tiers one after the other; the key that shows the next one is named below them."""

    state: reactive[State | None] = reactive(None, init=False)
    exercise: reactive[Exercise | None] = reactive(None, init=False)

    def watch_state(self) -> None:
        """Draw again."""
        self._draw()

    def watch_exercise(self) -> None:
        """Draw again."""
        self._draw()

    def _draw(self) -> None:
        if self.state is not None and self.exercise is not None:
            self.update(Content("\n").join(_lines(self.state, self.exercise)))


def _lines(state: State, exercise: Exercise) -> Iterator[Content]:
    say = state.say
    result = state.results.get(exercise.id)
    if result is not None and result.hint is not None:
        yield Content.styled(say(Text("From the troubleshooting guide")), "bold $text-warning")
        yield prose(say(result.hint))
        yield Content("")
    revealed, total = state.hints.get(exercise.id, 0), len(exercise.hints)
    for number, hint in enumerate(exercise.hints[:revealed], start=1):
        yield Content.styled(
            say(Text("Hint {number} of {total}", number=number, total=total)), "bold $text-primary"
        )
        yield prose(say(hint))
        yield Content("")
    if revealed < total:
        message = Text("Press h for the next hint.") if revealed else Text("Press h for a first hint.")
        yield Content.styled(say(message), MUTED)
    elif total:
        yield Content.styled(say(Text("That was the last hint.")), MUTED)
    else:
        yield Content.styled(say(Text("This exercise has no hints.")), MUTED)
