"""Choose one of a few things: a file to edit, a command to copy."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from workshop.texts import Message
from workshop.tui.screens.base import Dialog
from workshop.tui.state import State
from workshop.tui.widgets.key_bar import KeyBar
from workshop.tui.words import printable


class ChooseDialog(Dialog[str]):
    """Returns the choice, or None."""

    CSS_PATH = "choose.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Back", id="choose.cancel")]

    def __init__(self, state: State, title: Message, choices: list[str]) -> None:
        super().__init__(state)
        self._title, self._choices = title, choices

    def compose(self) -> ComposeResult:
        """Build the list."""
        with Vertical(id="dialog"):
            yield Static(self.say(self._title), id="title")
            yield OptionList(*(Content(printable(choice)) for choice in self._choices), id="choices")
        yield KeyBar()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index])
