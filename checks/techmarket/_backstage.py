"""What the Backstage exercises share: finding a component, and the annotations a plugin looks for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from workshop.checking import Document, Exam, Position, Text, kind_of
from workshop.texts import Message
from workshop.workspace import Unreadable

FOLDER: Final = "td/backstage"
KUBERNETES_ID: Final = "backstage.io/kubernetes-id"
LABEL_SELECTOR: Final = "backstage.io/kubernetes-label-selector"
PAYMENT: Final = "payment-service"
SERVICES: Final = {
    "frontend-app": ("td/backstage/catalog-info-frontend.yaml", "team-frontend"),
    "backend-api": ("td/backstage/catalog-info-backend.yaml", "team-backend"),
    PAYMENT: ("td/backstage/catalog-info-payment.yaml", "team-payments"),
}
# More findings of one sort than this help nobody.
MANY: Final = 20
_COMPONENT: Final = "Component.backstage.io"
_SIBLINGS: Final = frozenset(
    {LABEL_SELECTOR, "backstage.io/kubernetes-namespace", "backstage.io/kubernetes-cluster"}
)


def component(exam: Exam, name: str) -> Document:
    """Return the entity that describes a service, wherever in td/backstage it stands.

    A document meant as a Component counts with a wrong apiVersion, kind or name too: that is a fact of its
    own. A copy that still bears another service's name describes that one.
    """
    path, _ = SERVICES[name]
    kinds = {_COMPONENT, *_meant_as_component(exam, name)}
    entity = exam.resource(path, kinds=sorted(kinds), named=name, dialect="core")
    if entity.get("metadata", "name") in [other for other in SERVICES if other != name]:
        named(exam, entity, name)
    return entity


def named(exam: Exam, entity: Document, name: str) -> None:
    """Record that an entity bears the name of the service it is to describe; another name ends the check."""
    found = entity.get("metadata", "name")
    claim = Text("{name} is described", name=name)
    where = entity.at("metadata", "name")
    if found == name:
        exam.fact("entity-name", claim, met=True, where=where)
        return
    exam.fail(
        "entity-name",
        claim,
        expected=f"metadata.name: {name}",
        observed=f"metadata.name: {shown(found)}",
        next=Text("Copy the name from the table of exercise 1.2, letter by letter."),
        where=where,
    )


def components(exam: Exam) -> Iterator[tuple[str, Document]]:
    """Yield name and entity of each service; a missing one does not keep the others from being judged."""
    for name in SERVICES:
        with exam.part():
            yield name, component(exam, name)


def namesakes(exam: Exam, name: str) -> Iterator[Document]:
    """Yield the Components of a name in the namespace default, whatever file of td/backstage holds them."""
    for document in _entities(exam):
        here = document.get("metadata", "namespace", default="default") == "default"
        if here and kind_of(document) == _COMPONENT and document.get("metadata", "name") == name:
            yield document


def _meant_as_component(exam: Exam, name: str) -> Iterator[str]:
    for document in _entities(exam):
        kind = document.get("kind")
        meant = document.get("metadata", "name") == name and document.has("spec")
        if (isinstance(kind, str) and kind.strip().lower() == "component") or (kind is None and meant):
            yield kind_of(document)


def _entities(exam: Exam) -> Iterator[Document]:
    for file in exam.workspace.files(FOLDER, (".yaml", ".yml")):
        try:
            yield from exam.workspace.documents(file, dialect="core")
        except Unreadable:
            continue  # a fact of the files that hold it


def places_of(document: Document, key: str) -> list[tuple[str | int, ...]]:
    """Return every path at which a key stands, the shallowest first; the data is of bounded size."""
    found: list[tuple[str | int, ...]] = []
    level: list[tuple[tuple[str | int, ...], object]] = [((), document.data)]
    while level:
        below: list[tuple[tuple[str | int, ...], object]] = []
        for path, value in level:
            if isinstance(value, dict):
                if key in value:
                    found.append((*path, key))
                below += (((*path, name), child) for name, child in value.items())
            elif isinstance(value, list):
                below += (((*path, index), child) for index, child in enumerate(value))
        level = below
    return found


def annotated(exam: Exam, entity: Document, name: str, key: str) -> str | None:
    """Record whether an entity has an annotation that a plugin can read; return its value if so."""
    annotations = entity.get("metadata", "annotations", default={})
    claim = Text("{name} has the annotation {key}", name=name, key=key)
    expected = Text("metadata.annotations has {key} with a text as its value", key=key)
    if isinstance(annotations, dict) and key in annotations:
        return _readable(exam, entity, claim, key, annotations[key])
    elsewhere = places_of(entity, key)
    if elsewhere:
        exam.fact(
            "annotation-misplaced",
            claim,
            met=False,
            expected=expected,
            observed=Text("the key stands at {path}", path=".".join(map(str, elsewhere[0][:-1])) or "/"),
            next=Text("Move the line below `metadata.annotations`: plugins look for it nowhere else."),
            where=entity.key_at(*elsewhere[0]),
        )
        return None
    near = _near(annotations, key)
    if near is not None:
        exam.fact(
            "annotation-misspelt",
            claim,
            met=False,
            expected=expected,
            observed=Text("a similar key: {near}", near=near),
            next=Text("Copy the key letter by letter, with the part before the slash."),
            where=entity.key_at("metadata", "annotations", near),
        )
        return None
    exam.fact(
        "annotation-missing",
        claim,
        met=False,
        expected=expected,
        observed=Text("no such annotation"),
        next=Text("Add it below `metadata.annotations`."),
        where=entity.key_at("metadata", "annotations"),
    )
    return None


def _readable(exam: Exam, entity: Document, claim: Text, key: str, value: object) -> str | None:
    where: Position = entity.at("metadata", "annotations", key)
    if not isinstance(value, str):
        exam.fact(
            "annotation-not-text",
            claim,
            met=False,
            expected=Text("a text"),
            observed=Text("{value}, which YAML does not read as text", value=shown(value)),
            next=Text("Put the value in quotation marks: annotations are text, always."),
            where=where,
        )
        return None
    full = bool(value.strip())
    exam.fact(
        "annotation-present" if full else "annotation-empty",
        claim,
        full,
        expected=Text("a value that is not empty"),
        observed=f"{key}: {value}",
        next=Text("Give it the name of the service as its value."),
        where=where,
    )
    return value.strip() if full else None


def _near(annotations: object, wanted: str) -> str | None:
    keys: list[str] = list(annotations) if isinstance(annotations, dict) else []
    folded: dict[str, str] = {
        re.sub(r"[^a-z0-9/]", "", key.lower()): key for key in keys if key not in _SIBLINGS
    }
    target = re.sub(r"[^a-z0-9/]", "", wanted)
    prefix, _, suffix = target.partition("/")
    for candidate, key in folded.items():
        last = candidate.rpartition("/")[2]
        if last in (suffix, prefix + suffix):
            return key
        if suffix.startswith("kubernetes") and last.startswith("kubernetes") and len(last) <= len(suffix) + 6:
            return key
    close = difflib.get_close_matches(target, folded, n=1, cutoff=0.82)
    return folded[close[0]] if close else None


def shown(value: object) -> str:
    """Return a YAML value as the file would write it, cut short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    if isinstance(value, list):
        return "[…]" if value else "[]"
    return str(value)[:80]


def value_at(document: Document, path: tuple[str | int, ...]) -> Message:
    """Return what stands at a path, path included, for a message."""
    here = ".".join(map(str, path)) or "/"
    return (
        f"{here}: {shown(document.get(*path))}"
        if document.has(*path)
        else Text("nothing at {path}", path=here)
    )


def listed(names: Iterable[str]) -> str:
    """Return the first names of many, for a message."""
    first = list(islice(names, 13))
    return ", ".join(name[:60] for name in first[:12]) + (", …" if len(first) > 12 else "") or "–"
