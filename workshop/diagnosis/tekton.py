"""Runs that failed, in the words of Tekton's controller: only the newest run of a Pipeline or Task counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from workshop.cluster.port import Object
from workshop.diagnosis.look import Look, conditions, owners
from workshop.diagnosis.refusals import image_sign, sign_of
from workshop.diagnosis.symptom import Sign, Symptom, one_line, shown

_PIPELINE_RUN, _TASK_RUN = "PipelineRun.tekton.dev", "TaskRun.tekton.dev"
_SCAN: Final = "trivy-scan"
_OVER_QUOTA: Final = "ExceededResourceQuota"
_BY_REASON: Final = {
    "CouldntGetTask": Sign.TASK_MISSING,
    "TaskRunResolutionFailed": Sign.TASK_MISSING,
    "CouldntGetPipeline": Sign.PIPELINE_MISSING,
    "ParameterMissing": Sign.PARAMETER_MISSING,
    "ParamMissing": Sign.PARAMETER_MISSING,
    "InvalidWorkspaceBindings": Sign.WORKSPACE_UNBOUND,
    "InvalidWorkspaceBinding": Sign.WORKSPACE_UNBOUND,
    _OVER_QUOTA: Sign.QUOTA_EXCEEDED,
    "PodAdmissionFailed": Sign.POD_SECURITY,
    "CreateContainerConfigError": Sign.CONTAINER_CONFIG,
    "PipelineRunTimeout": Sign.RUN_TIMED_OUT,
    "TaskRunTimeout": Sign.RUN_TIMED_OUT,
}
# Reasons that say little by themselves; the message says which of its causes it was.
_BY_MESSAGE: Final = (
    (Sign.TWO_CLAIMS, re.compile(r"more than one PersistentVolumeClaim is bound")),
    (Sign.PARAMETER_MISSING, re.compile(r"missing values for these params|didn't need these params")),
    (Sign.WORKSPACE_UNBOUND, re.compile(r"workspace .{0,120}(?:required but has not been bound|not bound)")),
    (Sign.TASK_MISSING, re.compile(r'tasks(?:\.tekton\.dev)? "[^"]*" not found')),
)
_IMAGE: Final = re.compile(r'image "([^"]+)"')
_STARTED_NEVER: Final = ("StartError", "ContainerCannotRun")


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield why the newest runs of the exercise failed; those of one Task first, they know the cause."""
    every = list(look.among(_PIPELINE_RUN))
    current = _newest(every, lambda run: _referred(run, "tekton.dev/pipeline", "pipelineRef"))
    latest = {_name(run) for run in current}
    over = {_name(run) for run in every} - latest
    task_runs = [run for run in look.among(_TASK_RUN) if _run_of(run) not in over]
    for run in _newest(
        task_runs,
        # All of one PipelineRun belong together.
        lambda run: _name(run) if _run_of(run) in latest else _referred(run, "tekton.dev/task", "taskRef"),
    ):
        yield from _judged(_TASK_RUN, run)
    for run in current:
        yield from _judged(_PIPELINE_RUN, run)


def _name(run: Object) -> tuple[object, ...]:
    return run["metadata"].get("namespace"), run["metadata"].get("name")


def _run_of(task_run: Object) -> tuple[object, ...] | None:
    """Return the PipelineRun a TaskRun belongs to, None for one that stands alone."""
    for owner in owners(task_run):
        if owner.get("kind") == "PipelineRun":
            return task_run["metadata"].get("namespace"), owner.get("name")
    return None


def _referred(run: Object, label: str, reference: str) -> tuple[object, ...]:
    """Return which Pipeline or Task a run is of; one that brings its own is of itself."""
    metadata = run["metadata"]
    name = (metadata.get("labels") or {}).get(label)
    name = name or (run.get("spec", {}).get(reference) or {}).get("name") or metadata.get("name")
    return metadata.get("namespace"), reference, name


def _newest(runs: Iterable[Object], of: Callable[[Object], tuple[object, ...]]) -> list[Object]:
    """Return the newest run of each Pipeline or Task: an older failure that was mended since is over."""
    ordered = sorted(runs, key=lambda run: str(run["metadata"].get("creationTimestamp")))
    return list({of(run): run for run in ordered}.values())


def _judged(kind: str, run: Object) -> Iterator[Symptom]:
    condition = conditions(run).get("Succeeded", {})
    message, reason = str(condition.get("message") or ""), str(condition.get("reason") or "")
    # A run that waits for room in a quota has not failed, and will not go on by itself either.
    if condition.get("status") != "False" and reason != _OVER_QUOTA:
        return
    sign = _sign(reason, message, run)
    if sign is not None:
        since = str(condition.get("lastTransitionTime") or "") or None
        yield Symptom(sign, shown(kind, run), one_line(f"{reason}: {message}"), since, shown(kind, run))


def _sign(reason: str, message: str, run: Object) -> Sign | None:
    if reason == "TaskRunImagePullFailed":
        image = _IMAGE.search(message)
        return image_sign(image[1] if image else "", message)
    if reason == "PodCreationFailed":
        sign = sign_of(message) or _by_message(message) or Sign.RUN_POD_REFUSED
        return Sign.RUN_POD_REFUSED if sign is Sign.REFUSED_BY_POLICY else sign
    return _BY_REASON.get(reason) or _by_message(message) or _by_step(run)


def _by_message(message: str) -> Sign | None:
    return next((sign for sign, pattern in _BY_MESSAGE if pattern.search(message)), None)


def _by_step(run: Object) -> Sign | None:
    """Return what a step that ended badly says: a scanner's exit code is the gate at work."""
    task = str((run["metadata"].get("labels") or {}).get("tekton.dev/task"))
    for step in run.get("status", {}).get("steps") or ():
        ended = step.get("terminated") or {}
        if not ended.get("exitCode"):
            continue
        if ended.get("reason") in _STARTED_NEVER or "executable file not found" in str(ended.get("message")):
            return Sign.START_ERROR
        if ended.get("reason") == "OOMKilled":
            return Sign.OUT_OF_MEMORY
        return Sign.SCAN_GATE if task == _SCAN and "trivy" in str(step) else Sign.STEP_FAILED
    return None
