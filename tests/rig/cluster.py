"""A sandbox whose Services can answer, shared by every test of a session that looks at a cluster."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.rig.tunnel import Tunnel
from workshop.cluster.live import LiveCluster
from workshop.sandbox.api import Sandbox
from workshop.sandbox.client import Api, Document
from workshop.sandbox.components import CORE, ON_DEMAND
from workshop.sandbox.components.services import socket_of

_SECONDS = 60.0


def wait_for(condition: Callable[[], object], *, seconds: float = _SECONDS) -> None:
    """Return once a condition holds. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{condition} did not come true within {seconds:g} s")
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Rig:
    """A running control plane with everything the sandbox has, and Services that lead to this machine."""

    sandbox: Sandbox
    tunnel: Tunnel

    @property
    def api(self) -> Api:
        """The API server as its owner sees it: for setting a test up."""
        return self.sandbox.api()

    def reset(self) -> None:
        """Bring the control plane back to pristine; where that takes a new start, in its own folder."""
        with _state(self.sandbox.home.root.parents[1]):
            self.sandbox.reset()
        self.tunnel.forget_all()

    def cluster(self) -> LiveCluster:
        """Return the cluster as checks see it."""
        return LiveCluster("techmarket-sandbox", self.sandbox.kubeconfig)

    def apply(self, *documents: Document) -> None:
        """Apply objects, those that others stand on first, in namespaces that are made for them."""
        namespaces = {each["metadata"].get("namespace", "default") for each in documents}
        for name in namespaces:
            if self.api.get(f"/api/v1/namespaces/{name}") is None:
                self.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        for name in namespaces:  # Pods are refused until their account is there
            wait_for(partial(self.api.get, f"/api/v1/namespaces/{name}/serviceaccounts/default"))
        self.api.apply_all(documents)

    def carry(self, namespace: str, service: str, local_port: int) -> None:
        """Let every port of a Service end at a local port, once its endpoints are known."""
        labels = f"labelSelector=kubernetes.io/service-name={service}"
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?{labels}"

        def carried() -> bool:
            ends = [
                (address, int(port["port"]))
                for each in self.api.request("GET", path)["items"]
                for endpoint in each.get("endpoints") or []
                for address in endpoint["addresses"]
                for port in each.get("ports") or []
            ]
            for address, port in ends:
                self.tunnel.carry(address, port, local_port)
            return bool(ends) and self._has_addresses(namespace, service)

        wait_for(carried)

    def publish(self, namespace: str, service: str, port: int, local_port: int, **labels: str) -> None:
        """Make a Service, a Pod behind it, and let the Service end at a local port."""
        marks = {"app": service, **labels}
        metadata: dict[str, Any] = {"name": service, "namespace": namespace, "labels": marks}
        ports = [{"name": "http", "port": port, "targetPort": local_port}]
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": metadata,
                "spec": {"containers": [{"name": "main", "image": "played.invalid/by-kwok:1"}]},
            },
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": metadata,
                "spec": {"selector": marks, "ports": ports},
            },
        )
        self.carry(namespace, service, local_port)

    def _has_addresses(self, namespace: str, service: str) -> bool:
        """Whether the API server knows by now that a Pod is behind the Service."""
        found = self.api.get(f"/api/v1/namespaces/{namespace}/endpoints/{service}") or {}
        return any(each.get("addresses") for each in found.get("subsets") or [])


@contextmanager
def running(state: Path, name: str = "rig") -> Iterator[Rig]:
    """Bring the sandbox of the rig up in a state folder, and down at the end."""
    with _state(state):
        sandbox = Sandbox(name)
        sandbox.touch()  # its folder holds the socket
    with Tunnel(socket_of(sandbox.home)).listening() as tunnel:
        try:
            with _state(state):
                Sandbox.up(name, ON_DEMAND, core=(*CORE, "services"), build_missing=False)
            yield Rig(sandbox, tunnel)
        finally:
            sandbox.down()


@contextmanager
def _state(folder: Path) -> Iterator[None]:
    """Name the state folder for as long as somebody is started there: other tests have theirs."""
    before = os.environ.get("WORKSHOP_STATE")
    os.environ["WORKSHOP_STATE"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["WORKSHOP_STATE"]
        else:
            os.environ["WORKSHOP_STATE"] = before
