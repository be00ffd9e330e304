"""A cluster that misbehaves is `Unreachable` with the right reason: never an answer, never a traceback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from workshop.cluster import Unreachable
from workshop.cluster.live import LiveCluster
from workshop.verdicts import Reason

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": []}}
RESOURCES = {"resources": [{"kind": "Pod", "name": "pods", "namespaced": True}]}


@contextmanager
def _server(status: int, body: str, *, discovery: bool = True) -> Iterator[str]:
    """Serve one answer for everything; discovery works unless told otherwise. Hangs for status 0."""
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if discovery and self.path == "/api/v1":
                self._answer(200, json.dumps(RESOURCES))
            elif discovery and self.path == "/apis":
                self._answer(200, json.dumps({"groups": []}))
            else:
                self._fault()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._fault()

        def _fault(self) -> None:
            if status == 0:
                released.wait(30)
                return
            self._answer(status, body)

        def _answer(self, code: int, content: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content.encode())))
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        released.set()
        server.shutdown()
        server.server_close()


def _cluster(url: str, folder: Path, seconds: float = 5.0) -> LiveCluster:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": {"server": url}}],
        "users": [{"name": "lab", "user": {"token": "t"}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return LiveCluster("lab", path, seconds=seconds)


def _message(code: int, message: str) -> str:
    return json.dumps({"kind": "Status", "code": code, "message": message})


FAULTS = [
    (401, _message(401, "Unauthorized"), Reason.UNAUTHORIZED),
    (403, _message(403, 'pods is forbidden: User "lea" cannot list resource "pods"'), Reason.FORBIDDEN),
    (429, _message(429, "too many requests"), Reason.TIMEOUT),
    (500, _message(500, "etcdserver: leader changed"), Reason.UNAVAILABLE),
    (503, "upstream connect error", Reason.UNAVAILABLE),
    (200, "<html>Welcome to nginx</html>", Reason.UNAVAILABLE),
    (200, "[1, 2]", Reason.UNAVAILABLE),
]


@pytest.mark.parametrize(("status", "body", "reason"), FAULTS, ids=lambda value: str(value)[:24])
def test_every_question_under_every_fault(status: int, body: str, reason: Reason, tmp_path: Path) -> None:
    with _server(status, body) as url:
        cluster = _cluster(url, tmp_path)
        for question in (
            lambda: cluster.get("Pod", "x", "default"),
            lambda: cluster.list("Pod"),
            lambda: cluster.try_create(POD),
            lambda: cluster.allowed("list", "Pod"),
        ):
            with pytest.raises(Unreachable) as error:
                question()
            assert error.value.reason is reason


@pytest.mark.parametrize(("status", "body", "reason"), FAULTS, ids=lambda value: str(value)[:24])
def test_discovery_under_every_fault(status: int, body: str, reason: Reason, tmp_path: Path) -> None:
    with _server(status, body, discovery=False) as url, pytest.raises(Unreachable) as error:
        _cluster(url, tmp_path).list("Pod")
    assert error.value.reason is reason


def test_a_server_that_hangs_is_a_time_out(tmp_path: Path) -> None:
    with _server(0, "") as url, pytest.raises(Unreachable) as error:
        _cluster(url, tmp_path, seconds=0.2).list("Pod")
    assert error.value.reason is Reason.TIMEOUT


def test_nobody_listening(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as error:
        _cluster("http://127.0.0.1:1", tmp_path).list("Pod")
    assert error.value.reason is Reason.NO_CLUSTER


def test_no_such_context(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("{}")
    with pytest.raises(Unreachable) as error:
        LiveCluster("lab", tmp_path / "kubeconfig")
    assert error.value.reason is Reason.NO_CLUSTER


def test_a_kind_that_is_not_installed(tmp_path: Path) -> None:
    with _server(500, "") as url:
        cluster = _cluster(url, tmp_path)
        assert cluster.serves("ChaosEngine.litmuschaos.io") is False
        with pytest.raises(Unreachable) as error:
            cluster.list("ChaosEngine.litmuschaos.io")
    assert error.value.reason is Reason.MISSING_CRD


@pytest.mark.parametrize(
    ("status", "message", "admitted"),
    [
        (400, 'admission webhook "validate.kyverno.svc-fail" denied the request: no', False),
        (403, 'admission webhook "validate.kyverno.svc-fail" denied the request: no', False),
        (422, "Pod is invalid: spec.containers: Required value", False),
        (500, 'failed calling webhook "validate.kyverno.svc-fail": context deadline exceeded', None),
    ],
)
def test_a_refusal_is_told_from_a_dead_webhook(
    status: int, message: str, admitted: bool | None, tmp_path: Path
) -> None:
    with _server(status, _message(status, message)) as url:
        decision = _cluster(url, tmp_path).try_create(POD)
    assert decision.admitted is admitted
    assert decision.message == message


@pytest.mark.parametrize("body", ['{"metadata": {}}', '{"status": null}', '{"status": {"allowed": "yes"}}'])
def test_a_review_that_says_nothing_is_no_denial(body: str, tmp_path: Path) -> None:
    with _server(200, body) as url, pytest.raises(Unreachable) as error:
        _cluster(url, tmp_path).allowed("list", "Pod")
    assert error.value.reason is Reason.UNAVAILABLE


def test_rights_to_a_kind_that_is_not_there_cannot_be_told(tmp_path: Path) -> None:
    with _server(200, "{}") as url, pytest.raises(Unreachable) as error:
        _cluster(url, tmp_path).allowed("list", "ChaosEngine.litmuschaos.io", user="x")
    assert error.value.reason is Reason.MISSING_CRD
