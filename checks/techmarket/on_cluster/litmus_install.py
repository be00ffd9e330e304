"""3.3 on a cluster – the Chaos Center runs and is reachable, and somebody carries experiments out."""

from __future__ import annotations

from typing import Final, NoReturn
from urllib.parse import urlsplit

from workshop.checking import Exam, Text, check, cluster, must, should
from workshop.cluster.port import Object
from workshop.cluster.reading import items, labels_of, name_of, namespace_of, part, replicas
from workshop.verdicts import Reason, Source

from ..litmus_install import FORWARDED, NODE_PORTS
from ._litmus import judge_operator
from ._workloads import images_of, node_ports, picks, place

NAMESPACE: Final = "litmus"
# The parts of the portal: how their labels end, and a port of the Service in front of them.
PARTS: Final = {"frontend": (9091,), "auth-server": (9003, 3030), "server": (9002, 8000)}
_COMPONENT: Final = ("app.kubernetes.io/component", "component")


def _part_of(workload: Object, services: list[Object]) -> str | None:
    """Return which part of the portal a Deployment is, by its labels or by the Service in front of it."""
    labels = labels_of(part(workload, "spec", "template")) or labels_of(workload)
    component = next((str(labels[key]) for key in _COMPONENT if key in labels), "")
    for name in PARTS:
        if component.endswith(f"-{name}") or component == name:
            return name
    for name, ports in PARTS.items():
        for service in services:
            if set(ports) & _ports(service) and picks(service, labels):
                return name
    return None


def _ports(service: Object) -> set[int]:
    return {port for each in items(service, "spec", "ports") if isinstance(port := each.get("port"), int)}


def _portal(exam: Exam) -> tuple[dict[str, Object], list[Object]]:
    """Return the portal's Deployments by part, and the Services of their namespace; else the check ends."""
    services = [each for each in exam.cluster.list("Service") if namespace_of(each) == NAMESPACE]
    deployments = exam.cluster.list("Deployment.apps")
    found = {
        name: each
        for each in deployments
        if namespace_of(each) == NAMESPACE and (name := _part_of(each, services))
    }
    if not found:
        _nothing_there(exam, deployments)
    return found, services


def _nothing_there(exam: Exam, deployments: list[Object]) -> NoReturn:
    claim = Text("The Chaos Center stands in the namespace {namespace}", namespace=NAMESPACE)
    elsewhere = [
        each
        for each in deployments
        if "litmus" in str(labels_of(part(each, "spec", "template"))) and _part_of(each, []) == "frontend"
    ]
    if elsewhere:
        exam.fail(
            "chaos-center-elsewhere",
            claim,
            expected=f"namespace: {NAMESPACE}",
            observed=f"namespace: {namespace_of(elsewhere[0])}",
            next=Text("Install the chart with -n {namespace}.", namespace=NAMESPACE),
            where=place(elsewhere[0], kind="Deployment"),
        )
    exam.unfinished(
        "chaos-center-missing",
        claim,
        observed=Text("no Deployment of it in this namespace"),
        next=Text(
            "Install the chart litmuschaos/litmus into the namespace {namespace}.", namespace=NAMESPACE
        ),
        where=Source(object=f"Namespace/{NAMESPACE}"),
    )


@check(level=must, half=cluster, containers=True)
def chaos_center_is_ready(exam: Exam) -> None:
    """The Chaos Center's frontend, server, authentication and database are ready.

    The portal is four programs; each of them waits for MongoDB.
    """
    found, _ = _portal(exam)
    for name in PARTS:
        workload = found.get(name)
        _judge_part(exam, name, [workload] if workload is not None else [])
    databases = [
        each
        for kind in ("StatefulSet.apps", "Deployment.apps")
        for each in exam.cluster.list(kind)
        if namespace_of(each) == NAMESPACE and _is_mongo(each) and replicas(each)[1]
    ]
    if not databases and all(fact.met for fact in exam.facts):
        exam.fact(
            "mongodb-elsewhere",
            Text("{part} of the Chaos Center is ready", part="MongoDB"),
            met=None,
            observed=Text("none in the namespace {namespace}, and the others are ready", namespace=NAMESPACE),
            reason=Reason.UNAVAILABLE,
        )
        return
    _judge_part(exam, "MongoDB", databases)


def _judge_part(exam: Exam, name: str, workloads: list[Object]) -> None:
    counts = [replicas(each) for each in workloads]
    ready = bool(counts) and all(has >= wants > 0 for has, wants in counts)
    database = name == "MongoDB"
    exam.fact(
        ("mongodb" if database else "chaos-center") + ("-not-ready" if counts else "-part-missing"),
        Text("{part} of the Chaos Center is ready", part=name),
        ready,
        expected=Text("all of its Pods are ready"),
        observed=", ".join(
            f"{name_of(each)}: {has}/{wants}" for each, (has, wants) in zip(workloads, counts, strict=True)
        )
        or Text("there is no such workload in the namespace {namespace}", namespace=NAMESPACE),
        next=Text("Read why: kubectl describe pod -n {namespace}", namespace=NAMESPACE)
        if counts
        else Text("Compare with the chart's list: helm get manifest, kubectl get all -n litmus"),
        where=place(workloads[0], kind="StatefulSet" if database else "Deployment")
        if workloads
        else Source(object=f"Namespace/{NAMESPACE}"),
    )


def _is_mongo(workload: Object) -> bool:
    return any("mongo" in image.rpartition("/")[2] for image in images_of(workload))


def _frontend_service(exam: Exam) -> Object | None:
    """Return the frontend's Service; the one with a NodePort where there are several."""
    found, services = _portal(exam)
    frontend = found.get("frontend")
    labels = labels_of(part(frontend, "spec", "template"))
    fitting = [each for each in services if picks(each, labels)]
    fitting = fitting or [each for each in services if FORWARDED in _ports(each)]
    return max(fitting, key=lambda each: any(node_ports([each])), default=None)


@check(level=must, half=cluster, containers=True)
def frontend_has_a_node_port(exam: Exam) -> None:
    """The frontend is reached through a NodePort.

    A port-forward ends with the terminal it was started in.
    """
    service = _frontend_service(exam)
    exam.fact(
        "frontend-not-exposed",
        Text("The frontend's Service has a NodePort"),
        service is not None and any(node_ports([service])),
        expected="type: NodePort",
        observed=f"type: {part(service, 'spec', 'type')}" if service else Text("no Service leads to it"),
        next=Text("kubectl patch svc -n litmus changes its type; the chart has no value for the port."),
        where=place(service, kind="Service") if service else Source(object=f"Namespace/{NAMESPACE}"),
    )


@check(level=must, half=cluster, containers=True, needs=[frontend_has_a_node_port])
def the_answer_is_its_port(exam: Exam) -> None:
    """The URL that was noted has the port of the frontend.

    Kubernetes chose that port: it cannot be copied from a document.
    """
    answer = exam.answer("url")
    text = answer.text.strip().strip("<>`")
    try:
        port = urlsplit(text if "://" in text else f"http://{text}").port
    except ValueError:
        port = None
    service = _frontend_service(exam)
    live = list(node_ports([service] if service else []))
    right = port in live or port == FORWARDED
    # A port outside the range may be one that kind, a router or an Ingress maps: nobody can tell from here.
    told = right or port in NODE_PORTS
    exam.fact(
        "other-node-port",
        Text("The answer leads to the frontend"),
        right if told else None,
        expected=" | ".join(str(each) for each in live),
        observed=text,
        next=Text("Read the port with `kubectl get svc -n litmus`: it stands behind the colon of 9091."),
        where=answer.position,
        reason=None if told else Reason.BEYOND_EVALUATOR,
    )


@check(level=should, half=cluster, containers=True)
def somebody_carries_experiments_out(exam: Exam) -> None:
    """An operator and its three kinds are there.

    The portal draws experiments; without an operator nobody carries them out, and 3.4 cannot begin.
    """
    judge_operator(exam)
