"""Systematic edits of a document: each makes one small mistake, as a hand would."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, Final

Path = tuple[str | int, ...]
Document = dict[str, Any]

#: Words that stand for each other's opposite or neighbour; each is replaced by the next of its row.
_ROWS: Final = (
    ("Enforce", "Audit", "enforce", "audit"),
    ("Deny", "Audit", "Warn"),
    ("CREATE", "DELETE", "UPDATE"),
    ("Equals", "NotEquals"),
    ("AnyIn", "AllIn", "AnyNotIn", "AllNotIn", "NotIn", "In"),
    ("GreaterThan", "LessThanOrEquals", "GreaterThanOrEquals", "LessThan"),
    ("Fail", "Ignore"),
    ("Pod", "Deployment", "v1/Pod", "pods", "*/Pod", "*"),
    ("pods", "Pod", "deployments", "*"),
    ("ApplyConfiguration", "JSONPatch"),
    ("ClusterPolicy", "Policy"),
    ("ValidatingPolicy", "NamespacedValidatingPolicy", "MutatingPolicy"),
    ("v1", "v1beta1", "*"),
    ("add", "replace", "remove"),
)
_NEXT: Final = {word: row[(i + 1) % len(row)] for row in _ROWS for i, word in enumerate(row)}
_KEY_ROWS: Final = (
    ("any", "all"),
    ("limits", "requests"),
    ("cpu", "memory"),
    ("containers", "initContainers"),
    ("labels", "annotations"),
    ("pattern", "anyPattern", "deny"),
    ("match", "exclude"),
    ("patchStrategicMerge", "patchesJson6902"),
    ("validate", "mutate"),
    ("name", "names"),
    ("namespaces", "namespace"),
    ("kinds", "names"),
    ("key", "value"),
    ("resources", "resource"),
    ("subject", "issuer"),
)
_KEY_NEXT: Final = {word: row[(i + 1) % len(row)] for row in _KEY_ROWS for i, word in enumerate(row)}
_FRAGMENTS: Final = (
    ("!", ""),
    ("*", "?"),
    ("?*", "*"),
    ("==", "!="),
    ("&&", "||"),
    (" & ", " | "),
    (".all(", ".exists("),
    ("endsWith", "startsWith"),
    (":latest", "latest"),
    ("{{", "{"),
    ("request.object", "object"),
    ("element", "elements"),
    (">=", "<"),
    ("object.", "oldObject."),
)
_ANCHORS: Final = ("({})", "=({})", "X({})", "+({})", "^({})", "<({})")


def edits(document: Document) -> Iterator[tuple[str, Document]]:
    """Every edited copy with the edit's name, in a fixed order: ``drop spec/rules/0/validate``…"""
    for path, value in _walk(document, ()):
        if not path or path[0] == "status":
            continue
        for name, change in _changes(path, value):
            edited = copy.deepcopy(document)
            parent: Any = edited
            for part in path[:-1]:
                parent = parent[part]
            change(parent, path[-1], edited)
            if edited != document:
                yield f"{name} {'/'.join(map(str, path))}", edited


_Change = Callable[[Any, Any, Document], None]


def _changes(path: Path, value: Any) -> Iterator[tuple[str, _Change]]:
    yield "drop", lambda parent, key, _: parent.__delitem__(key)
    yield from ((f"retype to {word}", _set(other)) for word, other in _retyped(value))
    if isinstance(value, str):
        if value in _NEXT:
            yield "flip", _set(_NEXT[value])
        for old, new in _FRAGMENTS:
            if old in value:
                yield f"replace {old!r} in", _set(value.replace(old, new, 1))
        yield "add a letter to", _set(value + "x")
    if isinstance(value, bool):
        yield "flip", _set(not value)
    elif isinstance(value, int):
        yield "increase", _set(value + 1)
    if isinstance(value, list):
        if value:
            yield "empty", _set([])
            yield "repeat in", _set([*value, copy.deepcopy(value[-1])])
        if len(value) > 1:
            yield "reverse", _set(value[::-1])
            yield "swap names in", _set(_names_swapped(value))
    if isinstance(value, dict) and value:
        yield "empty", _set({})
    if isinstance(path[-1], str):
        yield from _key_changes(path, path[-1])


def _key_changes(path: Path, key: str) -> Iterator[tuple[str, _Change]]:
    if key in _KEY_NEXT:
        yield "rename", _rename(_KEY_NEXT[key])
    bare = key.rpartition("(")[2].rstrip(")")
    if bare != key:
        yield "take the anchor off", _rename(bare)
    if {"pattern", "anyPattern", "patchStrategicMerge"} & set(map(str, path[:-1])):
        for anchor in _ANCHORS:
            yield f"anchor {anchor.format('')}", _rename(anchor.format(bare))
    elif key[1:] != key[1:].lower():
        yield "write in small letters", _rename(key.lower())
    if len(path) > 1:
        yield "misplace upwards", lambda parent, name, whole: _move(parent, name, whole, path[:-2])


def _retyped(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        yield "its first item", copy.deepcopy(value[0]) if value else {}
        return
    yield "a list", [copy.deepcopy(value)]
    if isinstance(value, dict):
        yield "a list of maps", [{key: copy.deepcopy(item)} for key, item in value.items()]
        yield "null", None
    else:
        yield "a map", {"value": value}
        yield ("a number", 1) if isinstance(value, str) else ("a text", str(value).lower())


def _set(value: Any) -> _Change:
    return lambda parent, key, _: parent.__setitem__(key, value)


def _rename(new: str) -> _Change:
    def change(parent: Any, key: Any, _: Document) -> None:
        if new not in parent:
            items = [(new if name == key else name, item) for name, item in parent.items()]
            parent.clear()
            parent.update(items)

    return change


def _move(parent: Any, name: str, whole: Document, above: Path) -> None:
    """Move a block one level up; from inside a list, to the map that holds the list."""
    target: Any = whole
    for part in above:
        target = target[part]
    if isinstance(target, list):
        target = whole
        for part in above[:-1]:
            target = target[part]
    if isinstance(target, dict) and name not in target:
        target[name] = parent.pop(name)


def _names_swapped(items: list[Any]) -> list[Any]:
    result = copy.deepcopy(items)
    if all(isinstance(item, dict) and "name" in item for item in result[:2]):
        result[0]["name"], result[1]["name"] = result[1]["name"], result[0]["name"]
    return result


def _walk(node: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    yield path, node
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from _walk(value, (*path, key))
