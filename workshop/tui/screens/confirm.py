"""Ask before something is replaced or started."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from workshop.texts import Message, Text
from workshop.tui.screens.base import Dialog
from workshop.tui.state import State
from workshop.tui.widgets.key_bar import KeyBar


class ConfirmDialog(Dialog[bool]):
    """Returns True when confirmed."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Back", id="confirm.cancel"),
        Binding("left,right", "app.focus_next", "Other button", show=False, id="confirm.other"),
    ]

    def __init__(self, state: State, question: Message, yes: Message) -> None:
        super().__init__(state)
        self._question, self._yes = question, yes

    def compose(self) -> ComposeResult:
        """Build the question; the harmless button has the focus."""
        with Vertical(id="dialog"):
            yield Static(self.say(self._question), id="question", markup=False)
            with Horizontal(id="buttons"):
                yield Button(self.say(Text("No")), id="no")
                yield Button(self.say(self._yes), id="yes", variant="warning")
        yield KeyBar()

    @on(Button.Pressed)
    def _answered(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")
