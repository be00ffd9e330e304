"""Where connections into the cluster end: an HTTP CONNECT proxy between the API server and this machine."""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Final

LOOPBACK: Final = "127.0.0.1"
_LONGEST_HEAD: Final = 8192
_CHUNK: Final = 65536


class Tunnel(socketserver.ThreadingUnixStreamServer):
    """Connects known addresses of Pods to ports of this machine, and loopback to itself."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 (a socket, by the text the kernel knows it by)
        super().__init__(path, _Connection)
        self.ends: dict[tuple[str, int], int] = {}
        self.open: dict[socket.socket, tuple[str, int]] = {}

    def carry(self, address: str, port: int, local_port: int) -> None:
        """Let what goes to a Pod's address and port end at a local port."""
        if self.ends.get((address, port)) != local_port:
            self._hang_up((address, port))
        self.ends[address, port] = local_port

    def forget(self, address: str, port: int) -> None:
        """Let what goes there lead nowhere again."""
        self.ends.pop((address, port), None)
        self._hang_up((address, port))

    def forget_all(self) -> None:
        """Let everything lead nowhere again: addresses of Pods are given out a second time."""
        for address, port in [*self.ends]:
            self.forget(address, port)

    def _hang_up(self, end: tuple[str, int]) -> None:
        """Close what the API server keeps open to an end, or its next request would go the old way."""
        for connection, there in [*self.open.items()]:
            if there == end:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def end_of(self, host: str, port: int) -> int | None:
        """Return the local port where a connection ends, None where it leads nowhere."""
        if host in ("localhost", LOOPBACK):
            return port
        return self.ends.get((host, port))

    @contextlib.contextmanager
    def listening(self) -> Iterator[Tunnel]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()


class _Connection(socketserver.BaseRequestHandler):
    server: Tunnel
    request: socket.socket

    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            received = self.request.recv(1024)
            if not received or len(head) > _LONGEST_HEAD:
                return
            head += received
        target = head.split(b" ", 2)[1].decode()
        host, _, port = target.rpartition(":")
        local_port = self.server.end_of(host.strip("[]"), int(port))
        if local_port is None:
            self.request.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            return
        try:
            inside = socket.create_connection((LOOPBACK, local_port), 5)
        except OSError:
            self.request.sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
            return
        inside.settimeout(None)
        self.server.open[self.request] = (host.strip("[]"), int(port))
        with inside:
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pour, args=(inside, self.request), daemon=True)
            back.start()
            pour(self.request, inside)
            back.join()
        self.server.open.pop(self.request, None)


def pour(source: socket.socket, goal: socket.socket) -> None:
    """Hand on what comes from one end until that ends."""
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            goal.sendall(data)
    with contextlib.suppress(OSError):
        goal.shutdown(socket.SHUT_WR)
