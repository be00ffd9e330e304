"""The line below every screen: the keys that work now. One widget, drawn anew, never rebuilt."""

from __future__ import annotations

from collections.abc import Iterator

from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget


class KeyBar(Widget):
    """Keys and what they do, in the order of their bindings; those that do not fit are left out whole."""

    DEFAULT_CSS = """
    KeyBar { dock: bottom; height: 1; background: $panel; padding: 0 1; }
    """

    def on_mount(self) -> None:
        """Follow the bindings of the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def render(self) -> Content:
        """Return the line."""
        return Content("  ").join([label for _, label in self._labels()])

    def on_click(self, event: events.Click) -> None:
        """Do as if the key below the pointer had been pressed."""
        position = event.x - self.styles.padding.left
        for key, label in self._labels():
            position -= label.cell_length + 2
            if position < 0:
                self.app.simulate_key(key)
                return

    def _changed(self, _: Screen[object]) -> None:
        self.refresh()

    def _labels(self) -> Iterator[tuple[str, Content]]:
        room = self.content_size.width
        shown: set[str] = set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if not binding.show or binding.action in shown:
                continue
            shown.add(binding.action)
            name = self.app.get_key_display(binding)
            label = Content.assemble((name, "bold $text-primary"), f" {binding.description}")
            room -= label.cell_length + 2
            if room < -2:
                return
            yield binding.key, label
