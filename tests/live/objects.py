"""Objects for tests on the rig: workloads whose Pods kwok makes ready, and others whose Pods never start."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from tests.rig.cluster import Rig

Object = dict[str, Any]
_SECONDS = 90.0
IMAGE = "played.invalid/by-kwok:1"


def workload(
    name: str,
    namespace: str = "default",
    *,
    kind: str = "Deployment",
    labels: dict[str, str] | None = None,
    image: str = IMAGE,
    replicas: int = 1,
    stuck: bool = False,
    **container: Any,
) -> Object:
    """Return a Deployment or StatefulSet; a `stuck` one asks for a node that nobody has."""
    marks = labels or {"app": name}
    spec: Object = {"containers": [{"name": "main", "image": image, **container}]}
    if stuck:
        spec["nodeSelector"] = {"nowhere": "to-be-found"}
    made: Object = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": marks},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": marks},
            "template": {"metadata": {"labels": marks}, "spec": spec},
        },
    }
    if kind == "StatefulSet":
        made["spec"]["serviceName"] = name
    return made


def service(
    name: str, namespace: str, port: int, selector: dict[str, str], *, type: str = "ClusterIP"
) -> Object:
    """Return a Service."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"type": type, "selector": selector, "ports": [{"port": port}]},
    }


def namespace(name: str) -> Object:
    """Return a Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def applied(rig: Rig, *objects: Object) -> None:
    """Apply objects and return once the Pods of those that can have any are ready."""
    rig.apply(*objects)
    for each in objects:
        if each["kind"] in ("Deployment", "StatefulSet") and "nodeSelector" not in str(each["spec"]):
            path, wanted = rig.api.path(each), each["spec"]["replicas"]
            until(functools.partial(_has_ready, rig, path, wanted), f"{path} is never ready")


def _has_ready(rig: Rig, path: str, wanted: int) -> bool:
    status = (rig.api.get(path) or {}).get("status", {})
    return bool(status.get("readyReplicas", 0) >= wanted)


def until(condition: Callable[[], object], what: str) -> None:
    """Return as soon as a condition holds. Raises TimeoutError when it never does."""
    deadline = time.monotonic() + _SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)


def with_status(rig: Rig, resource: Object, status: Object) -> None:
    """Write the status that a controller would write who cannot run here, through the status subresource."""
    rig.api.merge(f"{rig.api.path(resource)}/status", {"status": status})
