"""2.1 on a cluster – Kyverno is there, answers the API server, and goes on doing so when one Pod is gone."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text, check, cluster, must, remark, should
from workshop.cluster.port import Object
from workshop.cluster.reading import items, name_of, part, selects
from workshop.verdicts import Reason, Source

from ..kyverno_ha import CORE, judge_answer, names_in
from ._deployments import Deployment, judge_ready, labelled
from ._kyverno import CEL_ONLY, COMPONENT, NAMESPACE, admission_controllers
from ._workloads import picks, place

_REPLICAS: Final = 3
_OTHERS: Final = ("background-controller", "cleanup-controller", "reports-controller")
_MANAGED: Final = "webhook.kyverno.io/managed-by=kyverno"
_CONFIGURATIONS: Final = "ValidatingWebhookConfiguration.admissionregistration.k8s.io"
# What is left when the kinds of kyverno.io go.
_CEL_CORE: Final = ("validatingpolicies", "mutatingpolicies", "imagevalidatingpolicies")
_WITHOUT_LEGACY: Final = (1, 21)
_GROUP: Final = "kyverno.io"


def _controller(exam: Exam) -> Deployment:
    """Return the admission controller in its namespace; the check ends without one."""
    found = admission_controllers(exam)
    if not found:
        exam.unfinished(
            "kyverno-absent",
            Text("Kyverno is installed"),
            observed=Text("no Deployment of the cluster is Kyverno's admission controller"),
            next=Text("Install the chart kyverno/kyverno into the namespace kyverno, with a fixed version."),
        )
    if found[0].namespace != NAMESPACE:
        exam.fail(
            "kyverno-elsewhere",
            Text("Kyverno is in the namespace {namespace}", namespace=NAMESPACE),
            expected=Text("namespace {namespace}", namespace=NAMESPACE),
            observed=Text("namespace {namespace}", namespace=found[0].namespace),
            next=Text("Uninstall the release and install it again with -n kyverno --create-namespace."),
            where=found[0].place,
        )
    return found[0]


@check(level=must, half=cluster, containers=True)
def three_replicas_asked_for(exam: Exam) -> None:
    """Three replicas of the admission controller are asked for.

    While the only one restarts, every Pod of the cluster is refused: its webhooks fail closed.
    """
    controller = _controller(exam)
    one = controller.desired == 1
    exam.fact(
        "one-replica" if one else "too-few-replicas",
        Text("The admission controller has three replicas"),
        controller.desired >= _REPLICAS,
        expected=f"spec.replicas: {_REPLICAS}",
        observed=f"spec.replicas: {controller.desired}",
        next=Text(
            "Was it `replicaCount`? The chart ignores that key: ask `helm get values kyverno -n kyverno`, "
            "then upgrade with the replicas of the admission controller's own section."
        )
        if one
        else Text(
            "Three is the least that Kyverno's guide to high availability supports: upgrade the release."
        ),
        where=place(controller.object, "spec.replicas", kind="Deployment"),
    )


@check(level=must, half=cluster, containers=True, needs=[three_replicas_asked_for])
def three_replicas_ready(exam: Exam) -> None:
    """Three of them are ready.

    A replica that is asked for answers nobody before it is ready.
    """
    controller = _controller(exam)
    claim = Text("Three admission controllers are ready")
    judge_ready(exam, controller, "replicas-not-ready", claim, replicas=_REPLICAS)


@check(level=must, half=cluster, containers=True)
def kinds_are_served(exam: Exam) -> None:
    """The cluster knows Kyverno's kinds.

    Without its CRDs a policy is a text that no API server understands.
    """
    version = _controller(exam).version()
    expected = _CEL_CORE if version and version >= _WITHOUT_LEGACY else CORE
    served = {each.partition(".")[0] for each in exam.cluster.resources(_GROUP)}
    missing = [each for each in expected if each not in served]
    exam.fact(
        "crds-missing",
        Text("Kyverno's CRDs are established"),
        not missing,
        expected=Text("among others {names}", names=", ".join(expected)),
        observed=Text("not served: {names}", names=", ".join(missing)),
        next=Text(
            "Install them with Helm, or with kubectl apply --server-side: they are too long without it."
        ),
    )


@check(level=must, half=cluster, containers=True)
def webhooks_are_registered(exam: Exam) -> None:
    """The API server asks Kyverno.

    Kyverno is no gatekeeper of its own accord: the API server has to be told to ask it.
    """
    _controller(exam)
    configurations = exam.cluster.list(_CONFIGURATIONS, labels=_MANAGED)
    exam.fact(
        "webhooks-missing",
        Text("Kyverno has registered its webhooks"),
        any(items(each, "webhooks") for each in configurations),
        expected=Text("at least one webhook of Kyverno's"),
        observed=Text("{count} configurations, none of them with a webhook", count=len(configurations)),
        next=Text(
            "A ready admission controller writes them itself: kubectl -n kyverno logs -l {label}",
            label=f"{COMPONENT}=admission-controller",
        ),
        where=Source(object="ValidatingWebhookConfiguration"),
    )


@check(level=must, half=cluster, containers=True)
def service_leads_to_pods(exam: Exam) -> None:
    """The Service in front of the admission controller leads to ready Pods.

    The API server calls the Service: without endpoints every call fails, and with it every Pod.
    """
    controller = _controller(exam)
    services = [
        each
        for each in exam.cluster.list("Service", namespace=controller.namespace)
        if picks(each, controller.pod_labels) and _serves_https(each)
    ]
    names = [name_of(each) for each in services]
    ready = sum(_ready_endpoints(exam, controller.namespace, name) for name in names)
    exam.fact(
        "service-without-endpoints",
        Text("A Service leads to the admission controller"),
        ready > 0,
        expected=Text("ready endpoints behind kyverno-svc"),
        observed=Text("{services}: no ready endpoint", services=", ".join(names) or Text("no such Service")),
        next=Text("Compare: kubectl -n kyverno get endpointslices,pods --show-labels"),
        where=Source(object=f"Service/{controller.namespace}/{names[0] if names else 'kyverno-svc'}"),
    )


def _serves_https(service: Object) -> bool:
    """Whether it is the Service of the webhooks: the one for metrics has the same selector."""
    return any(
        each.get("port") == 443 or each.get("name") == "https" for each in items(service, "spec", "ports")
    )


def _ready_endpoints(exam: Exam, namespace: str, service: str) -> int:
    slices = exam.cluster.list(
        "EndpointSlice.discovery.k8s.io",
        namespace=namespace,
        labels=f"kubernetes.io/service-name={service}",
    )
    return sum(
        len(end.get("addresses") or ())
        for each in slices
        for end in items(each, "endpoints")
        if part(end, "conditions", "ready") is not False
    )


@check(level=should, half=cluster, containers=True)
def other_controllers_run(exam: Exam) -> None:
    """The three other controllers run.

    They generate, clean up and report; admission goes on without them, the rest does not.
    """
    controller = _controller(exam)
    for component in _OTHERS:
        found = [
            each
            for each in labelled(exam, f"{COMPONENT}={component}", controller.namespace)
            if each.desired > 0
        ]
        if not found:
            exam.fact(
                "controller-absent",
                Text("There is a {component}", component=component),
                met=False,
                expected=Text("a Deployment with at least one replica"),
                observed=Text("none"),
                next=Text("The chart installs it unless it is told not to: look at `helm get values`."),
                where=Source(object=f"Namespace/{controller.namespace}"),
            )
        for each in found:
            claim = Text("The {component} is ready", component=component)
            judge_ready(exam, each, "controller-not-ready", claim)


@check(level=remark, half=cluster, containers=True)
def disruptions_are_bounded(exam: Exam) -> None:
    """A PodDisruptionBudget keeps a node's drain from taking all of them at once.

    Three replicas help little when one command may evict the three.
    """
    controller = _controller(exam)
    budgets = exam.cluster.list("PodDisruptionBudget.policy", namespace=controller.namespace)
    exam.fact(
        "no-budget",
        Text("A PodDisruptionBudget covers the admission controller"),
        any(selects(part(each, "spec", "selector"), controller.pod_labels) for each in budgets),
        expected=Text("one that selects its Pods"),
        observed=Text("{count} budgets, none for it", count=len(budgets)),
        next=Text("The chart makes one as soon as the admission controller has more than one replica."),
        where=Source(object=f"Namespace/{controller.namespace}"),
    )


@check(level=must, half=cluster, containers=True)
def question_is_answered(exam: Exam) -> None:
    """The question is answered with Kyverno's CRDs.

    The statement asks for the list. Which ones there are depends on the version; these are in every one.
    """
    _controller(exam)
    served = {each.partition(".")[0] for each in exam.cluster.resources(_GROUP)}
    judge_answer(exam, [each for each in CORE if each in served])


@check(level=should, half=cluster, containers=True)
def crds_match_the_cluster(exam: Exam) -> None:
    """The answer lists the CRDs of this cluster.

    The list depends on the version: only your own cluster can say which kinds you have.
    """
    _controller(exam)
    answer = exam.answer("crds")
    served = exam.cluster.resources(_GROUP)
    listed = names_in(answer.text)
    missing = [each for each in served if each not in listed and each.partition(".")[0] not in listed]
    exam.fact(
        "crds-not-listed",
        Text("Every one of Kyverno's CRDs is in the list"),
        not missing,
        expected=Text("{count} names", count=len(served)),
        observed=Text("not in the list: {names}", names=", ".join(missing[:6])),
        next=Text("Paste the whole output of `kubectl get crd | grep kyverno` from this cluster."),
        where=answer.position,
    )
    plurals = {each.partition(".")[0] for each in served}
    invented = sorted(
        each
        for each in listed
        if each.endswith(_GROUP) and each not in served and each.partition(".")[0] not in plurals
    )
    exam.fact(
        "crds-of-another-cluster",
        Text("Every name in the list is a CRD of this cluster"),
        not invented,
        expected=Text("names that the cluster knows"),
        observed=Text("unknown here: {names}", names=", ".join(invented[:6])),
        next=Text("Paste the whole output of `kubectl get crd | grep kyverno` from this cluster."),
        where=answer.position,
    )


@check(level=remark, half=cluster, containers=True)
def version_carries_out_cluster_policies(exam: Exam) -> None:
    """This Kyverno still carries out ClusterPolicies.

    From 1.20 on only the kinds of policies.kyverno.io are: the block's exercises then want those.
    """
    controller = _controller(exam)
    version = controller.version()
    exam.fact(
        "cel-kinds-only",
        Text("A ClusterPolicy is carried out"),
        version < CEL_ONLY if version else None,
        expected=Text("a version before 1.20, which the charts 3.6 to 3.9 install"),
        observed=", ".join(controller.images) or "–",
        next=Text("Either install such a chart, or answer 2.2 to 2.6 with the kinds of policies.kyverno.io."),
        where=controller.place,
        reason=None if version else Reason.BEYOND_EVALUATOR,
    )
