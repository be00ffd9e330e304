"""A list whose options are several lines long and are wrapped anew when the width changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option


class WrappedList(OptionList):
    """A subclass yields `(id, content)` from `lines`, for the width there is, and calls `redraw`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "cursor_down", "Down", show=False, id="list.down"),
        Binding("up,k", "cursor_up", "Up", show=False, id="list.up"),
    ]

    # The option to highlight once there is a width to draw for.
    wanted: str | None = None

    def lines(self, width: int) -> Iterator[tuple[str, Content]]:
        """Yield the options for a width in cells."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw every option again; the highlight stays on the option of the same id."""
        width = self.scrollable_content_region.width or self.content_size.width
        if width <= 0:
            return
        fresh = list(self.lines(width))
        if [option.id for option in self.options] == [option_id for option_id, _ in fresh]:
            for index, (_, content) in enumerate(fresh):
                if self.get_option_at_index(index).prompt != content:
                    self.replace_option_prompt_at_index(index, content)
            return
        kept = self.wanted or (self.highlighted_option.id if self.highlighted_option else None)
        self.wanted = None
        with self.prevent(OptionList.OptionHighlighted):
            self.set_options([Option(content, id=option_id) for option_id, content in fresh])
        ids = [option_id for option_id, _ in fresh]
        if ids:
            self.highlighted = ids.index(kept) if kept in ids else 0

    def on_resize(self) -> None:
        """Wrap for the new width."""
        self.redraw()
