"""Bonus 2 on a cluster – Crossplane takes the order, and has fulfilled it."""

from __future__ import annotations

from workshop.checking import Document, Exam, Stop, Text, check, cluster, kind_of, must, should
from workshop.cluster.port import Object
from workshop.cluster.reading import condition, name_of, part
from workshop.verdicts import Reason, Source, Verdict

from .._sre_crossplane import defined_kinds, group_of, role_of
from ..crossplane_postgres import orders_of
from ._applied import in_sandbox, judge_applied
from ._objects import is_same, judge_acceptable, named, need_applied

_PACKAGES = ("Provider", "Function", "Configuration")


@check(level=must, half=cluster)
def taken_by_the_cluster(exam: Exam) -> None:
    """The cluster takes the order.

    The schema of the kind is the judge that counts: what it refuses is never stored.
    """
    for document in orders_of(exam)[1]:
        with exam.part():
            _judge_one(exam, document, ordered=True)


@check(level=should, half=cluster)
def what_stands_behind_is_taken(exam: Exam) -> None:
    """The cluster takes what the file defines and installs.

    Crossplane 2 asks for more than version 1 did: whole package names, and pipelines of functions.
    """
    documents, orders = orders_of(exam)
    defined = defined_kinds(documents)
    behind = [
        each
        for each in documents
        if role_of(each, defined) != "plain" and not any(is_same(each, order) for order in orders)
    ]
    for document in behind:
        with exam.part():
            _judge_one(exam, document, ordered=False)
    if not exam.facts:
        exam.fact("order-alone", Text("There is nothing but the order"), met=True)


def _judge_one(exam: Exam, document: Document, *, ordered: bool) -> None:
    if exam.cluster.serves(kind_of(document)):
        judge_acceptable(exam, document)
        return
    claim = Text("The cluster knows the kind {kind}", kind=kind_of(document))
    if in_sandbox(exam):
        _not_in_sandbox(exam, document, claim)
    elif ordered:
        exam.blocked(
            "kind-not-served",
            claim,
            reason=Reason.MISSING_CRD,
            observed=Text("no definition of it: Crossplane, its provider or your definition comes first"),
        )


def _not_in_sandbox(exam: Exam, document: Document, claim: Text) -> None:
    """A kind that nobody serves: a wrong version is refused like any other mistake, a kind is beyond us."""
    refused = [
        each
        for each in exam.applied
        if is_same(each.document, document) and each.decision and each.decision.admitted is False
    ]
    if refused:
        judge_applied(exam, lambda each: is_same(each, document))
        return
    exam.fact(
        "kind-beyond-the-sandbox",
        claim,
        met=None,
        observed=Text("the sandbox has no definition of this kind"),
        where=document.at("kind"),
        reason=Reason.NOT_BUILT,
    )
    raise Stop(Verdict.UNKNOWN, Reason.NOT_BUILT)


@check(level=must, half=cluster, containers=True, needs=[taken_by_the_cluster])
def database_is_ready(exam: Exam) -> None:
    """Crossplane has made the database.

    Synced says that the order reached the provider, Ready that what was ordered is there.
    """
    for document in orders_of(exam)[1]:
        with exam.part():
            current = named(exam, document)
            if current is None:
                need_applied(exam, document)
            _judge_conditions(exam, document, current)


def _judge_conditions(exam: Exam, document: Document, current: Object) -> None:
    where = Source(object=f"{kind_of(document)}/{name_of(current)}", field="status.conditions")
    synced, why_not = condition(current, "Synced")
    unconfigured = "ProviderConfig" in why_not
    exam.fact(
        "provider-config-missing" if unconfigured else "not-synced",
        Text("{kind} {name} is synced", kind=kind_of(document), name=name_of(current)),
        synced,
        expected="Synced: True",
        observed=why_not or Text("no such condition yet: nobody has taken care of it"),
        next=Text("Create a ProviderConfig of the name that the resource refers to.")
        if unconfigured
        else Text("The message is the provider's own: kubectl describe shows the rest of it."),
        where=where,
        reason=Reason.TIMEOUT if synced is None else None,
    )
    ready, why = condition(current, "Ready")
    creating = ready is False and why.partition(":")[0] in ("Creating", "Pending", "Waiting", "")
    exam.fact(
        "not-made",
        Text("{kind} {name} is ready", kind=kind_of(document), name=name_of(current)),
        None if creating else ready,
        expected="Ready: True",
        observed=why or Text("no such condition yet: nobody has taken care of it"),
        next=Text("Follow the tree down: crossplane beta trace, or kubectl get managed."),
        where=where,
        reason=Reason.TIMEOUT if creating or ready is None else None,
    )


@check(level=should, half=cluster, containers=True)
def provider_is_healthy(exam: Exam) -> None:
    """What the file installs is installed and healthy.

    A provider is a program like any other: its image may not come, its rights may not suffice.
    """
    documents = orders_of(exam)[0]
    packages = [
        each for each in documents if each.get("kind") in _PACKAGES and group_of(each) == "pkg.crossplane.io"
    ]
    for document in packages:
        with exam.part():
            current = named(exam, document)
            if current is None:
                need_applied(exam, document)
            _judge_package(exam, kind_of(document), current)
    if packages:
        return
    kind = "Provider.pkg.crossplane.io"
    found = exam.cluster.list(kind)
    for current in found:
        _judge_package(exam, kind, current)
    if not found and not defined_kinds(documents):
        exam.fact(
            "no-provider",
            Text("A provider is installed"),
            met=False,
            expected=Text("an object of kind Provider"),
            observed=Text("none on the cluster"),
            next=Text("Install the provider whose kinds your order uses."),
        )


def _judge_package(exam: Exam, kind: str, current: Object) -> None:
    for wanted, identity in (("Installed", "provider-not-installed"), ("Healthy", "provider-not-healthy")):
        met, why = condition(current, wanted)
        exam.fact(
            identity,
            Text("{kind} {name} is {condition}", kind=kind, name=name_of(current), condition=wanted),
            met,
            expected=f"{wanted}: True",
            observed=why or f"{wanted}: {met if met is not None else '–'}",
            next=Text(
                "Its package: {package}. Read the condition's message, then the Pod's events.",
                package=str(part(current, "spec", "package") or "–"),
            ),
            where=Source(object=f"{kind}/{name_of(current)}", field="status.conditions"),
            reason=Reason.TIMEOUT if met is None else None,
        )
