"""The map itself: blocks with their bars, exercises with sign, points and title."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from workshop.content import Block, Exercise
from workshop.tui.state import State
from workshop.tui.words import FAINT, LOCK, MUTED, gauge, style, symbol
from workshop.verdicts import Verdict


class LabList(OptionList):
    """Every exercise of the lab; the id of an option is the exercise's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "cursor_down", "Down", show=False, id="list.down"),
        Binding("up,k", "cursor_up", "Up", show=False, id="list.up"),
    ]

    state: reactive[State | None] = reactive(None, init=False)

    def watch_state(self, state: State | None) -> None:
        """Draw every line again, the highlight staying where it is."""
        if state is None:
            return
        options = [option for block in state.lab.blocks for option in self._of_block(state, block)]
        if [option.id for option in options] != [option.id for option in self.options]:
            self.set_options(options)
            return
        for index, option in enumerate(options):
            self.replace_option_prompt_at_index(index, option.prompt)

    def select(self, exercise_id: str) -> None:
        """Put the highlight on an exercise."""
        self.highlighted = self.get_option_index(exercise_id)

    def _of_block(self, state: State, block: Block) -> list[Option]:
        if not block.exercises:
            return []
        head = Content.assemble(
            gauge(state.passed(block), len(block.exercises), 6),
            "  ",
            (state.say(block.title), "bold"),
            (f"  {state.passed(block)}/{len(block.exercises)}", MUTED),
        )
        rows = [Option(_row(state, exercise), id=exercise.id) for exercise in block.exercises]
        first = self.options and self.options[0].id == f"block-{block.id}"
        space = "" if first or block is state.lab.blocks[0] else "\n"
        return [Option(Content(space) + head, id=f"block-{block.id}", disabled=True), *rows]


def _row(state: State, exercise: Exercise) -> Content:
    verdict = state.verdict(exercise.id)
    open_ = exercise.id in state.unlocked
    shown, colour = (symbol(verdict), style(verdict)) if open_ else (LOCK, FAINT)
    if exercise.id in state.running:
        shown = "⋯"
    faint = not open_ or verdict is Verdict.UNKNOWN
    points = f"{exercise.points:g}" if exercise.points else "–"
    name = exercise.id.replace("bonus-", "+")
    return Content.assemble(
        (f" {shown} ", colour),
        (f" {name:<4}", FAINT if not open_ else MUTED),
        (f"{points:>3} ", FAINT if faint else MUTED),
        " ",
        (state.say(exercise.title), FAINT if not open_ else MUTED if faint else ""),
    )
