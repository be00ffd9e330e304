"""What became of a chaos experiment: its result, the reason there is none, and the trace it left."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from workshop.checking import Exam, Stop, Text
from workshop.cluster.port import Object
from workshop.cluster.reading import items, made_at, moment, name_of, namespace_of, part, seconds_old
from workshop.verdicts import Reason, Source, Verdict

from ..chaos_pod_delete import FAULT
from ..slo_recording_rules import SUCCESS
from ._chaos import Run
from ._payment import payment_workloads, pods_of
from ._prometheus import need_prometheus, numbers

# An operator that watches the namespace says something within seconds.
PATIENCE: Final = 60.0
# The statement's hypothesis; the window of the rate is over ten minutes after the longest run.
GOAL: Final = 0.99
WINDOW: Final = timedelta(minutes=10)
_NO_ACCOUNT: Final = re.compile(r"serviceaccounts? \"?[\w.-]+\"? (?:is )?not found", re.IGNORECASE)
_ADVICE: Final[dict[str, Text]] = {
    "chaos-running": Text("It has not ended yet: wait for the duration and half a minute, then look again."),
    "chaos-stopped": Text("Somebody stopped it. Set engineState to active and apply the engine again."),
    "chaos-target-not-found": Text(
        "Ask kubectl with the engine's own words: namespace, kind and label must meet a workload."
    ),
    "chaos-forbidden": Text("The account of the engine lacks a right: the message names verb and resource."),
    "chaos-error": Text("The code says in which step it broke: look at the log of the experiment's Pod."),
}


def judge_result(exam: Exam, run: Run) -> None:
    """Record what Litmus says about an experiment that left a result."""
    code, why = run.error
    waiting = run.phase in ("", "Running") or (run.phase == "Completed" and run.verdict == "Awaited")
    met = True if run.executed else None if waiting else False
    identity = "executed" if met else _mistake(run, code, why)
    exam.fact(
        identity,
        Text("The experiment ran to its end"),
        met,
        expected="phase: Completed, verdict: Pass",
        observed=f"phase: {run.phase or '–'}, verdict: {run.verdict or '–'}"
        + "".join(f", {each}" for each in (code, why[:400]) if each and not run.executed),
        next=_ADVICE.get(identity),
        where=Source(object=f"ChaosResult/{run.namespace}/{name_of(run.result)}"),
        reason=Reason.TIMEOUT if met is None else None,
    )


def _mistake(run: Run, code: str, why: str) -> str:
    if run.phase == "Stopped" or run.verdict == "Stopped":
        return "chaos-stopped"
    if code == "TARGET_SELECTION_ERROR":
        return "chaos-target-not-found"
    if "forbidden" in why:
        return "chaos-forbidden"
    return "chaos-running" if run.phase in ("", "Running") else "chaos-error"


def judge_without_result(exam: Exam, run: Run) -> None:
    """Say why an engine has no result: what it was told, what its events tell, or that it is on its way."""
    status = str(part(run.engine, "status", "engineStatus") or "")
    told = [
        str(each.get("status"))
        for each in items(run.engine, "status", "experiments")
        if each.get("name") == FAULT
    ]
    warnings = [
        each
        for each in exam.cluster.list(
            "Event", namespace=run.namespace, fields=f"involvedObject.name={run.name}"
        )
        if each.get("type") == "Warning" and part(each, "involvedObject", "kind") == "ChaosEngine"
    ]
    words = [f"{each.get('reason')}: {each.get('message')}" for each in warnings]
    said = " · ".join([*(each for each in told if each != "None"), *words])
    if "ExperimentNotFound" in said or "ChaosExperiment Not Found" in said:
        identity, advice = "experiment-not-found", Text("Apply the hub's file of the fault to its namespace.")
    elif _NO_ACCOUNT.search(said) or "ChaosResourcesOperationFailed" in said:
        identity, advice = (
            "chaos-resources-failed",
            Text("The operator could not start the runner: look for the account first, then for policies."),
        )
    elif part(run.engine, "spec", "engineState") == "stop":
        identity, advice = "chaos-stopped", _ADVICE["chaos-stopped"]
    elif status == "initialized":
        identity, advice = "chaos-running", _ADVICE["chaos-running"]
    elif status:
        identity, advice = "chaos-error", _ADVICE["chaos-error"]
    else:
        identity, advice = (
            "engine-idle",
            Text("No operator has noticed it: does the operator watch this namespace, or its own alone?"),
        )
    waiting = identity == "chaos-running" or (
        identity == "engine-idle" and seconds_old(run.engine) < PATIENCE
    )
    exam.fact(
        identity,
        Text("The experiment ran to its end"),
        None if waiting else False,
        expected="engineStatus: completed",
        observed=f"engineStatus: {status or '–'}" + (f" · {said[:400]}" if said else ""),
        next=advice,
        where=run.place,
        reason=Reason.TIMEOUT if waiting else None,
    )


def judge_trace(exam: Exam, run: Run) -> None:
    """Record whether Pods have come and gone since the experiment began."""
    began = made_at(run.result) or made_at(run.engine)
    workloads = payment_workloads(exam)
    pods = pods_of(exam, *workloads)
    younger = [pod for pod in pods if began and (made := made_at(pod)) and made >= began]
    killed = [] if younger else _killings(exam, workloads, began)
    observed: Text | str = Text("no Pod at all")
    if pods:
        observed = Text("the youngest Pod is of {moment}", moment=str(max(map(made_at, pods), key=str)))
    exam.fact(
        "nothing-deleted",
        Text("Pods of the payment-service are younger than the experiment"),
        True if younger or killed else None if not pods else False,
        expected=Text("a Pod made after {moment}", moment=str(began)),
        observed=", ".join(map(name_of, younger)) or observed,
        next=Text("Compare the engine's target with these Pods; a probe that fails early ends it before."),
        where=run.place,
        reason=None if pods or killed else Reason.UNAVAILABLE,
    )


def _killings(exam: Exam, workloads: list[Object], began: Any) -> list[Object]:
    """Return the events of containers that were killed since then, where they have not expired yet."""
    names = tuple(f"{name_of(each)}-" for each in workloads)
    spaces = {namespace_of(each) for each in workloads}
    return [
        event
        for space in sorted(spaces)
        for event in exam.cluster.list("Event", namespace=space, fields="reason=Killing")
        if str(part(event, "involvedObject", "name")).startswith(names)
        and (seen := moment(event.get("lastTimestamp") or event.get("eventTime"))) is not None
        and began is not None
        and seen >= began
    ]


def judge_success_rate(exam: Exam, run: Run) -> None:
    """Record the lowest success rate that Prometheus has recorded since the experiment began."""
    found = need_prometheus(exam)
    rules = found.recording(SUCCESS)
    if not rules:
        exam.fact(
            "record-not-loaded",
            Text("{name} is recorded", name=SUCCESS),
            met=False,
            expected=f"record: {SUCCESS}",
            observed=Text("no Prometheus has it"),
            next=Text("Exercise 3.1 records it."),
        )
        raise Stop(Verdict.BLOCKED, Reason.NEEDS)
    began, now = made_at(run.result) or made_at(run.engine), datetime.now(UTC)
    end = min(now, began + WINDOW) if began else now
    seconds = max(1, math.ceil((end - (began or end)).total_seconds()))
    query = f"min_over_time({SUCCESS}[{seconds}s])"
    server = rules[0].server
    values = numbers(server, server.ask("query", query=query, time=f"{end.timestamp():.3f}"))
    lowest = min((each for each in values if not math.isnan(each)), default=None)
    exam.fact(
        "success-rate-fell",
        Text("The success rate stayed above 99 % while Pods were deleted"),
        None if lowest is None else lowest > GOAL,
        expected="> 0.99",
        observed=f"{lowest:g}" if lowest is not None else Text("no sample of that time"),
        next=Text(
            "That is a result: a rate over five minutes dilutes a short dip, so look closer, and say why."
        ),
        where=Source(object=f"Prometheus/{rules[0].server}", field=query),
        reason=None if lowest is not None else Reason.UNAVAILABLE,
    )
