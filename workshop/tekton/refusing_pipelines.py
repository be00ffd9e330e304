"""The webhook's rules for Pipelines, on their own and embedded in a PipelineRun."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Final

from workshop.manifests import Refusal
from workshop.tekton.declared import Parameter
from workshop.tekton.graph import Graph, results_used
from workshop.tekton.names import is_label, repeated
from workshop.tekton.pipeline import PipelineSpec, PipelineTask
from workshop.tekton.refusing_references import of_reference
from workshop.tekton.refusing_tasks import (
    of_task_spec,
    parameter_specs,
    undeclared_parameters,
    unknown_variable,
)
from workshop.tekton.task import Task
from workshop.tekton.variables import references
from workshop.tekton.view import View
from workshop.texts import Text

_ON_ERROR: Final = ("continue", "stopAndFail")


def of_pipeline(view: View, version: str) -> Iterator[Refusal]:
    """Yield why a Pipeline object is refused."""
    pipeline = PipelineSpec(view)
    yield from of_pipeline_spec(view, version)
    yield from undeclared(pipeline, pipeline.parameters)
    yield from _undeclared_workspaces(pipeline)


def of_pipeline_spec(view: View, version: str) -> Iterator[Refusal]:
    """Yield what is wrong with a Pipeline's spec wherever it stands."""
    pipeline = PipelineSpec(view)
    if not pipeline.all_tasks and not any(view.has(key) for key in ("description", "params", "workspaces")):
        yield Refusal("missing-field", Text("A field is missing: {field}", field="tasks"), view.path)
    if pipeline.finals and not pipeline.tasks:
        yield Refusal(
            "missing-field", Text("A field is missing: {field}", field="tasks"), (*view.path, "finally")
        )
    if version == "v1beta1" and view.has("resources"):
        yield _removed(view)
    yield from parameter_specs(view)
    for each in repeated(view.items("workspaces")):
        yield _double(each)
    for each in repeated([task.view for task in pipeline.all_tasks]):
        yield _double(each)
    for task in pipeline.all_tasks:
        yield from _task(task, version)
    yield from _graph(pipeline)
    yield from _finals(pipeline)
    yield from _results(pipeline)


def undeclared(pipeline: PipelineSpec, declared: Set[str] | dict[str, Parameter]) -> Iterator[Refusal]:
    """Yield the parameters that pipeline tasks use and nobody declares."""
    names = set(declared)
    arrays = {name for name, parameter in pipeline.parameters.items() if parameter.type == "array"}
    for task in pipeline.all_tasks:
        for text, path in task.texts():
            for reference in references(text):
                if reference.scope == "params" and reference.name not in names:
                    if ".".join(reference.names) not in names:
                        yield unknown_variable(reference, (*task.view.path, *path), sorted(names))
                elif (
                    reference.scope == "params"
                    and reference.name in arrays
                    and (reference.index is None or (reference.index == "*" and text != reference.text))
                ):
                    message = Text(
                        "{variable} is a list: hand it over whole, as {whole}",
                        variable=reference.text,
                        whole=f"$(params.{reference.name}[*])",
                    )
                    yield Refusal("array-in-text", message, (*task.view.path, *path))
        if task.embedded:
            inner = Task(task.view.sub("taskSpec"))
            yield from undeclared_parameters(inner, names | set(inner.parameters))


def _undeclared_workspaces(pipeline: PipelineSpec) -> Iterator[Refusal]:
    for task in pipeline.all_tasks:
        for each in task.view.items("workspaces"):
            name = each.text("workspace") or each.text("name")
            if name not in pipeline.workspaces:
                message = Text(
                    "{task} wants the workspace {name}, which the Pipeline does not declare: {known}",
                    task=task.name,
                    name=name,
                    known=", ".join(pipeline.workspaces) or "–",
                )
                yield Refusal("workspace-undeclared", message, each.path)


def _task(task: PipelineTask, version: str) -> Iterator[Refusal]:
    view = task.view
    if not is_label(task.name):
        message = Text("{name} is no name for a task: small letters, digits and hyphens", name=task.name)
        yield Refusal("invalid-name", message, (*view.path, "name"))
    given = [key for key in ("taskRef", "taskSpec", "pipelineRef", "pipelineSpec") if view.has(key)]
    if len(given) != 1:
        message = Text("{task} needs exactly one of taskRef and taskSpec", task=task.name)
        yield Refusal("ref-or-spec", message, view.path)
    for key in ("pipelineRef", "pipelineSpec"):
        if view.has(key):
            message = Text("{field} is behind a feature flag that is off", field=key)
            yield Refusal("feature-off", message, (*view.path, key))
    if version == "v1beta1" and view.has("resources"):
        yield _removed(view)
    yield from _reference(task)
    for key in ("apiVersion", "kind"):
        if view.has("taskSpec", key) and view.items("taskSpec", "steps"):
            message = Text("{field} cannot stand beside the steps of a taskSpec", field=key)
            yield Refusal("kind-of-embedded-task", message, (*view.path, "taskSpec", key))
    if task.embedded and not view.text("taskSpec", "apiVersion"):
        yield from of_task_spec(view.sub("taskSpec"), version)
    for section in ("params", "workspaces"):
        for each in repeated(view.items(section)):
            yield _double(each)
    on_error = view.text("onError")
    if on_error and on_error not in _ON_ERROR and not on_error.startswith("$(params"):
        message = Text("{value} is none of {known}", value=on_error, known=", ".join(_ON_ERROR))
        yield Refusal("invalid-value", message, (*view.path, "onError"))
    if on_error == "continue" and (view.get("retries") or 0) > 0:
        message = Text("onError: continue and retries exclude each other")
        yield Refusal("invalid-value", message, (*view.path, "onError"))
    for each in view.items("when"):
        yield from _when(each)


def _reference(task: PipelineTask) -> Iterator[Refusal]:
    view = task.view
    if not view.has("taskRef"):
        return
    kind, version = view.text("taskRef", "kind"), view.text("taskRef", "apiVersion")
    if kind not in ("", "Task") or version:
        # A kind of its own: a custom task, which needs both.
        if version.count("/") != 1:
            message = Text("{kind} is no kind of Task; ClusterTask was removed", kind=kind or "–")
            yield Refusal("task-kind", message, (*view.path, "taskRef"))
        return
    yield from of_reference(view.sub("taskRef"))


def _when(view: View) -> Iterator[Refusal]:
    if view.has("cel"):
        message = Text("{field} is behind a feature flag that is off", field="cel")
        yield Refusal("feature-off", message, (*view.path, "cel"))
        return
    if view.text("operator") not in ("in", "notin"):
        message = Text("{value} is none of {known}", value=view.text("operator") or "–", known="in, notin")
        yield Refusal("invalid-value", message, view.path)
    elif not view.get("values"):
        yield Refusal("missing-field", Text("A field is missing: {field}", field="values"), view.path)


def _graph(pipeline: PipelineSpec) -> Iterator[Refusal]:
    names = {task.name for task in pipeline.tasks}
    for task in pipeline.tasks:
        waited = [(name, ("runAfter", index)) for index, name in enumerate(task.run_after)]
        used = [(reference.name, path) for reference, path in results_used(task)]
        for name, path in (*waited, *used):
            if name not in names:
                message = Text(
                    "{task} waits for {name}, but no task of this Pipeline has that name: {known}",
                    task=task.name,
                    name=name,
                    known=", ".join(sorted(names)),
                )
                yield Refusal("unknown-task", message, (*task.view.path, *path))
    cycle = Graph(pipeline).cycle
    if cycle:
        where = next(task.view for task in pipeline.tasks if task.name == cycle[0])
        message = Text(
            "These tasks wait for each other in a circle: {tasks}", tasks=" ← ".join([*cycle, cycle[0]])
        )
        yield Refusal("cycle", message, (*where.path, "runAfter"))


def _finals(pipeline: PipelineSpec) -> Iterator[Refusal]:
    names = {task.name for task in pipeline.tasks}
    for task in pipeline.finals:
        if task.run_after:
            message = Text("Tasks under finally run at the end, all together: runAfter has no place there")
            yield Refusal("run-after-in-finally", message, (*task.view.path, "runAfter"))
        for text, path in task.texts():
            for reference in references(text):
                if reference.scope == "tasks" and len(reference.names) >= 2 and reference.name not in names:
                    yield unknown_variable(reference, (*task.view.path, *path), sorted(names))
    for task in pipeline.tasks:
        for text, path in task.texts():
            for reference in references(text):
                if reference.scope == "tasks" and reference.names[-1] in ("status", "reason"):
                    message = Text(
                        "{variable}: only tasks under finally see how others ended", variable=reference.text
                    )
                    yield Refusal("status-of-others", message, (*task.view.path, *path))


def _results(pipeline: PipelineSpec) -> Iterator[Refusal]:
    names = {task.name for task in pipeline.all_tasks}
    for each in pipeline.view.items("results"):
        value = each.get("value")
        values = value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]
        found = [ref for text in values if isinstance(text, str) for ref in references(text)]
        wanted = [ref for ref in found if ref.scope in ("tasks", "finally") and "results" in ref.names]
        if not wanted or any(ref.name not in names for ref in wanted):
            message = Text("The result {name} must come from a task of this Pipeline", name=each.text("name"))
            yield Refusal("result-from-nowhere", message, (*each.path, "value"))


def _removed(view: View) -> Refusal:
    message = Text("PipelineResources were removed from Tekton: {field} is refused", field="resources")
    return Refusal("removed-field", message, (*view.path, "resources"))


def _double(view: View) -> Refusal:
    message = Text("The name {name} is given twice", name=view.text("name"))
    return Refusal("name-twice", message, (*view.path, "name"))
