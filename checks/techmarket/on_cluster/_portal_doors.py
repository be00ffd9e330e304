"""How a browser outside the cluster gets to Backstage: what leads in, and whether it does from here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from workshop.checking import Exam
from workshop.cluster.doors import is_local
from workshop.cluster.port import Object, Unreachable
from workshop.cluster.reading import items, name_of, part
from workshop.verdicts import Reason

from ..backstage_install import web_address
from ._portal import READINESS, Portal

# What leads HTTP from outside to a Service, as kubectl writes the kinds.
_ROUTES: Final = (
    "Ingress.networking.k8s.io",
    "HTTPRoute.gateway.networking.k8s.io",
    "Route.route.openshift.io",
    "IngressRoute.traefik.io",
)
_HOST: Final = re.compile(r"Host\(`([^`]+)`")
_ADDRESS: Final = re.compile(r"https?://[^\s<>\"']+")
_NODE_PORTS: Final = range(30000, 32768)


@dataclass(slots=True)
class Ways:
    """What leads from outside to Backstage. `routes` are the Ingresses and their kin."""

    node_ports: list[int] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    balancers: list[tuple[str, int]] = field(default_factory=list)
    routes: list[Object] = field(default_factory=list)
    node_addresses: list[str] = field(default_factory=list)
    on_kind: bool = False
    any_host: bool = False

    def __bool__(self) -> bool:
        return bool(self.node_ports or self.routes or self.balancers)

    def __str__(self) -> str:
        shown = [f"NodePort {port}" for port in self.node_ports]
        shown += [f"{each.get('kind') or 'Ingress'} {name_of(each)}" for each in self.routes]
        shown += [f"LoadBalancer {host}" for host, _ in self.balancers]
        return ", ".join(shown) or "–"

    @property
    def named(self) -> set[str]:
        """The hosts that the cluster itself names."""
        return {*self.hosts, *self.node_addresses, *(host for host, _ in self.balancers)}

    def addresses(self) -> Iterator[str]:
        """Yield where Backstage may answer this machine, the likeliest first."""
        yield from (f"http://localhost:{port}" for port in self.node_ports)
        yield from (f"http://{host}:{port}" for host in self.node_addresses for port in self.node_ports)
        yield from (f"http://{host}:{port}" for host, port in self.balancers)
        for host in self.hosts:
            yield f"http://{host}"
            yield f"https://{host}"

    def lead_to(self, url: str) -> bool:
        """Whether an address is one of these ways: the port of a node, a balancer's, the host of a route."""
        parts = web_address(url)
        if parts is None or parts.hostname is None:
            return False
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        # Whatever the machine is called from which the nodes are reached: inside the cluster it is no node.
        if port in self.node_ports and not host.endswith((".svc", ".cluster.local")):
            return True
        if host in self.hosts or any(_covers(each, host) for each in self.hosts):
            return True
        return (host, port) in self.balancers or (self.any_host and port not in _NODE_PORTS)


def ways_in(exam: Exam, portal: Portal) -> Ways:
    """Find out what leads to Backstage from outside."""
    ways = Ways()
    for service in portal.services:
        if part(service, "spec", "type") in ("NodePort", "LoadBalancer"):
            ports = items(service, "spec", "ports")
            ways.node_ports += [each["nodePort"] for each in ports if isinstance(each.get("nodePort"), int)]
            for end in items(service, "status", "loadBalancer", "ingress"):
                host = str(end.get("ip") or end.get("hostname") or "")
                ways.balancers += [(host, each["port"]) for each in ports if host]
    names = {name_of(each) for each in portal.services}
    for kind in _ROUTES:
        if not exam.cluster.serves(kind):
            continue
        for route in exam.cluster.list(kind, namespace=portal.namespace):
            if _mentions(part(route, "spec"), names):
                ways.routes.append({"kind": kind.partition(".")[0], **route})
                found = list(_hosts(route))
                ways.hosts += [each for each in found if each not in ("", "*")]
                ways.any_host = ways.any_host or not found or "" in found or "*" in found
    for node in _nodes(exam):
        ways.on_kind = ways.on_kind or is_kind(node)
        ways.node_addresses += [
            str(each.get("address"))
            for each in items(node, "status", "addresses")
            if each.get("type") in ("InternalIP", "ExternalIP")
        ]
    return ways


def is_kind(node: Object) -> bool:
    """Whether a node is a container of kind, on the machine of whoever made it."""
    return str(part(node, "spec", "providerID") or "").startswith("kind://")


def answers_at(exam: Exam, ways: Ways, address: str) -> bool:
    """Whether a Backstage answers this machine at an address."""
    try:
        status, body = exam.doors.get(address, READINESS, named=ways.named)
    except Unreachable:
        return False
    return status == 200 and '"status"' in body


def is_forwarded(url: str) -> bool:
    """Whether an address can only be a port-forward, or a mapping of one's own: local, and no node's port."""
    parts = web_address(url)
    return parts is not None and is_local(parts.hostname) and parts.port not in (None, *_NODE_PORTS)


def answered_address(exam: Exam) -> str | None:
    """Return the address that the student wrote down in exercise 1.1, whatever exercise asks for it."""
    given = exam.answers.get("1.1", "url")
    written = _ADDRESS.search(given.text) if given else None
    return written[0].rstrip("/.,;)") if written and web_address(written[0]) else None


def _nodes(exam: Exam) -> list[Object]:
    try:
        return exam.cluster.list("Node")
    except Unreachable as unreachable:
        if unreachable.reason is Reason.FORBIDDEN:
            return []  # their addresses are one way among several
        raise


def _hosts(route: Object) -> Iterator[str]:
    spec = part(route, "spec")
    yield from (
        str(rule.get("host") or "") for rule in items(spec, "rules") if "host" in rule or "http" in rule
    )
    names = part(spec, "hostnames")
    yield from map(str, names if isinstance(names, list) else [])
    if isinstance(part(spec, "host"), str):
        yield spec["host"]
    for each in items(spec, "routes"):
        yield from _HOST.findall(str(each.get("match")))


def _covers(pattern: str, host: str) -> bool:
    return pattern.startswith("*.") and host.endswith(pattern[1:])


def _mentions(value: Any, names: set[str]) -> bool:
    """Whether a part of a spec refers to one of these Services by name."""
    if isinstance(value, dict):
        return any(
            (key in ("name", "serviceName") and each in names) or _mentions(each, names)
            for key, each in value.items()
            if key == "name" or isinstance(each, dict | list) or key == "serviceName"
        )
    return isinstance(value, list) and any(_mentions(each, names) for each in value)
