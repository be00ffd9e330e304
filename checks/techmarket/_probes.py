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
    """Return a container as the API server completes it: `resources` is always there, if only empty."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "Always" if image.endswith(":latest") else "IfNotPresent",
        "resources": copy.deepcopy(resources or {}),
        "securityContext": copy.deepcopy(_SECURE),
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }


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
    spec = _spec(containers)
    if init:
        spec["initContainers"] = init
    if ephemeral:
        spec["ephemeralContainers"] = ephemeral
    for each in (*spec["containers"], *(init or ())):
        # In a Pod (not in the template of a Deployment) the API server sets requests to the limits.
        if limits := each["resources"].get("limits"):
            each["resources"]["requests"] = {**limits, **each["resources"].get("requests", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _spec(containers: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    return {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": list(containers) or [container()],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "enableServiceLinks": True,
    }


def running(image: str, *, namespace: str = "default") -> dict[str, Any]:
    """Return a Pod whose only container runs an image."""
    return pod(container(image=image), namespace=namespace)


def deployment(*containers: dict[str, Any], namespace: str = "default") -> dict[str, Any]:
    """Return a Deployment of Pods with these containers."""
    labels = {"app": "lab-probe"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "lab-probe", "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": _spec(containers)},
        },
    }
