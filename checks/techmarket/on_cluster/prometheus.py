"""0.4 on a cluster – a Prometheus answers, and it scrapes the three services."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text, check, cluster, must, should
from workshop.cluster.port import Object, Unreachable
from workshop.cluster.reading import mapping, name_of, namespace_of
from workshop.verdicts import Source

from .._backstage import PAYMENT, SERVICES, listed
from ._prometheus import Server, numbers, servers
from ._workloads import node_ports, place

NODE_PORT: Final = 30090


def _answering(exam: Exam) -> list[Server]:
    """Return the Prometheuses that answer a query; without any the check ends.

    Raises Unreachable when some Services look like one, and none of them answers.
    """
    silence: Unreachable | None = None
    found: list[Server] = []
    for server in servers(exam.cluster):
        try:
            answer = server.ask("query", query="vector(1)")
            if answer is not None and numbers(server, answer) == [1.0]:
                found.append(server)
        except Unreachable as unreachable:
            silence = unreachable
    if not found and silence is not None:
        raise silence
    if not found:
        exam.unfinished(
            "prometheus-missing",
            Text("A Prometheus answers"),
            observed=Text("no Service of the cluster leads to one"),
            next=Text("Install kube-prometheus-stack with materials/prometheus/values.yaml."),
            where=Source(object="Service"),
        )
    return found


@check(level=must, half=cluster, containers=True)
def prometheus_answers(exam: Exam) -> None:
    """A Prometheus answers queries.

    Rules, objectives and chaos probes of block 3 ask it, whatever it is called.
    """
    found = _answering(exam)
    exam.fact(
        "prometheus-answers",
        Text("A Prometheus answers"),
        met=True,
        observed=listed(map(str, found)),
        where=Source(object=f"Service/{found[0]}"),
    )


@check(level=must, half=cluster, containers=True, needs=[prometheus_answers])
def payment_service_is_scraped(exam: Exam) -> None:
    """It scrapes the payment-service.

    A Prometheus that sees nothing answers every question with an empty list.
    """
    _judge_scraped(exam, _targets(exam), PAYMENT)


@check(level=should, half=cluster, containers=True, needs=[prometheus_answers])
def all_services_are_scraped(exam: Exam) -> None:
    """It scrapes the other two services as well.

    All three run the same program, so one ServiceMonitor reaches them all.
    """
    targets = _targets(exam)
    for name in SERVICES:
        if name != PAYMENT:
            _judge_scraped(exam, targets, name)


def _targets(exam: Exam) -> list[Object]:
    return [
        target
        for server in _answering(exam)
        for target in server.objects(server.ask("targets", state="active"), "activeTargets")
    ]


def _judge_scraped(exam: Exam, targets: list[Object], service: str) -> None:
    own = [each for each in targets if _is_of(each, service)]
    up = [each for each in own if each.get("health") == "up"]
    red = next((each for each in own if each.get("health") == "down"), None)
    # A target that was never scraped yet says nothing, for as long as an interval takes.
    fresh = bool(own) and not up and red is None
    exam.fact(
        "target-down" if own else "target-missing",
        Text("{service} is a healthy target", service=service),
        None if fresh else bool(up),
        expected="health: up",
        observed=Text("{url}: {error}", url=str(red.get("scrapeUrl")), error=str(red.get("lastError"))[:300])
        if red
        else Text("no target of that name")
        if not own
        else Text("{count} targets", count=len(own)),
        next=Text(
            "Compare labels of the Service, selector of the ServiceMonitor, and the port's name in both."
        )
        if not own
        else Text("Open /targets: the error is Prometheus' own."),
        where=Source(object=f"target/{service}"),
    )


def _is_of(target: Object, service: str) -> bool:
    """Whether a target belongs to a service, by any of its labels: which one is the scraper's choice."""
    labels = mapping(target, "labels")
    return any(str(each).rpartition("/")[2].startswith(service) for each in labels.values())


@check(level=should, half=cluster, containers=True, needs=[prometheus_answers])
def prometheus_opens_to_the_outside(exam: Exam) -> None:
    """It is reached at the port that the lab maps.

    The page /targets answers most questions of block 3 by itself.
    """
    found = {str(each).rpartition(":")[0] for each in _answering(exam)}
    services = [
        each for each in exam.cluster.list("Service") if f"{namespace_of(each)}/{name_of(each)}" in found
    ]
    ports = list(node_ports(services))
    exam.fact(
        "prometheus-not-exposed",
        Text("Prometheus has the port {port} of the node", port=NODE_PORT),
        NODE_PORT in ports,
        expected=f"nodePort: {NODE_PORT}",
        observed=listed(map(str, ports)),
        next=Text(
            "prometheus.service in the values: type NodePort, nodePort {port}. A port-forward does, too.",
            port=NODE_PORT,
        ),
        where=place(services[0], "spec.ports", "Service") if services else None,
    )
