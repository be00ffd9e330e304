"""What the API server said to the objects of a student's files, with the place it speaks of."""

from __future__ import annotations

from collections.abc import Callable

from workshop.checking import Document, Exam, Text, kind_of
from workshop.verdicts import Reason

from ._places import place_of


def in_sandbox(exam: Exam) -> bool:
    """Whether the cluster is one of our own, with nothing on it but the student's files."""
    return bool(exam.applied)


def judge_applied(exam: Exam, concerns: Callable[[Document], bool] = lambda _: True) -> bool:
    """Record what became of the objects that were applied; return whether one was not taken.

    On a student's own cluster nothing was applied, and nothing is recorded.
    """
    missed = False
    for each in exam.applied:
        document, decision = each.document, each.decision
        if not concerns(document):
            continue
        name = str(document.get("metadata", "name", default=document.get("metadata", "generateName")))
        if decision is None:
            missed = True
            exam.fact(
                "not-asked",
                Text("Everything in the file belongs to the exercise"),
                met=None,
                observed=Text("{kind} was not applied", kind=kind_of(document)),
                where=document,
                reason=Reason.BEYOND_EVALUATOR,
            )
            continue
        if decision.admitted is None and decision.message.startswith("no matches for kind"):
            exam.blocked(
                "kind-not-served",
                Text("The cluster knows the kind {kind}", kind=kind_of(document)),
                reason=Reason.MISSING_CRD,
                observed=decision.message,
            )
        missed = missed or not decision.admitted
        exam.fact(
            "refused-at-creation",
            Text("The cluster accepts {kind} {name}", kind=kind_of(document), name=name),
            decision.admitted,
            expected=Text("`kubectl apply` creates it"),
            observed=decision.message[:500] or None,
            next=Text("The message names the field: mend that place and apply the file again."),
            where=place_of(document, decision.message),
            reason=Reason.UNAVAILABLE if decision.admitted is None else None,
        )
    return missed
