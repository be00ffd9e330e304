"""1.1 on a cluster – Backstage runs, answers, keeps what it learns, and is reached from outside."""

from __future__ import annotations

import re

from workshop.checking import Exam, Text, check, cluster, must, should
from workshop.cluster.port import Object, Unreachable
from workshop.cluster.reading import condition, mapping, name_of, part, replicas
from workshop.verdicts import Reason, Source

from .._backstage import listed, shown
from ._portal import NAMESPACE, find_elsewhere, find_portal, is_postgres, need_portal, services_shown
from ._portal_catalogue import guest_token
from ._portal_config import LiveConfig, live_config
from ._portal_doors import answered_address, answers_at, is_forwarded, ways_in
from ._workloads import has_ended, is_ready, place

_NAMESPACE = Source(object=f"Namespace/{NAMESPACE}")
_POSTGRES_KINDS = ("StatefulSet.apps", "Deployment.apps")


@check(level=must, half=cluster, containers=True)
def backstage_is_available(exam: Exam) -> None:
    """Backstage is available in its namespace.

    Available is what the Deployment says once enough of its Pods answer their probes.
    """
    portal = find_portal(exam)
    claim = Text("Backstage runs in the namespace {namespace}", namespace=NAMESPACE)
    if portal is None:
        elsewhere = find_elsewhere(exam)
        if elsewhere is not None:
            exam.fail(
                "wrong-namespace",
                claim,
                expected=f"namespace: {NAMESPACE}",
                observed=f"namespace: {part(elsewhere, 'metadata', 'namespace')}",
                next=Text("The statement imposes the namespace: uninstall it there, and install it with -n."),
                where=place(elsewhere, "metadata.namespace", "Deployment"),
            )
        exam.unfinished(
            "not-installed",
            claim,
            observed=Text("no Deployment there looks like Backstage"),
            next=Text("Install the chart of the project itself: helm install … backstage/backstage"),
            where=_NAMESPACE,
        )
    available, words = condition(portal.deployment, "Available")
    ready, wanted = replicas(portal.deployment)
    if portal.kind == "StatefulSet":
        available = True  # it has no such condition: its ready Pods have to do
    exam.fact(
        "not-available",
        claim,
        available is True and ready > 0,
        expected=Text("condition Available is True"),
        observed=Text(
            "{ready} of {wanted} Pods ready; {words}", ready=ready, wanted=wanted, words=words or "–"
        ),
        next=Text(
            "Ask its Pods what they wait for: kubectl describe pods -n {namespace}", namespace=NAMESPACE
        ),
        where=portal.place,
    )


@check(level=must, half=cluster, containers=True)
def database_is_ready(exam: Exam) -> None:
    """A PostgreSQL is ready beside it.

    What the portal learns has to outlive its Pod.
    """
    pods = [each for each in exam.cluster.list("Pod", namespace=NAMESPACE) if is_postgres(each)]
    makers = [] if pods else _makers(exam)
    claim = Text("A PostgreSQL is ready in the namespace {namespace}", namespace=NAMESPACE)
    if not pods and not makers:
        portal = find_portal(exam)
        config = live_config(exam, portal) if portal else None
        host = config.get("backend", "database", "connection", "host") if config else None
        if isinstance(host, str) and host and "${" not in host:
            exam.fact(
                "postgresql-elsewhere",
                claim,
                met=None,
                observed=Text(
                    "the database stands at {host}, where this check does not look", host=host[:100]
                ),
                where=_NAMESPACE,
                reason=Reason.BEYOND_EVALUATOR,
            )
            return
        exam.unfinished(
            "postgresql-missing",
            claim,
            observed=Text("no Pod there runs PostgreSQL"),
            next=Text("The chart does not enable it by itself: postgresql.enabled."),
            where=_NAMESPACE,
        )
    ready = [each for each in pods if is_ready(each)]
    first = (ready or pods or makers)[0]
    exam.fact(
        "postgresql-not-ready",
        claim,
        bool(ready),
        expected=Text("a Pod that is ready"),
        observed=Text("{ready} of {wanted} Pods ready", ready=len(ready), wanted=len(pods)),
        next=Text(
            "Ask its Pods what they wait for: kubectl describe pods -n {namespace}", namespace=NAMESPACE
        ),
        where=place(first, kind=None if first.get("kind") else "Pod" if pods else "StatefulSet"),
    )


@check(level=must, half=cluster, containers=True, needs=[backstage_is_available])
def answers(exam: Exam) -> None:
    """It answers that it is ready.

    A Pod can run for a long time before the application in it is there for anybody.
    """
    portal = need_portal(exam)
    if not portal.services:
        exam.fail(
            "no-service",
            Text("A Service leads to it"),
            expected=Text("a Service whose selector picks its Pods"),
            observed=Text("no Service of the namespace does"),
            next=Text("Compare the selector of the Service with the labels of the Pods."),
            where=portal.place,
        )
    answer = portal.readiness(exam)
    exam.fact(
        "nobody-answers" if answer.silent else "not-ready-yet",
        Text("Backstage says that it is ready"),
        answer.silent is None and answer.status == 200,
        expected="200",
        observed=f"{answer.status} {answer.words[:200]}",
        next=Text(
            "Read its log: kubectl logs -n {namespace} deploy/{name}",
            namespace=NAMESPACE,
            name=name_of(portal.deployment),
        ),
        where=place(portal.services[0], kind="Service"),
    )


@check(level=must, half=cluster, containers=True, needs=[answers])
def shows_its_page(exam: Exam) -> None:
    """It serves the page that a browser opens.

    A backend without its front end answers programs, and nobody else.
    """
    portal = need_portal(exam)
    answer = portal.ask(exam, "/")
    exam.fact(
        "no-page",
        Text("Its first page is HTML"),
        answer.status == 200 and "<html" in answer.body.lower(),
        expected=Text("200 with an HTML page"),
        observed=f"{answer.status} {answer.words[:120]}",
        next=Text("Take an image that contains the app, such as the project's own demo image."),
        where=place(portal.services[0], kind="Service"),
    )


@check(level=must, half=cluster, containers=True, needs=[backstage_is_available])
def opens_to_the_outside(exam: Exam) -> None:
    """A way leads in from outside the cluster.

    A ClusterIP is reachable from Pods, not from a browser.
    """
    portal = need_portal(exam)
    ways = ways_in(exam, portal)
    answered = answered_address(exam)
    forwarded = answered is not None and (is_forwarded(answered) or answers_at(exam, ways, answered))
    exam.fact(
        "not-exposed",
        Text("There is a way in from outside"),
        bool(ways) or forwarded,
        expected=Text("a Service of type NodePort, an Ingress, or a port-forward that your answer names"),
        observed=Text("its Services: {services}", services=services_shown(portal.services)),
        next=Text("How does a browser outside the cluster reach it? Look at the type of the Service."),
        where=place(portal.services[0], "spec.type", "Service") if portal.services else portal.place,
    )


@check(level=must, half=cluster, containers=True, needs=[opens_to_the_outside])
def address_leads_there(exam: Exam) -> None:
    """The address that you wrote down leads to it.

    The answer is what the next colleague will type.
    """
    portal = need_portal(exam)
    answer = exam.answer("url")
    address = answered_address(exam)
    ways = ways_in(exam, portal)
    leads = address is not None and (
        ways.lead_to(address) or is_forwarded(address) or answers_at(exam, ways, address)
    )
    exam.fact(
        "url-leads-elsewhere" if address else "url-not-an-address",
        Text("The address leads to Backstage"),
        leads,
        expected=Text("one of the ways in: {ways}", ways=str(ways)),
        observed=shown(answer.text),
        next=Text("Compare the port with kubectl get svc -n {namespace}.", namespace=NAMESPACE),
        where=answer.position,
    )


@check(level=must, half=cluster, containers=True, needs=[backstage_is_available, database_is_ready])
def pods_are_as_many(exam: Exam) -> None:
    """The number of Pods that you wrote down is the cluster's.

    Who has looked knows the parts by name, and sees at once which one is missing.
    """
    answer = exam.answer("pods")
    pods = exam.cluster.list("Pod", namespace=NAMESPACE)
    lasting = [each for each in pods if not has_ended(each)]
    match = re.search(r"\d{1,4}", answer.text) if not isinstance(answer.value, bool) else None
    exam.fact(
        "pods-miscounted" if match else "pods-not-a-number",
        Text("The answer is the number of Pods in the namespace"),
        match is not None and int(match[0]) in (len(pods), len(lasting)),
        expected=Text("{count}: {names}", count=len(lasting), names=listed(map(name_of, lasting))),
        observed=shown(answer.text),
        next=Text("Count the lines of kubectl get pods -n backstage."),
        where=answer.position,
    )


@check(level=should, half=cluster, containers=True, needs=[backstage_is_available, database_is_ready])
def database_is_used(exam: Exam) -> None:
    """Backstage keeps its data in that PostgreSQL.

    Started without its production configuration it keeps everything in memory, until the next restart.
    """
    portal = need_portal(exam)
    config = live_config(exam, portal)
    client = config.database
    exam.fact(
        "database-in-memory",
        Text("Backstage is configured to use PostgreSQL"),
        None if client is None else client == "pg",
        expected="backend.database.client: pg",
        observed=Text(
            "{client}; read at start: {files}",
            client=client or "–",
            files=_files(config),
        ),
        next=Text("Say so in the app-config, or load the image's production configuration with --config."),
        where=portal.place,
        reason=Reason.BEYOND_EVALUATOR if client is None else None,
    )


@check(level=should, half=cluster, containers=True, needs=[answers])
def guests_get_in(exam: Exam) -> None:
    """Somebody can sign in.

    The image runs in production mode, where guests are refused unless that is allowed on purpose.
    """
    portal = need_portal(exam)
    status, token = guest_token(exam, portal)
    providers = mapping({"providers": live_config(exam, portal).get("auth", "providers")}, "providers")
    others = sorted(set(map(str, providers)) - {"guest"})
    exam.fact(
        "guest-refused",
        Text("There is a way to sign in"),
        bool(token or others) or (None if status not in (401, 403) else False),
        expected=Text("auth.providers.guest.dangerouslyAllowOutsideDevelopment: true, or GitHub"),
        observed=Text(
            "a guest is answered {status}; providers: {names}", status=status, names=listed(providers)
        ),
        next=Text("Without it every call answers 401, and the catalogue looks empty."),
        where=portal.place,
        reason=None if token or others or status in (401, 403) else Reason.BEYOND_EVALUATOR,
    )


@check(level=should, half=cluster, containers=True, needs=[answers, opens_to_the_outside])
def opens_on_this_machine(exam: Exam) -> None:
    """It opens on this machine.

    On kind a node's port reaches your browser only where the cluster was created with a mapping for it.
    """
    portal = need_portal(exam)
    ways = ways_in(exam, portal)
    answered = answered_address(exam)
    addresses = list(dict.fromkeys([*([answered] if answered else []), *ways.addresses()]))
    opened = next((each for each in addresses if answers_at(exam, ways, each)), None)
    # Elsewhere than on kind the cluster may stand in another network than whoever checks.
    met = True if opened else False if ways.on_kind else None
    exam.fact(
        "node-port-unreachable" if ways.node_ports else "ingress-without-controller",
        Text("Backstage answers at one of the ways in"),
        met,
        expected=listed(addresses),
        observed=opened or Text("nobody answers there"),
        next=Text("Look at what the node publishes: docker port techmarket-control-plane"),
        where=place(portal.services[0], "spec.ports", "Service"),
        reason=Reason.UNAVAILABLE if met is None else None,
    )


def _makers(exam: Exam) -> list[Object]:
    """Return what should make PostgreSQL Pods and has made none."""
    found = []
    for kind in _POSTGRES_KINDS:
        found += [each for each in exam.cluster.list(kind, namespace=NAMESPACE) if is_postgres(each)]
    try:
        found += exam.cluster.list("Cluster.postgresql.cnpg.io", namespace=NAMESPACE)
    except Unreachable as unreachable:
        if unreachable.reason is not Reason.MISSING_CRD:
            raise
    return found


def _files(config: LiveConfig) -> str:
    return listed([*config.image, *(each.config_map for each in config.loaded)])
