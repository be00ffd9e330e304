"""Bonus 1 on a cluster – what the Rollouts controller makes of the Rollout."""

from __future__ import annotations

import re
from typing import Final

from workshop.checking import Exam, Text, check, cluster, must
from workshop.rollouts import ROLLOUT
from workshop.verdicts import Reason, Source

from ..canary_rollout import PATH, SERVICE
from ._applied import in_sandbox
from ._objects import judge_taken, named
from ._places import place_of

_ELSEWHERE: Final = re.compile(r"ClusterAnalysisTemplate '[^']*' not found")


@check(level=must, half=cluster)
def taken_by_the_cluster(exam: Exam) -> None:
    """The cluster takes the Rollout.

    Its schema is the judge that counts: what it refuses is never stored.
    """
    judge_taken(exam, exam.resource(PATH, kinds=[ROLLOUT], named=SERVICE))


@check(level=must, half=cluster, needs=[taken_by_the_cluster])
def controller_agrees(exam: Exam) -> None:
    """The Rollouts controller finds nothing wrong with it.

    What a Rollout refers to is looked up by the controller: a name that does not exist stops it there.
    """
    document = exam.resource(PATH, kinds=[ROLLOUT], named=SERVICE)
    current = named(exam, document) or {}
    status = current.get("status", {})
    phase, message = str(status.get("phase", "–")), str(status.get("message", ""))
    invalid = [
        str(each.get("message"))
        for each in status.get("conditions", [])
        if isinstance(each, dict) and each.get("type") == "InvalidSpec"
    ]
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
