"""Which Services lead to a Prometheus: those of the charts people use, by label and port, never by name."""

from __future__ import annotations

from typing import Any

import pytest

from checks.techmarket.on_cluster._prometheus import Server, servers
from tests.tui.in_memory import InMemory
from workshop.cluster.port import Object, Unreachable
from workshop.verdicts import Reason


class WithServices(InMemory):
    """A cluster that has Services, each of which answers one thing."""

    def __init__(self, *services: Object, answer: tuple[int, str] = (404, "")) -> None:
        super().__init__()
        self.services, self.answer = list(services), answer

    def list(self, kind: str, **_: Any) -> list[Object]:
        return self.services if kind == "Service" else []

    def service_get(self, namespace: str, service: str, path: str) -> tuple[int, str]:  # noqa: ARG002
        return self.answer


def made(labels: dict[str, str], *ports: dict[str, Any], **spec: Any) -> Object:
    return {
        "metadata": {"name": "x", "namespace": "n", "labels": labels},
        "spec": {"ports": list(ports), **spec},
    }


NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (
            made(
                {"operated-prometheus": "true"},
                {"name": "grpc", "port": 10901},
                {"name": "http-web", "port": 9090},
            ),
            ["n/x:9090"],
        ),
        (
            made(
                {"app": "kube-prometheus-stack-prometheus", "release": "monitoring"},
                {"name": "http-web", "port": 9090, "nodePort": 30090},
                {"name": "reloader-web", "port": 8080},
            ),
            ["n/x:9090"],
        ),
        (
            made({NAME: "prometheus", COMPONENT: "server"}, {"name": "http", "port": 80, "targetPort": 9090}),
            ["n/x:80"],
        ),
        (made({"app": "prometheus", "component": "server"}, {"name": "http", "port": 80}), ["n/x:80"]),
        (made({"team": "sre"}, {"port": 9090}), ["n/x:9090"]),
        (made({NAME: "prometheus", COMPONENT: "alertmanager"}, {"port": 9093}), []),
        (made({NAME: "prometheus-pushgateway"}, {"port": 9091}), []),
        (made({NAME: "prometheus-node-exporter"}, {"port": 9100}), []),
        (made({"app": "kube-prometheus-stack-operator"}, {"name": "https", "port": 443}), []),
        (made({"operated-prometheus": "true"}, {"port": 9090}, type="ExternalName"), []),
        (made({"operated-prometheus": "true"}), []),
        ({"metadata": None, "spec": {"ports": [3, {"port": "http"}]}}, []),
    ],
)
def test_services(service: Object, expected: list[str]) -> None:
    assert [str(each) for each in servers(WithServices(service))] == expected


def test_the_surest_comes_first() -> None:
    unsure = made({}, {"port": 9090})
    sure = made({"operated-prometheus": "true"}, {"port": 9091})
    assert [each.service for each in servers(WithServices(unsure, sure))] == ["x:9091", "x:9090"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((503, '{"kind": "Status", "message": "no endpoints available"}'), Reason.UNAVAILABLE),
        ((429, ""), Reason.UNAVAILABLE),
        ((403, '{"kind": "Status", "message": "services/proxy is forbidden"}'), Reason.FORBIDDEN),
        ((401, "<html>sign in</html>"), Reason.FORBIDDEN),
    ],
)
def test_no_answer_is_not_an_answer(answer: tuple[int, str], reason: Reason) -> None:
    with pytest.raises(Unreachable) as error:
        Server(WithServices(answer=answer), "n", "x:9090").ask("rules")
    assert error.value.reason is reason


@pytest.mark.parametrize(
    "answer", [(200, "<html>"), (404, "no such page"), (200, "[1]"), (302, ""), (422, '{"status": "error"}')]
)
def test_something_else_is_no_prometheus(answer: tuple[int, str]) -> None:
    assert Server(WithServices(answer=answer), "n", "x:9090").ask("rules") is None


def test_an_answer() -> None:
    assert (
        Server(WithServices(answer=(200, '{"status": "success", "data": 7}')), "n", "x:1").ask("rules") == 7
    )
