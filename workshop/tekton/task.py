"""Tasks of `tekton.dev/v1` and `v1beta1`, as their controller reads them.

Everything is read leniently: a part of another shape than Tekton's is not there. What Tekton refuses is
told by `workshop.tekton.refusals`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workshop.tekton.declared import Declaring
from workshop.tekton.scalars import as_text
from workshop.tekton.variables import fill, packed, references, token, tokens
from workshop.tekton.view import Path, View
from workshop.workspace import Document


@dataclass(frozen=True)
class Step:
    """A step, the Task's `stepTemplate` beneath it."""

    view: View
    template: View

    @property
    def image(self) -> str:
        """The image, variables not filled in."""
        return self.view.text("image") or self.template.text("image")

    @property
    def command(self) -> list[str] | None:
        """The command; None leaves it to the image."""
        return self._list("command")

    @property
    def arguments(self) -> list[str]:
        """The args."""
        return self._list("args") or []

    @property
    def script(self) -> str:
        """The script; empty where there is none."""
        return self.view.text("script")

    @property
    def working_folder(self) -> str:
        """The folder it starts in; empty leaves it to the image."""
        return self.view.text("workingDir") or self.template.text("workingDir")

    @property
    def goes_on(self) -> bool:
        """Whether the Task goes on, and succeeds, when the step fails."""
        return self.view.text("onError") == "continue"

    @property
    def reads_elsewhere(self) -> bool:
        """Whether variables come from a ConfigMap or Secret as a whole: nobody can say which."""
        return self.view.has("envFrom") or self.template.has("envFrom")

    def runs(self, values: Mapping[str, str | None]) -> bool | None:
        """Whether its `when` lets it run, with these values (`Task.values`); None: the run will know."""
        answers = [_holds(each, values) for each in self.view.items("when")]
        return False if False in answers else None if None in answers else True

    @cached_property
    def environment(self) -> dict[str, str | None]:
        """The variables in their order, references not filled in; None for a value from elsewhere."""
        found: dict[str, str | None] = {}
        for entry in (*self.template.items("env"), *self.view.items("env")):
            value = entry.get("value")
            name = entry.text("name")
            if name:
                found[name] = None if entry.has("valueFrom") else str(value) if value is not None else ""
        return found

    def lasting_folders(self, task: Task) -> list[str]:
        """Return where volumes that outlive the Pod are mounted: claims, shares, the node's disk."""
        lasting = {
            volume.text("name")
            for volume in task.view.items("volumes")
            if any(volume.has(kind) for kind in ("persistentVolumeClaim", "nfs", "csi", "hostPath"))
        }
        mounts = [*self.template.items("volumeMounts"), *self.view.items("volumeMounts")]
        return [each.text("mountPath").rstrip("/") for each in mounts if each.text("name") in lasting]

    @property
    def texts(self) -> list[tuple[str, Path]]:
        """Every text Tekton substitutes in, with its path below the step."""
        found: list[tuple[str, Path]] = [
            (self.view.text(key), (key,)) for key in ("image", "workingDir", "script")
        ]
        for key in ("command", "args"):
            values = self.view.get(key)
            for index, value in enumerate(values if isinstance(values, list) else []):
                if isinstance(value, str):
                    found.append((value, (key, index)))
        found += [
            (entry.text("value"), (*entry.path[len(self.view.path) :], "value"))
            for entry in self.view.items("env")
        ]
        for entry in self.view.items("volumeMounts"):
            base = entry.path[len(self.view.path) :]
            found.extend((entry.text(key), (*base, key)) for key in ("name", "mountPath", "subPath"))
        return [(text, path) for text, path in found if text]

    def _list(self, key: str) -> list[str] | None:
        own = self.view.get(key)
        value = own if own is not None else self.template.get(key)
        return [str(item) for item in value] if isinstance(value, list) and value else None


@dataclass(frozen=True)
class Task(Declaring):
    """A Task, or the `taskSpec` of a pipeline task: `view` is its spec.

    `given` are the parameters an embedded Task sees from outside, filled in already.
    """

    given: tuple[tuple[str, str | None], ...] = ()
    shared: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Document) -> Task:
        """Read a Task object."""
        view = View(document)
        return cls(view.sub("spec"), view.text("metadata", "name"))

    @cached_property
    def results(self) -> list[str]:
        """The names of the declared results."""
        return [each.text("name") for each in self.view.items("results")]

    @cached_property
    def steps(self) -> list[Step]:
        """The steps in their order."""
        template = self.view.sub("stepTemplate")
        return [Step(each, template) for each in self.view.items("steps")]

    def values(self) -> dict[str, str | None]:
        """Return what its variables stand for: a default, or None for what only the run will know.

        For `workshop.tekton.variables.fill`. A parameter named IMAGE is always the run's.
        """
        known: dict[str, str | None] = dict(self.given)
        for name, parameter in self.parameters.items():
            key = f"params.{name}"
            if key in known:
                continue
            default = parameter.default
            if parameter.type == "array":
                known.update(_array(key, default))
            elif name == "IMAGE" or parameter.type != "string" or default is None:
                known[key] = None
                known[f"{key}[*]"] = None
            else:
                known[key] = fill(as_text(default), known)
        for name in (*self.workspaces, *self.shared):
            known[f"workspaces.{name}.path"] = None
            known.update({f"workspaces.{name}.{what}": None for what in ("bound", "claim", "volume")})
        known.update({f"results.{name}.path": None for name in self.results})
        known["credentials.path"] = None
        for step in self.steps:
            for text, _ in step.texts:
                for reference in references(text):
                    if reference.scope in ("context", "steps", "step"):
                        known[reference.key] = None
        return known

    def folders(self) -> dict[str, str]:
        """Return where each of its workspaces is mounted."""
        return {workspace.path: name for name, workspace in self.workspaces.items()}


def _holds(condition: View, values: Mapping[str, str | None]) -> bool | None:
    """Whether a condition of `when` holds; None where it takes the run, or the engine, to say so."""
    texts = [fill(each, values) for each in (condition.text("input"), *condition.texts("values"))]
    operator = condition.text("operator")
    if condition.has("cel") or operator not in ("in", "notin") or any(map(tokens, texts)):
        return None
    return (texts[0] in texts[1:]) is (operator == "in")


def _array(key: str, default: Any) -> dict[str, str | None]:
    """Return what the variables of an array parameter stand for: as a whole, and item by item."""
    if not isinstance(default, list):
        return {each: token(f"{key}[*]") for each in (key, f"{key}[*]")}
    items = [as_text(item) for item in default]
    whole = packed(items)
    return {key: whole, f"{key}[*]": whole, **{f"{key}[{index}]": item for index, item in enumerate(items)}}
