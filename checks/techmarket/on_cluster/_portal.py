"""The Backstage of a cluster: found by what it is, whatever its release is called, and asked over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from workshop.checking import Exam, Text
from workshop.cluster.port import Object, Unreachable
from workshop.cluster.reading import items, labels_of, name_of, namespace_of, part
from workshop.verdicts import Reason, Source

from ._services import Answer, ask
from ._workloads import containers_of, images_of, picks, place, ports_of, template_of

NAMESPACE: Final = "backstage"
PORT: Final = 7007
READINESS: Final = "/.backstage/health/v1/readiness"
_OLD_READINESS: Final = "/healthcheck"
# What people call it: the project, Red Hat's product and its predecessor.
_WORDS: Final = ("backstage", "developer-hub", "rhdh", "janus-idp")
_PORT_NAMES: Final = ("http-backend", "backend")
_POSTGRES_NAMES: Final = ("postgresql", "postgres", "postgresql-ha")
_POSTGRES_IMAGES: Final = ("postgres", "spilo", "postgis", "pgvector", "timescale")


class Portal(NamedTuple):
    """What runs Backstage and the Services before it, those that lead to its port first.

    That is a Deployment, unless somebody has written a StatefulSet of their own.
    """

    deployment: Object
    services: tuple[Object, ...]
    kind: str = "Deployment"

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return namespace_of(self.deployment)

    @property
    def account(self) -> str:
        """The user as which its Pods ask the API server."""
        name = part(template_of(self.deployment), "spec", "serviceAccountName") or "default"
        return f"system:serviceaccount:{self.namespace}:{name}"

    @property
    def place(self) -> Source:
        """Where it stands, for a finding."""
        return place(self.deployment, kind=self.kind)

    def ask(self, exam: Exam, path: str) -> Answer:
        """GET a path through the API server, at the first Service that leads to it.

        Raises Unreachable where the API server itself refuses, or cannot tell.
        """
        if not self.services:
            return Answer(503, "", silent="no Service")
        service = f"{name_of(self.services[0])}:{_port_of(self.services[0])}"
        return ask(exam.cluster, self.namespace, service, path)

    def readiness(self, exam: Exam) -> Answer:
        """Ask whether it is ready; versions before 1.29 say so elsewhere."""
        answer = self.ask(exam, READINESS)
        return self.ask(exam, _OLD_READINESS) if answer.status == 404 else answer


def find_portal(exam: Exam, namespace: str = NAMESPACE) -> Portal | None:
    """Return the Backstage of a namespace, None where nothing there can be one."""
    deployments = exam.cluster.list("Deployment.apps", namespace=namespace)
    apart = [each for each in deployments if not is_postgres(each)]
    likely = sorted(apart, key=likeness, reverse=True)
    kind = "Deployment"
    if not likely or (likeness(likely[0]) == 0 and len(likely) > 1):
        stateful = exam.cluster.list("StatefulSet.apps", namespace=namespace)
        likely, kind = [each for each in stateful if _runs_its_image(each)], "StatefulSet"
    if not likely:
        return None
    found = likely[0]
    labels = labels_of(template_of(found))
    services = [each for each in exam.cluster.list("Service", namespace=namespace) if picks(each, labels)]
    leading = sorted(services, key=lambda each: (part(each, "spec", "clusterIP") == "None", name_of(each)))
    return Portal(found, tuple(leading), kind)


def find_elsewhere(exam: Exam) -> Object | None:
    """Return a Deployment that is surely a Backstage, in another namespace; None where none is seen."""
    try:
        everywhere = exam.cluster.list("Deployment.apps")
    except Unreachable as unreachable:
        if unreachable.reason is Reason.FORBIDDEN:
            return None  # whoever sees one namespace only can still be told that it is empty
        raise
    surely = [each for each in everywhere if likeness(each) > 1 and namespace_of(each) != NAMESPACE]
    return surely[0] if surely else None


def need_portal(exam: Exam) -> Portal:
    """Return the Backstage of exercise 1.1; without it the check ends as blocked."""
    portal = find_portal(exam)
    if portal is None:
        exam.blocked(
            "no-backstage",
            Text("Backstage runs in the namespace {namespace}", namespace=NAMESPACE),
            reason=Reason.NEEDS,
            observed=Text("it is not there: exercise 1.1 comes first"),
        )
    return portal


def likeness(workload: Object) -> int:
    """Return how surely a workload is Backstage: 0 for not at all, 3 for the labels of its own chart."""
    if is_postgres(workload):
        return 0
    labels = {**labels_of(workload), **labels_of(template_of(workload))}
    names = {str(each.get("name")) for each in containers_of(workload)}
    if "backstage-backend" in names or "backstage" in (
        labels.get("app.kubernetes.io/name"),
        labels.get("app.kubernetes.io/component"),
    ):
        return 3
    texts = [name_of(workload), *images_of(workload), *names, str(labels.get("app", ""))]
    if any(word in text.lower() for text in texts for word in _WORDS):
        return 2
    return 1 if PORT in ports_of(workload) else 0


def _runs_its_image(workload: Object) -> bool:
    """Whether one of the images is Backstage's: names alone tell little of what is installed beside it."""
    words = [image.lower() for image in images_of(workload)]
    return not is_postgres(workload) and any(word in image for word in _WORDS for image in words)


def is_postgres(workload: Object) -> bool:
    """Whether a Pod, or what makes it, runs a PostgreSQL server; exporters and consoles are none."""
    labels = labels_of(template_of(workload))
    if labels.get("app.kubernetes.io/name") in _POSTGRES_NAMES or "cnpg.io/instanceName" in labels:
        return True
    return any(_is_postgres_image(image) for image in images_of(workload))


def _is_postgres_image(image: str) -> bool:
    name = image.lower().partition("@")[0]
    known = any(word in name for word in _POSTGRES_IMAGES)
    return known and not any(word in name for word in ("exporter", "operator", "pgadmin", "backup"))


def _port_of(service: Object) -> int:
    ports = [each for each in items(service, "spec", "ports") if isinstance(each.get("port"), int)]

    def fit(port: Object) -> bool:
        return port.get("name") in _PORT_NAMES or PORT in (port.get("port"), port.get("targetPort"))

    best = sorted(ports, key=fit, reverse=True)
    return int(best[0]["port"]) if best else PORT


def services_shown(services: Sequence[Object]) -> str:
    """Return Services with their types, for a message."""
    return ", ".join(f"{name_of(each)} ({part(each, 'spec', 'type')})" for each in services) or "–"
