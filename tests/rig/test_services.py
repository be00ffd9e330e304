"""A Service of the real API server ends at a process of this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.rig.cluster import Rig


class _Saying(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = f"here, at {self.path}".encode()
        self.send_response(200 if self.path != "/nowhere" else 404)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def local_port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Saying)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_a_service_is_reached_through_the_api_server(rig: Rig, local_port: int) -> None:
    rig.publish("rig-services", "speaker", 80, local_port)
    cluster = rig.cluster()
    assert cluster.service_get("rig-services", "speaker:80", "some/path?query=1") == (
        200,
        "here, at /some/path?query=1",
    )
    assert cluster.service_get("rig-services", "speaker:http", "nowhere")[0] == 404


def test_a_pod_that_nobody_stands_for_is_not_reached(rig: Rig, local_port: int) -> None:
    rig.publish("rig-services", "silent", 80, local_port)
    for address, port in [end for end in rig.tunnel.ends if rig.tunnel.ends[end] == local_port]:
        rig.tunnel.forget(address, port)
    status, _ = rig.cluster().service_get("rig-services", "silent:80", "/")
    assert status in (502, 503)
