"""Bonus 1 on a cluster – what the Rollouts controller makes of the Rollout and of a new version."""

from __future__ import annotations

import re
from typing import Final

from workshop.checking import Document, Exam, Text, check, cluster, must, should
from workshop.cluster.port import Object
from workshop.cluster.reading import items, made_at, mapping, name_of, namespace_of, part
from workshop.rollouts import ROLLOUT
from workshop.verdicts import Reason, Source

from .._sre_rollout import PATH, SERVICE
from ._applied import in_sandbox
from ._objects import judge_taken, named
from ._places import place_of

_ELSEWHERE: Final = re.compile(r"ClusterAnalysisTemplate '[^']*' not found")
_RUN: Final = "AnalysisRun.argoproj.io"


def _document(exam: Exam) -> Document:
    return exam.resource(PATH, kinds=[ROLLOUT], named=SERVICE)


@check(level=must, half=cluster)
def taken_by_the_cluster(exam: Exam) -> None:
    """The cluster takes the Rollout.

    Its schema is the judge that counts: what it refuses is never stored.
    """
    judge_taken(exam, _document(exam))


@check(level=must, half=cluster, needs=[taken_by_the_cluster])
def controller_agrees(exam: Exam) -> None:
    """The Rollouts controller finds nothing wrong with it.

    What a Rollout refers to is looked up by the controller: a name that does not exist stops it there.
    """
    document = _document(exam)
    current = named(exam, document) or {}
    phase, message = (
        str(part(current, "status", "phase") or "–"),
        str(part(current, "status", "message") or ""),
    )
    invalid = [
        str(each.get("message"))
        for each in items(current, "status", "conditions")
        if each.get("type") == "InvalidSpec"
    ]
    if part(current, "status", "abort") is True and not invalid:
        _judge_abort(exam, current, message)
        return
    words = " ".join(invalid or [message])
    met = {"Healthy": True, "Paused": True, "Progressing": True, "Degraded": False}.get(phase)
    if in_sandbox(exam) and _ELSEWHERE.search(words):
        met = None  # the platform may offer it on the student's cluster
    exam.fact(
        "rollout-degraded",
        Text("The Rollout is healthy, or on its way"),
        met,
        expected="status.phase: Healthy",
        observed=f"{phase}: {words}" if words else phase,
        next=Text("kubectl argo rollouts get rollout {name} shows the same message.", name=SERVICE),
        where=place_of(document, words) if phase == "Degraded" else Source(object=f"Rollout/{SERVICE}"),
        reason=Reason.UNAVAILABLE if met is None else None,
    )


def _words(resource: Object) -> tuple[str, str]:
    """Return the phase and the message of a Rollout or an AnalysisRun."""
    return str(part(resource, "status", "phase") or "–"), str(part(resource, "status", "message") or "")


def _judge_abort(exam: Exam, current: Object, message: str) -> None:
    """An analysis that measured too little success has done its work; every other abort is an accident."""
    newest = _newest(exam, current)
    phase = str(part(newest, "status", "phase") or "–")
    exam.fact(
        "rolled-back" if phase == "Failed" else "rollout-aborted",
        Text("If the new version was taken back, its measured success rate was the reason"),
        phase == "Failed",
        expected="AnalysisRun: Failed",
        observed=f"AnalysisRun: {phase} · {message[:300]}",
        next=Text("kubectl argo rollouts retry rollout {name}, once the reason is gone.", name=SERVICE),
        where=_place(newest) if newest else Source(object=f"Rollout/{SERVICE}"),
    )


def _newest(exam: Exam, rollout: Object) -> Object | None:
    """Return the last analysis of a Rollout: the runs it owns."""
    runs = [
        each
        for each in exam.cluster.list(_RUN, namespace=namespace_of(rollout))
        if any(
            owner.get("kind") == "Rollout" and owner.get("name") == name_of(rollout)
            for owner in items(each, "metadata", "ownerReferences")
        )
    ]
    return max(runs, key=lambda each: str(made_at(each)), default=None)


def _place(run: Object) -> Source:
    return Source(object=f"AnalysisRun/{namespace_of(run)}/{name_of(run)}")


@check(level=should, half=cluster, containers=True, needs=[controller_agrees])
def analysis_can_measure(exam: Exam) -> None:
    """A new version was analysed, and the analysis could measure.

    The first version comes without an analysis. The gate has been tried once an update went through it.
    """
    current = named(exam, _document(exam)) or {}
    newest = _newest(exam, current)
    if newest is None:
        exam.unfinished(
            "never-analysed",
            Text("A new version was analysed"),
            observed=Text("there is no AnalysisRun of it"),
            next=Text("Change the image or a variable of the Pods, and watch the canary."),
            where=Source(object=f"Rollout/{SERVICE}"),
        )
    phase, message = _words(newest)
    met = {"Successful": True, "Failed": True, "Error": False, "Inconclusive": False}.get(phase)
    measured = [
        str(mapping(each).get("message"))
        for metric in items(newest, "status", "metricResults")
        for each in items(metric, "measurements")
        if each.get("phase") == "Error"
    ]
    exam.fact(
        {"Error": "analysis-error", "Inconclusive": "analysis-inconclusive"}.get(phase, "analysed"),
        Text("The last analysis came to a result"),
        met,
        expected="Successful | Failed",
        observed=" · ".join([phase, *(each[:300] for each in (message, *measured[:1]) if each)]),
        next=Text("Ask Prometheus the same query at the same address, from inside the cluster."),
        where=_place(newest),
        reason=Reason.TIMEOUT if met is None else None,
    )
