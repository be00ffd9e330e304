"""A proxy before a real server that hands everything on – until it is told to spoil an answer.

It is reached over plain HTTP. Before an API server it asks with the credentials of a kubeconfig; before
anything else it hands on those that it is shown. What it was asked is written down, so that faults can be
aimed at what a check really reads.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

AUDITED: Final = {"Audit-Id": "0"}
_HANDED_ON: Final = ("Audit-Id", "Docker-Content-Digest", "Location", "WWW-Authenticate")


@dataclass(frozen=True, slots=True)
class Request:
    """What a check asked."""

    method: str
    path: str
    query: str
    authorization: str | None = None

    @property
    def watches(self) -> bool:
        return "watch=true" in self.query

    @property
    def resource(self) -> str | None:
        """The resource it reads or creates, such as `apps/v1/deployments`; None for discovery and others."""
        parts = self.path.strip("/").split("/")
        if parts[0] == "api" and len(parts) > 2:
            group, rest = parts[1], parts[2:]
        elif parts[0] == "apis" and len(parts) > 3:
            group, rest = "/".join(parts[1:3]), parts[3:]
        else:
            return None
        if rest[0] == "namespaces" and len(rest) > 2:
            rest = rest[2:]
            if rest[0] == "services" and "proxy" in rest:
                return f"{group}/services/proxy"
        return f"{group}/{rest[0]}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the proxy answers. `length` other than the content's cuts the connection in the middle.

    With AUDITED headers it comes from an API server, as far as one can see; without, from somebody between.
    """

    status: int
    content: bytes
    length: int | None = None
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Spoilt:
    """A fault: `instead` answers without asking the server, `after` changes what the server said.

    Both return None to leave a request alone. `hangs` names requests that are never answered.
    """

    name: str
    instead: Callable[[Request], Answer | None] | None = None
    after: Callable[[Request, Answer], Answer | None] | None = None
    hangs: Callable[[Request], bool] | None = None
    bitten: int = 0


@dataclass(slots=True)
class Proxy:
    """A running proxy. `fault` is what it does wrong at the moment."""

    url: str = ""
    fault: Spoilt | None = None
    asked: list[Request] = field(default_factory=list)
    _released: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return int(self.url.rpartition(":")[2])

    def kubeconfig(self, folder: Path, context: str = "lab") -> Path:
        """Write a kubeconfig whose only context leads here."""
        path = folder / f"kubeconfig-{context}"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": {"server": self.url}}],
            "users": [{"name": context, "user": {"token": "given-by-the-proxy"}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        }
        path.write_text(json.dumps(config))
        return path

    @contextmanager
    def spoiling(self, fault: Spoilt) -> Iterator[Spoilt]:
        """Let a fault happen for a while."""
        self._released.clear()
        self.fault = fault
        try:
            yield fault
        finally:
            self.fault = None
            self._released.set()

    def wait_released(self) -> None:
        self._released.wait(60)


@dataclass(frozen=True, slots=True)
class Origin:
    """The server behind a proxy. Without a `token` the asker's own credentials are handed on."""

    port: int
    host: str = "127.0.0.1"
    token: str | None = None
    trust: ssl.SSLContext | None = None

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection that is not open yet."""
        if self.trust is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=60)
        return http.client.HTTPSConnection(self.host, self.port, context=self.trust, timeout=60)


def standing_before(kubeconfig: Path, token: str | None = None) -> AbstractContextManager[Proxy]:
    """Start a proxy before the server of a kubeconfig's first cluster, as its user or with another token."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    address = urlsplit(cluster["server"])
    return before(
        Origin(
            int(address.port or 443),
            str(address.hostname),
            token or config["users"][0]["user"]["token"],
            ssl.create_default_context(cadata=authority),
        )
    )


@contextmanager
def before(origin: Origin, port: int = 0) -> Iterator[Proxy]:
    """Start a proxy before a server, at a port of its own choice or a given one."""
    proxy = Proxy()
    local = threading.local()

    def connection(*, fresh: bool = False) -> http.client.HTTPConnection:
        if fresh or getattr(local, "connection", None) is None:
            local.connection = origin.connect()
        found: http.client.HTTPConnection = local.connection
        return found

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve(None)

        def do_HEAD(self) -> None:
            self._serve(None)

        def do_POST(self) -> None:
            self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def _serve(self, body: bytes | None) -> None:
            path, _, query = self.path.partition("?")
            request = Request(self.command, path, query, self.headers["Authorization"])
            proxy.asked.append(request)
            fault = proxy.fault
            if fault is not None and fault.hangs is not None and fault.hangs(request):
                fault.bitten += 1
                proxy.wait_released()
                self.close_connection = True
                return
            answer = fault.instead(request) if fault is not None and fault.instead is not None else None
            if answer is not None and fault is not None:
                fault.bitten += 1
            if answer is None:
                answer = self._handed_on(body)
                changed = (
                    fault.after(request, answer) if fault is not None and fault.after is not None else None
                )
                if changed is not None and fault is not None:
                    fault.bitten += changed != answer
                    answer = changed
            self._answer(answer)

        def _handed_on(self, body: bytes | None) -> Answer:
            shown = f"Bearer {origin.token}" if origin.token else self.headers["Authorization"]
            headers = {"Accept": self.headers["Accept"], "Content-Type": self.headers["Content-Type"]}
            headers = {name: each for name, each in {**headers, "Authorization": shown}.items() if each}
            for fresh in (False, True):
                try:
                    server = connection(fresh=fresh)
                    server.request(self.command, self.path, body=body, headers=headers)
                    response = server.getresponse()
                    return Answer(
                        response.status,
                        response.read(),
                        media_type=response.headers.get("Content-Type", "application/json"),
                        headers={
                            name: value for name, value in response.headers.items() if name in _HANDED_ON
                        },
                    )
                except (http.client.HTTPException, OSError):
                    if fresh:
                        raise
            raise AssertionError("unreachable")

        def _answer(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            length = len(answer.content) if answer.length is None else answer.length
            self.send_header("Content-Length", str(length))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if length != len(answer.content):
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.content)

        def log_message(self, *_: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            return  # a client that did not wait for us

    server = Server(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy._released.set()
        server.shutdown()
        server.server_close()
