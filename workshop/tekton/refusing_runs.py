"""The webhook's rules for PipelineRuns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workshop.manifests import Refusal, duration
from workshop.tekton.names import repeated
from workshop.tekton.pipeline import PipelineRun, PipelineSpec
from workshop.tekton.refusing_pipelines import of_pipeline_spec, undeclared
from workshop.tekton.refusing_references import of_reference
from workshop.tekton.task import Task
from workshop.tekton.variables import references
from workshop.tekton.view import View
from workshop.texts import Text

SOURCES: Final = (
    "volumeClaimTemplate", "persistentVolumeClaim", "emptyDir", "configMap", "secret", "projected", "csi"
)  # fmt: skip
_STATUS: Final = ("Cancelled", "CancelledRunFinally", "StoppedRunFinally", "PipelineRunPending")


def of_run(view: View, version: str) -> Iterator[Refusal]:
    """Yield why a PipelineRun is refused; `view` is its spec."""
    if view.has("pipelineRef") == view.has("pipelineSpec"):
        message = Text("A run needs exactly one of pipelineRef and pipelineSpec")
        yield Refusal("ref-or-spec", message, view.path)
    if view.has("pipelineRef"):
        yield from of_reference(view.sub("pipelineRef"))
    if view.has("pipelineSpec"):
        yield from _embedded(view, version)
    if version == "v1beta1" and view.has("resources"):
        message = Text("PipelineResources were removed from Tekton: {field} is refused", field="resources")
        yield Refusal("removed-field", message, (*view.path, "resources"))
    for section in ("params", "workspaces"):
        for each in repeated(view.items(section)):
            message = Text("The name {name} is given twice", name=each.text("name"))
            yield Refusal("name-twice", message, (*each.path, "name"))
    for each in view.items("params"):
        for reference in references(each.text("value")):
            if reference.scope == "tasks" and "results" in reference.names:
                message = Text(
                    "{variable}: a run cannot use results of its own tasks", variable=reference.text
                )
                yield Refusal("unknown-variable", message, (*each.path, "value"))
    for each in view.items("workspaces"):
        yield from _binding(each)
    if view.has("status") and view.text("status") not in _STATUS:
        message = Text("{value} is none of {known}", value=view.text("status"), known=", ".join(_STATUS))
        yield Refusal("invalid-value", message, (*view.path, "status"))
    yield from _timeouts(view)
    if view.has("timeout") and view.has("timeouts"):
        message = Text("{first} and {second} exclude each other", first="timeout", second="timeouts")
        yield Refusal("invalid-value", message, (*view.path, "timeout"))


def _timeouts(view: View) -> Iterator[Refusal]:
    """Yield the parts of a time limit that are longer than the whole, an hour where nothing is said."""
    whole = duration(view.text("timeouts", "pipeline") or "1h") or 0.0
    parts = {key: duration(view.text("timeouts", key)) or 0.0 for key in ("tasks", "finally")}
    if whole and view.has("timeouts") and (max(parts.values()) > whole or sum(parts.values()) > whole):
        message = Text("tasks and finally together may not take longer than pipeline")
        yield Refusal("timeouts", message, (*view.path, "timeouts"))


def _embedded(view: View, version: str) -> Iterator[Refusal]:
    inner = view.sub("pipelineSpec")
    pipeline = PipelineSpec(inner)
    yield from of_pipeline_spec(inner, version)
    # Parameters of the run reach an embedded Pipeline and its embedded Tasks without being declared there.
    known = {*PipelineRun(View(view.document)).parameters, *pipeline.parameters}
    for task in pipeline.all_tasks:
        known |= set(task.given)
        known |= set(Task(task.view.sub("taskSpec")).parameters)
    yield from undeclared(pipeline, known)


def _binding(view: View) -> Iterator[Refusal]:
    given = [key for key in SOURCES if view.get(key) is not None]
    name = view.text("name")
    if len(given) != 1:
        message = Text(
            "The workspace {name} needs exactly one source ({sources}), it has {count}",
            name=name,
            sources=", ".join(SOURCES[:3]),
            count=len(given),
        )
        yield Refusal("workspace-source", message, view.path)
    for source, field in (
        ("persistentVolumeClaim", "claimName"),
        ("configMap", "name"),
        ("secret", "secretName"),
    ):
        if given == [source] and not view.text(source, field):
            message = Text("A field is missing: {field}", field=f"{source}.{field}")
            yield Refusal("missing-field", message, (*view.path, source))
