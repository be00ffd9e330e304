"""What controllers write into objects: conditions, readiness, age; and whom a label selector means.

Statuses come from a cluster: whatever has another shape than expected is simply not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from workshop.cluster.port import Object


def part(resource: object, *path: str) -> Any:
    """Return what stands below these keys, None where there is nothing."""
    for key in path:
        resource = resource.get(key) if isinstance(resource, dict) else None
    return resource


def items(resource: object, *path: str) -> list[Object]:
    """Return the mappings in the list below these keys."""
    found = part(resource, *path)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def mapping(resource: object, *path: str) -> dict[str, Any]:
    """Return the mapping below these keys, empty where there is none."""
    found = part(resource, *path)
    return found if isinstance(found, dict) else {}


def name_of(resource: object) -> str:
    """Return the name of an object."""
    return str(part(resource, "metadata", "name"))


def namespace_of(resource: object) -> str:
    """Return the namespace of an object; empty for what has none."""
    return str(part(resource, "metadata", "namespace") or "")


def labels_of(resource: object) -> dict[str, Any]:
    """Return the labels of an object."""
    return mapping(resource, "metadata", "labels")


def condition(resource: object, kind: str) -> tuple[bool | None, str]:
    """Return whether a condition holds (None: nobody has said so yet), and its reason and message."""
    for each in items(resource, "status", "conditions"):
        if each.get("type") == kind:
            words = ": ".join(str(each[key]) for key in ("reason", "message") if each.get(key))
            return {"True": True, "False": False}.get(str(each.get("status"))), words[:500]
    return None, ""


def replicas(workload: object) -> tuple[int, int]:
    """Return how many Pods of a Deployment or StatefulSet are ready, and how many there should be."""
    ready, wanted = part(workload, "status", "readyReplicas"), part(workload, "spec", "replicas")
    return ready if isinstance(ready, int) else 0, wanted if isinstance(wanted, int) else 1


def seconds_old(resource: object, now: datetime | None = None) -> float:
    """Return the age of an object; endless when nobody says when it was made."""
    made = made_at(resource)
    return ((now or datetime.now(UTC)) - made).total_seconds() if made else float("inf")


def made_at(resource: object) -> datetime | None:
    """Return when an object was made."""
    return moment(part(resource, "metadata", "creationTimestamp"))


def moment(text: object) -> datetime | None:
    """Return a point in time as Kubernetes writes it; None for anything else."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def selects(selector: object, labels: Mapping[str, object]) -> bool:
    """Whether a label selector means something with these labels: an empty one all, an absent one nothing."""
    if not isinstance(selector, dict):
        return False
    wanted = mapping(selector, "matchLabels")
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(each, labels) for each in items(selector, "matchExpressions")
    )


def _holds(expression: Object, labels: Mapping[str, object]) -> bool:
    key, values = str(expression.get("key")), expression.get("values")
    among = isinstance(values, list) and labels.get(key) in values
    return {
        "In": key in labels and among,
        "NotIn": key not in labels or not among,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }.get(str(expression.get("operator")), False)
