"""The bones of a Markdown text: sections, list items, table rows, sentences – each with its line.

Nothing is rendered. Emphasis and code marks are dropped, since they say nothing about a number or a word.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from workshop.workspace.textfile import without_comments

_HEADING: Final = re.compile(r" {0,3}(#{1,6})(?:\s+(.*?))?\s*#*\s*")
_BOLD_HEADING: Final = re.compile(r"\s{0,3}(?:\*\*|__)([^*_]{2,120})(?:\*\*|__)\s*:?\s*")
# What stands in bold on a line of its own may be an answer: **43,2 min**.
_VALUE: Final = re.compile(
    r"[≈~+−–-]?\s?(?:\d+(?:[ .,]\d+)*\s?"
    r"(?:%|h|heures?|hours?|m|mn|min\w*|s|sec\w*|pour ?cent|percent)?\s?){1,3}[.!]?",
    re.IGNORECASE,
)
_UNDERLINE: Final = re.compile(r" {0,3}(=+|-{2,})\s*")
_ITEM: Final = re.compile(r"\s{0,12}(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]?\]\s*)?(.*)")
_TABLE_RULE: Final = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?;])\s+(?=\S)")


class Line(NamedTuple):
    """A line of text without Markdown's marks; `number` counts from 1."""

    number: int
    text: str


@dataclass(slots=True)
class Section:
    """A heading and what stands below it, up to the next heading. The text before any has an empty title."""

    title: str
    number: int
    lines: list[Line] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return the lines joined."""
        return "\n".join(line.text for line in self.lines)

    @property
    def items(self) -> list[Line]:
        """Return list items, continuation lines included, and table rows but for their header."""
        return list(_items(self.lines))


def sections(text: str) -> list[Section]:
    """Return the sections of a text in order, however deep their headings are; the lists are the caller's."""
    return [Section(each.title, each.number, list(each.lines)) for each in _read(text)]


# One file is asked many questions: it is read for the first.
@functools.lru_cache(maxsize=4)
def _read(text: str) -> tuple[Section, ...]:
    found = [Section("", 1)]
    fenced = False
    lines = without_comments(text).split("\n")
    for number, raw in enumerate(lines, start=1):
        line = raw[:4_000]
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
            continue
        heading = None if fenced else _heading(line)
        underlined = _UNDERLINE.fullmatch(line) and not fenced and found[-1].lines
        if heading is not None:
            found.append(Section(plain(heading), number))
        elif underlined and found[-1].lines[-1].number == number - 1 and found[-1].lines[-1].text.strip():
            title = found[-1].lines.pop()
            found.append(Section(title.text.strip(), title.number))
        else:
            found[-1].lines.append(Line(number, plain(line) if not fenced else line))
    return tuple(found)


def _heading(line: str) -> str | None:
    match = _HEADING.fullmatch(line)
    if match:
        return match[2] or ""
    match = _BOLD_HEADING.fullmatch(line)
    return match[1] if match and not _VALUE.fullmatch(match[1].strip()) else None


def plain(text: str) -> str:
    """Return text without emphasis and code marks, links reduced to their words, spaces made ordinary.

    What is struck through was taken back, and is gone.
    """
    text = unicodedata.normalize("NFC", text)
    text = re.sub(r"[\u00a0\u202f\u2007\u2009]", " ", text)
    text = re.sub(r"!?\[([^\]\n]{0,300})\]\([^)\n]{0,500}\)", r"\1", text)
    text = re.sub(r"\\(?:text|mathrm)\{([^{}\n]{0,60})\}", r" \1", text)
    text = re.sub(r"~~[^~\n]{1,300}~~", "", text)
    text = re.sub(r"\*\*|__|`|~~|\$", "", text)
    # A star between numbers multiplies; beside a word it is emphasis.
    text = re.sub(r"(?<![\d\s)])\*|\*(?![\d\s(])", "", text)
    text = re.sub(r"(?<=\S) {2,}", " ", text)
    return (
        text.replace("{,}", ",")
        .replace("\\,", " ")
        .replace("\\%", "%")
        .replace("\\times", "×")
        .replace("\\approx", "≈")
    )


def folded(text: str) -> str:
    """Return text in lower case without accents, typographic apostrophes made plain: for comparing words."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFD", text.replace("’", "'").replace("œ", "oe"))
    return "".join(each for each in decomposed if not unicodedata.combining(each)).lower()


def statements(lines: list[Line]) -> Iterator[Line]:
    """Yield sentences; a table row is one statement."""
    for line in lines:
        if not line.text.strip() or _TABLE_RULE.fullmatch(line.text):
            continue
        if line.text.count("|") >= 2:
            yield line
            continue
        for sentence in _SENTENCE_END.split(line.text):
            yield Line(line.number, sentence)


def _items(lines: list[Line]) -> Iterator[Line]:
    current: Line | None = None
    for index, line in enumerate(lines):
        item = _ITEM.fullmatch(line.text)
        if item:
            if current is not None:
                yield current
            current = Line(line.number, item[1].strip())
        elif current is not None and line.text.strip():
            current = Line(current.number, f"{current.text} {line.text.strip()}")
        elif current is not None:
            yield current
            current = None
        elif line.text.count("|") >= 2 and not _TABLE_RULE.fullmatch(line.text):
            header = index + 1 < len(lines) and _TABLE_RULE.fullmatch(lines[index + 1].text)
            if not header:
                yield Line(line.number, line.text.strip(" |"))
    if current is not None:
        yield current
