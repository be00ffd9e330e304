"""What an installation of Backstage leaves on a cluster, as far as its checks look: in our own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import yaml

from tests.rig.cluster import Rig, wait_for

NAMESPACE = "backstage"
IMAGE = "ghcr.io/backstage/backstage:1.45.0"
BOTH = ("--config", "app-config.yaml", "--config", "app-config.production.yaml")
FROM_MAP = "/app/app-config-from-configmap.yaml"
PORT = 7007
Object = dict[str, Any]


def deployment(
    name: str,
    *,
    namespace: str = NAMESPACE,
    labels: Mapping[str, str] | None = None,
    pod_labels: Mapping[str, str] | None = None,
    image: str = IMAGE,
    container: Mapping[str, Any] | None = None,
    replicas: int = 1,
    **spec: Any,
) -> Object:
    """Return a Deployment whose Pods are selected by `app: NAME`."""
    own = {"app": name, **(labels or {})}
    pods = {"app": name, **(labels if pod_labels is None and labels else pod_labels or {})}
    main = {"name": name, "image": image, **(container or {})}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": own},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": pods}, "spec": {"containers": [main], **spec}},
        },
    }


def service(
    name: str,
    selected: str,
    *,
    namespace: str = NAMESPACE,
    node_port: int | None = None,
    port: int = PORT,
    labels: Mapping[str, str] | None = None,
) -> Object:
    """Return a Service before the Pods `app: SELECTED`: a NodePort where one is given, else a ClusterIP."""
    entry: Object = {"name": "http-backend", "port": port, "targetPort": port}
    if node_port:
        entry["nodePort"] = node_port
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {})},
        "spec": {
            "type": "NodePort" if node_port else "ClusterIP",
            "selector": {"app": selected},
            "ports": [entry],
        },
    }


def release(
    name: str = "backstage",
    *,
    namespace: str = NAMESPACE,
    node_port: int | None = None,
    args: Sequence[str] = BOTH,
    command: Sequence[str] = ("node", "packages/backend"),
    config: Mapping[str, Any] | None = None,
    image: str = IMAGE,
    account: str = "default",
    replicas: int = 1,
) -> list[Object]:
    """Return what the project's own chart makes of a release: with a ConfigMap where a config is given."""
    full = name if "backstage" in name else f"{name}-backstage"
    marks = {
        "app.kubernetes.io/name": "backstage",
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/component": "backstage",
    }
    container: Object = {
        "name": "backstage-backend",
        "args": [*args],
        "env": [{"name": "APP_CONFIG_backend_listen_port", "value": str(PORT)}],
        "ports": [{"name": "backend", "containerPort": PORT}],
    }
    if command:
        container["command"] = [*command]
    more: Object = {"serviceAccountName": account}
    objects: list[Object] = []
    if config is not None:
        objects.append(config_map(f"{full}-app-config", {"app-config.yaml": config}, namespace=namespace))
        container["args"] += ["--config", FROM_MAP]
        container["volumeMounts"] = [
            {"name": "backstage-app-config", "mountPath": FROM_MAP, "subPath": "app-config.yaml"}
        ]
        more["volumes"] = [{"name": "backstage-app-config", "configMap": {"name": f"{full}-app-config"}}]
    made = deployment(
        full,
        namespace=namespace,
        labels=marks,
        image=image,
        container=container,
        replicas=replicas,
        **more,
    )
    return [*objects, made, service(full, full, namespace=namespace, node_port=node_port, labels=marks)]


def postgres(
    name: str = "backstage-postgresql", image: str = "docker.io/bitnamilegacy/postgresql:15"
) -> Object:
    """Return a StatefulSet of one PostgreSQL."""
    marks = {"app": name, "app.kubernetes.io/name": "postgresql"}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": marks},
        "spec": {
            "replicas": 1,
            "serviceName": name,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": marks},
                "spec": {"containers": [{"name": "postgresql", "image": image}]},
            },
        },
    }


def config_map(name: str, files: Mapping[str, Any], *, namespace: str = NAMESPACE) -> Object:
    """Return a ConfigMap with YAML files."""
    data = {key: yaml.safe_dump(dict(value)) for key, value in files.items()}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


def access(account: str, rules: Sequence[Mapping[str, Any]], *, name: str = "backstage-read") -> list[Object]:
    """Return a ClusterRole and its binding to an account of the namespace."""
    group = "rbac.authorization.k8s.io"
    return [
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": [{"verbs": ["get", "list", "watch"], **each} for each in rules],
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}],
        },
    ]


def settle(rig: Rig, namespace: str = NAMESPACE) -> None:
    """Return once every Deployment and StatefulSet of a namespace has the Pods it asks for."""
    wait_for(partial(_settled, rig, namespace))


def _settled(rig: Rig, namespace: str) -> bool:
    for plural in ("deployments", "statefulsets"):
        path = f"/apis/apps/v1/namespaces/{namespace}/{plural}"
        for each in rig.api.request("GET", path)["items"]:
            status = each.get("status", {})
            if status.get("readyReplicas", 0) != each["spec"]["replicas"]:
                return False
            if plural == "deployments" and not any(
                condition["type"] == "Available" and condition["status"] == "True"
                for condition in status.get("conditions", [])
            ):
                return False
    return True


def answers(url: str | None = None, pods: int | str | None = None) -> dict[str, str]:
    """Return td/answers.yaml with these answers to 1.1, as a file of a workspace."""
    given = {key: value for key, value in (("url", url), ("pods", pods)) if value is not None}
    return {"td/answers.yaml": yaml.safe_dump({"answers": {"1.1": given}})}
