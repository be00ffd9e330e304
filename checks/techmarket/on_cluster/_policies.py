"""What a policy on a cluster really does to probes sent as dry runs.

Every denial is attributed: another policy, a dead webhook or a full quota that refuses a probe says
nothing about the policy in question.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from workshop.checking import Exam, Stop, Text
from workshop.cluster import Decision
from workshop.cluster.denials import is_spoilt, lacks_context
from workshop.verdicts import Reason, Verdict

from .._policies import NAMESPACES, Found, is_platform
from .._probes import PINNED, running
from ._applied import in_sandbox
from ._policy_there import is_as_written, standing

_MOST_NAMED: Final = 6


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
        next=_advice(exam, found, advice) if met is False else advice,
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


def _advice(exam: Exam, found: Found, advice: Text) -> Text:
    """Return the advice; where the cluster has another version than the file, that comes first."""
    there = standing(exam, found)
    if there is None or is_as_written(there, found):
        return advice
    return Text(
        "The cluster has another version of the policy than your file: kubectl apply -f {file}. {advice}",
        file=found.document.file,
        advice=advice,
    )


def _name_of(found: Found) -> str:
    return str(found.document.get("metadata", "name"))


def namespaces(exam: Exam, found: Found) -> list[str]:
    """Return the namespaces to probe: two ordinary ones, and those that the policy itself speaks of.

    Ordinary ones have no LimitRange and no quota: a default limit would hide what the policy does. Where
    somebody else refuses even a good Pod, the policy is not seen at work: such a namespace is taken only
    when there is no other. The check ends as unknown when there is none at all.
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
    chosen = list(islice((name for name in ordinary if _lets_in(exam, found, name)), 2)) or ordinary[:2]
    named = (name for name in found.namespaces() if name in ordinary and name not in chosen)
    return [*chosen, *islice((name for name in named if _lets_in(exam, found, name)), _MOST_NAMED)]


def _lets_in(exam: Exam, found: Found, namespace: str) -> bool:
    """Whether nobody but the policy itself refuses a good Pod in a namespace."""
    decision = exam.cluster.try_create(running(PINNED, namespace=namespace))
    return decision.admitted is not False or _is_by(exam, found, decision)


def _said(decision: Decision) -> Text:
    message = " ".join(decision.message.split())[:400]
    if decision.admitted:
        return Text("admitted")
    if decision.admitted is False:
        return Text("refused: {message}", message=message)
    return Text("nothing that concerns the policy: {message}", message=message)
