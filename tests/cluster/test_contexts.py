"""Only the lab's contexts are asked, or one that the student confirmed, which is remembered from then on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from workshop.cli import main
from workshop.cluster.choosing import choose
from workshop.cluster.port import Unreachable
from workshop.cluster.remembering import remembered_context
from workshop.content import Lab
from workshop.tui.connecting import connect
from workshop.verdicts import Mode, Reason


class Clusters:
    """Servers that count who was asked, one a context, in one kubeconfig whose current context is `prod`."""

    def __init__(self, kubeconfig: Path) -> None:
        self.asked: dict[str, int] = {}
        self._servers: list[ThreadingHTTPServer] = []
        self._kubeconfig = kubeconfig

    def add(self, *contexts: str) -> None:
        for context in contexts:
            self.asked[context] = 0
            server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(context))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self._servers.append(server)
        ports = dict(zip(self.asked, (each.server_address[1] for each in self._servers), strict=True))
        self._kubeconfig.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "prod",
                    "clusters": [
                        {"name": name, "cluster": {"server": f"http://127.0.0.1:{port}"}}
                        for name, port in ports.items()
                    ],
                    "users": [{"name": "lea-devops", "user": {"token": "t"}}],
                    "contexts": [
                        {"name": name, "context": {"cluster": name, "user": "lea-devops"}} for name in ports
                    ],
                }
            )
        )

    def _handler(self, context: str) -> type[BaseHTTPRequestHandler]:
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked[context] += 1
                self.send_error(503)

            def log_message(self, *_: Any) -> None:
                return

        return Handler

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def clusters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clusters]:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("{}")
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    monkeypatch.setenv("WORKSHOP_STATE", str(tmp_path / "state"))  # no sandbox of this machine
    # The client reads the default place once, when it is imported.
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
    made = Clusters(kubeconfig)
    yield made
    made.close()


def _check(workspace: Path, *more: str) -> int:
    return main(["check", "2.2", "--format", "json", "--workspace", str(workspace), *more])


def test_the_current_context_is_never_asked(
    clusters: Clusters, solved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clusters.add("prod", "staging")
    (solved / ".workshop").mkdir(exist_ok=True)
    _check(solved)
    report = json.loads(capsys.readouterr().out)
    reasons = {each["reason"] for each in report["exercises"][0]["checks"] if each["half"] == "cluster"}
    assert reasons == {"no-cluster"}
    clusters.add("kind-techmarket")
    _check(solved)
    assert clusters.asked["kind-techmarket"] > 0
    assert (clusters.asked["prod"], clusters.asked["staging"]) == (0, 0)
    assert remembered_context(solved) is None


def test_a_context_that_was_named_is_remembered(clusters: Clusters, solved: Path, lab: Lab) -> None:
    clusters.add("prod", "staging", "kind-techmarket")
    (solved / ".workshop").mkdir(exist_ok=True)
    _check(solved, "--context", "staging")
    assert remembered_context(solved) == "staging"
    before = clusters.asked["staging"]
    assert before > 0
    _check(solved)
    assert clusters.asked["staging"] > before
    assert connect(Mode.CLUSTER, lab, solved).context == "staging"
    _check(solved, "--context", "kind-techmarket")
    assert connect(Mode.CLUSTER, lab, solved).context == "kind-techmarket"
    assert clusters.asked["prod"] == 0


def test_nothing_is_remembered_where_nothing_is_kept(clusters: Clusters, solved: Path) -> None:
    clusters.add("prod", "staging", "kind-techmarket")
    _check(solved, "--context", "staging")
    assert not (solved / ".workshop").exists()
    before = clusters.asked["staging"]
    _check(solved)
    assert clusters.asked["staging"] == before
    assert clusters.asked["kind-techmarket"] > 0


def test_a_context_that_does_not_exist_is_not_remembered(clusters: Clusters, solved: Path) -> None:
    clusters.add("prod", "kind-techmarket")
    (solved / ".workshop").mkdir(exist_ok=True)
    _check(solved, "--context", "nowhere")
    assert remembered_context(solved) is None


def test_a_remembered_context_that_went_away(clusters: Clusters, lab: Lab) -> None:
    clusters.add("prod", "kind-techmarket")
    with pytest.raises(Unreachable) as error:
        choose(lab.contexts, remembered="staging")
    assert error.value.reason is Reason.NO_CLUSTER
    assert "--context" in str(error.value.text)
    # The lab's own sandbox comes and goes: its place is taken by the lab's other cluster.
    assert choose(lab.contexts, remembered="techmarket-sandbox").context == "kind-techmarket"
