"""JSON Patch (RFC 6902) with the options Kyverno turns on.

Missing parents of an `add` are created, removing what is not there is no error, negative indices count
from the end.

Source: pkg/engine/mutate/patch, github.com/evanphx/json-patch.
"""

from __future__ import annotations

import copy
import itertools
from typing import Any

from workshop.kyverno.outcome import KyvernoError, plain, spend
from workshop.kyverno.values import parse_int, same

OPERATIONS = ("add", "remove", "replace", "move", "copy", "test")
_WITH_VALUE = {"add", "replace", "test"}
_LONGEST_LIST = 100_000


def yaml_to_json(text: str) -> Any:
    """The JSON value of a YAML text; raises KyvernoError for what is no YAML."""
    import yaml

    class Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
        """YAML as Go reads it: no dates, no times, `y` and `n` are truth values; aliases would multiply."""

        bool_values = {**yaml.SafeLoader.bool_values, "y": True, "n": False}  # noqa: RUF012  (as PyYAML has it)

        def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
            if kind is yaml.ScalarNode and implicit[0] and value in {"y", "Y", "n", "N"}:
                return "tag:yaml.org,2002:bool"
            if kind is yaml.ScalarNode and implicit[0] and ":" in value:
                return "tag:yaml.org,2002:str"
            return super().resolve(kind, value, implicit)

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("aliases are not read here")
            return super().compose_node(parent, index)

    Loader.yaml_implicit_resolvers = {
        first: [(tag, regexp) for tag, regexp in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in Loader.yaml_implicit_resolvers.items()
    }
    spend(len(text))
    try:
        return plain(yaml.load(text, Loader))  # noqa: S506  (a SafeLoader made narrower)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise KyvernoError(f"not valid YAML: {error}") from error


def parse_patch(text: object) -> list[dict[str, Any]]:
    """The operations of a ``patchesJson6902`` text; raises KyvernoError for a malformed one."""
    operations = yaml_to_json(text) if isinstance(text, str) else text
    if not isinstance(operations, list) or not all(isinstance(item, dict) for item in operations):
        raise KyvernoError("failed to decode patches: a list of operations is expected")
    return operations


def apply_patch(document: Any, operations: list[dict[str, Any]], *, lenient: bool = True) -> Any:
    """A patched copy. `lenient` sets Kyverno's options; without it the RFC's own rules hold.

    Raises KyvernoError when an operation cannot be done.
    """
    document = copy.deepcopy(document)
    for operation in operations:
        spend()
        kind, path = operation.get("op"), operation.get("path")
        if kind not in OPERATIONS or not isinstance(path, str):
            raise KyvernoError(f"unexpected kind: {kind}")
        if kind in _WITH_VALUE and "value" not in operation:
            raise KyvernoError(f"{kind} operation without a value")
        document = _apply(document, str(kind), path, operation, lenient)
    return document


def _apply(document: Any, kind: str, path: str, operation: dict[str, Any], lenient: bool) -> Any:
    value = copy.deepcopy(operation.get("value"))
    if kind in {"move", "copy"}:
        source = operation.get("from")
        if not isinstance(source, str):
            raise KyvernoError(f"{kind} operation without from")
        value = copy.deepcopy(_get(document, _parts(source)))
        if kind == "move":
            _remove(document, _parts(source), lenient=False)
        # Only an operation written as `add` makes the parents it lacks.
        kind, lenient = "add", False
    parts = _parts(path)
    if not parts:
        if kind == "remove":
            raise KyvernoError("the whole document cannot be removed")
        if kind == "test" and not same(document, value):
            raise KyvernoError("testing value failed")
        return document if kind == "test" else value
    if kind == "add":
        _add(document, parts, value, lenient)
    elif kind == "remove":
        _remove(document, parts, lenient=lenient)
    elif kind == "replace":
        _get(document, parts)
        container = _get(document, parts[:-1])
        container[_index(container, parts[-1]) if isinstance(container, list) else parts[-1]] = value
    else:
        container = _get(document, parts[:-1])
        missing = isinstance(container, dict) and parts[-1] not in container
        if not same(None if missing else _get(document, parts), value):
            raise KyvernoError(f"testing value {path} failed")
    return document


def _parts(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise KyvernoError(f"path must begin with a forward slash: {path}")
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _index(container: list[Any], part: str, *, adding: bool = False) -> int:
    number = parse_int(part)
    limit = len(container) + (1 if adding else 0)
    if number is None or not -limit <= number < limit:
        raise KyvernoError(f"invalid index {part}")
    return number + limit if number < 0 else number


def _get(document: Any, parts: list[str]) -> Any:
    for part in parts:
        if isinstance(document, list):
            document = document[_index(document, part)]
        elif isinstance(document, dict) and part in document:
            document = document[part]
        else:
            raise KyvernoError(f"missing value at /{'/'.join(parts)}")
    return document


def _add(document: Any, parts: list[str], value: Any, lenient: bool) -> None:
    container = _ensure(document, parts) if lenient else _get(document, parts[:-1])
    last = parts[-1]
    if isinstance(container, dict):
        container[last] = value
    elif isinstance(container, list):
        container.insert(len(container) if last == "-" else _index(container, last, adding=True), value)
    else:
        raise KyvernoError(f"add operation does not apply: no object or list at /{'/'.join(parts[:-1])}")


def _ensure(document: Any, parts: list[str]) -> Any:
    """The container of the last part, making the missing ones: a list where a number or ``-`` follows."""
    for part, following in itertools.pairwise(parts):
        try:
            inner = _get(document, [part])
        except KyvernoError:
            inner = None
        if inner is None:
            inner = _fresh(following)
            number = parse_int(part)
            if isinstance(document, list) and number is not None and len(document) < number <= _LONGEST_LIST:
                document.extend([None] * (number - len(document)))
            _add(document, [part], inner, lenient=False)
        if not isinstance(inner, dict | list):
            raise KyvernoError(f"add operation does not apply at /{'/'.join(parts)}")
        document = inner
    return document


def _fresh(following: str) -> Any:
    number = parse_int(following)
    if number is None:
        return [] if following == "-" else {}
    if not -1 <= number <= _LONGEST_LIST:
        raise KyvernoError(f"unable to ensure path for index {following}")
    return [None] * max(0, number)


def _remove(document: Any, parts: list[str], *, lenient: bool) -> None:
    try:
        container = _get(document, parts[:-1])
        if isinstance(container, list):
            # A place that does not exist is forgiven, one that is no place in a list is not.
            lenient = lenient and parse_int(parts[-1]) is not None
            del container[_index(container, parts[-1])]
        elif isinstance(container, dict) and parts[-1] in container:
            del container[parts[-1]]
        else:
            raise KyvernoError(f"unable to remove nonexistent key /{'/'.join(parts)}")
    except KyvernoError:
        if not lenient:
            raise
