"""What a command waits for: one line on a terminal, written over again and again; lines in a log."""

from __future__ import annotations

from typing import TextIO

_START_OVER = "\r\x1b[K"


class StatusLine:
    """The line that says what is going on just now, on a stream that may be a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()

    def show(self, text: str) -> None:
        """Say what is going on."""
        self._stream.write(f"{_START_OVER}{text}" if self._terminal else f"{text}\n")
        self._stream.flush()

    def clear(self) -> None:
        """Leave no trace of it on a terminal."""
        if self._terminal:
            self._stream.write(_START_OVER)
            self._stream.flush()
