"""What a student still has to fill in: the words of the starters, found in values and never in comments.

A comment inside a script, a query or a nested YAML file is no value either; a value that is nothing
but such a comment is.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from workshop.workspace.documents import Document, PathPart
from workshop.workspace.problems import Position, Unreadable
from workshop.workspace.textfile import TextFile, without_comments


class Found(NamedTuple):
    """A placeholder: the path of its value (empty in a text file), its place, and its words."""

    path: tuple[PathPart, ...]
    position: Position
    found: str


class Word(NamedTuple):
    """A kind of placeholder: its stable id, how to find it, and whether prose may legitimately hold it."""

    id: str
    pattern: re.Pattern[str]
    fine_in_prose: bool = False


_NAMED: Final = (
    r"user(?:[-_ ]?name)?|utilisateur|nom|name|e?-?mail|account|compte|org(?:ani[sz]ation)?|owner|image|tag"
    r"|repo(?:sitory)?|d[ée]p[ôo]t|token|jeton|password|mot[-_ ]de[-_ ]passe|url|domaine?|date|version"
    r"|namespace|digest|registry|value|valeur|todo|fixme|change[-_ ]?me|x{2,20}"
    r"|[a-z]{1,20}[-_](?:name|nom|user|id|url)"
)
_ASKED: Final = (
    r"votre|vos|ton|ta|mon|ma|your|my|insert|ins[ée]re[rz]?|replace|remplace[rz]?|enter|[àa] compl[ée]ter"
)
_START: Final = r"(?<![A-Za-z0-9])"
_END: Final = r"(?![A-Za-z0-9])"
_ANGLE: Final = r"(?<![\w<?])<"

# Every pattern is linear: no repetition stands inside another one, and each has an upper bound.
WORDS: Final = (
    Word("account", re.compile(rf"{_START}(?:VOTRE|YOUR)\\?_[A-Z]{{2,30}}(?![a-z0-9])")),
    Word("account", re.compile(rf"{_START}(?i:(?:votre|your)(?:\\?_|-)(?:user(?:name)?|e-?mail)){_END}")),
    Word("todo", re.compile(r"\bTODO\b")),
    Word(
        "to-complete",
        re.compile(r"\[(?i:[àa] compl[ée]ter\b|to (?:be )?completed?(?= ?[\]:]))[^\]\n]{0,80}\]?"),
    ),
    Word("date", re.compile(r"\[DATE\](?!\()")),
    Word("promql", re.compile(r"(?i:votre expression promql ici|your promql expression here)")),
    Word("dots", re.compile(rf"{_ANGLE}(?:\.{{3}}|…)>")),
    Word("angle", re.compile(rf"{_ANGLE}(?i:{_NAMED})>"), fine_in_prose=True),
    Word("angle", re.compile(rf"{_ANGLE}(?i:{_ASKED})(?:[-_ :][\w.@ '-]{{1,60}})?>"), fine_in_prose=True),
)
# What every one of them begins with: most values and lines have none of it, and are done.
_SIGNS: Final = re.compile(r"<|TODO|\[(?:[ÀàAa]|[Tt][Oo]|DATE)|(?i:votre|your)")
# Of the templates for Markdown: an item that says nothing but its number.
_MARKDOWN_WORDS: Final = (
    *WORDS,
    Word(
        "action",
        re.compile(r"^ {0,8}(?:[-*+]|\d{1,3}[.)]) {1,4}(?:\[[ xX]?\] {0,4})?(?i:action) \d{1,2}[ .:…]{0,5}$"),
    ),
)
# Fields in which people explain: `<user>` there is an example, not something left to do.
_PROSE_FIELDS: Final = frozenset(
    {"description", "summary", "message", "title", "help", "usage", "documentation"}
)
_CLOSING_TAG: Final = re.compile(r"</([A-Za-z][\w.-]{0,40})")
_CODE_SPAN: Final = re.compile(r"(`{1,3})[^`\n]{1,400}\1")
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*")
_MAX_FOUND: Final = 50
_MAX_LINE: Final = 4_000


def placeholders(where: Document | TextFile | str) -> list[Found]:
    """Return what is left to fill in, in the order of the file; at most the first fifty.

    A str is taken for Markdown, as a text file is.
    """
    return [*_placeholders(where)]


@lru_cache(maxsize=32)  # every check of a file asks, and nothing of a file is ever modified
def _placeholders(where: Document | TextFile | str) -> tuple[Found, ...]:
    if isinstance(where, Document):
        found = _in_document(where)
    else:
        file = where if isinstance(where, TextFile) else TextFile("", where)
        found = _in_markdown(file)
    first: list[Found] = []
    for each in found:
        first.append(each)
        if len(first) == _MAX_FOUND:
            break
    return tuple(sorted(first, key=lambda each: each.position))


def _in_document(
    document: Document, outer: tuple[PathPart, ...] = (), *, nested: bool = False
) -> Iterator[Found]:
    for path, key, value in _scalars(document.data):
        if key is not None:
            for _, match in _matches(key, WORDS, prose=key):
                yield Found((*outer, *path), document.key_at(*path), match)
        if not isinstance(value, str) or not _SIGNS.search(value):
            continue
        inner = None if nested else _nested(document, path, value)
        if inner is not None:
            for each in inner:
                yield from _in_document(each, (*outer, *path), nested=True)
            continue
        prose = bool(path) and str(path[-1]).rpartition("/")[2] in _PROSE_FIELDS
        for line, match in _in_value(value, prose=prose):
            yield Found((*outer, *path), document.line_at(*path, number=line), match)


def _scalars(data: object) -> Iterator[tuple[tuple[PathPart, ...], str | None, object]]:
    """Yield path, key (None in a list) and value of every scalar, and the keys of what is no scalar."""
    pending: list[tuple[tuple[PathPart, ...], str | None, object]] = [((), None, data)]
    while pending:
        path, key, value = pending.pop()
        yield path, key, value
        if isinstance(value, dict):
            pending.extend(((*path, name), name, child) for name, child in reversed(value.items()))
        elif isinstance(value, list):
            pending.extend(((*path, index), None, value[index]) for index in reversed(range(len(value))))


def _nested(document: Document, path: tuple[PathPart, ...], value: str) -> list[Document] | None:
    """Return the documents of a YAML file kept in a value (a ConfigMap's `rules.yml`); None if it is none."""
    name = path[-1] if path else None
    if "\n" not in value or not isinstance(name, str) or not name.endswith((".yaml", ".yml")):
        return None
    try:
        return document.nested(*path, dialect="core")
    except Unreadable:
        return None


def _in_value(value: str, *, prose: bool) -> Iterator[tuple[int, str]]:
    """Yield line (from 0) and words of what is left; comments count where they are all there is."""
    lines = value.split("\n")
    if len(lines) > 1:
        bare = [_COMMENT.sub("", line[:_MAX_LINE]) for line in lines]
        if any(line.strip() for line in bare):
            lines = bare
    closed = {name.lower() for name in _CLOSING_TAG.findall(value)}
    for number, line in enumerate(lines):
        for _, match in _matches(line, WORDS, prose=None if prose else line, closed=closed):
            yield number, match


def _in_markdown(file: TextFile) -> Iterator[Found]:
    closed = {name.lower() for name in _CLOSING_TAG.findall(file.text)}
    fenced = False
    for number, line in enumerate(without_comments(file.text).split("\n"), start=1):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
            continue
        # `<pod-name>` in a command is how commands are explained.
        prose = None if fenced else _CODE_SPAN.sub(_blank, line[:_MAX_LINE])
        for start, match in _matches(line, _MARKDOWN_WORDS, prose=prose, closed=closed):
            yield Found((), Position(file.path, number, start + 1), match)


def _matches(
    line: str, words: Iterable[Word], *, prose: str | None, closed: Container[str] = ()
) -> list[tuple[int, str]]:
    """Return column (from 0) and text of what is left in a line.

    `prose` is the line as words that prose may hold are looked for in: None to not look for them.
    """
    line = line[:_MAX_LINE]
    if words is WORDS and not _SIGNS.search(line):
        return []
    spans: list[tuple[int, int]] = []
    for word in words:
        text = prose if word.fine_in_prose else line
        matches = word.pattern.finditer(text) if text is not None else ()
        spans.extend(match.span() for match in matches if not _is_tag(match[0], closed))
    found: list[tuple[int, str]] = []
    end = 0
    for start, stop in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= end:
            found.append((start, line[start:stop]))
            end = stop
    return found


def _is_tag(found: str, closed: Container[str]) -> bool:
    """Whether `<name>` is the beginning of an XML or HTML element: something closes it."""
    return found.startswith("<") and found[1:-1].lower() in closed


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])
