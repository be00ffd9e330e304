"""Policies on a cluster: there and enforced, and what it really does to probes sent as dry runs.

Every denial is attributed: another policy, a dead webhook or a full quota that refuses a probe says
nothing about the policy in question.
"""

from __future__ import annotations

from typing import Any, Final

from workshop.checking import Exam, Stop, Text, kind_of
from workshop.cluster import Decision
from workshop.cluster.denials import is_spoilt, lacks_context
from workshop.cluster.port import Object
from workshop.verdicts import Reason, Source, Verdict

from .._policies import NAMESPACES, Found, is_platform
from ._applied import in_sandbox, judge_applied
from ._objects import is_same

_MOST_NAMED: Final = 6


def judge_present(exam: Exam, found: Found) -> None:
    """Record whether the policy was accepted, is on the cluster and is enforced by now."""
    document = found.document
    name, kind = str(document.get("metadata", "name")), kind_of(document)
    concerned = (document, *found.bindings)
    refused = judge_applied(
        exam, lambda each: each.file == document.file or any(is_same(each, one) for one in concerned)
    )
    namespace = str(document.get("metadata", "namespace", default="default"))
    current = exam.cluster.get(kind, name, namespace)
    if current is None:
        if refused:
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
) -> None:
    """Record that the cluster must refuse a probe, and that it is this policy that does."""
    decision = exam.cluster.try_create(resource)
    refused = False if decision.admitted else True if _is_by(exam, found, decision) else None
    record_decision(exam, found, decision, refused, fact, claim, advice, refused=True)


def judge_admitted(
    exam: Exam, found: Found, resource: dict[str, Any], fact: str, claim: Text, advice: Text
) -> Decision:
    """Record that the cluster must admit a probe; a refusal by somebody else cannot be held against it."""
    decision = exam.cluster.try_create(resource)
    admitted = True if decision.admitted else False if _is_by(exam, found, decision) else None
    record_decision(exam, found, decision, admitted, fact, claim, advice, refused=False)
    return decision


def record_decision(
    exam: Exam,
    found: Found,
    decision: Decision,
    met: bool | None,
    fact: str,
    claim: Text,
    advice: Text,
    *,
    refused: bool,
) -> None:
    """Record what became of a probe that should have been `refused`, or not."""
    exam.fact(
        fact,
        claim,
        met,
        expected=Text("refused by {policy}", policy=_name_of(found)) if refused else Text("admitted"),
        observed=_said(decision),
        next=advice,
        where=found.document.at("spec"),
        reason=Reason.UNAVAILABLE if met is None else None,
    )


def _is_by(exam: Exam, found: Found, decision: Decision) -> bool:
    """Whether it is this policy that refused, for a reason that lies in the policy and the probe."""
    if in_sandbox(exam) and lacks_context(decision.message):
        return False  # what the policy reads would be on the student's cluster
    if is_spoilt(decision.message):
        return in_sandbox(exam)  # nobody else mutates here; elsewhere it may have been another policy
    return _name_of(found) in decision.policies


def _name_of(found: Found) -> str:
    return str(found.document.get("metadata", "name"))


def namespaces(exam: Exam, found: Found) -> list[str]:
    """Return the namespaces to probe: two ordinary ones, and those that the policy itself speaks of.

    Ordinary ones have no LimitRange and no quota: a default limit would hide what the policy does. The
    check ends as unknown when there is none.
    """
    touched = {
        str(each.get("metadata", {}).get("namespace"))
        for kind in ("LimitRange", "ResourceQuota")
        for each in exam.cluster.list(kind)
    }
    names = [str(each.get("metadata", {}).get("name")) for each in exam.cluster.list("Namespace")]
    ordinary = [name for name in names if not is_platform(name) and name not in touched]
    ordinary.sort(key=lambda name: (name != NAMESPACES[0], name != NAMESPACES[1], name))
    if not ordinary:
        exam.fact(
            "no-namespace-to-probe",
            Text("There is a namespace to try Pods in"),
            met=None,
            observed=Text("every namespace has a LimitRange, a quota, or belongs to the platform"),
            next=Text("Make one: kubectl create namespace lab-probe"),
            reason=Reason.UNAVAILABLE,
        )
        raise Stop(Verdict.UNKNOWN, Reason.UNAVAILABLE)
    named = [name for name in found.namespaces() if name in ordinary[2:]]
    return [*ordinary[:2], *named[:_MOST_NAMED]]


def _is_ready(current: Object) -> bool:
    status = current.get("status")
    if str(current.get("apiVersion", "")).startswith("admissionregistration.k8s.io/"):
        return True  # Kubernetes' own policies are in force a second after they are stored
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
