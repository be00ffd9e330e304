"""Waiting until a cluster that was just made is usable: nodes Ready, a default StorageClass, CoreDNS up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from workshop.cluster.port import Cluster, Object, Unreachable
from workshop.texts import Message, Text

_POLL_SECONDS: Final = 1.0
_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"


class NotUsableError(Exception):
    """The cluster did not become usable in time; `missing` says what it lacks."""

    def __init__(self, missing: list[Message]) -> None:
        super().__init__("; ".join(map(str, missing)))
        self.missing = missing


def wait_until_usable(
    connect: Callable[[], Cluster],
    tell: Callable[[Message], None],
    *,
    seconds: float,
    poll: float = _POLL_SECONDS,
) -> None:
    """Return once the cluster is usable; say what it lacks until then. Raises NotUsableError."""
    deadline = time.monotonic() + seconds
    said: list[Message] = []
    cluster: Cluster | None = None
    while True:
        try:
            cluster = cluster or connect()
            missing = list(lacking(cluster))
        except Unreachable as unreachable:
            # What was learned of a server that was still starting is not kept.
            cluster, missing = None, [unreachable.text]
        if not missing:
            return
        for each in missing:
            if each not in said:
                tell(each)
        said = missing
        if time.monotonic() > deadline:
            raise NotUsableError(missing)
        time.sleep(poll)


def lacking(cluster: Cluster) -> Iterator[Message]:
    """Yield what the cluster still lacks before a lab can run on it. Raises Unreachable."""
    nodes = cluster.list("Node")
    unready = [_name(node) for node in nodes if not _has_condition(node, "Ready")]
    if not nodes:
        yield Text("no node yet")
    elif unready:
        yield Text("nodes that are not Ready yet: {names}", names=", ".join(unready))
    classes = cluster.list("StorageClass.storage.k8s.io")
    if not any(_annotations(each).get(_DEFAULT_CLASS) == "true" for each in classes):
        yield Text("no default StorageClass yet")
    dns = cluster.list("Deployment.apps", namespace="kube-system", labels="k8s-app=kube-dns")
    if not any(_has_condition(each, "Available") for each in dns):
        yield Text("CoreDNS is not available yet")


def _has_condition(current: Object, kind: str) -> bool:
    status = current.get("status")
    conditions: Any = status.get("conditions") if isinstance(status, dict) else None
    return any(
        isinstance(each, dict) and each.get("type") == kind and each.get("status") == "True"
        for each in conditions or []
    )


def _name(current: Object) -> str:
    return str(current.get("metadata", {}).get("name"))


def _annotations(current: Object) -> Object:
    found: Any = current.get("metadata", {}).get("annotations")
    return found if isinstance(found, dict) else {}
