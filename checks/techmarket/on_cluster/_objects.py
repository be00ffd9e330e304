"""Objects of a student's file on a cluster: taken by it, and there."""

from __future__ import annotations

from typing import NoReturn

from workshop.checking import Document, Exam, Text, kind_of
from workshop.cluster.port import Object
from workshop.cluster.reading import namespace_of
from workshop.verdicts import Reason, Source

from ._applied import in_sandbox, judge_applied
from ._places import place_of


def is_same(one: Document, other: Document) -> bool:
    """Whether two documents are the same place of the same file."""
    return one.file == other.file and one.at() == other.at()


def named(exam: Exam, document: Document) -> Object | None:
    """Return what the cluster has under the name of an object; None without it.

    Its own namespace comes first; elsewhere will do, for files are applied with -n.
    """
    kind, name = kind_of(document), document.get("metadata", "name")
    if in_sandbox(exam):
        for each in exam.applied:
            if is_same(each.document, document) and each.decision and each.decision.object:
                metadata = each.decision.object["metadata"]
                return exam.cluster.get(kind, metadata["name"], metadata.get("namespace"))
        return None
    there = exam.cluster.list(kind, fields=f"metadata.name={name}") if isinstance(name, str) else []
    home = document.get("metadata", "namespace", default="default")
    return min(there, key=lambda each: namespace_of(each) != home, default=None)


def is_as_written(exam: Exam, document: Document, current: Object) -> bool | None:
    """Whether the cluster has an object as the file says, defaults filled in; None where nobody can tell.

    What the file would become is asked for as a dry run, under a name that is free.
    """
    data = document.data
    wanted = {**data, "metadata": {**data["metadata"], "name": f"{data['metadata'].get('name')}-as-written"}}
    answer = exam.cluster.try_create(wanted).object
    if answer is None or answer.get("apiVersion") != current.get("apiVersion"):
        return None
    return bool(answer.get("spec") == current.get("spec"))


def judge_as_written(exam: Exam, document: Document) -> None:
    """Record whether the cluster has an object as the file says."""
    kind, name = kind_of(document), document.get("metadata", "name")
    current = named(exam, document)
    same = True if in_sandbox(exam) else is_as_written(exam, document, current) if current else None
    exam.fact(
        "another-version",
        Text("{kind} {name} is on the cluster as your file says", kind=kind, name=name),
        same,
        observed=Text("the cluster has another version of it")
        if same is False
        else Text("a dry run of it does not tell")
        if same is None
        else None,
        next=Text("Apply your file: kubectl apply -f {file}", file=document.file),
        where=Source(object=f"{kind}/{name}", field="spec"),
        reason=Reason.UNAVAILABLE if same is None else None,
    )


def judge_acceptable(exam: Exam, document: Document) -> bool:
    """Record whether the cluster takes an object, or would; return whether it has it.

    On a student's own cluster an object that is not there is put before the API server and its webhooks as a
    dry run, so that their words are there to mend it by.
    """
    kind, name = kind_of(document), document.get("metadata", "name")
    if in_sandbox(exam):
        judge_applied(exam, lambda each: is_same(each, document))
        return True
    if named(exam, document) is not None:
        exam.fact(
            "taken", Text("{kind} {name} is on the cluster", kind=kind, name=name), met=True, where=document
        )
        return True
    _need_namespace(exam, document)
    decision = exam.cluster.try_create(document.data)
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
    return False


def judge_taken(exam: Exam, document: Document) -> None:
    """Record whether the cluster takes an object and has it."""
    if judge_acceptable(exam, document) or exam.facts[-1].met is not True:
        return
    exam.facts.pop()
    need_applied(exam, document)


def need_applied(exam: Exam, document: Document) -> NoReturn:
    """End the check: the object is fine, and not on the cluster."""
    kind, name = kind_of(document), document.get("metadata", "name")
    exam.unfinished(
        "not-applied",
        Text("{kind} {name} is on the cluster", kind=kind, name=name or "–"),
        observed=Text("the cluster has no such object"),
        next=Text("Apply your file: kubectl apply -f {file}", file=document.file),
        where=Source(object=f"{kind}/{name}"),
    )


def _need_namespace(exam: Exam, document: Document) -> None:
    """End the check when the object's namespace is not there: then nobody looks at the object itself."""
    namespace = document.get("metadata", "namespace")
    if isinstance(namespace, str) and namespace and exam.cluster.get("Namespace", namespace) is None:
        exam.unfinished(
            "namespace-missing",
            Text("The namespace {namespace} is there", namespace=namespace),
            observed=Text("the cluster has no such namespace"),
            next=Text(
                "Install first what belongs there, or: kubectl create namespace {name}", name=namespace
            ),
            where=document.at("metadata", "namespace"),
        )
