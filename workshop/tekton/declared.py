"""What Tasks and Pipelines declare: parameters, and workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workshop.tekton.scalars import type_of
from workshop.tekton.view import View


@dataclass(frozen=True)
class Parameter:
    """A declared parameter; `default` is None where a value must be given."""

    name: str
    view: View

    @property
    def default(self) -> Any:
        """The default as YAML has it."""
        return self.view.get("default")

    @property
    def required(self) -> bool:
        """Whether a run cannot do without a value."""
        return not self.view.has("default")

    @property
    def type(self) -> str:
        """The type, inferred as Tekton infers it where it is not written."""
        written = self.view.get("type")
        if isinstance(written, str) and written:
            return written
        return "object" if self.view.has("properties") else type_of(self.default)


@dataclass(frozen=True)
class Workspace:
    """A declared workspace."""

    name: str
    view: View

    @property
    def optional(self) -> bool:
        """Whether it may stay unbound."""
        return self.view.get("optional") is True

    @property
    def path(self) -> str:
        """The folder it is mounted at."""
        return self.view.text("mountPath").rstrip("/") or f"/workspace/{self.name}"


@dataclass(frozen=True)
class Declaring:
    """The spec of a Task or Pipeline, on its own or inside another object."""

    view: View
    name: str = ""

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The declared parameters by name."""
        return {each.text("name"): Parameter(each.text("name"), each) for each in self.view.items("params")}

    @cached_property
    def workspaces(self) -> dict[str, Workspace]:
        """The declared workspaces by name."""
        return {
            each.text("name"): Workspace(each.text("name"), each) for each in self.view.items("workspaces")
        }
