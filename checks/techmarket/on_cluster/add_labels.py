"""2.4 on a cluster – the labels that come back."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text, check, cluster, must, should
from workshop.cluster.port import Object

from .._policies import rules_of
from .._probes import deployment, pod
from ..add_labels import LABELS, _found
from ._kyverno import judge_kind_carried_out
from ._policies import judge_admitted, namespaces
from ._policy_there import judge_present

_OWN: Final = {"app": "lab-probe", "tier": "backend"}


def _writes_labels(policy: Object) -> bool:
    """Whether a policy of any name has to do with the labels: the statement leaves the name free."""
    mutates = str(policy.get("kind")).startswith("Mutating") or any(
        "mutate" in rule for rule in rules_of(policy)
    )
    return mutates and any(key in str(policy.get("spec")) for key in LABELS)


@check(level=must, half=cluster)
def policy_in_force(exam: Exam) -> None:
    """The cluster has the policy and applies it.

    A file labels nothing until it is applied and its webhook is ready.
    """
    judge_present(exam, _found(exam), _writes_labels)


@check(level=should, half=cluster, containers=True)
def kind_is_carried_out(exam: Exam) -> None:
    """The Kyverno that is installed still carries out this kind of policy.

    From 1.20 on the older kinds are stored at most: they look right and do nothing.
    """
    judge_kind_carried_out(exam, _found(exam))


@check(level=must, half=cluster, needs=[policy_in_force])
def labels_come_back(exam: Exam) -> None:
    """A new Pod comes back with both labels, and with its own.

    Finance counts by label: a Pod without one is nobody's cost. Its own labels are what Services find it by.
    """
    found = _found(exam)
    for namespace in namespaces(exam, found):
        for own in (None, _OWN):
            decision = judge_admitted(
                exam,
                found,
                pod(namespace=namespace, labels=own),
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
                    Text(
                        "The Pod has the label {key} in the namespace {namespace}",
                        key=key,
                        namespace=namespace,
                    ),
                    stored.get(key) == value,
                    expected=f"{key}: {value}",
                    observed=f"{key}: {stored.get(key, '–')}",
                    next=Text("Look at match first, then at where the patch puts the labels."),
                    where=found.document.at("spec"),
                )
            lost = [key for key, value in (own or {}).items() if stored.get(key) != value]
            exam.fact(
                "labels-lost",
                Text("The labels {keys} are still there afterwards", keys=", ".join(own or {}) or "–"),
                not lost,
                expected=Text("labels are added, none is taken away"),
                observed=Text("lost: {keys}", keys=", ".join(lost) or "–"),
                next=Text("Add single keys: a patch that writes the whole map replaces what was there."),
                where=found.document.at("spec"),
            )


@check(level=should, half=cluster, needs=[policy_in_force])
def deployments_get_in(exam: Exam) -> None:
    """A Deployment is admitted.

    Nearly every Pod comes from one.
    """
    found = _found(exam)
    judge_admitted(
        exam,
        found,
        deployment(namespace=namespaces(exam, found)[0]),
        "deployment-refused",
        Text("A Deployment is admitted"),
        Text("Match Pods alone: a patch made for them does not fit a Deployment."),
    )
