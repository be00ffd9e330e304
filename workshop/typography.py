"""Quotation marks that a word processor or a PDF has bent: to YAML they are letters like any other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

# A whole value in bent marks, behind its key, a dash or an operator, without a space inside: a sentence may
# well be quoted « like this ».
_BENT: Final = re.compile(
    r"(?:^\s*(?:-\s+){0,3}(?:[\w./$-]{1,80}:\s+)?|[\[{]\s*(?:[\w./-]{1,80}:\s*)?|,\s*[\w./-]{1,80}:\s*|[=~])"
    r"(?P<value>[“”„‟«‘’][^\s“”„‟«»‘’]{0,80}[“”‟»‘’])(?=\s*(?:$|[,\]})]))"
)
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
_MAX_LINES: Final = 5_000


class Bent(NamedTuple):
    """A value in bent quotation marks and where it stands; line and column count from 1."""

    line: int
    column: int
    value: str


def bent_quotes(text: str) -> Iterator[Bent]:
    """Yield the values of a YAML text that stand in bent quotation marks, comments left out."""
    for number, line in enumerate(text.split("\n")[:_MAX_LINES], start=1):
        for match in _BENT.finditer(_COMMENT.sub("", line[:2_000])):
            yield Bent(number, match.start("value") + 1, match["value"])
