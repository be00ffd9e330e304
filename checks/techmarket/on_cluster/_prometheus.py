"""Prometheus servers on a cluster: found by what their Services look like, asked through the API server."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from workshop.checking import Exam, Stop, Text
from workshop.cluster.port import Cluster, Object, Unreachable
from workshop.cluster.reading import items, labels_of, mapping, name_of, namespace_of, part
from workshop.verdicts import Reason, Verdict

from ._services import ask, yourself

PORT: Final = 9090
_WEB: Final = ("http-web", "web")
_MOST: Final = 6


class Server(NamedTuple):
    """One Service that a Prometheus may stand behind; `surely` where it is called one by its labels."""

    cluster: Cluster
    namespace: str
    service: str
    surely: bool = False

    def __str__(self) -> str:
        return f"{self.namespace}/{self.service}"

    def ask(self, path: str, **params: str) -> Any:
        """Return the data of an answer of its HTTP API, None when what answers is no Prometheus.

        Raises Unreachable when nothing answers, or somebody at a Service that is called Prometheus' does not
        speak as one: a prefix in its path, a login before it.
        """
        query = f"?{urlencode(params)}" if params else ""
        answer = ask(self.cluster, self.namespace, self.service, f"api/v1/{path}{query}")
        said = answer.data
        if isinstance(said, dict) and said.get("status") == "success" and said.get("data") is not None:
            return said["data"]
        if answer.silent or answer.status >= 500 or answer.status in (401, 403, 408, 429):
            reason = Reason.FORBIDDEN if answer.status in (401, 403) else Reason.UNAVAILABLE
            silent = Text(
                "{service} does not answer ({status}): {message}",
                service=str(self),
                status=answer.status,
                message=answer.words[:200] or "–",
            )
            raise Unreachable(reason, silent, next=yourself(self.namespace, self.service, f"api/v1/{path}"))
        if self.surely:
            raise self._no_prometheus(answer.status)
        return None

    def objects(self, answer: object, *path: str) -> list[Object]:
        """Return the objects of a list in an answer. Raises Unreachable where no Prometheus would say so."""
        found = part(answer, *path)
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self._no_prometheus(200)
        return found

    def _no_prometheus(self, status: int) -> Unreachable:
        text = Text(
            "{service} answers ({status}), but not as a Prometheus: is there a prefix in its path, or a "
            "login before it?",
            service=str(self),
            status=status,
        )
        return Unreachable(
            Reason.UNAVAILABLE, text, next=yourself(self.namespace, self.service, "api/v1/status/buildinfo")
        )


def servers(cluster: Cluster) -> list[Server]:
    """Return the Services that look like a Prometheus, the surest first; asking shows which are."""
    found = [
        (rank, Server(cluster, namespace_of(each), f"{name_of(each)}:{port}", surely=rank == 0))
        for each in cluster.list("Service")
        for rank, port in _ports(each)
    ]
    return [server for _, server in sorted(found, key=lambda pair: (pair[0], str(pair[1])))][:_MOST]


def _ports(service: Object) -> Iterator[tuple[int, int]]:
    """Yield the port of a Service at which a Prometheus may listen, with how unsure that is."""
    if part(service, "spec", "type") == "ExternalName":
        return
    ports = [each for each in items(service, "spec", "ports") if isinstance(each.get("port"), int)]
    usual = [
        each for each in ports if PORT in (each["port"], each.get("targetPort")) or each.get("name") in _WEB
    ]
    if _is_labelled(service):
        for each in (usual or ports)[:1]:
            yield 0, each["port"]
    elif usual:
        yield 1, usual[0]["port"]


def _is_labelled(service: Object) -> bool:
    """Whether it has the labels of the operator's Service, of kube-prometheus-stack or the plain chart."""
    labels = labels_of(service)
    name, component = labels.get("app.kubernetes.io/name"), labels.get("app.kubernetes.io/component")
    return (
        labels.get("operated-prometheus") == "true"
        or labels.get("app") == "kube-prometheus-stack-prometheus"
        or (name == "prometheus" and component in (None, "server", "prometheus"))
        or (labels.get("app") == "prometheus" and labels.get("component", "server") == "server")
        or mapping(service, "spec", "selector").get("app.kubernetes.io/name") == "prometheus"
    )


class Loaded(NamedTuple):
    """A recording rule as a Prometheus has it."""

    server: Server
    name: str
    query: str
    health: str
    error: str


class Prometheuses(NamedTuple):
    """Those that answered, with their recording rules; and why another one did not."""

    servers: tuple[Server, ...]
    rules: tuple[Loaded, ...]
    silence: Unreachable | None

    def recording(self, name: str) -> list[Loaded]:
        """Return the rules that record under a name."""
        return [rule for rule in self.rules if rule.name == name]


def need_prometheus(exam: Exam) -> Prometheuses:
    """Ask every Prometheus for its recording rules; with none at all the check ends as blocked.

    Raises Unreachable when there are some, and none of them answers.
    """
    answered: list[Server] = []
    rules: list[Loaded] = []
    silence: Unreachable | None = None
    for server in servers(exam.cluster):
        try:
            data = server.ask("rules", type="record")
            if data is None:
                continue
            rules += list(_rules(server, data))
        except Unreachable as unreachable:
            silence = unreachable
            continue
        answered.append(server)
    if not answered and silence is not None:
        raise silence
    if not answered:
        exam.fact(
            "no-prometheus",
            Text("A Prometheus runs on the cluster"),
            met=False,
            expected=Text("a Service that leads to one"),
            observed=Text("none in any namespace"),
            next=Text("Exercise 0.4 installs it."),
        )
        raise Stop(Verdict.BLOCKED, Reason.NEEDS)
    return Prometheuses(tuple(answered), tuple(rules), silence)


def _rules(server: Server, data: object) -> Iterator[Loaded]:
    for group in server.objects(data, "groups"):
        for rule in server.objects(group, "rules"):
            yield Loaded(
                server,
                str(rule.get("name")),
                str(rule.get("query", "")),
                str(rule.get("health")),
                str(rule.get("lastError") or ""),
            )


def numbers(server: Server, answer: object) -> list[float]:
    """Return the values of the answer to a query. Raises Unreachable where that is none."""
    found = []
    for sample in server.objects(answer, "result"):
        pair = sample.get("value")
        try:
            found.append(float(pair[1]) if isinstance(pair, list) else math.nan)
        except (ValueError, TypeError, IndexError):
            found.append(math.nan)
    return found
