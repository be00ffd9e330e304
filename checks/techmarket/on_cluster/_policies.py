"""Policies on a cluster: there and enforced, and what it really does to probes sent as dry runs.

Every denial is attributed: another policy, a dead webhook or a full quota that refuses a probe says
nothing about the policy in question.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from workshop.checking import Exam, Text, kind_of
from workshop.cluster import Decision
from workshop.cluster.port import Object
from workshop.verdicts import Reason, Source

from .._policies import NAMESPACES, Found, is_platform

_SECOND: Final = NAMESPACES[1]


def judge_present(exam: Exam, found: Found) -> None:
    """Record whether the policy was accepted, is on the cluster and is enforced by now."""
    document = found.document
    name, kind = str(document.get("metadata", "name")), kind_of(document)
    for each in exam.applied:
        if each.decision is None:
            exam.fact(
                "not-asked",
                Text("Everything in the file belongs to the exercise"),
                met=None,
                observed=Text("{kind} was not applied", kind=kind_of(each.document)),
                where=each.document,
                reason=Reason.BEYOND_EVALUATOR,
            )
        else:
            exam.fact(
                "refused-at-creation",
                Text(
                    "The cluster accepts {kind} {name}",
                    kind=kind_of(each.document),
                    name=_name(each.document),
                ),
                each.decision.admitted,
                expected=Text("`kubectl apply` creates it"),
                observed=each.decision.message[:500] or None,
                next=Text("The message names the field: mend that place and apply the file again."),
                where=each.document,
                reason=Reason.UNAVAILABLE if each.decision.admitted is None else None,
            )
    current = exam.cluster.get(kind, name)
    if current is None:
        if any(each.decision is None or not each.decision.admitted for each in exam.applied):
            return
        exam.unfinished(
            "not-applied",
            Text("{kind} {name} is on the cluster", kind=kind, name=name),
            observed=Text("the cluster has no such object"),
            next=Text("Apply your file: kubectl apply -f {file}", file=document.file),
            where=Source(object=f"{kind}/{name}"),
        )
    ready = _is_ready(current)
    exam.fact(
        "not-ready",
        Text("The policy is in force"),
        ready,
        expected=Text("its condition Ready is True"),
        observed=None if ready else Text("it is not ready yet"),
        next=Text("Look at its conditions: kubectl describe {kind} {name}", kind=kind, name=name),
        where=Source(object=f"{kind}/{name}", field="status.conditions"),
    )


def judge_refused(
    exam: Exam, found: Found, resource: dict[str, Any], fact: str, claim: Text, advice: Text
) -> bool | None:
    """Record that the cluster must refuse a probe, and that it is this policy that does."""
    name = str(found.document.get("metadata", "name"))
    decision = exam.cluster.try_create(resource)
    refused: bool | None = None
    if decision.admitted:
        refused = False
    elif decision.admitted is False:
        refused = True if name in decision.policies else None
    exam.fact(
        fact,
        claim,
        refused,
        expected=Text("refused by {policy}", policy=name),
        observed=_said(decision),
        next=advice,
        where=found.document.at("spec"),
        reason=Reason.UNAVAILABLE if refused is None else None,
    )
    return refused


def judge_admitted(
    exam: Exam, found: Found, resource: dict[str, Any], fact: str, claim: Text, advice: Text
) -> Decision:
    """Record that the cluster must admit a probe; a refusal by somebody else cannot be held against it."""
    name = str(found.document.get("metadata", "name"))
    decision = exam.cluster.try_create(resource)
    mine = name in decision.policies
    exam.fact(
        fact,
        claim,
        False if decision.admitted is False and mine else (True if decision.admitted else None),
        expected=Text("admitted"),
        observed=_said(decision),
        next=advice,
        where=found.document.at("spec"),
        reason=None if decision.admitted or mine else Reason.UNAVAILABLE,
    )
    return decision


def namespaces(exam: Exam) -> Iterator[str]:
    """Yield up to two namespaces to probe: ordinary ones that no LimitRange and no quota touches.

    Ends the check as unknown when there is none: a default limit would hide what the policy does.
    """
    touched = {
        str(each.get("metadata", {}).get("namespace"))
        for kind in ("LimitRange", "ResourceQuota")
        for each in exam.cluster.list(kind)
    }
    names = [str(each.get("metadata", {}).get("name")) for each in exam.cluster.list("Namespace")]
    ordinary = [name for name in names if not is_platform(name) and name not in touched]
    ordinary.sort(key=lambda name: (name != NAMESPACES[0], name != _SECOND, name))
    if not ordinary:
        exam.fact(
            "no-namespace-to-probe",
            Text("There is a namespace to try Pods in"),
            met=None,
            observed=Text("every namespace has a LimitRange, a quota, or belongs to the platform"),
            next=Text("Make one: kubectl create namespace lab-probe"),
            reason=Reason.UNAVAILABLE,
        )
        return
    yield from ordinary[:2]


def _is_ready(current: Object) -> bool:
    status = current.get("status")
    if str(current.get("apiVersion", "")).startswith("admissionregistration.k8s.io/"):
        return True  # Kubernetes' own policies are in force as soon as they are stored
    if not isinstance(status, dict):
        return False
    summary = status.get("conditionStatus")
    if isinstance(summary, dict):
        return bool(summary.get("ready"))
    return any(
        isinstance(each, dict) and each.get("type") == "Ready" and each.get("status") == "True"
        for each in status.get("conditions", [])
    )


def _said(decision: Decision) -> Text:
    message = " ".join(decision.message.split())[:400]
    if decision.admitted:
        return Text("admitted")
    if decision.admitted is False:
        return Text("refused: {message}", message=message)
    return Text("nothing that concerns the policy: {message}", message=message)


def _name(document: Any) -> str:
    return str(document.get("metadata", "name", default="?"))
