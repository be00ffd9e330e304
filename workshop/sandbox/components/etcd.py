"""etcd: where a control plane keeps everything."""

from __future__ import annotations

from workshop.sandbox.model import Component, Family, Part, Program
from workshop.sandbox.running import Running

VERSION = "v3.6.8"
FAMILY = Family(
    name="etcd",
    module="go.etcd.io/etcd/server/v3",
    version=VERSION,
    programs=(Program("etcd", "", ("--version",), f"etcd Version: {VERSION[1:]}", ("etcd",)),),
)
# Sockets in a folder only the user can open, named from that folder (etcd's working directory): nothing to
# guard with certificates, no port, and no path too long for a socket's name. etcd insists on host:port.
CLIENT_SOCKET = "c:0"
_PEER_SOCKET = "p:0"
_GATEWAY_SOCKET = "g:0"


def _command(running: Running) -> list[str]:
    return [
        f"--data-dir={running.home.data}",
        f"--listen-client-urls=unix://{CLIENT_SOCKET}",
        f"--advertise-client-urls=unix://{CLIENT_SOCKET}",
        f"--listen-client-http-urls=unix://{_GATEWAY_SOCKET}",
        f"--listen-peer-urls=unix://{_PEER_SOCKET}",
        f"--initial-advertise-peer-urls=unix://{_PEER_SOCKET}",
        f"--initial-cluster=default=unix://{_PEER_SOCKET}",
        "--log-level=warn",
        # A lone member has nobody to wait for.
        "--heartbeat-interval=10",
        "--election-timeout=100",
        # Nothing here is worth an fsync a write: after a power cut, a damaged data directory is replaced.
        "--unsafe-no-fsync",
        "--quota-backend-bytes=2147483648",
    ]


PART = Part(
    name="etcd",
    families=(FAMILY,),
    components=(
        Component(
            name="etcd",
            program="etcd",
            command=_command,
            # Its gateway dials its own socket, and would ask a proxy for it.
            environment=lambda _running: {"HTTP_PROXY": "", "HTTPS_PROXY": ""},
            ready=lambda running: running.store.healthy(),
        ),
    ),
    megabytes=80,
)
