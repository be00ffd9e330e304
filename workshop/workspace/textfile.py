"""From the bytes of a file to its text."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from workshop.texts import Text
from workshop.workspace.problems import Position, Unreadable, refusal

_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class TextFile:
    """A text file: `text` without byte order mark, every line end a single `\\n`."""

    path: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        return self.text.split("\n")


def without_comments(text: str) -> str:
    """Return Markdown with its `<!-- -->` made blank, every other character at its place.

    One that is never closed is no comment.
    """
    pieces: list[str] = []
    end = 0
    while (start := text.find("<!--", end)) >= 0 and (close := text.find("-->", start + 4)) >= 0:
        pieces += [text[end:start], re.sub(r"[^\n]", " ", text[start : close + 3])]
        end = close + 3
    return "".join([*pieces, text[end:]])


def decode(path: str, data: bytes) -> str:
    """Return the text of a UTF-8 file. Raises Unreadable (binary, encoding)."""
    if data.startswith(_UTF16_MARKS) or _looks_like_utf16(data):
        raise refusal(
            "encoding",
            Text("{path} is written in UTF-16, which Kubernetes tools do not read", path=path),
            Text("Save it as UTF-8 (in PowerShell: … | Out-File -Encoding utf8 {path}).", path=path),
        )
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in data:
        raise refusal(
            "binary",
            Text("{path} is not a text file", path=path),
            Text("Check that it is the file you meant: perhaps a picture or an archive has its name."),
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(path, data, error) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _looks_like_utf16(data: bytes) -> bool:
    """Whether every second byte of the beginning is NUL, as in UTF-16 without a mark."""
    sample = data[: min(len(data), 512) // 2 * 2]
    if len(sample) < 4:
        return False
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    return (even == 0 and odd >= half * 0.9) or (odd == 0 and even >= half * 0.9)


def _not_utf8(path: str, data: bytes, error: UnicodeDecodeError) -> Unreadable:
    before = data[: error.start]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", errors="replace")) + 1
    return refusal(
        "encoding",
        Text(
            "{path} is not UTF-8: byte {byte} on line {line} belongs to another encoding",
            path=path,
            byte=f"0x{data[error.start]:02X}",
            line=line,
        ),
        Text("Save the file as UTF-8: the encoding is usually named in the status bar of your editor."),
        Position(path, line, column),
    )
