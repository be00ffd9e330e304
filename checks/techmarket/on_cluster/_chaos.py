"""A chaos experiment on a cluster: its engine, what it needs there, its result in Litmus' own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from workshop.checking import Exam
from workshop.cluster.port import Object
from workshop.cluster.reading import items, labels_of, made_at, mapping, name_of, namespace_of, part
from workshop.litmus import ENGINE, GROUP, Engine
from workshop.verdicts import Source

from .._sre_target import SERVICE
from ..chaos_pod_delete import FAULT
from ._workloads import template_of

FINISHED: Final = ("Completed", "Completed_With_Probe_Failure", "Completed_With_Error")


@dataclass(frozen=True, slots=True)
class Run:
    """An engine of the file as the cluster has it (or not), with the result of its fault."""

    written: Engine
    engine: Object | None
    result: Object | None
    namespace: str

    @property
    def name(self) -> str:
        """The engine's name."""
        return name_of(self.engine) if self.engine else str(self.written.get("metadata", "name") or "–")

    @property
    def place(self) -> Source:
        """Where to look on the cluster."""
        return Source(object=f"ChaosEngine/{self.namespace}/{self.name}")

    @property
    def phase(self) -> str:
        """What the result says about how far the experiment got; empty without one."""
        return str(part(self.result, "status", "experimentStatus", "phase") or "")

    @property
    def verdict(self) -> str:
        """What the result says about the hypothesis."""
        return str(part(self.result, "status", "experimentStatus", "verdict") or "")

    @property
    def error(self) -> tuple[str, str]:
        """Code and reason of what went wrong; empty when nothing did."""
        told = mapping(self.result, "status", "experimentStatus")
        output = mapping(told, "errorOutput")
        code, reason = str(output.get("errorCode") or ""), str(output.get("reason") or "")
        step = str(told.get("failStep") or "")  # where Litmus 2 said it
        return code, reason or (step if step not in ("N/A", "Awaited") else "")

    @property
    def refuted(self) -> bool:
        """Whether the experiment ran to its end, and a probe found that the hypothesis does not hold."""
        probes = items(self.result, "status", "probeStatuses")
        failed = any("Failed" in str(mapping(each, "status")) for each in probes)
        return self.phase in FINISHED[1:] or (self.phase == "Completed" and self.verdict == "Fail" and failed)

    @property
    def executed(self) -> bool:
        """Whether the experiment ran to its end, whatever it found."""
        return self.refuted or (self.phase == "Completed" and self.verdict == "Pass")


def find_run(exam: Exam, written: Engine) -> Run:
    """Look for an engine, and for the result of its fault: both may have been made by the portal."""
    engine = _live(exam, written)
    home = namespace_of(engine) if engine else str(written.get("metadata", "namespace") or "default")
    name = name_of(engine) if engine else written.get("metadata", "name")
    results = exam.cluster.list(f"ChaosResult.{GROUP}", namespace=home)
    mine = [
        each
        for each in results
        if name_of(each) == f"{name}-{FAULT}"
        or (part(each, "spec", "engine") == name and part(each, "spec", "experiment") == FAULT)
    ]
    return Run(written, engine, max(mine, key=lambda each: str(made_at(each)), default=None), home)


def _live(exam: Exam, written: Engine) -> Object | None:
    name = written.get("metadata", "name")
    namespace = written.get("metadata", "namespace")
    engines = exam.cluster.list(ENGINE)
    if isinstance(name, str):
        named = [each for each in engines if name_of(each) == name]
        if named:
            return max(named, key=lambda each: namespace_of(each) == (namespace or "default"))
        # The name is the student's choice, and the portal gives one of its own.
        alike = [each for each in engines if _is_alike(each)]
        return max(alike, key=lambda each: str(made_at(each)), default=None)
    prefix = written.get("metadata", "generateName")
    fitting = [each for each in engines if isinstance(prefix, str) and name_of(each).startswith(prefix)]
    return max(fitting, key=lambda each: str(made_at(each)), default=None)


def _is_alike(engine: Object) -> bool:
    """Whether an engine deletes Pods of the payment-service, whatever it is called."""
    spec = mapping(engine, "spec")
    aims = f"{mapping(spec, 'appinfo')} {mapping(spec, 'selectors')}"
    return SERVICE in aims and any(each.get("name") == FAULT for each in items(spec, "experiments"))


def target_namespace(run: Run) -> str:
    """Return the namespace that the engine aims at."""
    selectors = mapping(run.written.document.data, "spec", "selectors")
    for key in ("workloads", "pods"):
        for each in items(selectors, key):
            return str(each.get("namespace") or run.namespace)
    return str(run.written.get("spec", "appinfo", "appns") or run.namespace)


def picks_pods(label: str, workloads: Sequence[Object]) -> bool | None:
    """Whether a label of an engine picks Pods of one of some workloads; None where it is no plain label."""
    pairs = [each.replace("==", "=").partition("=") for each in label.split(",")]
    if not all(key.strip() and same and value.strip() for key, same, value in pairs):
        return None
    wanted = {key.strip(): value.strip() for key, _, value in pairs}
    if any(key.endswith("!") or " " in key for key in wanted):
        return None
    return any(wanted.items() <= labels_of(template_of(each)).items() for each in workloads)
