"""Ways into a cluster beside its API server: ports of this machine and of its nodes, an Ingress.

The API server's proxy takes the `Authorization` header away, so what asks for a token of its own can only be
read at such a door. Only addresses of this machine and those that the cluster itself names are knocked at,
with GET, and no redirect is followed: an address in a student's file leads nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from workshop.cluster.port import Unreachable
from workshop.texts import Text
from workshop.verdicts import Reason

SECONDS: Final = 5.0
# Whoever is there at all takes a connection at once; whoever is not often says nothing.
_CONNECTING: Final = 1.5
TOKEN: Final = "WORKSHOP_BACKSTAGE_TOKEN"  # noqa: S105 (the name of a variable)
_MOST_BYTES: Final = 4 * 2**20
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


def is_local(host: str | None) -> bool:
    """Whether a host name is this machine's own, by whatever name."""
    return host in _LOCAL or (host or "").endswith(".localhost")


@dataclass(frozen=True, slots=True)
class Doors:
    """The doors of a cluster, seen from this machine; `knocked` are those that were tried."""

    seconds: float = SECONDS
    knocked: list[str] = field(default_factory=list)

    @property
    def token(self) -> str | None:
        """The token for the portal that the student put into the environment: never written anywhere."""
        return os.environ.get(TOKEN, "").strip() or None

    def is_open(self, host: str, port: int) -> bool:
        """Whether anybody accepts a connection there."""
        import socket

        self.knocked.append(host)
        try:
            with socket.create_connection((host, port), _CONNECTING):
                return True
        except OSError:
            return False

    def get(
        self, address: str, path: str, *, named: Collection[str] = (), token: str | None = None
    ) -> tuple[int, str]:
        """GET a path at an address (`http://host:port`) and return status and body.

        `named` are the hosts that the cluster names as its own. Raises Unreachable for any other host
        than these and this machine, and where nobody answers.
        """
        from http.client import HTTPConnection, HTTPException, HTTPSConnection

        self.knocked.append(address)
        try:
            parts = urlsplit(address)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            text = Text("{address} is no web address", address=address)
            raise Unreachable(Reason.UNAVAILABLE, text) from error
        if not is_local(host) and host not in named:
            text = Text("{host} is neither this machine nor named by the cluster", host=host)
            raise Unreachable(Reason.UNAVAILABLE, text)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        headers = {"Accept": "application/json, text/html"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        # Names below localhost are this machine's by definition, whether or not its resolver knows them.
        end = "localhost" if host.endswith(".localhost") else host
        connection = kind(end, port, timeout=_CONNECTING)
        headers["Host"] = parts.netloc.rpartition("@")[2]
        try:
            connection.connect()
            connection.sock.settimeout(self.seconds)
            connection.request("GET", f"{parts.path.rstrip('/')}/{path.lstrip('/')}", headers=headers)
            response = connection.getresponse()
            return response.status, response.read(_MOST_BYTES).decode(errors="replace")
        except (OSError, HTTPException, ValueError) as error:
            text = Text("no answer from {address}: {problem}", address=address, problem=str(error)[:200])
            raise Unreachable(Reason.UNAVAILABLE, text) from error
        finally:
            connection.close()
