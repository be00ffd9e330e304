"""From a failed exercise to what is wrong on its cluster: scope, symptoms, and the guide's word on each."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from workshop.cluster.port import Cluster
from workshop.content import Exercise, Lab
from workshop.diagnosis import (
    admission,
    autoscaling,
    containers,
    crossplane,
    images,
    litmus,
    namespaces,
    networking,
    policies,
    prometheus,
    rollouts,
    scheduling,
    storage,
    tekton,
    told,
    webhooks,
)
from workshop.diagnosis.look import Look, Named, Scope
from workshop.diagnosis.symptom import Sign, Symptom
from workshop.exam import kind_of
from workshop.guide import entry_for
from workshop.texts import Message
from workshop.verdicts import CheckResult, Finding, Half, Level, Reason, Verdict
from workshop.workspace import Document, Unreadable, Workspace

log = logging.getLogger(__name__)

_FAMILIES: Final[tuple[Callable[[Look], Iterator[Symptom]], ...]] = (
    webhooks.symptoms,
    namespaces.symptoms,
    policies.symptoms,
    admission.symptoms,
    storage.symptoms,
    scheduling.symptoms,
    images.symptoms,
    containers.symptoms,
    tekton.symptoms,
    litmus.symptoms,
    rollouts.symptoms,
    crossplane.symptoms,
    prometheus.symptoms,
    networking.symptoms,
    autoscaling.symptoms,
)
_ORDER: Final = {sign: place for place, sign in enumerate(Sign)}
_MOST: Final = 8
# What stopped these checks is not on the cluster, or nobody answers there.
_ELSEWHERE: Final = frozenset(
    {
        Reason.MISSING_FILE,
        Reason.UNREADABLE,
        Reason.NEEDS,
        Reason.NO_CLUSTER,
        Reason.NO_SANDBOX,
        Reason.UNAUTHORIZED,
        Reason.DEFECT,
        Reason.BEYOND_EVALUATOR,
    }
)


def asks_why(results: Iterable[CheckResult]) -> bool:
    """Tell whether a check that looked at the cluster leaves anything to explain."""
    return any(
        result.half is Half.CLUSTER
        and result.level is not Level.REMARK
        and result.verdict in (Verdict.FAILED, Verdict.UNFINISHED, Verdict.BLOCKED, Verdict.UNKNOWN)
        and not result.left_out
        and result.reason not in _ELSEWHERE
        for result in results
    )


def diagnose(
    lab: Lab, exercise: Exercise, workspace: Workspace, cluster: Cluster, results: Sequence[CheckResult]
) -> tuple[tuple[Finding, ...], tuple[Message, ...]]:
    """Return what is wrong with what the exercise has on the cluster, and what could not be looked at.

    Never raises: a defect of one family of symptoms costs that family.
    """
    look = Look(cluster, scope_of(exercise, workspace))
    found = list(_guarded("told", lambda: told.symptoms(results)))
    for family in _FAMILIES:
        found += _guarded(family.__module__, lambda family=family: family(look))  # type: ignore[misc]  # mypy cannot infer a default
    findings = [_finding(lab, exercise, symptom) for symptom in _distinct(found)]
    return tuple(findings[:_MOST]), tuple(look.complaints())


def scope_of(exercise: Exercise, workspace: Workspace) -> Scope:
    """Return what on a cluster belongs to an exercise: where it says it lives, and what its files name."""
    plan = exercise.cluster
    objects = [named for document in _documents(exercise, workspace) if (named := _named(document))]
    return Scope(plan.namespaces, plan.workloads, tuple(dict.fromkeys(objects)))


def _documents(exercise: Exercise, workspace: Workspace) -> Iterator[Document]:
    for path in exercise.deliverables:
        path = workspace.spelling(path)
        if path.endswith((".yaml", ".yml")):
            try:
                yield from workspace.documents(path, dialect=exercise.dialect)
            except Unreadable:
                continue  # the file half says so


def _named(document: Document) -> Named | None:
    name, prefix = document.get("metadata", "name"), document.get("metadata", "generateName")
    namespace = document.get("metadata", "namespace")
    if not isinstance(name or prefix, str) or not isinstance(document.get("apiVersion"), str):
        return None
    place = namespace if isinstance(namespace, str) else None
    return Named(kind_of(document), str(name or prefix), place, generated=not name)


def _guarded(family: str, read: Callable[[], Iterator[Symptom]]) -> list[Symptom]:
    found: list[Symptom] = []
    try:
        found.extend(read())
    except Exception as error:  # a diagnosis is advice: its defects must cost no verdict
        log.warning(
            "%s: %s: %s",
            family,
            type(error).__name__,
            error,
            exc_info=bool(os.environ.get("WORKSHOP_DEBUG")),
        )
    return found


def _distinct(symptoms: Iterable[Symptom]) -> list[Symptom]:
    """Return one symptom for each trouble, causes before consequences."""
    first: dict[tuple[Sign, str], Symptom] = {}
    for symptom in symptoms:
        first.setdefault((symptom.id, symptom.group or symptom.object), symptom)
    return sorted(first.values(), key=lambda symptom: _ORDER[symptom.id])


def _finding(lab: Lab, exercise: Exercise, symptom: Symptom) -> Finding:
    entry = entry_for(lab, exercise, symptom.id)
    return Finding(
        id=symptom.id.value,
        object=symptom.object,
        message=symptom.message,
        since=symptom.since,
        entry=entry.id if entry else None,
        symptom=entry.symptom if entry else None,
        cause=entry.cause if entry else None,
        remedy=entry.remedy if entry else None,
    )
