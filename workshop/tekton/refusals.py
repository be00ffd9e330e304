"""What an API server with Tekton refuses, told in advance: strict fields, types, and the webhook's rules.

Follows the validation of tektoncd/pipeline v1.9 as far as students write its objects; `tests/tekton`
holds it against answers of the real webhook.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workshop.tekton.schema import MOVED, SPECS, TEXT, Type
from workshop.tekton.view import Path, View
from workshop.texts import Text
from workshop.workspace import Document

GROUP: Final = "tekton.dev"
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUANTITY: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?")
_DURATION: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an object is refused: a stable id, the sentence, and the path in the document."""

    id: str
    message: Text
    path: Path


def refusals(document: Document) -> list[Refusal]:
    """Return why a Task, Pipeline or PipelineRun is refused; empty when it is taken.

    Structure comes first: where a field has the wrong type, the rules beyond it are not asked.
    """
    from workshop.tekton import refusing_pipelines, refusing_runs, refusing_tasks

    view = View(document)
    kind = view.text("kind")
    group, _, version = view.text("apiVersion").rpartition("/")
    if group != GROUP or (version, kind) not in SPECS:
        message = Text(
            "No Tekton of today serves {version}, kind {kind}", version=view.text("apiVersion"), kind=kind
        )
        return [Refusal("version-not-served", message, ("apiVersion",))]
    spec = SPECS[version, kind]
    found = [*_top(view), *_metadata(view), *_walk(view.get("spec", default={}), spec, ("spec",), version)]
    if any(refusal.id == "wrong-type" for refusal in found):
        return found
    rules = {
        "Task": refusing_tasks.of_task,
        "Pipeline": refusing_pipelines.of_pipeline,
        "PipelineRun": refusing_runs.of_run,
    }
    return found + list(rules[kind](view.sub("spec"), version))


def is_label(name: str) -> bool:
    """Whether a name is a DNS label."""
    return len(name) <= 63 and _LABEL.fullmatch(name) is not None


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


def repeated(views: Sequence[View], key: str = "name") -> Iterator[View]:
    """Yield the items whose name an earlier one has already."""
    seen: set[str] = set()
    for view in views:
        name = view.text(key)
        if name in seen:
            yield view
        seen.add(name)


def _top(view: View) -> Iterator[Refusal]:
    known = {"apiVersion", "kind", "metadata", "spec"} | (
        {"status"} if view.text("kind") == "PipelineRun" else set()
    )
    for key in view.document.data:
        if key not in known:
            message = Text("Tekton knows no field {field} here", field=key)
            yield Refusal("unknown-field", message, (key,))
    if not isinstance(view.get("spec", default={}), dict):
        yield _wrong_type(view.get("spec"), Type("object"), ("spec",))


def _metadata(view: View) -> Iterator[Refusal]:
    known = {"name", "generateName", "namespace", "labels", "annotations", "finalizers", "ownerReferences"}
    known |= {"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"}
    metadata = view.get("metadata", default={})
    if not isinstance(metadata, dict):
        yield _wrong_type(metadata, Type("object"), ("metadata",))
        return
    for key in metadata:
        if key not in known:
            yield Refusal(
                "unknown-field", Text("Tekton knows no field {field} here", field=key), ("metadata", key)
            )
    for key in ("name", "generateName", "namespace"):
        value = metadata.get(key)
        if value is not None and not isinstance(value, str):
            yield _wrong_type(value, TEXT, ("metadata", key))
    for key in ("labels", "annotations"):
        yield from _walk(metadata.get(key), Type("map", TEXT), ("metadata", key), "")
    name, prefix = view.text("metadata", "name"), view.text("metadata", "generateName")
    if not name and not prefix:
        yield Refusal(
            "missing-field", Text("A field is missing: {field}", field="metadata.name"), ("metadata",)
        )
    elif (name and not _SUBDOMAIN.fullmatch(name)) or len(name) > 63:
        message = Text(
            "{name} is no name Kubernetes takes: small letters, digits and hyphens, at most 63", name=name
        )
        yield Refusal("invalid-name", message, ("metadata", "name"))


def _walk(value: Any, expected: Type, path: Path, version: str) -> Iterator[Refusal]:
    """Yield unknown fields, missing ones and wrong types below a value; null counts as absent."""
    if value is None or expected.word == "any":
        return
    if not _fits(value, expected.word):
        yield _wrong_type(value, expected, path)
        return
    if expected.word == "list" and expected.of is not None:
        for index, item in enumerate(value):
            if item is None and expected.of.word == "object":
                yield _wrong_type(item, expected.of, (*path, index))
            yield from _walk(item, expected.of, (*path, index), version)
    elif expected.word == "map" and expected.of is not None:
        for key, item in value.items():
            yield from _walk(item, expected.of, (*path, key), version)
    elif expected.word == "object" and expected.fields is not None:
        for key, item in value.items():
            field = expected.fields.get(key)
            if field is None:
                yield _unknown(key, (*path, key), version, list(expected.fields))
            else:
                yield from _walk(item, field, (*path, key), version)
        for key in expected.required:
            if value.get(key) is None:
                yield Refusal("missing-field", Text("A field is missing: {field}", field=key), path)


def _unknown(key: str, path: Path, version: str, known: list[str]) -> Refusal:
    moved = MOVED.get((version, key))
    if key == "resources" and moved not in known:
        message = Text("PipelineResources were removed from Tekton: {field} is refused", field=key)
        return Refusal("removed-field", message, path)
    if moved is not None:
        message = Text(
            "{field} is a field of another version; in {version} it is {moved}",
            field=key,
            version=f"{GROUP}/{version}",
            moved=moved,
        )
        return Refusal("field-of-other-version", message, path)
    near = next((name for name in known if name.lower() == key.lower()), None)
    if near is not None:
        return Refusal(
            "unknown-field",
            Text("There is no field {field}; it is written {near}", field=key, near=near),
            path,
        )
    return Refusal("unknown-field", Text("Tekton knows no field {field} here", field=key), path)


def _fits(value: Any, word: str) -> bool:
    match word:
        case "text":
            return isinstance(value, str)
        case "number":
            return isinstance(value, int) and not isinstance(value, bool)
        case "flag":
            return isinstance(value, bool)
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
    "quantity": Text("a quantity, such as 500m or 1Gi"),
    "duration": Text("a duration, such as 10m or 1h30m"),
    "list": Text("a list"),
    "map": Text("keys with values"),
    "object": Text("keys with values"),
}


def _wrong_type(value: Any, expected: Type, path: Path) -> Refusal:
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
