"""Is it Kubernetes that answered? Objects whose shape no API server would give out are not judged.

The server validates what it stores, so a list where keys belong, or null where an object belongs, was put
there on the way: by a gateway, a mock, a server of something else. It says nothing about the student's work.
Looked at are the fields that have one type in every kind, and in Kubernetes' own kinds those of Pods and of
what makes Pods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from workshop.cluster.port import Object, Unreachable
from workshop.texts import Text
from workshop.verdicts import Reason

Fits = Callable[[Any], bool]


def sound(found: Iterable[Any]) -> list[Object]:
    """Return the objects. Raises Unreachable (unavailable) when one of them is none of Kubernetes'."""
    objects = list(found)
    for current in objects:
        field = misshapen(current)
        if field is not None:
            raise Unreachable(
                Reason.UNAVAILABLE,
                Text("the server gave out an object whose {field} is not Kubernetes'", field=field),
            )
    return objects


def misshapen(current: object) -> str | None:
    """Return the first field of a shape that Kubernetes does not know; None when there is none."""
    if not isinstance(current, dict):
        return "content"
    metadata = current.get("metadata")
    if not isinstance(metadata, dict) or not _is_text(metadata.get("name")) or not metadata["name"]:
        return "metadata"
    return (
        _first(current, _OBJECT)
        or _first(metadata, _METADATA, "metadata.")
        or _first(current.get("status", {}), {"conditions": _are_conditions}, "status.")
        or (_below(current) if _is_own(current) else None)
    )


def _is_own(current: Object) -> bool:
    """Whether it is of one of Kubernetes' own kinds; in a list these come without their version."""
    group = str(current.get("apiVersion", "")).rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def _below(current: Object) -> str | None:
    spec, status = current.get("spec"), current.get("status")
    if spec is not None:
        field = _first(spec, _SPEC, "spec.")
        if field:
            return field
        template = spec.get("template")
        if isinstance(template, dict) and "spec" in template:
            field = _first(template, {"metadata": _is_object, "spec": _is_object}, "spec.template.")
            field = field or _first(template["spec"], _SPEC, "spec.template.spec.")
            if field:
                return field
    return _first(status, _STATUS, "status.") if status is not None else None


def _first(part: Object, types: Mapping[str, Fits], prefix: str = "") -> str | None:
    return next(
        (f"{prefix}{key}" for key, fits in types.items() if key in part and not fits(part[key])), None
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _are_objects_or_nothing(value: Any) -> bool:
    # Go writes an empty list without `omitempty` as null.
    return value is None or _are_objects(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _are_conditions(value: Any) -> bool:
    return value is None or (
        _are_objects(value)
        and all(_is_text(each.get("type")) and _is_text(each.get("status")) for each in value)
    )


_OBJECT: Final[Mapping[str, Fits]] = {
    "spec": _is_object,
    "status": _is_object,
    "data": _is_object,
    "subsets": _are_objects_or_nothing,
    "endpoints": _are_objects_or_nothing,
    "webhooks": _are_objects_or_nothing,
    "rules": _are_objects_or_nothing,
    "subjects": _are_objects_or_nothing,
    "roleRef": _is_object,
}
_METADATA: Final[Mapping[str, Fits]] = {
    "namespace": _is_text,
    "labels": _are_texts,
    "annotations": _are_texts,
    "ownerReferences": _are_objects,
    "resourceVersion": _is_text,
}
_SPEC: Final[Mapping[str, Fits]] = {
    "replicas": _is_count,
    "template": _is_object,
    "selector": _is_object,
    "containers": _are_objects,
    "initContainers": _are_objects,
    "volumes": _are_objects,
    "ports": _are_objects,
    "rules": _are_objects,
}
_STATUS: Final[Mapping[str, Fits]] = {
    "containerStatuses": _are_objects,
    "initContainerStatuses": _are_objects,
    "phase": _is_text,
    "replicas": _is_count,
    "readyReplicas": _is_count,
    "availableReplicas": _is_count,
    "updatedReplicas": _is_count,
}
