"""Runs of Tekton on a cluster: how they ended, in its own words."""

from __future__ import annotations

from workshop.checking import Exam, Text
from workshop.cluster.port import Object
from workshop.verdicts import Reason, Source


def judge_has_run(exam: Exam, task: str) -> None:
    """Record whether a run of a Task has ever succeeded, with containers that really ran."""
    runs = exam.cluster.list("TaskRun.tekton.dev", labels=f"tekton.dev/task={task}")
    if not runs:
        exam.unfinished(
            "never-run",
            Text("{task} has run", task=task),
            observed=Text("there is no TaskRun of it"),
            next=Text("Run it alone, or the whole pipeline of exercise 4.7."),
            where=Source(object=f"Task/{task}"),
        )
    newest = max(runs, key=lambda run: str(run.get("metadata", {}).get("creationTimestamp")))
    good = any(outcome(run)[0] for run in runs)
    exam.fact(
        "run-failed",
        Text("A run of {task} has succeeded", task=task),
        good or outcome(newest)[0],
        expected="Succeeded: True",
        observed=None if good else outcome(newest)[1],
        next=Text("Read its log: tkn taskrun logs --last"),
        where=Source(object=f"TaskRun/{newest.get('metadata', {}).get('name')}"),
        reason=None if good or outcome(newest)[0] is False else Reason.TIMEOUT,
    )


def outcome(run: Object) -> tuple[bool | None, str]:
    """Return whether a run succeeded (None: it has not ended), and Tekton's own words."""
    conditions = run.get("status", {}).get("conditions", [])
    for each in conditions if isinstance(conditions, list) else []:
        if isinstance(each, dict) and each.get("type") == "Succeeded":
            words = f"{each.get('reason')}: {each.get('message', '')}"
            return {"True": True, "False": False}.get(str(each.get("status"))), words[:500]
    return None, "–"
