"""The panes of an exercise as one line of names, each with what there is to know about it."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class PaneTabs(Widget):
    """`tabs` are (id, label, count, style of the count); a click asks for a pane."""

    DEFAULT_CSS = """
    PaneTabs { height: 1; padding: 0 1; background: $surface; }
    """

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    tabs: reactive[tuple[tuple[str, str, str, str], ...]] = reactive(())
    active: reactive[str] = reactive("")

    def render(self) -> Content:
        """Return the line."""
        return Content("").join([self._tab(*tab) for tab in self.tabs])

    def _tab(self, pane: str, label: str, count: str, count_style: str) -> Content:
        on = pane == self.active
        text = Content.assemble((f" {label} ", "bold $text-primary underline" if on else "$text-muted"))
        return Content.assemble(text, (f"{count} " if count else "", count_style), "  ")

    def on_click(self, event: events.Click) -> None:
        """Find the tab below the pointer."""
        position = event.x - self.styles.padding.left
        for tab in self.tabs:
            position -= self._tab(*tab).cell_length
            if position < 0:
                self.post_message(self.Chosen(tab[0]))
                return
