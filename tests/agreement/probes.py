"""The resources that policies are tried on: what a policy of this lab may look at, in several namespaces."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final

from .engine import Document, Engine, Probe, stripped

NAMESPACES: Final[dict[str, dict[str, str]]] = {
    "default": {},
    "team-a": {"env": "prod", "team": "a"},
    "team-b": {"env": "dev"},
}
LIMITS: Final = {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}}


def container(image: str, name: str = "app", **more: Any) -> Document:
    return {"name": name, "image": image, **more}


def pod(name: str, namespace: str, *containers: Document, labels: Any = None, **more: Any) -> Document:
    metadata: Document = {"name": name, "namespace": namespace}
    if labels:
        metadata["labels"] = labels
    if "annotations" in more:
        metadata["annotations"] = more.pop("annotations")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": list(containers), **more},
    }


def controller(kind: str, name: str, namespace: str, template: Document, **spec: Any) -> Document:
    """A workload around a Pod's metadata and spec, of the group its kind belongs to."""
    labels = {**template["metadata"].get("labels", {}), "app": name}
    inner = {"metadata": {"labels": labels}, "spec": copy.deepcopy(template["spec"])}
    group = "batch/v1" if kind in {"Job", "CronJob"} else "apps/v1"
    if group == "batch/v1":
        inner["spec"]["restartPolicy"] = "Never"
        body: Document = {"template": inner, **spec}
        if kind == "CronJob":
            body = {
                "schedule": spec.pop("schedule", "0 3 * * *"),
                "jobTemplate": {"spec": {"template": inner}},
            }
    else:
        body = {"selector": {"matchLabels": {"app": name}}, "template": inner, **spec}
        if kind == "StatefulSet":
            body["serviceName"] = name
    return {
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name, "tier": "backend"}},
        "spec": body,
    }


LATEST = pod("latest", "default", container("nginx:latest"), labels={"app": "web"})
GOOD = pod(
    "good",
    "team-a",
    container("nginx:1.27.5", resources=LIMITS),
    labels={"app": "web", "cost-center": "techmarket", "managed-by": "platform-team", "env": "prod"},
)
MIXED = pod(
    "mixed",
    "team-b",
    container("registry.local:5000/app:1.0", resources={"limits": {"memory": "64Mi"}}),
    container("busybox:latest", "sidecar", resources=LIMITS),
    initContainers=[container("busybox", "init")],
    labels={"app": "batch", "version": "1.10.2"},
    annotations={"owner": "lea-devops", "ttl": "90m", "size": "2Gi"},
)
PRIVILEGED = pod(
    "privileged",
    "team-a",
    container(
        "ghcr.io/lea-devops/payment-service:v1.0.0",
        "payment",
        securityContext={
            "privileged": True,
            "runAsUser": 0,
            "capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]},
        },
        env=[{"name": "MODE", "value": "prod"}, {"name": "LEVEL", "value": "3"}],
        ports=[{"containerPort": 8080}, {"containerPort": 9090, "name": "metrics"}],
        volumeMounts=[{"name": "data", "mountPath": "/data"}],
        resources={"limits": {"cpu": "2"}, "requests": {"cpu": "1500m", "memory": "1Gi"}},
    ),
    hostNetwork=True,
    volumes=[{"name": "data", "hostPath": {"path": "/var/data"}}, {"name": "tmp", "emptyDir": {}}],
    labels={"app": "payment"},
    annotations={"owner": ""},
)
DIGEST = pod(
    "by-digest",
    "default",
    container("nginx@sha256:" + "4c" * 32, resources={"limits": {"cpu": 1, "memory": "1Gi"}}),
    container("latest-news:1.0", "news"),
    securityContext={"runAsNonRoot": True},
    nodeSelector={"disk": "ssd"},
    tolerations=[{"key": "spot", "operator": "Exists"}],
)
BARE = pod("bare", "default", container("nginx"))
SETTINGS: Document = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "team-a", "labels": {"app": "web", "tier": "config"}},
    "data": {
        "count": "3",
        "size": "512Mi",
        "wait": "1h30m",
        "version": "1.2.3",
        "list": '["a", "b"]',
        "range": "10-20",
        "float": "0.5",
        "empty": "",
        "url": "https://example.org/x?y=1",
        "yaml": "a: 1\nb: [x, y]\n",
        "when": "2024-02-29T12:00:00Z",
        "flag": "true",
    },
}
_SERVICE: Document = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "selector": {"app": "web"},
        "ports": [{"port": 80, "targetPort": 8080}, {"name": "tls", "port": 443}],
    },
}
for _port in _SERVICE["spec"]["ports"]:
    _port.setdefault("name", "http")

CREATED: Final[dict[str, Document]] = {
    "pod latest": LATEST,
    "pod good": GOOD,
    "pod mixed": MIXED,
    "pod privileged": PRIVILEGED,
    "pod by digest": DIGEST,
    "pod bare": BARE,
    "pod of a generated name": {
        **GOOD,
        "metadata": {"generateName": "good-", "namespace": "team-b", "labels": {"env": "dev"}},
    },
    "pod signed": pod("signed", "default", container("ghcr.io/lea-devops/web:v2", resources=LIMITS)),
    "deployment latest": controller("Deployment", "web", "default", LATEST, replicas=1),
    "deployment good": controller("Deployment", "web", "team-a", GOOD, replicas=3),
    "deployment mixed": controller("Deployment", "mixed", "team-b", MIXED),
    "statefulset latest": controller("StatefulSet", "db", "team-a", LATEST),
    "daemonset privileged": controller("DaemonSet", "agent", "team-b", PRIVILEGED),
    "job latest": controller("Job", "once", "default", LATEST),
    "cronjob latest": controller("CronJob", "nightly", "default", LATEST),
    "cronjob good": controller("CronJob", "nightly", "team-a", GOOD, schedule="*/5 * * * *"),
    "configmap": SETTINGS,
    "configmap without data": {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "empty", "namespace": "default"},
    },
    "service": _SERVICE,
    "namespace": {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"env": "dev"}},
    },
}
#: What is stored before any policy, to be changed and deleted.
STORED: Final[dict[str, Document]] = {
    "stored-pod": pod(
        "stored-pod",
        "team-a",
        container("nginx:latest"),
        container("nginx:1.27.5", "two", resources=LIMITS),
        labels={"app": "web"},
    ),
    "stored-deployment": controller("Deployment", "stored-deployment", "default", LATEST, replicas=2),
    "stored-configmap": {**SETTINGS, "metadata": {"name": "stored-configmap", "namespace": "team-b"}},
}


class Field(Engine):
    """An engine with the namespaces and stored objects of the probes."""

    def prepare(self) -> None:
        for name, labels in NAMESPACES.items():
            document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
            self.api.apply(document)
        for document in STORED.values():
            self.api.apply(document)

    def probes(self) -> list[Probe]:
        """All probes, defaulted by this API server while no policy is in force."""
        found = [self._probe(name, document) for name, document in CREATED.items()]
        for document in STORED.values():
            old = self.api.get(self.api.path(document))
            assert old is not None
            old.pop("status", None)
            for name, changed in _changes(old):
                found.append(self._probe(name, changed, "UPDATE", old))
            found.append(self._probe(f"delete {old['metadata']['name']}", old, "DELETE", old))
        return found

    def _probe(
        self, name: str, document: Document, operation: str = "CREATE", old: Document | None = None
    ) -> Probe:
        body = document if operation == "DELETE" else stripped(self._send(document, operation))
        namespace = body["metadata"].get("namespace", "")
        labels = NAMESPACES.get(namespace, {}) | {"kubernetes.io/metadata.name": namespace}
        return Probe(name, body, operation, old, labels if namespace else {})


def _changes(old: Document) -> Iterator[tuple[str, Document]]:
    kind = str(old["kind"]).lower()
    labelled = stripped(old)
    labelled["metadata"].setdefault("labels", {})["changed"] = "yes"
    yield f"label a stored {kind}", labelled
    changed = stripped(old)
    if kind == "pod":
        changed["spec"]["containers"][0]["image"] = "nginx:1.28.0"
    elif kind == "deployment":
        changed["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:1.28.0"
    else:
        changed["data"]["count"] = "40"
    yield f"correct a stored {kind}", changed
