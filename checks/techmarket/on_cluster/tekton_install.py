"""4.1 on a cluster – Tekton is there: what carries runs through, what judges them, and what shows them."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Stop, Text, check, cluster, must, remark, should
from workshop.cluster.reading import items, labels_of, part
from workshop.verdicts import Source, Verdict

from ._deployments import Deployment, judge_blocked, judge_ready, labelled

_PART_OF: Final = "app.kubernetes.io/part-of"
_COMPONENT: Final = "app.kubernetes.io/component"
_PIPELINES: Final = f"{_PART_OF}=tekton-pipelines"
_DASHBOARD: Final = f"{_PART_OF}=tekton-dashboard"
_KINDS: Final = ("Task", "TaskRun", "Pipeline", "PipelineRun")
_WEBHOOKS: Final = "ValidatingWebhookConfiguration.admissionregistration.k8s.io"
_ENFORCE: Final = "pod-security.kubernetes.io/enforce"


def _pipelines(exam: Exam) -> dict[str, Deployment]:
    """Return Tekton's Deployments by component, whatever their namespace; the check ends without any."""
    found = {str(each.labels.get(_COMPONENT)): each for each in labelled(exam, _PIPELINES)}
    if not found and judge_blocked(exam, "tekton-"):
        raise Stop(Verdict.UNFINISHED)
    if not found:
        operator = exam.cluster.serves("TektonConfig.operator.tekton.dev")
        exam.unfinished(
            "tekton-absent",
            Text("Tekton Pipelines is installed"),
            observed=Text("the operator is there, and has not installed it")
            if operator
            else Text("no Deployment of the cluster belongs to Tekton Pipelines"),
            next=Text("Ask it why: kubectl describe tektonconfig")
            if operator
            else Text("Apply the release of Tekton Pipelines that its documentation names."),
        )
    return found


def _judge(exam: Exam, deployments: dict[str, Deployment], component: str, fact: str) -> None:
    if component not in deployments:
        if judge_blocked(exam, component, {each.namespace for each in deployments.values()}):
            return
        exam.fact(
            "component-absent",
            Text("Tekton's {component} is installed", component=component),
            met=False,
            expected=Text("a Deployment with the label {label}", label=f"{_COMPONENT}={component}"),
            observed=Text("only {names}", names=", ".join(sorted(deployments))),
            next=Text("Apply the release again: one file brings all of it."),
        )
        return
    claim = Text("Tekton's {component} is ready", component=component)
    judge_ready(exam, deployments[component], fact, claim)


@check(level=must, half=cluster, containers=True)
def controller_runs(exam: Exam) -> None:
    """The controller of Tekton Pipelines runs.

    It alone turns a PipelineRun into Pods; without it a run is a wish.
    """
    _judge(exam, _pipelines(exam), "controller", "tekton-not-ready")


@check(level=must, half=cluster, containers=True)
def webhook_answers(exam: Exam) -> None:
    """The webhook runs and the API server knows how to call it.

    As long as it does not answer, every Task you apply is refused.
    """
    deployments = _pipelines(exam)
    _judge(exam, deployments, "webhook", "tekton-webhook-not-ready")
    configured = [
        hook for each in exam.cluster.list(_WEBHOOKS, labels=_PIPELINES) for hook in items(each, "webhooks")
    ]
    exam.fact(
        "webhook-without-certificate",
        Text("The webhook has written its certificate into its configuration"),
        any(part(hook, "clientConfig", "caBundle") and hook.get("rules") for hook in configured),
        expected=Text("a caBundle and rules in the ValidatingWebhookConfiguration"),
        observed=Text("{count} webhooks, none complete", count=len(configured)),
        next=Text("It does so itself once it runs: look at its log, and wait before you apply Tasks."),
        where=Source(object="ValidatingWebhookConfiguration"),
    )


@check(level=must, half=cluster, containers=True)
def kinds_are_served(exam: Exam) -> None:
    """The cluster knows Tasks, Pipelines and their runs.

    The Dashboard only shows these kinds; Pipelines brings them.
    """
    missing = [kind for kind in _KINDS if not exam.cluster.serves(f"{kind}.tekton.dev")]
    if len(missing) == len(_KINDS):
        _pipelines(exam)
    exam.fact(
        "tekton-crds-missing",
        Text("Tekton's CRDs are established"),
        not missing,
        expected=", ".join(_KINDS),
        observed=Text("not served: {names}", names=", ".join(missing)),
        next=Text("Apply the release of Tekton Pipelines first, the Dashboard's after it."),
    )


@check(level=must, half=cluster, containers=True)
def dashboard_runs(exam: Exam) -> None:
    """The Dashboard runs.

    It comes with a manifest of its own: Pipelines alone has no face.
    """
    found = labelled(exam, _DASHBOARD)
    if not found:
        exam.unfinished(
            "dashboard-absent",
            Text("The Tekton Dashboard is installed"),
            observed=Text("no Deployment of the cluster is the Dashboard"),
            next=Text("Apply the Dashboard's release as well."),
        )
    for each in found:
        judge_ready(exam, each, "dashboard-not-ready", Text("The Dashboard is ready"))


@check(level=should, half=cluster, containers=True)
def helpers_run(exam: Exam) -> None:
    """The events controller and the resolvers run.

    Remote Tasks, from Git or the Artifact Hub, come through the resolvers.
    """
    deployments = _pipelines(exam)
    for component in ("events", "resolvers"):
        _judge(exam, deployments, component, "helper-not-ready")


@check(level=remark, half=cluster, containers=True)
def its_namespace_is_restricted(exam: Exam) -> None:
    """The namespace of Tekton enforces a Pod Security standard.

    The release asks for `restricted`; a namespace made by hand beforehand may have lost it.
    """
    deployments = _pipelines(exam)
    for name in sorted({each.namespace for each in deployments.values()}):
        level = labels_of(exam.cluster.get("Namespace", name)).get(_ENFORCE)
        exam.fact(
            "pod-security-missing",
            Text("The namespace {namespace} has a Pod Security standard", namespace=name),
            level in ("restricted", "baseline"),
            expected=f"{_ENFORCE}: restricted",
            observed=f"{_ENFORCE}: {level or '–'}",
            next=Text("Apply the release again: it labels its namespaces."),
            where=Source(object=f"Namespace/{name}", field="metadata.labels"),
        )
