"""The panes of an exercise as one line of names, each with its key and what there is to know about it."""

from __future__ import annotations

from typing import NamedTuple

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from workshop.tui.words import FAINT, MUTED


class Tab(NamedTuple):
    """One pane: its id, the key that shows it, its name, and a tally in a style of its own."""

    pane: str
    key: str
    label: str
    tally: str = ""
    tally_style: str = MUTED


class PaneTabs(Widget):
    """A click on a tab asks for its pane."""

    DEFAULT_CSS = """
    PaneTabs { height: 1; padding: 0 1; background: $surface; }
    """

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    tabs: reactive[tuple[Tab, ...]] = reactive(())
    active: reactive[str] = reactive("")

    def render(self) -> Content:
        """Return the line."""
        return Content("").join([self._tab(tab) for tab in self.tabs])

    def _tab(self, tab: Tab) -> Content:
        name = "bold $text-primary underline" if tab.pane == self.active else MUTED
        tally = (f" {tab.tally}", tab.tally_style) if tab.tally else ("", "")
        return Content.assemble((f"{tab.key} ", FAINT), (tab.label, name), tally, "    ")

    def on_click(self, event: events.Click) -> None:
        """Find the tab below the pointer."""
        position = event.x - self.styles.padding.left
        for tab in self.tabs:
            position -= self._tab(tab).cell_length
            if position < 0:
                self.post_message(self.Chosen(tab.pane))
                return
