"""Entity references: `team-payments`, `group:team-payments` and `group:default/team-payments` are one."""

from __future__ import annotations

from typing import NamedTuple


class EntityReference(NamedTuple):
    """Which entity is meant, every part in lower case: Backstage compares references without case."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.namespace}/{self.name}"


def parse_reference(
    text: object, *, default_kind: str, default_namespace: str = "default"
) -> EntityReference | None:
    """Return what `[kind:][namespace/]name` refers to; None when it is no such text."""
    if not isinstance(text, str):
        return None
    colon, slash = text.find(":"), text.find("/")
    if -1 < slash < colon:
        colon = -1
    kind = default_kind if colon == -1 else text[:colon]
    namespace = default_namespace if slash == -1 else text[colon + 1 : slash]
    name = text[max(colon, slash) + 1 :]
    if not kind or not namespace or not name:
        return None
    return EntityReference(kind.lower(), namespace.lower(), name.lower())
