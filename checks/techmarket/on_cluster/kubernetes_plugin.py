"""1.4 on a cluster – the Pods that the portal would show: labelled, asked for, and readable."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text, check, cluster, must, should
from workshop.cluster.port import Object
from workshop.cluster.reading import items, labels_of, name_of, namespace_of, part, replicas
from workshop.verdicts import Reason, Source

from .._backstage import KUBERNETES_ID, LABEL_SELECTOR, PAYMENT, component, listed, shown
from ..kubernetes_plugin import judge_cluster_config
from ._payment import payment_workloads
from ._portal import Portal, need_portal
from ._portal_config import live_config
from ._portal_rights import BESIDES, VITAL, judge_access
from ._workloads import has_ended, place, template_of

_NAMESPACE_ANNOTATION: Final = "backstage.io/kubernetes-namespace"


def _selector(exam: Exam) -> str:
    """Return the label selector that the plugin asks with for the payment-service."""
    annotations = component(exam, PAYMENT).get("metadata", "annotations")
    given = annotations if isinstance(annotations, dict) else {}
    selector, name = given.get(LABEL_SELECTOR), given.get(KUBERNETES_ID)
    if isinstance(selector, str) and selector.strip():
        return selector.strip()
    if not isinstance(name, str) or not name.strip():
        exam.blocked("no-annotation", Text("The service says which Pods are its own"), reason=Reason.NEEDS)
    return f"{KUBERNETES_ID}={name.strip()}"


def _deployments(exam: Exam) -> list[Object]:
    """Return what runs the payment-service, by label and by name; without any the check ends as blocked."""
    found = payment_workloads(exam)
    if not found:
        exam.blocked(
            "payment-service-missing",
            Text("{name} runs on the cluster", name=PAYMENT),
            reason=Reason.NEEDS,
            observed=Text("there is no Deployment of it: exercise 0.3 comes first"),
        )
    return found


def _is_running(pod: Object) -> bool:
    return part(pod, "status", "phase") == "Running" and not has_ended(pod)


def _pods(exam: Exam, selector: str) -> list[Object]:
    """Return the Pods that the plugin's question finds: only those beside the service, where one runs there.

    Asked for some of all namespaces, a server may read every Pod that there is.
    """
    for namespace in dict.fromkeys(map(namespace_of, payment_workloads(exam))):
        beside = exam.cluster.list("Pod", namespace=namespace, labels=selector)
        if any(map(_is_running, beside)):
            return beside
    return exam.cluster.list("Pod", labels=selector)


@check(level=must, half=cluster, containers=True)
def pods_are_found(exam: Exam) -> None:
    """The plugin's question finds the Pods of payment-service.

    It asks for Pods by their labels; what stands on their Deployment does not count.
    """
    selector = _selector(exam)
    pods = _pods(exam, selector)
    if not pods:
        _judge_unlabelled(exam, selector, _deployments(exam))
        return
    running = list(filter(_is_running, pods))
    exam.fact(
        "pods-not-running",
        Text("A Pod with {selector} is running", selector=selector),
        bool(running),
        expected="status.phase: Running",
        observed=listed(f"{name_of(each)}: {part(each, 'status', 'phase')}" for each in pods),
        next=Text("Ask them what they wait for: kubectl describe pods -l {selector}", selector=selector),
        where=place((running or pods)[0], kind="Pod"),
    )


def _judge_unlabelled(exam: Exam, selector: str, deployments: list[Object]) -> None:
    key, _, value = selector.split(",")[0].replace("==", "=").partition("=")
    for deployment in deployments:
        ready, wanted = replicas(deployment)
        there, above = labels_of(template_of(deployment)).get(key), labels_of(deployment).get(key)
        if there == value:
            exam.fact(
                "no-pods",
                Text("A Pod with {selector} is running", selector=selector),
                met=False,
                expected="status.phase: Running",
                observed=Text("{ready} of {desired} ready", ready=ready, desired=wanted),
                next=Text("Ask who keeps them away: kubectl describe deployment, kubectl get events"),
                where=place(deployment, "spec.replicas", "Deployment"),
            )
            continue
        exam.fact(
            "label-on-deployment-only" if above == value and there is None else "pods-unlabelled",
            Text("Pods of {name} have the label {selector}", name=PAYMENT, selector=selector),
            met=False,
            expected=f"spec.template.metadata.labels: {key}: {value}",
            observed=shown(there),
            next=Text("Labels of a Deployment are not passed on: repeat it in the Pod template."),
            where=place(deployment, "spec.template.metadata.labels", "Deployment"),
        )


@check(level=should, half=cluster, containers=True, needs=[pods_are_found])
def deployment_is_found(exam: Exam) -> None:
    """Its Deployment is found the same way.

    The tab groups Pods below their Deployment; without its label they stand there alone.
    """
    selector = _selector(exam)
    found = exam.cluster.list("Deployment.apps", labels=selector)
    exam.fact(
        "deployment-unlabelled",
        Text("A Deployment has the label {selector}", selector=selector),
        bool(found),
        expected=Text("the same label on the Deployment itself"),
        observed=Text("no Deployment has it"),
        next=Text("The label belongs in two places: on the Deployment and in its Pod template."),
        where=Source(object=f"Deployment/{PAYMENT}", field="metadata.labels"),
    )


@check(level=must, half=cluster, containers=True)
def backstage_is_configured(exam: Exam) -> None:
    """The running Backstage is configured to ask this cluster.

    Without a section `kubernetes` the backend leaves the plugin out and says so only in its log.
    """
    portal = need_portal(exam)
    config = live_config(exam, portal)
    section = config.holding("kubernetes")
    if section is None and (config.from_environment("kubernetes") or not config.complete):
        exam.fact(
            "kubernetes-config-unseen",
            Text("The app-config has a section kubernetes"),
            met=None,
            observed=Text("it may be part of the image, of a Secret, or of the environment"),
            where=portal.place,
            reason=Reason.BEYOND_EVALUATOR,
        )
        return
    named = next((each for each in config.loaded), None)
    where = named.place("kubernetes") if named else portal.place
    if section is None and config.unread:
        exam.fact(
            "config-not-read",
            Text("Backstage reads the ConfigMaps that are meant for it"),
            met=False,
            expected=Text("mounted into its Pod, and named by --config"),
            observed=listed(config.unread),
            next=Text("Mount it, and name the file in the args of the container."),
            where=portal.place,
        )
    judge_cluster_config(exam, section, where)


@check(level=must, half=cluster, containers=True)
def backstage_is_let_in(exam: Exam) -> None:
    """The account of its Pods may list Pods and Deployments.

    A Pod's own account may read nothing: the tab then shows errors instead of Pods.
    """
    portal = need_portal(exam)
    if not _asks_as_itself(exam, portal):
        return
    judge_access(exam, portal, VITAL, _own_namespace(exam))


@check(level=should, half=cluster, containers=True, needs=[backstage_is_let_in])
def tab_is_complete(exam: Exam) -> None:
    """The account may list whatever else the tab shows.

    Each kind is asked for on its own; one that is denied is one error more on the page.
    """
    judge_access(exam, need_portal(exam), BESIDES, _own_namespace(exam))


def _own_namespace(exam: Exam) -> str | None:
    """Return the namespace that the entity limits the plugin's question to, None for all."""
    namespace = component(exam, PAYMENT).get("metadata", "annotations", _NAMESPACE_ANNOTATION)
    return namespace.strip() if isinstance(namespace, str) and namespace.strip() else None


def _asks_as_itself(exam: Exam, portal: Portal) -> bool:
    """Whether Backstage asks with the account of its Pod; another's token says nothing of its rights."""
    methods = live_config(exam, portal).get("kubernetes", "clusterLocatorMethods")
    clusters = [each for method in items({"found": methods}, "found") for each in items(method, "clusters")]
    other = [each for each in clusters if each.get("serviceAccountToken") or _is_other(each)]
    if not clusters or len(other) < len(clusters):
        return True
    exam.fact(
        "account-unseen",
        Text("Backstage's account may list what the tab shows"),
        met=None,
        observed=Text("it asks with a token or an identity of its own, which is not looked into"),
        where=portal.place,
        reason=Reason.BEYOND_EVALUATOR,
    )
    return False


def _is_other(entry: Object) -> bool:
    return entry.get("authProvider") not in (None, "serviceAccount")
