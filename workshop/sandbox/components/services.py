"""Services that really answer: whoever starts the sandbox puts processes of this machine behind them.

Pods are played and answer nothing. With this part the API server hands every connection into the cluster
to a proxy (HTTP CONNECT) at a socket in the sandbox's folder; whoever made the sandbox decides where it ends.
The proxy has to listen before the sandbox comes up: webhooks behind a Service are reached that way too.
"""

from __future__ import annotations

import json

from workshop.sandbox.model import Part
from workshop.sandbox.places import Home
from workshop.sandbox.running import Running

_SOCKET = "services.sock"


def socket_of(home: Home) -> str:
    """Return the path of the socket at which the proxy of a sandbox listens."""
    return str(home.root / _SOCKET)


def egress(running: Running) -> str:
    """Write what the API server has to know of the proxy and return the path of that file."""
    path = running.folder("kube-apiserver") / "egress.json"
    connection = {"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": socket_of(running.home)}}}
    configuration = {
        "apiVersion": "apiserver.k8s.io/v1beta1",
        "kind": "EgressSelectorConfiguration",
        "egressSelections": [{"name": "cluster", "connection": connection}],
    }
    path.write_text(json.dumps(configuration), encoding="utf-8")
    return str(path)


def environment() -> dict[str, str]:
    """Return what else the API server is told: connections to Pods are ours to carry, no other proxy's."""
    return {"NO_PROXY": "127.0.0.1,localhost,::1,.svc,10.0.0.0/8"}


PART = Part(name="services", families=(), needs=("server",))
