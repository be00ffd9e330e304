"""Every key, from the bindings themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from workshop.texts import Text
from workshop.tui.screens.base import Dialog
from workshop.tui.state import State
from workshop.tui.widgets.key_bar import KeyBar
from workshop.tui.words import VERDICT_WORDS, prose, style, symbol
from workshop.verdicts import Verdict


class HelpDialog(Dialog[None]):
    """Keys of the map, of an exercise and of the whole program; what the signs mean."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,question_mark,q", "cancel", "Back", id="help.close")
    ]

    def compose(self) -> ComposeResult:
        """Build the page."""
        with VerticalScroll(id="dialog"):
            yield Static(Content("\n").join(_lines(self.shown)), id="page")
        yield KeyBar()


def _lines(state: State) -> Iterator[Content]:
    from workshop.tui.app import WorkshopApp
    from workshop.tui.screens.exercise import ExerciseScreen
    from workshop.tui.screens.map import MapScreen

    say = state.say
    yield prose(say(_ABOUT), "")
    for title, bindings in (
        (Text("On the map"), MapScreen.BINDINGS),
        (Text("In an exercise"), ExerciseScreen.BINDINGS),
        (Text("Everywhere"), [*WorkshopApp.BINDINGS, *_EVERYWHERE]),
    ):
        yield Content("")
        yield Content.styled(say(title), "bold $text-primary")
        for binding in bindings:
            if isinstance(binding, Binding):
                yield _row(_keys(binding), say(Text(binding.description)))
    yield Content("")
    yield Content.styled(say(Text("Signs")), "bold $text-primary")
    for verdict in Verdict:
        yield Content.assemble(
            f"  {'':8}", (f"{symbol(verdict)}  ", style(verdict)), say(VERDICT_WORDS[verdict])
        )


_ABOUT = Text(
    "Save a file below `td/` and its checks run by themselves, within moments. "
    "Inside a block an exercise that passes opens the next; all blocks are open."
)
_EVERYWHERE = (
    Binding("ctrl+p", "", "All commands"),
    Binding("tab", "", "Next field"),
    Binding("enter", "", "Choose; on a fact: open the file there"),
)
_NAMES = {
    "question_mark": "?",
    "escape": "esc",
    "left": "←",
    "right": "→",
    "enter": "⏎",
    "ctrl+p": "^p",
    "tab": "⇥",
}


def _keys(binding: Binding) -> str:
    return " ".join(
        _NAMES.get(key, key.upper() if key[0] == "f" and key[1:].isdigit() else key)
        for key in binding.key.split(",")
    )


def _row(keys: str, description: str) -> Content:
    return Content.assemble((f"  {keys:<8}", "$text-accent"), description)
