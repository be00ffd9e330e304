"""A cluster that is nothing but the objects a test gives it: for states that no controller leaves alone."""

# ruff: noqa: ARG002 (the port says what a method is asked; this one has few answers)

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from workshop.cluster.port import Cluster, Decision, Object, Place, Unreachable
from workshop.cluster.stage import LiveStages
from workshop.content import Lab
from workshop.engine import Run, judge_exercise
from workshop.texts import Text
from workshop.verdicts import ExerciseResult, Mode, Reason
from workshop.workspace import Workspace


@dataclass(slots=True)
class Held:
    """Objects by kind, and what Services answer by path. What it has no kind for is a missing CRD."""

    objects: Mapping[str, Sequence[Object]]
    answers: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    served: str = "v1.35.4"
    context: str = "held"

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        found = self.list(kind, namespace=namespace, fields=f"metadata.name={name}")
        return found[0] if found else None

    def list(
        self, kind: str, *, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[Object]:
        if kind not in self.objects:
            raise Unreachable(
                Reason.MISSING_CRD, Text("the cluster does not know the kind {kind}", kind=kind)
            )
        wanted = dict(each.split("=") for each in (labels or "").split(",") if each)
        name = (fields or "").removeprefix("metadata.name=")
        return [
            each
            for each in self.objects[kind]
            if namespace in (None, each["metadata"].get("namespace"))
            and wanted.items() <= each["metadata"].get("labels", {}).items()
            and name in ("", each["metadata"]["name"])
        ]

    def everything(self, kind: str, *, fields: str | None = None) -> Sequence[Object] | None:
        return None

    def changes(self, kind: str, *, namespace: str, since: str) -> Sequence[Object] | None:
        return None

    def follow(self, place: Place, *, seconds: int) -> Iterator[Place]:
        return iter(())

    def serves(self, kind: str) -> bool:
        return kind in self.objects

    def resources(self, group: str) -> Sequence[str]:
        return []

    def version(self) -> str:
        return self.served

    def try_create(self, resource: Object) -> Decision:
        return Decision(admitted=True, object=resource)

    def allowed(self, verb: str, kind: str, *, namespace: str | None = None, user: str | None = None) -> bool:
        return False

    def service_get(self, namespace: str, service: str, path: str) -> tuple[int, str]:
        return self.answers.get(path.partition("?")[0], (404, ""))


def look_at(lab: Lab, cluster: Cluster, exercise: str) -> ExerciseResult:
    """Judge an exercise on any cluster, with the reference files."""
    found = lab.exercise(exercise)
    assert found is not None, exercise
    workspace = Workspace(lab.solutions)
    return judge_exercise(Run.of(lab, workspace, Mode.CLUSTER, LiveStages(cluster)), found)
