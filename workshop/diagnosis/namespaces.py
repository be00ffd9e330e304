"""Namespaces that do not go away: nothing can be made in them any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workshop.diagnosis.look import Look, conditions
from workshop.diagnosis.symptom import Sign, Symptom, one_line

_STUCK: Final = (
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
    "NamespaceDeletionContentFailure",
)


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield the exercise's namespaces that are being deleted and cannot be, with what is in the way."""
    for name in look.homes:
        namespace = look.get("Namespace", name)
        if namespace is None or namespace.get("status", {}).get("phase") != "Terminating":
            continue
        known = conditions(namespace)
        stuck = next((known[each] for each in _STUCK if known.get(each, {}).get("status") == "True"), None)
        if stuck is not None:
            message = one_line(stuck.get("message"))
            since = str(namespace["metadata"].get("deletionTimestamp"))
            yield Symptom(Sign.NAMESPACE_TERMINATING, f"Namespace/{name}", message, since)
