"""The webhook's rules for Tasks, on their own and embedded in a Pipeline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from posixpath import normpath
from typing import Final

from workshop.manifests import Refusal
from workshop.tekton.declared import Parameter
from workshop.tekton.names import is_label, repeated
from workshop.tekton.scalars import type_of
from workshop.tekton.task import Step, Task
from workshop.tekton.variables import Reference, references
from workshop.tekton.view import Path, View
from workshop.texts import Text

_NAME: Final = re.compile(r"[_a-zA-Z][_a-zA-Z0-9.-]*")
_RESULT: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_TYPES: Final = ("string", "array", "object")
_ON_ERROR: Final = ("continue", "stopAndFail")
_BESIDE_REF: Final = ("image", "command", "args", "script", "workingDir", "env", "volumeMounts", "results")
# $(context.…): what there is to know about the run.
_CONTEXT: Final = {"taskRun": {"name", "namespace", "uid"}, "task": {"name", "retry-count"}}


def of_task(view: View, version: str) -> Iterator[Refusal]:
    """Yield why a Task object is refused."""
    task = Task(view)
    yield from of_task_spec(view, version)
    yield from undeclared_parameters(task, task.parameters)


def of_task_spec(view: View, version: str) -> Iterator[Refusal]:
    """Yield what is wrong with a Task's spec wherever it stands."""
    task = Task(view)
    if not task.steps:
        yield Refusal("missing-field", Text("A field is missing: {field}", field="steps"), view.path)
    if version == "v1beta1" and view.has("resources"):
        message = Text("PipelineResources were removed from Tekton: {field} is refused", field="resources")
        yield Refusal("removed-field", message, (*view.path, "resources"))
    yield from parameter_specs(view)
    for name, parameter in task.parameters.items():
        if not _NAME.fullmatch(name):
            message = Text("{name} is no name for a parameter", name=name)
            yield Refusal("invalid-name", message, (*parameter.view.path, "name"))
    for each in repeated(view.items("volumes")):
        yield _double(each)
    yield from _workspaces(task)
    yield from _steps(task)
    for sidecar in view.items("sidecars"):
        if not sidecar.text("image"):
            yield Refusal("missing-field", Text("A field is missing: {field}", field="image"), sidecar.path)
        yield from _script_or_command(sidecar)
    for result in view.items("results"):
        yield from _result(result)
    yield from _variables(task)


def parameter_specs(view: View) -> Iterator[Refusal]:
    """Yield what is wrong with declared parameters."""
    declared = view.items("params")
    for each in repeated(declared):
        yield _double(each)
    for each in declared:
        parameter = Parameter(each.text("name"), each)
        if parameter.type not in _TYPES:
            message = Text("{type} is no type of parameter: string, array or object", type=parameter.type)
            yield Refusal("invalid-type", message, (*each.path, "type"))
            continue
        if each.has("default") and type_of(parameter.default) != parameter.type:
            message = Text(
                "The default of {name} is not of its type, {type}", name=parameter.name, type=parameter.type
            )
            yield Refusal("default-of-other-type", message, (*each.path, "default"))
        if parameter.type == "object" and not each.has("properties"):
            message = Text("A field is missing: {field}", field=f"{parameter.name}.properties")
            yield Refusal("missing-field", message, each.path)
        if each.has("enum"):
            message = Text("{field} is behind a feature flag that is off", field="enum")
            yield Refusal("feature-off", message, (*each.path, "enum"))


def undeclared_parameters(task: Task, declared: Set[str] | dict[str, Parameter]) -> Iterator[Refusal]:
    """Yield the parameters that steps use and nobody declares."""
    for text, path in _texts(task):
        for reference in references(text):
            if reference.scope != "params" or reference.text.startswith("$(inputs."):
                continue  # the old spelling is filled in, and never checked
            if "." in reference.text and "[" not in reference.text and len(reference.names) > 2:
                message = Text(
                    "{variable} has too many dots: a parameter and a key, no more", variable=reference.text
                )
                yield Refusal("unknown-variable", message, path)
            elif reference.name not in declared and ".".join(reference.names) not in declared:
                yield unknown_variable(reference, path, sorted(declared))


def unknown_variable(reference: Reference, path: Path, known: Sequence[str]) -> Refusal:
    """Return the refusal of a variable that nothing declares."""
    message = Text(
        "{variable} is not declared; declared: {known}",
        variable=reference.text,
        known=", ".join(known) or "–",
    )
    return Refusal("unknown-variable", message, path)


def _workspaces(task: Task) -> Iterator[Refusal]:
    declared = task.view.items("workspaces")
    for each in repeated(declared):
        yield _double(each)
    containers = [*task.view.items("steps"), task.view.sub("stepTemplate")]
    taken = {
        normpath(mount.text("mountPath"))
        for container in containers
        for mount in container.items("volumeMounts")
    }
    for each in declared:
        path = normpath(each.text("mountPath") or f"/workspace/{each.text('name')}")
        if path in taken:
            message = Text("Two things are mounted at {path}", path=path)
            yield Refusal("mount-path-twice", message, each.path)
        taken.add(path)
    for container in (*task.view.items("steps"), *task.view.items("sidecars")):
        for used in container.items("workspaces"):
            if used.text("name") not in task.workspaces:
                message = Text("The workspace {name} is not declared", name=used.text("name"))
                yield Refusal("workspace-undeclared", message, used.path)


def _steps(task: Task) -> Iterator[Refusal]:
    named = [each.view for each in task.steps if each.view.text("name")]
    for view in repeated(named):
        yield _double(view)
    for step in task.steps:
        view = step.view
        name = view.text("name")
        if name and not is_label(name):
            message = Text("{name} is no name for a step: small letters, digits and hyphens", name=name)
            yield Refusal("invalid-name", message, (*view.path, "name"))
        if view.has("ref"):
            for key in _BESIDE_REF:
                if view.has(key):
                    message = Text("{field} cannot stand beside ref", field=key)
                    yield Refusal("ref-and-more", message, (*view.path, key))
        else:
            if not step.image:
                yield Refusal("missing-field", Text("A field is missing: {field}", field="image"), view.path)
            if view.has("params"):
                message = Text("{field} belongs to a step with ref", field="params")
                yield Refusal("params-without-ref", message, (*view.path, "params"))
            yield from _script_or_command(view, step.template)
        on_error = view.text("onError")
        if on_error and on_error not in _ON_ERROR and not on_error.startswith("$(params"):
            message = Text("{value} is none of {known}", value=on_error, known=", ".join(_ON_ERROR))
            yield Refusal("invalid-value", message, (*view.path, "onError"))
        for mount in view.items("volumeMounts"):
            path = normpath(mount.text("mountPath"))
            if path.startswith("/tekton/") and not path.startswith("/tekton/home"):
                message = Text("Nothing can be mounted below /tekton/")
                yield Refusal("mount-below-tekton", message, (*mount.path, "mountPath"))


def _script_or_command(view: View, template: View | None = None) -> Iterator[Refusal]:
    command = view.get("command") or (template.get("command") if template else None)
    if view.text("script") and command:
        message = Text("A step has a script or a command, not both")
        yield Refusal("script-and-command", message, (*view.path, "script"))


def _result(view: View) -> Iterator[Refusal]:
    if not _RESULT.fullmatch(view.text("name")):
        message = Text("{name} is no name for a result", name=view.text("name"))
        yield Refusal("invalid-name", message, (*view.path, "name"))
    kind = view.text("type")
    if kind and kind not in _TYPES:
        yield Refusal("invalid-type", Text("{type} is no type of result", type=kind), (*view.path, "type"))
    if kind == "object" and not view.has("properties"):
        yield Refusal("missing-field", Text("A field is missing: {field}", field="properties"), view.path)


def _variables(task: Task) -> Iterator[Refusal]:
    arrays = {name for name, parameter in task.parameters.items() if parameter.type == "array"}
    objects = {
        name: p.view.mapping("properties") for name, p in task.parameters.items() if p.type == "object"
    }
    for text, path in _texts(task):
        whole_words = "command" in path or "args" in path
        for reference in references(text):
            name = reference.name
            if reference.scope == "params" and name in arrays:
                alone = whole_words and text == reference.text
                if reference.index in (None, "*") and not alone:
                    yield _array(reference, path)
            elif reference.scope == "params" and name in objects:
                key = reference.names[1] if len(reference.names) > 1 else None
                if key is None or key not in objects[name]:
                    message = Text(
                        "{variable} names no key of the object {name}", variable=reference.text, name=name
                    )
                    yield Refusal("unknown-variable", message, path)
            elif reference.scope == "results" and "script" in path and name not in task.results:
                yield unknown_variable(reference, path, task.results)
            elif reference.scope == "context" and len(reference.names) == 2:
                what, key = reference.names
                if what in _CONTEXT and key not in _CONTEXT[what]:
                    yield unknown_variable(reference, path, sorted(_CONTEXT[what]))


def _array(reference: Reference, path: Path) -> Refusal:
    message = Text(
        '{variable} is a list: it may only be one whole argument, as in "{whole}"',
        variable=reference.text,
        whole=f"$(params.{reference.name}[*])",
    )
    return Refusal("array-in-text", message, path)


def _texts(task: Task) -> Iterator[tuple[str, Path]]:
    template = task.view.sub("stepTemplate")
    steps = [*task.steps, *([Step(template, template)] if task.steps else [])]
    for step in steps:
        for text, path in step.texts:
            yield text, (*step.view.path, *path)
        on_error = step.view.text("onError")
        if on_error:
            yield on_error, (*step.view.path, "onError")


def _double(view: View) -> Refusal:
    message = Text("The name {name} is given twice", name=view.text("name"))
    return Refusal("name-twice", message, (*view.path, "name"))
