"""Title, verdict, points and clock of the open exercise, on one line; and what to do next, on another."""

from __future__ import annotations

from pathlib import PurePosixPath

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from workshop.content import Exercise
from workshop.texts import Text
from workshop.tui.state import State
from workshop.tui.words import MUTED, VERDICT_WORDS, minutes, prose, style, symbol
from workshop.verdicts import Level, Verdict


class ExerciseHead(Widget):
    """The line below the top bar."""

    DEFAULT_CSS = """
    ExerciseHead { height: 1; padding: 0 1; background: $surface; }
    """

    state: reactive[State | None] = reactive(None)
    exercise: reactive[Exercise | None] = reactive(None)

    def render(self) -> Content:
        """Return the line; the title gives way to what stands right of it."""
        state, exercise = self.state, self.exercise
        if state is None or exercise is None:
            return Content("")
        verdict = state.verdict(exercise.id)
        word = state.say(VERDICT_WORDS[verdict]) if verdict is not None else ""
        if exercise.id in state.running and verdict is None:
            word = state.say(Text("checking…"))
        worth = f"{exercise.points:g} pts" if exercise.points else ""
        spent = f"{minutes(state.spent.get(exercise.id, 0.0))}/{exercise.minutes} min"
        right = Content.assemble(
            (f"{symbol(verdict)} {word}", f"bold {style(verdict)}"),
            ("   " + "  ·  ".join(part for part in (worth, spent) if part), MUTED),
        )
        left = Content.assemble((exercise.id, "bold $text-primary"), f"  {state.say(exercise.title)}")
        room = max(0, self.content_size.width - right.cell_length - 2)
        left = left.truncate(room, ellipsis=True)
        return left + " " * (room + 2 - left.cell_length) + right


class NextStep(Widget):
    """The line above the keys: the first thing that stands in the way, whatever pane is open."""

    DEFAULT_CSS = """
    NextStep { height: 1; padding: 0 1; background: $surface; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    state: reactive[State | None] = reactive(None)
    exercise: reactive[Exercise | None] = reactive(None)

    def render(self) -> Content:
        """Return the line."""
        state, exercise = self.state, self.exercise
        result = state.results.get(exercise.id) if state is not None and exercise is not None else None
        if state is None or exercise is None or result is None:
            return Content("")
        if result.verdict is Verdict.PASSED:
            worth = state.say(Text("Passed: {points} points.", points=f"{result.points:g}"))
            onward = state.say(Text("n: next exercise")) if state.neighbour(exercise, 1) else ""
            return Content.assemble((f" ✓ {worth} ", "$text-success"), (onward, MUTED))
        for check in sorted(result.checks, key=lambda check: check.level is not Level.MUST):
            for fact in check.unmet:
                where = (
                    f"{PurePosixPath(str(fact.source)).name}  " if fact.source and fact.source.line else ""
                )
                said = fact.claim if fact.observed is None else fact.observed
                return Content.assemble(
                    (f" {symbol(check.verdict, check.level)} ", style(check.verdict, check.level)),
                    (where, "$text-accent"),
                    prose(state.say(said)),
                )
        if result.diagnosis:
            first = result.diagnosis[0]
            said = first.message if first.symptom is None else first.symptom
            where = f"{first.object.rpartition('/')[2]}  "
            return Content.assemble((" ✗ ", "$text-error"), (where, "$text-accent"), prose(state.say(said)))
        if result.verdict in (Verdict.UNKNOWN, Verdict.BLOCKED):
            return Content.styled(f" ? {state.say(state.unverified)}", MUTED)
        return Content("")
