"""Workloads and what stands before them: Pods, the Services that pick them, the images they run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from workshop.cluster.port import Object
from workshop.cluster.reading import condition, items, mapping, name_of, namespace_of, part
from workshop.verdicts import Source

# What makes the Pods of a service: a Deployment, or the Rollout of bonus 1 that takes its place.
WORKLOADS: Final = ("Deployment.apps", "Rollout.argoproj.io")


def place(resource: Object, field: str | None = None, kind: str | None = None) -> Source:
    """Return an object of the cluster as the place of a finding: items of a list do not say their kind."""
    name = "/".join(each for each in (kind or resource.get("kind"), namespace_of(resource)) if each)
    return Source(object=f"{name}/{name_of(resource)}", field=field)


def template_of(workload: Object) -> Object:
    """Return what a workload's Pods are made from; a Pod is its own."""
    return mapping(workload, "spec", "template") or workload


def containers_of(workload: Object) -> list[Object]:
    """Return the containers of a Pod, or of what makes Pods."""
    return items(template_of(workload), "spec", "containers")


def images_of(workload: Object) -> list[str]:
    """Return the images of the containers."""
    return [str(each.get("image", "")) for each in containers_of(workload)]


def ports_of(workload: Object) -> list[Any]:
    """Return the numbers of the ports that the containers name."""
    return [
        each.get("containerPort")
        for container in containers_of(workload)
        for each in items(container, "ports")
    ]


def is_ready(pod: Object) -> bool:
    """Whether a Pod is ready and stays."""
    return condition(pod, "Ready")[0] is True and part(pod, "metadata", "deletionTimestamp") is None


def has_ended(pod: Object) -> bool:
    """Whether a Pod is one of a Job that is over, or is on its way out."""
    return part(pod, "status", "phase") in ("Succeeded", "Failed") or bool(
        part(pod, "metadata", "deletionTimestamp")
    )


def picks(service: Object, labels: Mapping[str, object]) -> bool:
    """Whether a Service picks Pods with such labels. One without a selector picks none."""
    selector = mapping(service, "spec", "selector")
    return bool(selector) and selector.items() <= labels.items()


def node_ports(services: Iterable[Object]) -> Iterator[int]:
    """Yield the ports of the nodes at which Services are reached."""
    for service in services:
        for port in items(service, "spec", "ports"):
            if isinstance(port.get("nodePort"), int):
                yield port["nodePort"]
