"""From an index into a text to the place in the file that a reader opens."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from workshop.workspace.problems import Position


class Source:
    """A text that documents were read from. `line_offset` and `column_offset` are added to every place."""

    def __init__(self, text: str, file: str, *, line_offset: int = 0, column_offset: int = 0) -> None:
        self.text, self.file = text, file
        self._line_offset, self._column_offset = line_offset, column_offset
        self._starts: list[int] = []

    def place(self, index: int) -> Position:
        """Return the position of a character of the text."""
        line, column = self._line_and_column(index)
        return Position(self.file, line + 1 + self._line_offset, column + 1 + self._column_offset)

    def _line_and_column(self, index: int) -> tuple[int, int]:
        if not self._starts:  # most files never have a position asked for
            self._starts = line_starts(self.text)
        line = bisect_right(self._starts, index) - 1
        return line, index - self._starts[line]


class InnerSource(Source):
    """A text that is a scalar of another document; `begins` has the index there of each of its lines."""

    def __init__(self, text: str, outer: Source, begins: Sequence[int]) -> None:
        super().__init__(text, outer.file)
        self._outer, self._begins = outer, begins

    def place(self, index: int) -> Position:
        """Return the position in the file of the outer document, never beyond the line it falls on."""
        line, column = self._line_and_column(index)
        begin = self._begins[min(line, len(self._begins) - 1)]
        end = self._outer.text.find("\n", begin)
        return self._outer.place(min(begin + column, end if end >= 0 else len(self._outer.text)))


def line_starts(text: str) -> list[int]:
    """Return the index at which each line begins; as in an editor, only `\\n` ends a line."""
    starts = [0]
    index = text.find("\n")
    while index >= 0:
        starts.append(index + 1)
        index = text.find("\n", index + 1)
    return starts
