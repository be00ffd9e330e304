"""Reading Litmus' ChaosEngines: where they stand, whom they target, how much they delete.

The arithmetic is that of litmus-go's pod-delete (chaoslib/litmus/pod-delete/lib): numbers are read with
Go's Atoi, at least one Pod is taken, and the fault goes on for as long as its duration is not over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from workshop.workspace import Document, Position, Unreadable

GROUP: Final = "litmuschaos.io"
ENGINE: Final = f"ChaosEngine.{GROUP}"
APP_KINDS: Final = ("deployment", "statefulset", "daemonset", "deploymentconfig", "rollout")
# What the published fault does where the engine says nothing (chaos-charts, kubernetes/pod-delete).
DEFAULT_SECONDS: Final = 15
DEFAULT_INTERVAL: Final = 5
_ATOI: Final = re.compile(r"[+-]?\d{1,9}")
_RANGE: Final = re.compile(r"(\d{1,3})-(\d{1,3})")
_PARAMETER: Final = re.compile(r"\{\{\s*workflow\.parameters\.([\w.-]{1,60})\s*\}\}")
_OTHER_REQUIREMENT: Final = re.compile(
    r"[\w./-]{1,317}(?:\s*!=\s*[\w.-]{0,63}|\s+notin\s*\([\w.,\s-]{0,300}\))"
)
_WORKFLOWS: Final = frozenset({"Workflow", "CronWorkflow", "WorkflowTemplate", "ClusterWorkflowTemplate"})


def atoi(text: str) -> int | None:
    """Return a number as Go's strconv.Atoi reads it, None where it refuses (`30s`, ` 30`, `3.0`)."""
    return int(text) if _ATOI.fullmatch(text) else None


def pods_deleted(percentage: str | None, replicas: int) -> int | None:
    """Return how many Pods PODS_AFFECTED_PERC takes of so many: never less than one.

    A range (`30-60`) counts at its upper end. None for what is no number.
    """
    if percentage is None or not percentage.strip():
        return 1
    ends = _RANGE.fullmatch(percentage)
    number = int(ends[2]) if ends else atoi(percentage)
    if number is None:
        return None
    return max(1, math.floor(replicas * min(number, 100) / 100))


def rounds(seconds: int, interval: int) -> int:
    """Return how often the fault deletes at most: again and again while the time is not over."""
    if seconds <= 0:
        return 0
    return math.ceil(seconds / max(interval, 1))


class Engine(NamedTuple):
    """A ChaosEngine; `parameters` are those of the workflow it is embedded in."""

    document: Document
    parameters: dict[str, str]

    def get(self, *path: str | int) -> Any:
        """Return a value, workflow parameters filled in; None where there is none."""
        value = self.document.get(*path)
        if isinstance(value, str):
            return _PARAMETER.sub(lambda match: self.parameters.get(match[1], match[0]), value)
        return value

    def at(self, *path: str | int) -> Position:
        """Return where a value stands."""
        return self.document.at(*path)

    def experiments(self) -> list[tuple[int, str]]:
        """Return the place and name of every experiment that has one."""
        entries = self.document.get("spec", "experiments")
        names = ((index, self.get("spec", "experiments", index, "name")) for index in range(_length(entries)))
        return [(index, name) for index, name in names if isinstance(name, str)]

    def env(self, experiment: int) -> list[Variable]:
        """Return the variables of an experiment, as they are written where the operator reads them."""
        return list(self._variables(("spec", "experiments", experiment, "spec", "components", "env")))

    def misplaced_env(self) -> list[tuple[str | int, ...]]:
        """Return other places that hold variables of a fault: kept by the API server, read by nobody."""
        found: list[tuple[str | int, ...]] = []
        pending: list[tuple[tuple[str | int, ...], object]] = [((), self.document.data)]
        while pending:
            path, value = pending.pop()
            if isinstance(value, dict):
                pending.extend(((*path, key), child) for key, child in value.items())
            elif isinstance(value, list):
                right = (
                    len(path) == 6 and path[1] == "experiments" and path[3:] == ("spec", "components", "env")
                )
                if not right and any(_is_fault_variable(each) for each in value):
                    found.append(path)
                pending.extend(((*path, index), child) for index, child in enumerate(value))
        return sorted(found, key=str)

    def _variables(self, path: tuple[str | int, ...]) -> Iterator[Variable]:
        entries = self.document.get(*path)
        for index in range(_length(entries)):
            name = self.get(*path, index, "name")
            if isinstance(name, str):
                where = (*path, index, "value")
                computed = isinstance(entries, list) and "valueFrom" in entries[index]
                yield Variable(name, self.get(*where), self.document.at(*where), computed)


class Variable(NamedTuple):
    """A variable of a fault; `computed` when its value comes from elsewhere (valueFrom)."""

    name: str
    value: Any
    position: Position
    computed: bool


def engines(documents: Iterable[Document]) -> list[Engine]:
    """Return the ChaosEngines in documents, those in the texts of an Argo workflow included. Never raises."""
    found: list[Engine] = []
    for document in documents:
        if _is_engine(document):
            found.append(Engine(document, {}))
        elif str(document.get("kind")) in _WORKFLOWS:
            parameters = _parameters(document)
            for path, text in _texts(document.data):
                if "ChaosEngine" not in text:
                    continue
                try:
                    inner = document.nested(*path)
                except Unreadable:
                    continue
                found.extend(Engine(each, parameters) for each in inner if _is_engine(each))
    return found


def selects(selector: str, value: str) -> bool | None:
    """Whether a label selector asks for exactly this value of some label; None when it is no selector.

    Equality (`app=x`, `app==x`) and sets of one (`app in (x)`) are read, several joined by commas too.
    """
    requirements = [each.strip() for each in re.split(r",(?![^()]*\))", selector)]
    found = False
    for requirement in requirements:
        equal = re.fullmatch(r"([\w./-]{1,317})\s*={1,2}\s*([\w.-]{0,63})", requirement)
        among = re.fullmatch(r"([\w./-]{1,317})\s+in\s*\(([\w.,\s-]{0,300})\)", requirement)
        if equal:
            found = found or equal[2] == value
        elif among:
            found = found or [each.strip() for each in among[2].split(",")] == [value]
        elif not _OTHER_REQUIREMENT.fullmatch(requirement):
            return None
    return found


def _is_engine(document: Document) -> bool:
    version = document.get("apiVersion")
    return (
        document.get("kind") == "ChaosEngine" and isinstance(version, str) and version.startswith(f"{GROUP}/")
    )


def _is_fault_variable(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("name") in (
        "TOTAL_CHAOS_DURATION",
        "CHAOS_INTERVAL",
        "PODS_AFFECTED_PERC",
        "TARGET_PODS",
        "FORCE",
    )


def _parameters(document: Document) -> dict[str, str]:
    for path in (("spec",), ("spec", "workflowSpec")):
        entries = document.get(*path, "arguments", "parameters")
        if isinstance(entries, list):
            return {
                each["name"]: str(each.get("value", ""))
                for each in entries
                if isinstance(each, dict) and isinstance(each.get("name"), str)
            }
    return {}


def _texts(data: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    pending: list[tuple[tuple[str | int, ...], object]] = [((), data)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            pending.extend(((*path, key), child) for key, child in reversed(value.items()))
        elif isinstance(value, list):
            pending.extend(((*path, index), value[index]) for index in reversed(range(len(value))))


def _length(entries: object) -> int:
    return len(entries) if isinstance(entries, list) else 0
