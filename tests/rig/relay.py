"""A wire to a port of this machine that can be cut, joined again, and laid to somewhere else."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

from tests.rig.tunnel import LOOPBACK, pour


class Relay(socketserver.ThreadingTCPServer):
    """Hands bytes on as they are, encrypted or not; while it is cut, whoever connects is hung up on."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, port: int) -> None:
        super().__init__((LOOPBACK, 0), _Connection)
        self.goal: int | None = port
        self.open: set[socket.socket] = set()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def cut(self) -> None:
        """End what is open and let nothing through."""
        self.lead_to(None)

    def lead_to(self, port: int | None) -> None:
        """Let new connections end at another port; those that are open are ended."""
        self.goal = port
        for connection in [*self.open]:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def listening(self) -> Iterator[Relay]:
        """Serve until the block ends."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield self
        finally:
            self.cut()
            self.shutdown()
            self.server_close()


class _Connection(socketserver.BaseRequestHandler):
    server: Relay
    request: socket.socket

    def handle(self) -> None:
        self.server.open.add(self.request)
        try:
            if self.server.goal is not None:
                self._join(self.server.goal)
        finally:
            self.server.open.discard(self.request)

    def _join(self, port: int) -> None:
        try:
            inside = socket.create_connection((LOOPBACK, port), 5)
        except OSError:
            return
        inside.settimeout(None)
        with inside:
            back = threading.Thread(target=pour, args=(inside, self.request), daemon=True)
            back.start()
            pour(self.request, inside)
            back.join()
