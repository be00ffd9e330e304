"""The lab map: blocks, locks, points and clocks; where every session begins."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from workshop.gating import next_exercise
from workshop.texts import Text
from workshop.tui.screens.base import Drawn
from workshop.tui.state import State
from workshop.tui.widgets.exercise_card import ExerciseCard
from workshop.tui.widgets.key_bar import KeyBar
from workshop.tui.widgets.lab_list import LabList
from workshop.tui.widgets.top_bar import TopBar
from workshop.tui.words import FAINT, MUTED


class MapScreen(Drawn[None]):
    """All exercises on the left, the highlighted one on the right."""

    CSS_PATH = "map.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="map.open"),
        Binding("n", "next", "Next to do", id="map.next"),
        Binding("r", "app.check_all", "Check all", id="map.check"),
        Binding("g", "app.board", "Goals", id="map.board"),
        Binding("w", "app.welcome", "Settings", id="map.welcome"),
        Binding("t", "app.shell", "Terminal", show=False, id="map.shell"),
    ]

    def __init__(self, state: State, exercise_id: str | None = None) -> None:
        super().__init__(state)
        self._at = exercise_id or next_exercise(state.lab, state.remembered) or state.lab.exercises[0].id

    def compose(self) -> ComposeResult:
        """Build the skeleton."""
        yield TopBar()
        with Horizontal(id="body"):
            yield LabList(id="lab")
            with VerticalScroll(id="card-pane", can_focus=False):
                yield ExerciseCard(id="card")
        yield Static(id="legend")
        yield KeyBar()

    def draw(self) -> None:
        """Fill it."""
        state = self.shown
        self.query_one(TopBar).state = state
        lab_list = self.query_one(LabList)
        lab_list.state = state
        if lab_list.highlighted is None:
            lab_list.select(self._at)
        self.query_one(ExerciseCard).state = state
        self.query_one("#legend", Static).update(self._legend())

    def point_at(self, exercise_id: str) -> None:
        """Put the highlight on an exercise."""
        self._at = exercise_id
        if self.is_mounted:
            self.query_one(LabList).select(exercise_id)

    @on(OptionList.OptionHighlighted)
    def _look_at(self, event: OptionList.OptionHighlighted) -> None:
        exercise = self.shown.lab.exercise(event.option_id or "")
        if exercise is not None:
            self._at = exercise.id
            self.query_one(ExerciseCard).exercise = exercise

    @on(OptionList.OptionSelected)
    def _chosen(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        """Open the highlighted exercise."""
        self.workshop.open_exercise(self._at)

    def action_next(self) -> None:
        """Go to the first exercise that is open and not done."""
        state = self.shown
        verdicts = {each.id: verdict for each in state.lab.exercises if (verdict := state.verdict(each.id))}
        following = next_exercise(state.lab, verdicts)
        if following is None:
            self.notify(self.say(Text("Nothing is left to do here.")))
        else:
            self.point_at(following)

    def _legend(self) -> Content:
        say = self.say
        signs = (
            ("✓", "$text-success", Text("passed")),
            ("✗", "$text-error", Text("failed")),
            ("◐", "$text-warning", Text("unfinished")),
            ("○", MUTED, Text("not started")),
            ("?", MUTED, Text("not verified")),
            ("·", FAINT, Text("locked")),
        )
        return Content("   ").join(
            [Content.assemble((sign, colour), " ", (say(word), MUTED)) for sign, colour, word in signs]
        )
