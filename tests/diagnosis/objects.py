"""A cluster in memory for the faults of a diagnosis, and the few objects its tests are made of."""

# ruff: noqa: ARG002 (the port says what a method is given; this cluster does not need all of it)

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workshop.cluster.port import Decision, Object, Place, Unreachable
from workshop.texts import Text
from workshop.verdicts import CheckResult, Fact, Half, Level, Reason, Source, Verdict


def pod(name: str, namespace: str, *statuses: Object, phase: str = "Pending", **metadata: Any) -> Object:
    return {
        "metadata": {"name": name, "namespace": namespace, "uid": f"{namespace}-{name}", **metadata},
        "status": {"phase": phase, "containerStatuses": list(statuses)},
    }


def waits(reason: str, message: str = "", image: str = "nginx:1.27.5") -> Object:
    return {"name": "main", "image": image, "state": {"waiting": {"reason": reason, "message": message}}}


def event(about: Object, kind: str, reason: str, message: str, **fields: Any) -> Object:
    metadata = about["metadata"]
    return {
        "type": "Warning",
        "reason": reason,
        "message": message,
        "involvedObject": {"kind": kind, **{key: metadata[key] for key in ("name", "namespace", "uid")}},
        "lastTimestamp": "2026-01-15T10:00:00Z",
        **fields,
    }


def failed(*facts: Fact, verdict: Verdict = Verdict.FAILED) -> CheckResult:
    """A check of the cluster half that did not pass, because something there is not as it should be."""
    found = facts or (Fact("down", Text("It runs"), False, source=Source(object="Deployment/web")),)
    return CheckResult("1.1.runs", Text("It runs"), Level.MUST, Half.CLUSTER, verdict, facts=found)


class Shelf:
    """Objects by kind; `faults` says which kinds cannot be listed, `asked` what was."""

    def __init__(self, objects: dict[str, list[Object]], faults: dict[str, Reason] | None = None) -> None:
        self.context = "kind-techmarket"
        self.objects, self.faults = objects, faults or {}
        self.asked: list[str] = []

    def _fault(self, kind: str) -> None:
        self.asked.append(kind)
        reason = self.faults.get(kind) or self.faults.get("*")
        if reason is None and kind not in self.objects:
            reason = Reason.MISSING_CRD
        if reason is not None:
            raise Unreachable(reason, Text("no answer: {problem}", problem=reason.value))

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        return next((each for each in self.list(kind, namespace=namespace) if _name(each) == name), None)

    def list(
        self, kind: str, *, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[Object]:
        self._fault(kind)
        return [
            each
            for each in self.objects[kind]
            if namespace in (None, (each.get("metadata") or each["involvedObject"]).get("namespace"))
            and (labels is None or labels.partition("=")[2] in _labels(each))
        ]

    def everything(self, kind: str, *, fields: str | None = None) -> Sequence[Object] | None:
        return None

    def changes(self, kind: str, *, namespace: str, since: str) -> Sequence[Object] | None:
        return None

    def serves(self, kind: str) -> bool:
        return kind in self.objects

    def follow(self, place: Place, *, seconds: int) -> Iterator[Place]:
        raise AssertionError("a diagnosis looks once")

    def resources(self, group: str) -> Sequence[str]:
        return [kind for kind in self.objects if kind.endswith(group)]

    def version(self) -> str:
        return "v1.35.4"

    def try_create(self, resource: Object) -> Decision:
        raise AssertionError("a diagnosis creates nothing, not even as a dry run")

    def allowed(self, verb: str, kind: str, *, namespace: str | None = None, user: str | None = None) -> bool:
        raise AssertionError("a diagnosis does not ask that")

    def service_get(self, namespace: str, service: str, path: str) -> tuple[int, str]:
        raise AssertionError("a diagnosis does not ask that")


def _name(each: Object) -> str:
    return str(each["metadata"]["name"])


def _labels(each: Object) -> list[str]:
    return list((each["metadata"].get("labels") or {}).values())
