"""What a pipeline task must hand to its Task, and a run to its Pipeline.

Tekton finds these misfits only when a run begins, not when the objects are applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from workshop.tekton.declared import Parameter, Workspace
from workshop.tekton.graph import results_used
from workshop.tekton.pipeline import PipelineRun, PipelineSpec, PipelineTask
from workshop.tekton.scalars import type_of
from workshop.tekton.task import Task
from workshop.tekton.variables import references

Kind = Literal[
    "param-not-given",
    "param-of-other-type",
    "param-unknown",
    "workspace-not-bound",
    "workspace-unknown",
    "result-unknown",
]


class Misfit(NamedTuple):
    """Something asked for that is not given, or given and not asked for.

    `path` is below the pipeline task or the run; `other` is the Task or the Pipeline.
    """

    kind: Kind
    name: str
    other: str
    path: tuple[str | int, ...]


def task_misfits(task: PipelineTask, target: Task) -> list[Misfit]:
    """Compare a pipeline task with the Task it refers to."""
    found = _parameters(target.parameters, task.given, target.name, ("params",))
    return found + _workspaces(target.workspaces, task.bindings, target.name, ("workspaces",))


def result_misfits(pipeline: PipelineSpec, targets: Mapping[str, Task]) -> list[tuple[PipelineTask, Misfit]]:
    """Return the results that are used but that no Task declares. `targets`: pipeline task → its Task."""
    found = []
    for task in pipeline.all_tasks:
        for used, path in results_used(task):
            target = targets.get(used.name)
            if target is not None and used.names[2] not in target.results:
                found.append((task, Misfit("result-unknown", used.names[2], target.name, path)))
    return found


def run_misfits(run: PipelineRun, pipeline: PipelineSpec) -> list[Misfit]:
    """Compare a run with its Pipeline. What it gives beyond what is declared is ignored by Tekton."""
    given = {name: view.get("value") for name, view in run.parameters.items()}
    found = _parameters(pipeline.parameters, given, pipeline.name, ("spec", "params"))
    bindings = {name: name for name in run.workspaces}
    return found + _workspaces(pipeline.workspaces, bindings, pipeline.name, ("spec", "workspaces"))


def _parameters(
    declared: Mapping[str, Parameter], given: Mapping[str, Any], other: str, path: tuple[str | int, ...]
) -> list[Misfit]:
    found = [
        Misfit("param-not-given", name, other, path)
        for name, parameter in declared.items()
        if parameter.required and name not in given
    ]
    for index, (name, value) in enumerate(given.items()):
        if name not in declared:
            found.append(Misfit("param-unknown", name, other, (*path, index)))
        elif type_of(value) != declared[name].type and not _filled_in_later(value):
            found.append(Misfit("param-of-other-type", name, other, (*path, index, "value")))
    return found


def _filled_in_later(value: Any) -> bool:
    """Whether a whole array or object is substituted into what is still a text."""
    return isinstance(value, str) and bool(references(value))


def _workspaces(
    declared: Mapping[str, Workspace], bound: Mapping[str, str], other: str, path: tuple[str | int, ...]
) -> list[Misfit]:
    missing = [
        Misfit("workspace-not-bound", name, other, path)
        for name, workspace in declared.items()
        if not workspace.optional and name not in bound
    ]
    unknown = [
        Misfit("workspace-unknown", name, other, (*path, index))
        for index, name in enumerate(bound)
        if name not in declared
    ]
    return missing + unknown
