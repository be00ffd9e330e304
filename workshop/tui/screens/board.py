"""The final board: what the lab is judged by, points and time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from workshop.texts import Text
from workshop.tui.screens.base import Drawn
from workshop.tui.state import State
from workshop.tui.widgets.key_bar import KeyBar
from workshop.tui.widgets.top_bar import TopBar
from workshop.tui.words import FAINT, MUTED, gauge, hanging, minutes, prose, style, symbol
from workshop.verdicts import Verdict


class BoardScreen(Drawn[None]):
    """Success criteria, blocks, points."""

    CSS_PATH = "board.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.map", "Map", id="board.map"),
        Binding("r", "app.check_all", "Check all", id="board.check"),
    ]

    def compose(self) -> ComposeResult:
        """Build the skeleton."""
        yield TopBar()
        with VerticalScroll(id="pane"):
            yield Static(id="board")
        yield KeyBar()

    def draw(self) -> None:
        """Fill it."""
        top = self.query_one(TopBar)
        top.state, top.where = self.shown, self.say(Text("Goals"))
        width = min(96, max(40, self.size.width - 8))
        self.query_one("#board", Static).update(Content("\n").join(_lines(self.shown, width)))

    def on_resize(self) -> None:
        """Wrap for the new width."""
        self.redraw()


def _lines(state: State, width: int) -> Iterator[Content]:
    say, lab = state.say, state.lab
    met = [state.criterion(each) for each in lab.criteria]
    title = Text("Goals reached: {met} of {total}", met=met.count(Verdict.PASSED), total=len(met))
    yield Content.styled(say(title), "bold $text-primary")
    yield Content("")
    for criterion, verdict in zip(lab.criteria, met, strict=True):
        sign = Content.assemble((f" {symbol(verdict)} ", style(verdict)), " ")
        words = prose(say(criterion.title), "" if verdict is Verdict.PASSED else MUTED)
        detail = "  ".join(_exercise(state, each) for each in criterion.exercises)
        if criterion.exercises and criterion.at_least < len(criterion.exercises):
            detail += "  " + say(Text("({count} are enough)", count=criterion.at_least))
        yield hanging(sign, Content.assemble(words, ("   " + detail if detail else "", FAINT)), width)
    yield Content("")
    points = state.points()
    yield Content.styled(say(Text("Points")), "bold $text-primary")
    yield Content("")
    for block in lab.blocks:
        total = sum(each.points for each in block.exercises)
        if not block.exercises:
            continue
        spent = f"{minutes(state.seconds(block.exercises)):>3}/{block.minutes} min"
        earned = f"{state.points(block.exercises):>4g}/{total:g}"
        lead = Content.assemble(
            " ",
            gauge(state.passed(block), len(block.exercises), 12),
            f"{earned:<9}",
            (f"{spent:<13}", MUTED),
        )
        yield hanging(lead, Content(say(block.title)), width)
    yield Content("")
    verdict_words = (
        Text(
            "{points} of {total} points: the {threshold} you need are reached.",
            points=f"{points:g}",
            total=f"{lab.max_points:g}",
            threshold=f"{lab.threshold:g}",
        )
        if points >= lab.threshold
        else Text(
            "{points} of {total} points; {threshold} are needed.",
            points=f"{points:g}",
            total=f"{lab.max_points:g}",
            threshold=f"{lab.threshold:g}",
        )
    )
    yield Content.styled(
        " " + say(verdict_words), "bold $text-success" if points >= lab.threshold else "bold"
    )
    if Verdict.UNKNOWN in met:
        yield Content("")
        note = Text("A question mark: this mode cannot verify it. It counts neither for nor against you.")
        yield hanging(Content(" "), Content.styled(say(note), MUTED), width)


def _exercise(state: State, exercise_id: str) -> str:
    return f"{symbol(state.verdict(exercise_id))} {exercise_id}"
