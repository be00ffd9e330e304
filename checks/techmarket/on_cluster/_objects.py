"""Objects of a student's file on a cluster: taken by it, and there."""

from __future__ import annotations

from workshop.checking import Document, Exam, Text, kind_of
from workshop.cluster.port import Object
from workshop.verdicts import Reason, Source

from ._applied import in_sandbox, judge_applied
from ._places import place_of


def is_same(one: Document, other: Document) -> bool:
    """Whether two documents are the same place of the same file."""
    return one.file == other.file and one.at() == other.at()


def named(exam: Exam, document: Document) -> Object | None:
    """Return what the cluster has under the name of an object, whatever its namespace; None without it."""
    kind, name = kind_of(document), document.get("metadata", "name")
    if in_sandbox(exam):
        for each in exam.applied:
            if is_same(each.document, document) and each.decision and each.decision.object:
                metadata = each.decision.object["metadata"]
                return exam.cluster.get(kind, metadata["name"], metadata.get("namespace"))
        return None
    there = exam.cluster.list(kind, fields=f"metadata.name={name}") if isinstance(name, str) else []
    return there[0] if there else None


def judge_taken(exam: Exam, document: Document) -> None:
    """Record whether the cluster takes an object and has it.

    On a student's own cluster an object that is not there is put before the webhook as a dry run, so that its
    words are there to mend it by.
    """
    kind, name = kind_of(document), document.get("metadata", "name")
    if in_sandbox(exam):
        judge_applied(exam, lambda each: is_same(each, document))
        return
    if named(exam, document) is not None:
        exam.fact(
            "taken", Text("{kind} {name} is on the cluster", kind=kind, name=name), met=True, where=document
        )
        return
    decision = exam.cluster.try_create(document.data)
    if decision.admitted is not True:
        exam.fact(
            "refused-at-creation",
            Text("The cluster accepts {kind} {name}", kind=kind, name=name or "–"),
            decision.admitted,
            expected=Text("`kubectl apply` creates it"),
            observed=decision.message[:500] or None,
            next=Text("The message names the field: mend that place and apply the file again."),
            where=place_of(document, decision.message),
            reason=Reason.UNAVAILABLE if decision.admitted is None else None,
        )
        return
    exam.unfinished(
        "not-applied",
        Text("{kind} {name} is on the cluster", kind=kind, name=name or "–"),
        observed=Text("the cluster has no such object"),
        next=Text("Apply your file: kubectl apply -f {file}", file=document.file),
        where=Source(object=f"{kind}/{name}"),
    )
