"""The line that says what is waited for."""

from __future__ import annotations

import io

import pytest

from workshop.cli.status_line import StatusLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "written"),
    [(io.StringIO(), "9 s\n8 s\n"), (Terminal(), "\r\x1b[K9 s\r\x1b[K8 s\r\x1b[K")],
)
def test_a_terminal_is_written_over_and_a_log_is_not(stream: io.StringIO, written: str) -> None:
    line = StatusLine(stream)
    line.show("9 s")
    line.show("8 s")
    line.clear()
    assert stream.getvalue() == written
