"""A run of the pipeline, read from what Tekton's controller did: its outcome, and the order of its stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from workshop.checking import Document, Exam, Text
from workshop.cluster.port import Object
from workshop.cluster.reading import items, labels_of, name_of
from workshop.tekton import PipelineRun, PipelineSpec
from workshop.verdicts import Reason, Source

from .._tekton_run import pipeline_of
from .._tekton_stages import BUILD, CLONE, FILES, STAGES, Stages, reference_of, tasks_at_hand
from ._applied import in_sandbox
from ._places import place_of
from ._tekton import outcome
from ._tekton_there import another_version, carried_out

_PIPELINE_RUN, _TASK_RUN = "PipelineRun.tekton.dev", "TaskRun.tekton.dev"


def newest_run(exam: Exam, labels: str) -> Object | None:
    """Return the newest run that succeeded, else the newest; None when there is none."""
    runs = sorted(
        exam.cluster.list(_PIPELINE_RUN, labels=labels),
        key=lambda run: (outcome(run)[0] is True, str(run.get("metadata", {}).get("creationTimestamp"))),
    )
    return runs[-1] if runs else None


def need_tasks(exam: Exam, pipeline: PipelineSpec, namespace: str) -> None:
    """End the check where a Task that is not this exercise's matter is missing beside the Pipeline.

    That is one of the exercises before, or one that somebody may have installed on a real cluster.
    """
    if not in_sandbox(exam):
        return
    taken = {
        str(each.document.get("metadata", "name"))
        for each in exam.applied
        if each.document.get("kind") == "Task"
        and each.decision
        and each.decision.object
        and each.decision.object["metadata"]["namespace"] == namespace
    }
    referred = {task.reference for task in pipeline.all_tasks if task.reference}
    complete = all(Stages(pipeline, tasks_at_hand(exam)).by_stage.values())
    missing = sorted(
        name
        for name in referred - taken - {CLONE}
        if name in FILES or complete  # else it is misspelt
    )
    if missing:
        exam.blocked(
            "tasks-missing",
            Text("The Tasks that the Pipeline refers to are there"),
            reason=Reason.MISSING_FILE,
            observed=Text(
                "missing in the namespace {namespace}, or refused: {names}",
                namespace=namespace,
                names=", ".join(missing),
            ),
        )


def judge_run(exam: Exam, document: Document, pipeline: PipelineSpec, run: Object) -> None:
    """Record the outcome of a run, and that its five stages went one after the other.

    `document` is the object a failure is shown in; in the sandbox no container ran, so what is judged is
    the pipeline's wiring alone.
    """
    name = name_of(run)
    succeeded, words = outcome(run)
    exam.fact(
        "run-failed",
        Text("The controller carries the run through"),
        succeeded,
        expected="Succeeded: True",
        observed=words,
        next=Text("Read the reason first, then the message: tkn pipelinerun describe {name}", name=name),
        where=place_of(document, words) if succeeded is False else Source(object=f"PipelineRun/{name}"),
        reason=Reason.TIMEOUT if succeeded is None else None,
    )
    if not succeeded:
        return
    if in_sandbox(exam):
        _judge_stages(exam, pipeline, run)
        return
    made_of = carried_out(run, pipeline)
    if _wiring(made_of) == _wiring(pipeline):
        _judge_stages(exam, pipeline, run)
        return
    with another_version(exam, f"PipelineRun/{name}", pipeline.view.document.file):
        _judge_stages(exam, made_of, run)


def _wiring(pipeline: PipelineSpec) -> list[tuple[str, list[str], str]]:
    return [(task.name, task.view.texts("runAfter"), reference_of(task)) for task in pipeline.all_tasks]


def judge_stages_present(exam: Exam, stages: Stages) -> None:
    """Record which of the five stages a Pipeline has."""
    for stage in STAGES:
        exam.fact(
            "stage-missing",
            Text("The run has the stage {stage}", stage=stage),
            bool(stages.by_stage[stage]),
            expected=stage,
            observed=", ".join(task.name for task in stages.pipeline.all_tasks) or "–",
            next=Text("Add a task to the Pipeline that refers to {stage}.", stage=stage),
            where=stages.pipeline.view.at("tasks"),
        )


def _judge_stages(exam: Exam, pipeline: PipelineSpec, run: Object) -> None:
    """Record that a run has all five stages, and that they went one after the other."""
    name, namespace = name_of(run), str(run["metadata"].get("namespace"))
    stages = Stages(pipeline, tasks_at_hand(exam))
    judge_stages_present(exam, stages)
    by_stage = {stage: [task.name for task in tasks] for stage, tasks in stages.by_stage.items()}
    _judge_skipped(exam, by_stage, run)
    seen = exam.cluster.changes(_TASK_RUN, namespace=namespace, since=_version_before(exam))
    mine = f"tekton.dev/pipelineRun={name}"
    spans = _spans(seen, name) if seen is not None else _times(exam.cluster.list(_TASK_RUN, labels=mine))
    for first, second in pairwise(stage for stage in STAGES if by_stage[stage]):
        _judge_pair(exam, pipeline, by_stage, spans, (first, second))


def _judge_skipped(exam: Exam, by_stage: Mapping[str, list[str]], run: Object) -> None:
    """Record the stages that the controller has left out: a run may end well without them."""
    why = {
        str(each.get("name")): str(each.get("reason", "–")) for each in items(run, "status", "skippedTasks")
    }
    for stage, tasks in by_stage.items():
        if tasks and all(task in why for task in tasks):
            exam.fact(
                "stage-skipped",
                Text("The run goes through {stage}", stage=stage),
                met=False,
                observed=Text("skipped: {reason}", reason=why[tasks[0]]),
                next=Text("Look at the `when` of the task: what is left out has not been shown to work."),
                where=Source(object=f"PipelineRun/{name_of(run)}", field="status.skippedTasks"),
            )


def built(exam: Exam, document: Document, run: Object | None) -> list[str]:
    """Return the results that the build of a run has written: among them the digest, if it does."""
    written = pipeline_of(exam, PipelineRun.of(document))
    if run is None or written is None:
        return []
    pipeline = written if in_sandbox(exam) else carried_out(run, written)
    tasks = [task.name for task in Stages(pipeline, tasks_at_hand(exam)).by_stage[BUILD]]
    return [
        str(result.get("value")).strip()
        for each in exam.cluster.list(_TASK_RUN, labels=f"tekton.dev/pipelineRun={name_of(run)}")
        if labels_of(each).get("tekton.dev/pipelineTask") in tasks
        for result in items(each, "status", "results")
    ]


def _version_before(exam: Exam) -> str:
    """Return a resource version from before the run's first Task; none on a cluster that has a past."""
    versions = [
        str(each.decision.object["metadata"]["resourceVersion"])
        for each in exam.applied
        if each.decision and each.decision.object
    ]
    return versions[-1] if versions else ""


def _spans(seen: Sequence[Object], run: str) -> dict[str, tuple[float, float]]:
    """Return by pipeline task when its TaskRun appeared and when it had succeeded, counted in changes."""
    began: dict[str, float] = {}
    ended: dict[str, float] = {}
    for moment, each in enumerate(seen):
        labels = each.get("metadata", {}).get("labels", {})
        task = str(labels.get("tekton.dev/pipelineTask"))
        if labels.get("tekton.dev/pipelineRun") != run:
            continue
        began.setdefault(task, moment)
        if outcome(each)[0] is not None:
            ended.setdefault(task, moment)
    return {task: (began[task], end) for task, end in ended.items()}


def _times(runs: Sequence[Object]) -> dict[str, tuple[str, str]]:
    """Return by pipeline task when it was started and completed, to the second."""
    return {
        str(each.get("metadata", {}).get("labels", {}).get("tekton.dev/pipelineTask")): (
            str(each.get("status", {}).get("startTime", "")),
            str(each.get("status", {}).get("completionTime", "")),
        )
        for each in runs
    }


def _judge_pair(
    exam: Exam,
    pipeline: PipelineSpec,
    by_stage: Mapping[str, list[str]],
    spans: Mapping[str, tuple[float, float]] | Mapping[str, tuple[str, str]],
    pair: tuple[str, str],
) -> None:
    first, second = pair
    earlier = [spans[name] for name in by_stage[first] if name in spans]
    later = [spans[name] for name in by_stage[second] if name in spans]
    held: bool | None = None
    if earlier and later:
        held = all(any(one[1] <= other[0] for one in earlier) for other in later)  # type: ignore[operator]  # both times or both counts
    exam.fact(
        "stages-overlap",
        Text("{second} begins when {first} has ended", second=second, first=first),
        held,
        expected=Text("one after the other"),
        observed=Text("{second} had begun before", second=second) if held is False else None,
        next=Text("Name the task before it in `runAfter`, by the name it has in this Pipeline."),
        where=pipeline.view.at("tasks"),
        reason=Reason.UNAVAILABLE if held is None else None,
    )
