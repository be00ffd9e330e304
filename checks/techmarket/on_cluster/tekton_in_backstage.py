"""Bonus 3 on a cluster – the runs that the portal would show: labelled, asked for, and readable."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text, check, cluster, must, should
from workshop.cluster.reading import items, labels_of, name_of
from workshop.verdicts import Reason

from .._backstage import KUBERNETES_ID, PAYMENT, component, listed, shown
from ..tekton_in_backstage import RESOURCES
from ._portal import need_portal
from ._portal_config import live_config
from ._portal_rights import judge_access
from ._workloads import place

_RUN: Final = "PipelineRun.tekton.dev"
_KINDS: Final = (_RUN, "TaskRun.tekton.dev")


@check(level=must, half=cluster, containers=True)
def runs_are_found(exam: Exam) -> None:
    """The plugin's question finds a PipelineRun.

    Runs are found like Pods, by the label of the annotation's name and value.
    """
    wanted = component(exam, PAYMENT).get("metadata", "annotations", KUBERNETES_ID)
    value = wanted.strip() if isinstance(wanted, str) and wanted.strip() else PAYMENT
    runs = exam.cluster.list(_RUN)
    if not runs:
        exam.unfinished(
            "not-run",
            Text("A pipeline has run"),
            observed=Text("the cluster has no PipelineRun"),
            next=Text("Start the pipeline of exercise 4.7, with the label."),
        )
    labelled = [each for each in runs if labels_of(each).get(KUBERNETES_ID) == value]
    last = max(runs, key=lambda each: str(each["metadata"].get("creationTimestamp")))
    exam.fact(
        "run-unlabelled",
        Text("A PipelineRun has the label {key}", key=KUBERNETES_ID),
        bool(labelled),
        expected=f"metadata.labels: {KUBERNETES_ID}: {value}",
        observed=f"{name_of(last)}: {shown(labels_of(last).get(KUBERNETES_ID))}",
        next=Text("Label the run: Tekton passes labels on to its TaskRuns and their Pods."),
        where=place((labelled or [last])[0], "metadata.labels", "PipelineRun"),
    )


@check(level=must, half=cluster, containers=True)
def runs_may_be_read(exam: Exam) -> None:
    """The account of Backstage may list Tekton's runs.

    Rights on Pods do not reach custom resources.
    """
    if not exam.cluster.serves(_RUN):
        exam.blocked(
            "no-tekton",
            Text("The cluster knows the kind {kind}", kind=_RUN),
            reason=Reason.MISSING_CRD,
            observed=Text("it does not: exercise 4.1 comes first"),
        )
    judge_access(exam, need_portal(exam), _KINDS)


@check(level=should, half=cluster, containers=True)
def backstage_asks_for_them(exam: Exam) -> None:
    """The running Backstage asks for PipelineRuns and TaskRuns.

    The Kubernetes plugin fetches the usual kinds; Tekton's are custom resources, it has to be told.
    """
    portal = need_portal(exam)
    config = live_config(exam, portal)
    resources = items({"found": config.get("kubernetes", "customResources")}, "found")
    asked = {str(each.get("plural")) for each in resources if each.get("group") == "tekton.dev"}
    missing = [each for each in RESOURCES if each not in asked]
    unseen = bool(missing) and (config.from_environment("kubernetes") or not config.complete)
    exam.fact(
        "custom-resources",
        Text("It asks for Tekton's runs"),
        None if unseen and not config.holding("kubernetes") else not missing,
        expected=Text("kubernetes.customResources with group tekton.dev, apiVersion v1 and each plural"),
        observed=Text("left out: {names}", names=listed(missing)),
        next=Text("Add an entry for each of them to the app-config."),
        where=portal.place,
        reason=Reason.BEYOND_EVALUATOR if unseen and not config.holding("kubernetes") else None,
    )
