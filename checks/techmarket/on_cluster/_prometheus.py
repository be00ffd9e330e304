"""Prometheus servers on a cluster: found by what their Services look like, asked through the API server."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from workshop.checking import Exam, Stop, Text
from workshop.cluster.port import Cluster, Object, Unreachable
from workshop.cluster.reading import items, labels_of, mapping, name_of, namespace_of, part
from workshop.verdicts import Reason, Verdict

PORT: Final = 9090
_WEB: Final = ("http-web", "web")
_MOST: Final = 6


class Server(NamedTuple):
    """One Service that a Prometheus stands behind, as `namespace/name:port`."""

    cluster: Cluster
    namespace: str
    service: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.service}"

    def ask(self, path: str, **params: str) -> Any:
        """Return the data of an answer of its HTTP API, None when what answers is no Prometheus.

        Raises Unreachable when nothing answers, or only the API server does.
        """
        query = f"?{urlencode(params)}" if params else ""
        status, body = self.cluster.service_get(self.namespace, self.service, f"api/v1/{path}{query}")
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if isinstance(answer, dict) and answer.get("status") == "success":
            return answer.get("data")
        said = str(answer.get("message") or "") if isinstance(answer, dict) else ""
        if status in (401, 403):
            text = Text("not allowed to look (403): {message}", message=said or str(self))
            raise Unreachable(Reason.FORBIDDEN, text)
        if status >= 500 or status in (408, 429):
            silent = Text(
                "{service} does not answer ({status}): {message}",
                service=str(self),
                status=status,
                message=said,
            )
            raise Unreachable(Reason.UNAVAILABLE, silent)
        return None


def servers(cluster: Cluster) -> list[Server]:
    """Return the Services that look like a Prometheus, the surest first; asking shows which are."""
    found = [
        (rank, Server(cluster, namespace_of(each), f"{name_of(each)}:{port}"))
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
        except Unreachable as unreachable:
            silence = unreachable
            continue
        if isinstance(part(data, "groups"), list):
            answered.append(server)
            rules += _rules(server, data)
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
    for group in items(data, "groups"):
        for rule in items(group, "rules"):
            yield Loaded(
                server,
                str(rule.get("name")),
                str(rule.get("query", "")),
                str(rule.get("health")),
                str(rule.get("lastError") or ""),
            )


def numbers(answer: object) -> list[float]:
    """Return the values of a query's answer."""
    result = answer.get("result") if isinstance(answer, dict) else None
    found = []
    for sample in result if isinstance(result, list) else ():
        pair = sample.get("value") if isinstance(sample, dict) else None
        try:
            found.append(float(pair[1]) if isinstance(pair, list) else math.nan)
        except (ValueError, TypeError, IndexError):
            found.append(math.nan)
    return found
