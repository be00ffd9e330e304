"""The shape of YAML data: which keys, which types. Just what Backstage's own entity schemas need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from workshop.texts import Text

Path = tuple[str | int, ...]


class TextShape(NamedTuple):
    """Text; `empty` says whether it may have no character, `flag` whether true and false will do too."""

    empty: bool = False
    flag: bool = False


class ListShape(NamedTuple):
    """A list whose items all have one shape."""

    items: Shape


@dataclass(frozen=True, slots=True)
class MapShape:
    """Keys and values. Keys not named in `fields` have the shape `others`; None: any."""

    fields: Mapping[str, Shape] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    others: Shape | None = None


class EitherShape(NamedTuple):
    """A mapping, or a list of such mappings."""

    each: MapShape


Shape = TextShape | ListShape | MapShape | EitherShape

TEXT: Final = TextShape()
TEXTS: Final = ListShape(TEXT)
ANY_MAP: Final = MapShape()


class Mismatch(NamedTuple):
    """A place whose value has another shape. `missing`: the key is not there at all."""

    path: Path
    expected: Text
    missing: bool = False


def mismatches(value: Any, shape: Shape, path: Path = ()) -> Iterator[Mismatch]:
    """Yield every place where the value leaves its shape, in the order of the shape."""
    match shape:
        case TextShape():
            if not (isinstance(value, str) and (value or shape.empty)) and not (
                shape.flag and isinstance(value, bool)
            ):
                yield Mismatch(path, Text("text") if shape.empty else Text("a text that is not empty"))
        case ListShape():
            if not isinstance(value, list):
                yield Mismatch(path, Text("a list"))
                return
            for index, item in enumerate(value):
                yield from mismatches(item, shape.items, (*path, index))
        case EitherShape():
            if isinstance(value, list):
                yield from mismatches(value, ListShape(shape.each), path)
            elif isinstance(value, dict):
                yield from mismatches(value, shape.each, path)
            else:
                yield Mismatch(path, Text("keys and values, or a list of them"))
        case MapShape():
            yield from _map_mismatches(value, shape, path)


def _map_mismatches(value: Any, shape: MapShape, path: Path) -> Iterator[Mismatch]:
    if not isinstance(value, dict):
        yield Mismatch(path, Text("keys and values"))
        return
    for key in shape.required:
        if key not in value:
            yield Mismatch((*path, key), Text("the key {key}", key=key), missing=True)
    for key, inner in value.items():
        wanted = shape.fields.get(key, shape.others)
        if wanted is not None:
            yield from mismatches(inner, wanted, (*path, key))
