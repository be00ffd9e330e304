"""3.5 on a cluster – whether the usual follow-ups of a lost Pod are there: advice, never a condition."""

from __future__ import annotations

from workshop.checking import Exam, Stop, Text, check, cluster, remark, should
from workshop.cluster.port import Object
from workshop.cluster.reading import labels_of, name_of, namespace_of, part, selects
from workshop.verdicts import Reason, Verdict

from .._sre_target import SERVICE
from ._payment import payment_workloads
from ._workloads import containers_of, place

_FEWEST = 2
_WISHED = 3


def _target(exam: Exam) -> Object:
    """Return what runs the payment-service; without it there is nothing to follow up."""
    found = payment_workloads(exam)
    if not found:
        exam.fact(
            "no-payment-service",
            Text("The payment-service is deployed"),
            met=False,
            expected=Text("a Deployment with the label app={name}", name=SERVICE),
            observed=Text("none in any namespace"),
            next=Text("Exercise 0.3 deploys it."),
        )
        raise Stop(Verdict.BLOCKED, Reason.NEEDS)
    # A Rollout that refers to the Deployment has no Pod template of its own.
    return next((each for each in found if part(each, "spec", "template")), found[0])


@check(level=should, half=cluster, containers=True)
def probes_are_set(exam: Exam) -> None:
    """Every container of the payment-service has a readiness and a liveness probe.

    Without readiness, requests go to Pods that are not there yet, or not any more.
    """
    workload = _target(exam)
    containers = containers_of(workload)
    for probe, identity, purpose in (
        (
            "readinessProbe",
            "no-readiness-probe",
            Text("It says when a Pod may get requests, and when no more."),
        ),
        ("livenessProbe", "no-liveness-probe", Text("It restarts a container that hangs.")),
    ):
        without = [str(each.get("name")) for each in containers if not isinstance(each.get(probe), dict)]
        exam.fact(
            identity,
            Text("Every container has a {probe}", probe=probe),
            bool(containers) and not without,
            expected=probe,
            observed=Text("without: {names}", names=", ".join(without) or "–"),
            next=purpose,
            where=place(workload, kind="Deployment"),
        )


@check(level=should, half=cluster, containers=True)
def replicas_cannot_fall_to_one(exam: Exam) -> None:
    """The autoscaler never goes below two Pods.

    When load is low it removes Pods; the last one must not be the only one.
    """
    scaler = _scaler(exam)
    least = part(scaler, "spec", "minReplicas")
    exam.fact(
        "hpa-missing" if scaler is None else "hpa-minimum-too-low",
        Text("An HPA keeps at least {count} Pods of the payment-service", count=_FEWEST),
        isinstance(least, int) and least >= _FEWEST,
        expected=Text("minReplicas: {count} or more", count=_FEWEST),
        observed=f"minReplicas: {least if least is not None else 1}" if scaler else Text("no HPA targets it"),
        next=Text("Three is better: one may be deleted while another one is replaced."),
        where=place(scaler, kind="HorizontalPodAutoscaler")
        if scaler
        else place(_target(exam), kind="Deployment"),
    )


def _scaler(exam: Exam) -> Object | None:
    names = {(namespace_of(each), name_of(each)) for each in [_target(exam), *payment_workloads(exam)]}
    return next(
        (
            each
            for each in exam.cluster.list("HorizontalPodAutoscaler.autoscaling")
            if (namespace_of(each), str(part(each, "spec", "scaleTargetRef", "name"))) in names
        ),
        None,
    )


@check(level=remark, half=cluster, containers=True, needs=[replicas_cannot_fall_to_one])
def three_replicas_at_least(exam: Exam) -> None:
    """The autoscaler keeps three Pods, as the hypothesis of 3.4 assumes.

    Two are enough to survive one deletion, not to survive it at full load.
    """
    scaler = _scaler(exam)
    least = part(scaler, "spec", "minReplicas")
    exam.fact(
        "hpa-minimum-below-three",
        Text("An HPA keeps at least {count} Pods of the payment-service", count=_WISHED),
        isinstance(least, int) and least >= _WISHED,
        expected=Text("minReplicas: {count} or more", count=_WISHED),
        observed=f"minReplicas: {least}",
        next=Text("Three is better: one may be deleted while another one is replaced."),
        where=place(scaler or {}, kind="HorizontalPodAutoscaler"),
    )


@check(level=should, half=cluster, containers=True)
def drains_leave_enough(exam: Exam) -> None:
    """A disruption budget selects the Pods and still allows a disruption.

    It protects against drains, not against deletions; one that allows nothing blocks every drain.
    """
    workload = _target(exam)
    labels = labels_of(part(workload, "spec", "template"))
    budgets = [
        each
        for each in exam.cluster.list("PodDisruptionBudget.policy")
        if namespace_of(each) == namespace_of(workload) and selects(part(each, "spec", "selector"), labels)
    ]
    allowed = [part(each, "status", "disruptionsAllowed") for each in budgets]
    exam.fact(
        "pdb-allows-none" if budgets else "pdb-missing",
        Text("A PodDisruptionBudget of {name} allows a disruption", name=SERVICE),
        any(isinstance(each, int) and each >= 1 for each in allowed),
        expected="status.disruptionsAllowed: 1",
        observed=", ".join(f"disruptionsAllowed: {each}" for each in allowed)
        or Text("no budget selects these Pods"),
        next=Text(
            "With three replicas: minAvailable 2, or maxUnavailable 1. Then wait until the Pods are ready."
        ),
        where=place(budgets[0], kind="PodDisruptionBudget")
        if budgets
        else place(workload, kind="Deployment"),
    )
