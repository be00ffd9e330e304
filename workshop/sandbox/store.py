"""etcd itself, through its JSON gateway on a socket only the user can open.

Reset works here and not through the API server: what a student applied may refuse its own deletion there
(finalizers, webhooks, policies), and a hundred thousand objects are one range here.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_SECONDS: Final = 60.0
# etcd's own default bound on operations in one transaction is 128.
_OPERATIONS: Final = 120


class StoreError(Exception):
    """etcd did not do what it was asked."""


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of etcd, the revision it was last written at, and its value unless only keys were asked for."""

    key: bytes
    mod_revision: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Put:
    """Write a key."""

    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class DeleteRange:
    """Delete all keys from `begin` up to but not including `end`."""

    begin: bytes
    end: bytes


class Store:
    """One etcd."""

    def __init__(self, path: Path) -> None:
        self._connection = _SocketConnection(path)

    def healthy(self) -> bool:
        """Tell whether etcd answers and has a leader."""
        try:
            return bool(json.loads(self._send("GET", "/health", None)).get("health") == "true")
        except (StoreError, ValueError):
            return False

    def everything(self, begin: bytes, end: bytes, *, keys_only: bool = False) -> bytes:
        """Return etcd's own answer for a range, as it came: sorted by key, with values or without."""
        ask = {"key": _encode(begin), "range_end": _encode(end), "keys_only": keys_only}
        return self._send("POST", "/v3/kv/range", ask)

    def change(self, operations: Iterable[Put | DeleteRange]) -> None:
        """Do the operations in order, a hundred or so at a time."""
        batch: list[dict[str, Any]] = []
        for operation in operations:
            if isinstance(operation, Put):
                put = {"key": _encode(operation.key), "value": _encode(operation.value)}
                batch.append({"request_put": put})
            else:
                gone = {"key": _encode(operation.begin), "range_end": _encode(operation.end)}
                batch.append({"request_delete_range": gone})
            if len(batch) == _OPERATIONS:
                self._send("POST", "/v3/kv/txn", {"success": batch})
                batch = []
        if batch:
            self._send("POST", "/v3/kv/txn", {"success": batch})

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _send(self, method: str, path: str, ask: dict[str, Any] | None) -> bytes:
        content = None if ask is None else json.dumps(ask).encode()
        try:
            self._connection.request(method, path, content, {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise StoreError(str(error) or type(error).__name__) from error
        if answer.status != http.client.OK:
            raise StoreError(said.decode(errors="replace")[:400])
        return said


def entries(answer: bytes) -> list[Entry]:
    """Read etcd's answer for a range."""
    return [
        Entry(
            base64.b64decode(found["key"]),
            int(found["mod_revision"]),
            base64.b64decode(found.get("value", "")),
        )
        for found in json.loads(answer).get("kvs", [])
    ]


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
