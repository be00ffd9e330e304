"""The Pods and Deployments that policies meet: harmless in every respect but the one a check varies."""

from __future__ import annotations

import copy
from typing import Any, Final

PINNED: Final = "nginx:1.27.5"
LATEST: Final = "nginx:latest"
LIMITS: Final[dict[str, Any]] = {
    "requests": {"cpu": "10m", "memory": "16Mi"},
    "limits": {"cpu": "50m", "memory": "32Mi"},
}
_SECURE: Final[dict[str, Any]] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}


def container(
    name: str = "app", image: str = PINNED, resources: dict[str, Any] | None = LIMITS
) -> dict[str, Any]:
    """Return a container; `resources=None` leaves the field out."""
    made: dict[str, Any] = {"name": name, "image": image, "securityContext": copy.deepcopy(_SECURE)}
    if resources is not None:
        made["resources"] = copy.deepcopy(resources)
    return made


def pod(
    *containers: dict[str, Any],
    namespace: str = "default",
    init: list[dict[str, Any]] | None = None,
    ephemeral: list[dict[str, Any]] | None = None,
    labels: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return a Pod as the API server hands it to a webhook; without containers it gets a harmless one."""
    metadata: dict[str, Any] = {"name": "lab-probe", "namespace": namespace}
    if labels is not None:
        metadata["labels"] = dict(labels)
    spec: dict[str, Any] = {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": list(containers) or [container()],
    }
    if init:
        spec["initContainers"] = init
    if ephemeral:
        spec["ephemeralContainers"] = ephemeral
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def running(image: str, *, namespace: str = "default") -> dict[str, Any]:
    """Return a Pod whose only container runs an image."""
    return pod(container(image=image), namespace=namespace)


def deployment(of: dict[str, Any]) -> dict[str, Any]:
    """Return a Deployment of such Pods."""
    labels = {"app": "lab-probe"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "lab-probe", "namespace": of["metadata"]["namespace"], "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": copy.deepcopy(of["spec"])},
        },
    }
