"""0.3 on a cluster – three Pods of the payment-service, labelled, probed, behind a Service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workshop.checking import Exam, Text, check, cluster, must, should
from workshop.cluster.port import Object, Unreachable
from workshop.cluster.reading import items, labels_of, mapping, name_of, namespace_of, part, selects
from workshop.verdicts import Reason, Source

from .._backstage import PAYMENT, listed, shown
from ._payment import LABEL, payment_workloads, pods_of
from ._services import ask, yourself
from ._workloads import containers_of, is_ready, place, template_of

_HOME: Final = "default"
_REPLICAS: Final = 3
_PROBES: Final = ("readinessProbe", "livenessProbe")
APPLY: Final = Text("Apply the materials: kubectl apply -f materials/kubernetes")
_METRICS: Final = "/api/v1/namespaces/default/services/payment-service:http/proxy/metrics"
_METRIC: Final = "# TYPE"


def _workloads(exam: Exam) -> list[Object]:
    """Return what makes the Pods: a Deployment, or the Rollout of the bonus that took its place.

    The namespace is `default`; only where nothing is there, another one will do. What else is called so is
    somebody else's.
    """
    found = payment_workloads(exam)
    if not found:
        exam.unfinished(
            "not-deployed",
            Text("{name} runs on the cluster", name=PAYMENT),
            observed=Text("no Deployment has this name or the label {label}", label=LABEL),
            next=APPLY,
            where=Source(object=f"Deployment/{PAYMENT}"),
        )
    home = min((namespace_of(each) for each in found), key=lambda name: (name != _HOME, name))
    return [each for each in found if namespace_of(each) == home]


def _with_template(workloads: list[Object]) -> list[Object]:
    """Return those that say what a Pod looks like: a Rollout may refer to a Deployment's template instead."""
    return [each for each in workloads if part(each, "spec", "template")] or workloads


def _services(exam: Exam, workloads: list[Object]) -> list[Object]:
    """Return the Services before these workloads."""
    templates = [(namespace_of(each), labels_of(template_of(each))) for each in workloads]
    found = []
    for namespace in dict.fromkeys(namespace for namespace, _ in templates):
        for service in exam.cluster.list("Service", namespace=namespace):
            selector = mapping(service, "spec", "selector")
            if selector and any(
                there == namespace and selector.items() <= each.items() for there, each in templates
            ):
                found.append(service)
    return found


@check(level=must, half=cluster, containers=True)
def three_are_ready(exam: Exam) -> None:
    """Three Pods are ready.

    With three, losing one still leaves two: that is what block 3 measures.
    """
    workloads = _workloads(exam)
    ready = [each for each in pods_of(exam, *workloads) if is_ready(each)]
    exam.fact(
        "too-few-ready",
        Text("Three Pods of {name} are ready", name=PAYMENT),
        len(ready) >= _REPLICAS,
        expected=Text("{count} ready", count=_REPLICAS),
        observed=Text("{ready} ready", ready=len(ready)),
        next=Text("Ask them what they wait for: kubectl describe pods -l {selector}", selector=LABEL),
        where=place(workloads[0], "status", workloads[0].get("kind") or "Deployment"),
    )


@check(level=must, half=cluster, containers=True)
def pods_are_labelled(exam: Exam) -> None:
    """Its Pods carry the label that later exercises find them by.

    Chaos, alerts and policies address Pods by labels, never by name.
    """
    for each in _with_template(_workloads(exam)):
        there = labels_of(template_of(each)).get("app")
        exam.fact(
            "label-missing",
            Text("Pods of {name} have the label {selector}", name=PAYMENT, selector=LABEL),
            there == PAYMENT,
            expected=f"spec.template.metadata.labels: app: {PAYMENT}",
            observed=shown(there),
            next=Text(
                "A selector cannot be changed afterwards: delete the Deployment, then apply the materials."
            ),
            where=place(each, "spec.template.metadata.labels", each.get("kind") or "Deployment"),
        )


@check(level=must, half=cluster, containers=True)
def pods_are_probed(exam: Exam) -> None:
    """Its containers have probes.

    Without them a Pod is sent requests before it can answer, and kept when it no longer does.
    """
    for each in _with_template(_workloads(exam)):
        probed = [
            container for container in containers_of(each) if all(mapping(container, key) for key in _PROBES)
        ]
        first = (containers_of(each) or [{}])[0]
        exam.fact(
            "probes-missing",
            Text("{name} has a readiness and a liveness probe", name=PAYMENT),
            bool(probed),
            expected=", ".join(_PROBES),
            observed=listed(key for key in _PROBES if mapping(first, key)),
            next=Text("The materials have all three kinds of probes: compare."),
            where=place(each, "spec.template.spec.containers", each.get("kind") or "Deployment"),
        )


@check(level=must, half=cluster, containers=True)
def service_leads_to_them(exam: Exam) -> None:
    """A Service leads to ready Pods.

    Clients know the name of the Service; Pods come and go behind it.
    """
    workloads = _workloads(exam)
    services = _services(exam, workloads)
    if not services:
        claim = Text("A Service leads to {name}", name=PAYMENT)
        where = Source(object=f"Service/{PAYMENT}", field="spec.selector")
        if not exam.cluster.list("Service", fields=f"metadata.name={PAYMENT}"):
            exam.unfinished("no-service", claim, observed=Text("there is none"), next=APPLY, where=where)
        exam.fail(
            "service-selects-nothing",
            claim,
            expected=Text("a Service whose selector picks its Pods"),
            observed=Text("no Service of the namespace does"),
            next=Text("Compare the selector of the Service with the labels of the Pods."),
            where=where,
        )
    ends = {name_of(each): _ready_ends(exam, each) for each in services}
    if not any(ends.values()) and any(_without_port(exam, each) for each in services):
        ports = items(services[0], "spec", "ports")
        exam.fail(
            "target-port-unknown",
            Text("The Service leads to a port of its Pods"),
            expected=listed(_ports(workloads)),
            observed=listed(f"targetPort: {each.get('targetPort')}" for each in ports),
            next=Text("A port that is called by name has to have this name in the Pod's container."),
            where=place(services[0], "spec.ports", "Service"),
        )
    exam.fact(
        "no-endpoints",
        Text("A ready Pod stands behind the Service"),
        any(ends.values()),
        expected=Text("at least one address"),
        observed=", ".join(f"{name}: {count}" for name, count in ends.items()),
        next=Text("Look at who is ready: kubectl get endpointslices"),
        where=place(services[0], kind="Service"),
    )


def _ready_ends(exam: Exam, service: Object) -> int:
    """Return how many ready addresses are behind a Service; without a port nobody gets to them."""
    return sum(
        part(end, "conditions", "ready") is not False
        for each in _slices(exam, service)
        if items(each, "ports")
        for end in items(each, "endpoints")
    )


def _without_port(exam: Exam, service: Object) -> bool:
    """Whether there are addresses behind a Service, and none of them has the port that it asks for."""
    return any(items(each, "endpoints") and not items(each, "ports") for each in _slices(exam, service))


def _slices(exam: Exam, service: Object) -> list[Object]:
    return exam.cluster.list(
        "EndpointSlice.discovery.k8s.io",
        namespace=namespace_of(service),
        labels=f"kubernetes.io/service-name={name_of(service)}",
    )


def _ports(workloads: list[Object]) -> Iterator[str]:
    for workload in workloads:
        for container in containers_of(workload):
            for port in items(container, "ports"):
                yield f"{port.get('name', '–')}: {port.get('containerPort')}"


@check(level=should, half=cluster, containers=True, needs=[service_leads_to_them])
def metrics_are_served(exam: Exam) -> None:
    """It counts its requests where Prometheus can read them.

    What is not measured can neither be promised nor kept.
    """
    services = _services(exam, _workloads(exam))
    service = services[0]
    port = next((each["port"] for each in items(service, "spec", "ports")), 80)
    answer = ask(exam.cluster, namespace_of(service), f"{name_of(service)}:{port}", "/metrics")
    if answer.silent or answer.status in (401, 403, 429) or answer.status >= 500:
        text = Text(
            "{service} does not answer ({status}): {message}",
            service=name_of(service),
            status=answer.status,
            message=answer.words[:200] or "–",
        )
        reason = Reason.FORBIDDEN if answer.status == 403 else Reason.UNAVAILABLE
        raise Unreachable(
            reason, text, next=yourself(namespace_of(service), f"{name_of(service)}:{port}", "metrics")
        )
    exam.fact(
        "no-metrics",
        Text("/metrics answers in Prometheus' format"),
        answer.status == 200 and _METRIC in answer.body,
        expected="200, # TYPE …",
        observed=f"{answer.status} {answer.words[:80]}",
        next=Text("Look for yourself: kubectl get --raw {path}", path=_METRICS),
        where=place(service, kind="Service"),
    )


@check(level=should, half=cluster, containers=True)
def it_scales(exam: Exam) -> None:
    """A HorizontalPodAutoscaler follows its load.

    On a Friday evening nobody wants to count replicas by hand.
    """
    names = {(namespace_of(each), name_of(each)) for each in _workloads(exam)}
    scalers = exam.cluster.list("HorizontalPodAutoscaler.autoscaling")
    targets = {(namespace_of(each), part(each, "spec", "scaleTargetRef", "name")) for each in scalers}
    exam.fact(
        "no-autoscaler",
        Text("A HorizontalPodAutoscaler has {name} as its target", name=PAYMENT),
        bool(names & targets),
        expected=f"spec.scaleTargetRef.name: {PAYMENT}",
        observed=listed(str(target) for _, target in sorted(targets, key=str)),
        next=APPLY,
        where=Source(object=f"HorizontalPodAutoscaler/{PAYMENT}"),
    )


@check(level=should, half=cluster, containers=True)
def it_survives_maintenance(exam: Exam) -> None:
    """A PodDisruptionBudget keeps enough of them during maintenance.

    Draining a node evicts every Pod on it, unless something says how many may be missing at once.
    """
    pods = [(namespace_of(each), labels_of(template_of(each))) for each in _workloads(exam)]
    budgets = [
        each
        for namespace in dict.fromkeys(namespace for namespace, _ in pods)
        for each in exam.cluster.list("PodDisruptionBudget.policy", namespace=namespace)
        if any(
            there == namespace and selects(part(each, "spec", "selector"), labels) for there, labels in pods
        )
    ]
    exam.fact(
        "no-budget",
        Text("A PodDisruptionBudget selects its Pods"),
        bool(budgets),
        expected=Text("spec.selector that picks Pods with {label}", label=LABEL),
        observed=Text("none does"),
        next=APPLY,
        where=Source(object=f"PodDisruptionBudget/{PAYMENT}"),
    )
