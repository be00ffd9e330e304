"""What an API server refuses of any object, whatever its kind: fields, types and metadata.

kubectl asks for strict validation: a field that the kind does not have is refused as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from workshop.texts import Text
from workshop.workspace import Document

Path = tuple[str | int, ...]
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUANTITY: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?")
_DURATION: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_METADATA: Final = frozenset(
    {
        "name", "generateName", "namespace", "labels", "annotations", "finalizers", "ownerReferences", "uid",
        "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink",
    }
)  # fmt: skip


class Type(NamedTuple):
    """A field's type: `word` is one of those below, list, map or object.

    `of` is the type of the items of a list or map, `fields` and `required` belong to an object (without
    `fields` any key will do), `choices` to a text that is one of a few words.
    """

    word: str
    of: Type | None = None
    fields: Mapping[str, Type] | None = None
    required: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


TEXT: Final = Type("text")
NUMBER: Final = Type("number")
FLAG: Final = Type("flag")
QUANTITY: Final = Type("quantity")
DURATION: Final = Type("duration")
TEXT_OR_NUMBER: Final = Type("text or number")
ANY: Final = Type("any")


def list_of(of: Type) -> Type:
    """A list of items of one type."""
    return Type("list", of)


def map_of(of: Type) -> Type:
    """Free keys with values of one type."""
    return Type("map", of)


def object_of(required: tuple[str, ...] = (), /, **fields: Type) -> Type:
    """Known keys, each of its own type. A trailing underscore keeps Python's own words possible as names."""
    return Type("object", fields={name.rstrip("_"): of for name, of in fields.items()}, required=required)


def one_of(*choices: str) -> Type:
    """A text that is one of a few words."""
    return Type("text", choices=choices)


class Refusal(NamedTuple):
    """Why an object is refused: a stable id, the sentence, and the path in the document."""

    id: str
    message: Text
    path: Path


#: Says that a key is not known; None leaves keys alone that are not known (the kind keeps them).
Unknown = Callable[[str, Path, list[str]], Refusal] | None


def duration(text: str) -> float | None:
    """Return a Go duration in seconds, None where the text is none."""
    rest = text.removeprefix("-").removeprefix("+")
    if rest == "0":
        return 0.0
    parts = list(_DURATION.finditer(rest))
    if not rest or "".join(part[0] for part in parts) != rest:
        return None
    seconds = sum(float(part[1]) * _SECONDS[part[2]] for part in parts)
    return -seconds if text.startswith("-") else seconds


def refusals(document: Document, spec: Type, *, strict: bool = True) -> list[Refusal]:
    """Return what is refused of an object whose `spec` has that type; empty when nothing is.

    `strict` is False for kinds that keep fields they do not know.
    """
    top = [
        unknown_field(key, (key,), ["metadata", "spec"])
        for key in document.data
        if key not in ("apiVersion", "kind", "metadata", "spec", "status")
    ]
    return [
        *top,
        *metadata_refusals(document),
        *walk(document.get("spec"), spec, ("spec",), unknown_field if strict else None),
    ]


def metadata_refusals(document: Document, longest: int = 253) -> Iterator[Refusal]:
    """Yield what is wrong with an object's `metadata`: types, unknown keys, a name that cannot be one."""
    metadata = document.get("metadata", default={})
    if not isinstance(metadata, dict):
        yield wrong_type(metadata, Type("object"), ("metadata",))
        return
    for key in metadata:
        if key not in _METADATA:
            yield unknown_field(key, ("metadata", key), ["name", "namespace", "labels", "annotations"])
    for key in ("name", "generateName", "namespace"):
        value = metadata.get(key)
        if value is not None and not isinstance(value, str):
            yield wrong_type(value, TEXT, ("metadata", key))
    for key in ("labels", "annotations"):
        yield from walk(metadata.get(key), map_of(TEXT), ("metadata", key), unknown_field)
    name, prefix = metadata.get("name"), metadata.get("generateName")
    if not name and not prefix:
        yield Refusal(
            "missing-field", Text("A field is missing: {field}", field="metadata.name"), ("metadata",)
        )
    elif isinstance(name, str) and ((name and not _SUBDOMAIN.fullmatch(name)) or len(name) > longest):
        message = Text(
            "{name} is no name Kubernetes takes: small letters, digits and hyphens, at most {longest}",
            name=name,
            longest=longest,
        )
        yield Refusal("invalid-name", message, ("metadata", "name"))


def walk(value: Any, expected: Type, path: Path, unknown: Unknown) -> Iterator[Refusal]:
    """Yield unknown fields, missing ones and wrong types below a value; null counts as absent."""
    if value is None or expected.word == "any":
        return
    if not _fits(value, expected.word):
        yield wrong_type(value, expected, path)
        return
    if expected.choices and value not in expected.choices:
        message = Text("{value} is none of {known}", value=value[:60], known=", ".join(expected.choices))
        yield Refusal("unknown-value", message, path)
    if expected.word == "list" and expected.of is not None:
        for index, item in enumerate(value):
            if item is None and expected.of.word == "object":
                yield wrong_type(item, expected.of, (*path, index))
            yield from walk(item, expected.of, (*path, index), unknown)
    elif expected.word == "map" and expected.of is not None:
        for key, item in value.items():
            yield from walk(item, expected.of, (*path, key), unknown)
    elif expected.word == "object" and expected.fields is not None:
        for key, item in value.items():
            field = expected.fields.get(key)
            if field is None:
                if unknown:
                    yield unknown(key, (*path, key), list(expected.fields))
            else:
                yield from walk(item, field, (*path, key), unknown)
        for key in expected.required:
            if value.get(key) is None:
                yield Refusal("missing-field", Text("A field is missing: {field}", field=key), path)


def unknown_field(key: str, path: Path, known: list[str]) -> Refusal:
    """Say that there is no such field, and how it may have been meant."""
    near = next((name for name in known if str(name).lower() == str(key).lower()), None)
    if near is not None:
        message = Text("There is no field {field}; it is written {near}", field=key, near=near)
    else:
        message = Text("There is no field {field} here", field=key)
    return Refusal("unknown-field", message, path)


def _fits(value: Any, word: str) -> bool:
    match word:
        case "text":
            return isinstance(value, str)
        case "number":
            return isinstance(value, int) and not isinstance(value, bool)
        case "flag":
            return isinstance(value, bool)
        case "text or number":
            return isinstance(value, str | int) and not isinstance(value, bool)
        case "quantity":
            if isinstance(value, str):
                return _QUANTITY.fullmatch(value) is not None
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "duration":
            return isinstance(value, str) and duration(value) is not None
        case "list":
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)


_WORDS: Final = {
    "text": Text("text (in quotes where it looks like a number)"),
    "number": Text("a whole number"),
    "flag": Text("true or false"),
    "text or number": Text("a text or a whole number"),
    "quantity": Text("a quantity, such as 500m or 1Gi"),
    "duration": Text("a duration, such as 10m or 1h30m"),
    "list": Text("a list"),
    "map": Text("keys with values"),
    "object": Text("keys with values"),
}


def wrong_type(value: Any, expected: Type, path: Path) -> Refusal:
    """Say that a value has another type than its field."""
    message = Text(
        "{field} must be {expected}, not {value}",
        field=_field(path),
        expected=_WORDS[expected.word],
        value=_kind_of(value),
    )
    return Refusal("wrong-type", message, path)


def _field(path: Path) -> str:
    text = ""
    for part in path[1:] if len(path) > 1 else path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _kind_of(value: Any) -> Text | str:
    if isinstance(value, dict):
        return Text("keys with values")
    if isinstance(value, list):
        return Text("a list")
    if value is None:
        return Text("nothing")
    if isinstance(value, str):
        return Text("the text “{value}”", value=value[:60])
    return str(value).lower() if isinstance(value, bool) else str(value)
