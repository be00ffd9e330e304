"""From a field that a server's message names to the line of the file where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from workshop.checking import Document, Position

Path = tuple[str | int, ...]

_FIELD: Final = r"(?:metadata|spec)(?:\.[A-Za-z0-9_-]+|\[[^\]\s]*\]|\.\d+)*"
_UNKNOWN_FIELD: Final = re.compile(rf'unknown field \\?"({_FIELD})')
_RETYPED: Final = re.compile(r"cannot unmarshal (\w+) into Go struct field \w+\.([\w.]+) of type")
_NAMED: Final = re.compile(rf"(?<![\w.])({_FIELD})")
_SLASHED: Final = re.compile(r"at path (/[\w/-]+)")
_PART: Final = re.compile(r"\[([^\]]*)\]|([A-Za-z0-9_-]+)")
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
    "bool": (bool,),
}


def place_of(document: Document, message: str) -> Position:
    """Return where the field stands that a message speaks of; the object itself when it names none.

    Understands the API server's field paths, strict decoding, Go's words for a value of the wrong type, and
    Kyverno's slashes. A field that is not there is where its parent is.
    """
    path = max(_paths(document, message), key=len, default=())
    return document.key_at(*path) if path and isinstance(path[-1], str) else document.at(*path)


def _paths(document: Document, message: str) -> Iterator[Path]:
    for match in _UNKNOWN_FIELD.finditer(message):
        yield _resolved(document, match[1])
    for match in _RETYPED.finditer(message):
        yield _retyped(document, match[2].split("."), _TYPES.get(match[1], ()))
    for match in _NAMED.finditer(message):
        yield _resolved(document, match[1])
    for match in _SLASHED.finditer(message):
        yield _resolved(document, "spec." + match[1].strip("/").replace("/", "."))


def _resolved(document: Document, text: str) -> Path:
    """Return the path as far as it exists, keys of maps and items of lists by name included."""
    path: list[str | int] = []
    for index, key in _PART.findall(text):
        current: Any = document.get(*path)
        step: str | int = key or index.strip("\"'")
        if isinstance(current, list):
            names = [each.get("name") if isinstance(each, dict) else None for each in current]
            step = names.index(step) if step in names else int(step) if str(step).isdigit() else -1
            if not 0 <= step < len(current):
                break
        elif not isinstance(current, dict) or step not in current:
            break
        path.append(step)
    return tuple(path)


def _retyped(document: Document, keys: list[str], types: tuple[type, ...]) -> Path:
    """Return the first path along these keys, through any lists, to a value of such a type."""
    begin = keys.index("spec") if "spec" in keys else 0
    pending: list[tuple[Path, list[str]]] = [((), keys[begin:])]
    while pending:
        path, rest = pending.pop(0)
        value = document.get(*path)
        if not rest and isinstance(value, types) and (bool in types or not isinstance(value, bool)):
            return path
        if isinstance(value, list):
            pending += [((*path, index), rest) for index in range(len(value))]
        elif rest and isinstance(value, dict):
            pending.append(((*path, rest[0]), rest[1:]))
    return ()
