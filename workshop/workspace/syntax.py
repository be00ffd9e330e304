"""Why a text is not YAML, in the words of somebody who helps a beginner.

libyaml says what its grammar expected; what went wrong is usually visible in the line itself.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import yaml

from workshop.texts import Text
from workshop.workspace.problems import Position, Unreadable, refusal
from workshop.workspace.source import line_starts

_MAX_LINE: Final = 400
_KEY: Final = r"(?:- +)*(?:\"[^\"]*\"|'[^']*'|[A-Za-z0-9_./-]+)"
_NO_SPACE_AFTER_COLON: Final = re.compile(r"^ *(?:- +)*[A-Za-z_][A-Za-z0-9_.-]*:(?=[^\s/:])")
_NO_SPACE_AFTER_DASH: Final = re.compile(r"^ *-(?=[A-Za-z\"'{\[])")
_AFTER_QUOTE: Final = re.compile(
    rf"^ *(?:{_KEY}:|-) +(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*')(?= *[^\s,\]}}:#])"
)
_VALUE: Final = re.compile(rf"^ *(?:{_KEY}: +|(?:- +)+)(?=\S)")
_OPEN_QUOTE: Final = re.compile(rf"^ *(?:{_KEY}:|-) +(?=\"(?:[^\"\\]|\\.)*$|'(?:[^']|'')*$)")
_RESERVED: Final = ("*", "%", "@", "`")


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What libyaml reported: where (an index), and since where it was reading (-1: not said)."""

    problem: str
    context: str
    at: int
    since: int


def explain(error: yaml.YAMLError, text: str, place: Callable[[int], Position]) -> Unreadable:
    """Return the problem of a text that libyaml does not accept; `place` turns an index into a position."""
    trouble = _trouble(error, len(text))
    lines = _Lines(text)
    last = lines.number(trouble.at)
    first = lines.number(trouble.since) if trouble.since >= 0 else last
    line, column = lines.text(last), trouble.at - lines.start(last)
    candidates = [(last, find(line, column)) for find in _ON_THE_SPOT]
    # libyaml notices late that a line is not what it should be: on a line below it.
    earlier = [first] if trouble.context.startswith("while scanning") else []
    for number in (*earlier, lines.written_before(last)):
        candidates += [(number, find(lines.text(number))) for find in _NOTICED_LATE]
    for number, found in candidates:
        if found is not None:
            column, message, remedy = found
            return refusal("yaml-syntax", message, remedy, place(lines.start(number) + column))
    index, message, remedy = _by_grammar(trouble)
    return refusal("yaml-syntax", message, remedy, place(index))


def _trouble(error: yaml.YAMLError, length: int) -> _Trouble:
    mark, since = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    at = min(mark.index, length) if mark else 0
    return _Trouble(
        problem=getattr(error, "problem", None) or str(error),
        context=getattr(error, "context", None) or "",
        at=at,
        since=min(since.index, length) if since else -1,
    )


class _Lines:
    """The lines of a text by number from 0, each cut to what a message and a pattern need of it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = line_starts(text)

    def number(self, index: int) -> int:
        return bisect_right(self._starts, index) - 1

    def start(self, number: int) -> int:
        return self._starts[number]

    def text(self, number: int) -> str:
        start = self._starts[number]
        end = self._text.find("\n", start)
        return self._text[start : min(end if end >= 0 else len(self._text), start + _MAX_LINE)]

    def written_before(self, number: int) -> int:
        for earlier in range(number - 1, max(-1, number - 50), -1):
            line = self.text(earlier).strip()
            if line and not line.startswith("#"):
                return earlier
        return number


_Found = tuple[int, Text, Text] | None


def _tab(line: str) -> _Found:
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" not in indent:
        return None
    return (
        indent.index("\t"),
        Text("This line is indented with a tab"),
        Text("YAML allows only spaces there: replace the tab, and let your editor insert spaces."),
    )


def _no_break_space(line: str) -> _Found:
    column = line.find("\xa0")
    if column < 0:
        return None
    return (
        column,
        Text("There is a no-break space here, which YAML does not take for a space"),
        Text("It comes from copying a web page or a document: delete it and type a normal space."),
    )


def _template(line: str, column: int) -> _Found:
    value = _VALUE.match(line)
    if not value or not line.startswith("{{", value.end()) or column < value.end():
        return None
    return (value.end(), *unquoted_template())


def unquoted_template() -> tuple[Text, Text]:
    """Return what is wrong with `image: {{ element }}`, and what to do."""
    return (
        Text("The value begins with {{ but is not quoted"),
        Text('YAML reads {{ as the beginning of a mapping: write the whole value between quotes, "{{ … }}".'),
    )


def _special(line: str, column: int) -> _Found:
    value = _VALUE.match(line)
    # Of a wrong alias libyaml reports the character behind the star.
    if not value or value.end() not in (column, column - 1) or line[value.end()] not in _RESERVED:
        return None
    return (
        value.end(),
        Text(
            "The value begins with “{character}”, which means something special in YAML",
            character=line[value.end()],
        ),
        Text('Write the value between quotes: "{character}…".', character=line[value.end()]),
    )


def _after_quote(line: str, column: int) -> _Found:
    match = _AFTER_QUOTE.match(line)
    if not match or line[match.end() : column].strip():
        return None
    rest = line[match.end() :]
    return (
        match.end() + len(rest) - len(rest.lstrip()),
        Text("There is text after the closing quote of the value"),
        Text("Put “ #” in front of it if it is a comment, or put the quotes around the whole value."),
    )


def _after_colon(line: str) -> _Found:
    match = _NO_SPACE_AFTER_COLON.match(line)
    if not match:
        return None
    return (
        match.end(),
        Text("A space is missing after the colon"),
        Text("Write “key: value”: without the space, YAML reads one single word."),
    )


def _after_dash(line: str) -> _Found:
    match = _NO_SPACE_AFTER_DASH.match(line)
    if not match:
        return None
    return (
        match.end(),
        Text("A space is missing after the dash"),
        Text("Write “- item”: without the space, YAML reads one single word."),
    )


def _two_colons(line: str, column: int) -> _Found:
    if not line.startswith(":", column) or ": " not in line[:column]:
        return None
    return (
        column,
        Text("The value holds a second “: ”, as if it were a key of its own"),
        Text("Write the whole value between quotes, or put what follows on lines of its own below."),
    )


def _open_quote(line: str) -> _Found:
    match = _OPEN_QUOTE.match(line)
    if not match:
        return None
    return (
        match.end(),
        Text("The quote that opens here is not closed on this line"),
        Text("Close it with the same kind of quote at the end of the value."),
    )


# What the trouble itself shows: each looks at its line, and at the column libyaml stopped at.
_ON_THE_SPOT: Final[tuple[Callable[[str, int], _Found], ...]] = (
    lambda line, _: _tab(line),
    lambda line, _: _no_break_space(line),
    _template,
    _special,
    _after_quote,
    _two_colons,
    lambda line, _: _after_colon(line),
    lambda line, _: _after_dash(line),
)
_NOTICED_LATE: Final = (_no_break_space, _after_colon, _after_dash, _open_quote)


def _by_grammar(trouble: _Trouble) -> tuple[int, Text, Text]:
    problem, context = trouble.problem, trouble.context
    if "quoted scalar" in context and "unexpected end" in problem:
        return (
            trouble.since,
            Text("The quote that opens here is not closed on this line"),
            Text("Close it with the same kind of quote at the end of the value."),
        )
    if "unknown escape" in problem or "escape" in problem:
        return (
            trouble.at,
            Text("After a backslash between double quotes, YAML knows only a few letters"),
            Text("Use single quotes, in which a backslash is just a backslash, or double it: \\\\."),
        )
    if "expected ',' or" in problem or "flow" in context:
        return (
            trouble.since if trouble.since >= 0 else trouble.at,
            Text("The bracket that opens here is not closed, or a comma is missing after it"),
            Text("Check brackets, braces and commas; a text that holds them needs quotes."),
        )
    if "block sequence entries" in problem:
        return (
            trouble.at,
            Text("A list item cannot begin here"),
            Text("Put “- ” on a line of its own below the key."),
        )
    if "could not find expected ':'" in problem:
        return (
            trouble.since if trouble.since >= 0 else trouble.at,
            Text("This line should be “key: value”, but no colon was found"),
            Text("Add the colon and a space; a text of several lines goes below “key: |”, indented."),
        )
    if "mapping values" in problem or "did not find expected" in problem:
        return (
            trouble.at,
            Text("This line does not fit the indentation of those before it"),
            Text("Keys that belong together begin in the same column; their values stand below, indented."),
        )
    return (
        trouble.at,
        Text("The YAML reader does not understand this: {problem}", problem=problem[:200]),
        Text("Compare the line with an example that works, or quote the value."),
    )
