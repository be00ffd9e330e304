"""Pipelines and PipelineRuns of `tekton.dev/v1` and `v1beta1`, as their controller reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workshop.tekton.declared import Declaring
from workshop.tekton.scalars import as_text
from workshop.tekton.task import Task
from workshop.tekton.variables import fill, references, token
from workshop.tekton.view import Path, View
from workshop.workspace import Document


@dataclass(frozen=True)
class PipelineTask:
    """A task of a Pipeline; `final` when it stands under `finally`."""

    view: View
    final: bool = False

    @property
    def name(self) -> str:
        """Its name in the Pipeline, which is what runAfter means."""
        return self.view.text("name")

    @property
    def reference(self) -> str:
        """The name of the Task it runs; empty for a resolver or an embedded Task."""
        return self.view.text("taskRef", "name")

    @property
    def embedded(self) -> bool:
        """Whether the Task is written into the Pipeline."""
        return bool(self.view.mapping("taskSpec"))

    @property
    def resolver(self) -> dict[str, str]:
        """The parameters of its resolver, its kind as `resolver`; empty where there is none."""
        kind = self.view.text("taskRef", "resolver")
        if not kind:
            return {}
        values = {
            each.text("name"): as_text(each.get("value")) for each in self.view.items("taskRef", "params")
        }
        return {**values, "resolver": kind}

    @property
    def bundle(self) -> str:
        """The bundle of v1beta1's early days."""
        return self.view.text("taskRef", "bundle")

    @property
    def run_after(self) -> list[str]:
        """The names of the tasks it is told to wait for."""
        return self.view.texts("runAfter")

    @cached_property
    def given(self) -> dict[str, Any]:
        """The parameters it hands over, by name; of a matrix, which runs once for each value, the first."""
        found = {each.text("name"): each.get("value") for each in self.view.items("params")}
        for each in self.view.items("matrix", "params"):
            values = each.get("value")
            found[each.text("name")] = values[0] if isinstance(values, list) and values else values
        for include in self.view.items("matrix", "include")[:1]:
            for each in include.items("params"):
                found.setdefault(each.text("name"), each.get("value"))
        return found

    @cached_property
    def bindings(self) -> dict[str, str]:
        """The Task's workspaces → the Pipeline's, as bound here."""
        found = {}
        for each in self.view.items("workspaces"):
            found[each.text("name")] = each.text("workspace") or each.text("name")
        return found

    def texts(self) -> list[tuple[str, Path]]:
        """Return the texts of params, matrix and when, with their paths below the pipeline task."""
        found: list[tuple[str, Path]] = []
        for section in (("params",), ("matrix", "params"), ("when",)):
            for each in self.view.items(*section):
                base = each.path[len(self.view.path) :]
                for key in ("value", "input", "values"):
                    found.extend(_texts(each.get(key), (*base, key)))
        for each in self.view.items("matrix", "include"):
            for parameter in each.items("params"):
                found.extend(
                    _texts(parameter.get("value"), (*parameter.path[len(self.view.path) :], "value"))
                )
        return found

    def task(self, pipeline: PipelineSpec) -> Task | None:
        """Return the embedded Task as it sees the Pipeline's parameters and workspaces."""
        if not self.embedded:
            return None
        known = {**pipeline.values(), **self.handed(pipeline)}
        shared = tuple(pipeline.workspaces)
        return Task(self.view.sub("taskSpec"), self.name, tuple(known.items()), shared)

    def handed(self, pipeline: PipelineSpec) -> dict[str, str | None]:
        """Return what the parameters it gives stand for inside its Task, for `Task.given`."""
        known = {**pipeline.values(), **self._results()}
        return {f"params.{name}": fill(as_text(value), known) for name, value in self.given.items()}

    def _results(self) -> dict[str, str | None]:
        return {
            each.key: None for text, _ in self.texts() for each in references(text) if each.scope == "tasks"
        }


@dataclass(frozen=True)
class PipelineSpec(Declaring):
    """The spec of a Pipeline, on its own or inside a PipelineRun."""

    @classmethod
    def of(cls, document: Document) -> PipelineSpec:
        """Read a Pipeline object."""
        view = View(document)
        return cls(view.sub("spec"), view.text("metadata", "name"))

    @cached_property
    def tasks(self) -> list[PipelineTask]:
        """The tasks of the graph."""
        return [PipelineTask(each) for each in self.view.items("tasks")]

    @cached_property
    def finals(self) -> list[PipelineTask]:
        """The tasks that run at the end, whatever happened."""
        return [PipelineTask(each, final=True) for each in self.view.items("finally")]

    @property
    def all_tasks(self) -> list[PipelineTask]:
        """Both."""
        return [*self.tasks, *self.finals]

    def values(self) -> dict[str, str | None]:
        """Return what its variables stand for; None for what only the run will know."""
        known: dict[str, str | None] = {}
        for name in self.parameters:
            known[f"params.{name}"] = token(f"params.{name}")
            known[f"params.{name}[*]"] = token(f"params.{name}[*]")
        return known


@dataclass(frozen=True)
class PipelineRun:
    """A PipelineRun."""

    view: View

    @classmethod
    def of(cls, document: Document) -> PipelineRun:
        """Read a PipelineRun object."""
        return cls(View(document))

    @property
    def name(self) -> str:
        """Its name; empty where only generateName is given."""
        return self.view.text("metadata", "name")

    @property
    def prefix(self) -> str:
        """The beginning of the name that is generated."""
        return self.view.text("metadata", "generateName")

    @property
    def reference(self) -> str:
        """The Pipeline's name, by name or through the cluster resolver."""
        by_resolver = {
            each.text("name"): each.get("value") for each in self.view.items("spec", "pipelineRef", "params")
        }
        return self.view.text("spec", "pipelineRef", "name") or as_text(by_resolver.get("name"))

    @property
    def embedded(self) -> PipelineSpec | None:
        """The Pipeline written into the run."""
        if not self.view.mapping("spec", "pipelineSpec"):
            return None
        return PipelineSpec(self.view.sub("spec", "pipelineSpec"))

    @cached_property
    def parameters(self) -> dict[str, View]:
        """What it hands over, by name."""
        return {each.text("name"): each for each in self.view.items("spec", "params")}

    @cached_property
    def workspaces(self) -> dict[str, View]:
        """The bindings, by name."""
        return {each.text("name"): each for each in self.view.items("spec", "workspaces")}


def _texts(value: Any, path: Path) -> list[tuple[str, Path]]:
    if isinstance(value, str):
        return [(value, path)]
    pairs: Mapping[Any, Any] | list[tuple[int, Any]] = (
        value if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return [(each, (*path, key)) for key, each in items if isinstance(each, str)]
