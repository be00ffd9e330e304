"""2.4 on a cluster – the labels that come back."""

from __future__ import annotations

from workshop.checking import Exam, Text, check, cluster, must

from .. import _policies as policies
from .._policies import Found
from .._probes import pod
from ..add_labels import LABELS, PATH
from ._policies import judge_admitted, judge_present, namespaces


def _found(exam: Exam) -> Found:
    return policies.find(exam, PATH, policies.MUTATING)


@check(level=must, half=cluster)
def policy_in_force(exam: Exam) -> None:
    """The cluster has the policy and applies it.

    A file labels nothing until it is applied and its webhook is ready.
    """
    judge_present(exam, _found(exam))


@check(level=must, half=cluster, needs=[policy_in_force])
def labels_come_back(exam: Exam) -> None:
    """A new Pod comes back with both labels.

    Finance counts by label: a Pod without one is nobody's cost.
    """
    found = _found(exam)
    for namespace in namespaces(exam):
        for labels in (None, {"app": "lab-probe"}):
            decision = judge_admitted(
                exam,
                found,
                pod(namespace=namespace, labels=labels),
                "pod-refused",
                Text("The Pod is admitted in the namespace {namespace}", namespace=namespace),
                Text("A mutation changes Pods; it has no reason to refuse one."),
            )
            if not decision.admitted:
                continue
            stored = (decision.object or {}).get("metadata", {}).get("labels") or {}
            for key, value in LABELS.items():
                exam.fact(
                    "label-missing",
                    Text("The Pod has the label {key}", key=key),
                    stored.get(key) == value,
                    expected=f"{key}: {value}",
                    observed=f"{key}: {stored.get(key, '–')}",
                    next=Text("Look at match first, then at where the patch puts the labels."),
                    where=found.document.at("spec"),
                )
