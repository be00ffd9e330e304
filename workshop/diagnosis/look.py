"""Looking at what an exercise has on the cluster: few questions, each asked once, none of which can fail.

What the cluster will not show – a 403 on events, a kind it does not know – costs the symptoms that need it
and nothing else; once it does not answer at all, it is not asked again.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from workshop.cluster.port import Cluster, Object, Unreachable
from workshop.texts import Text
from workshop.verdicts import Reason

POD, EVENT, REPLICA_SET = "Pod", "Event", "ReplicaSet.apps"
# Who makes Pods, and so speaks for them while there are none.
MAKERS: Final = (REPLICA_SET, "StatefulSet.apps", "DaemonSet.apps", "Job.batch")
# A ReplicaSet has the labels of its Pods, and so has a TaskRun: labels of this domain are on no other Pods.
_TEKTON: Final = "tekton.dev/"
_TASK_RUN: Final = "TaskRun.tekton.dev"
# Kyverno leaves one for every probe that a policy refuses: they would bury the rest.
_WARNINGS: Final = "type=Warning,reason!=PolicyViolation"
# What has done its work has no symptom, and Pods of finished runs pile up.
_AT_WORK: Final = "status.phase!=Succeeded"
_SILENT: Final = frozenset({Reason.NO_CLUSTER, Reason.NO_SANDBOX, Reason.UNAUTHORIZED, Reason.TIMEOUT})


@dataclass(frozen=True, slots=True)
class Named:
    """An object a student's file asks for: its kind as kubectl writes it, and its (generated) name."""

    kind: str
    name: str
    namespace: str | None = None
    generated: bool = False

    def fits(self, found: Object) -> bool:
        """Whether an object of that kind is this one."""
        metadata = found.get("metadata", {})
        name = str(metadata.get("name", ""))
        return (name.startswith(self.name) if self.generated else name == self.name) and (
            self.namespace in (None, metadata.get("namespace"))
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """What on a cluster is an exercise's: whole namespaces, workloads by label, objects by name."""

    namespaces: tuple[str, ...] = ()
    workloads: tuple[str, ...] = ()
    objects: tuple[Named, ...] = ()


class Look:
    """The cluster as the readers of symptoms see it, bounded to one exercise. No method raises."""

    def __init__(self, cluster: Cluster, scope: Scope) -> None:
        self._cluster, self.scope = cluster, scope
        self._known: dict[tuple[str | None, ...], list[Object] | Unreachable] = {}
        self._silent: Unreachable | None = None
        self.unseen: dict[str, Unreachable] = {}

    # --- asking ----------------------------------------------------------------------------------

    def every(
        self, kind: str, *, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[Object]:
        """Return the objects of a kind; none where they cannot be seen."""
        found = self._ask((kind, None, namespace, labels, fields))
        return [] if isinstance(found, Unreachable) else found

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return an object; None where it is not there or cannot be seen."""
        found = self._ask((kind, name, namespace, None, None))
        return None if isinstance(found, Unreachable) or not found else found[0]

    def is_absent(self, kind: str, name: str, namespace: str | None = None) -> bool:
        """Tell whether the cluster says that it has no such object: not being able to look is no answer."""
        found = self._ask((kind, name, namespace, None, None))
        return not isinstance(found, Unreachable) and not found

    def has_none(self, kind: str) -> bool:
        """Tell whether the cluster says that it has no object of a kind it knows."""
        found = self._ask((kind, None, None, None, None))
        return not isinstance(found, Unreachable) and not found

    def _ask(
        self, question: tuple[str, str | None, str | None, str | None, str | None]
    ) -> list[Object] | Unreachable:
        if question not in self._known:
            self._known[question] = self._silent or self._answer(*question)
        return self._known[question]

    def _answer(
        self, kind: str, name: str | None, namespace: str | None, labels: str | None, fields: str | None
    ) -> list[Object] | Unreachable:
        try:
            if name is not None:
                one = self._cluster.get(kind, name, namespace)
                return [] if one is None else [one]
            return self._cluster.list(kind, namespace=namespace, labels=labels, fields=fields)
        except Unreachable as unreachable:
            if unreachable.reason is not Reason.MISSING_CRD:
                self.unseen.setdefault(kind, unreachable)
            if unreachable.reason in _SILENT:
                self._silent = unreachable
            return unreachable

    # --- what is the exercise's ------------------------------------------------------------------

    @functools.cached_property
    def homes(self) -> tuple[str, ...]:
        """The namespaces the exercise's objects are in, declared or found."""
        found = [*self.scope.namespaces, *(each.namespace for each in self.scope.objects if each.namespace)]
        for selector in self.scope.workloads:
            found += [_namespace(each) for each in self._pods_with(selector)]
            found += [_namespace(each) for each in self.every(REPLICA_SET, labels=selector)]
        for kind in {each.kind for each in self.scope.objects}:
            found += [_namespace(each) for each in self.own(kind)]
        return tuple(dict.fromkeys(each for each in found if each))

    def own(self, kind: str) -> list[Object]:
        """Return the objects of a kind that the student's files ask for, in whatever namespace."""
        found: list[Object] = []
        for wanted in self.scope.objects:
            if wanted.kind != kind:
                continue
            fitting = sorted(filter(wanted.fits, self.every(kind)), key=_created)
            # Of one name in several namespaces the newest is meant: the others are left from earlier tries.
            newest = fitting if wanted.generated or wanted.namespace else fitting[-1:]
            found += [each for each in newest if each not in found]
        return found

    def among(self, kind: str) -> Iterator[Object]:
        """Yield the objects of a namespaced kind that are the exercise's, without Pods that succeeded."""
        fields = _AT_WORK if kind == POD else None
        seen: set[str] = set()
        found = [
            each
            for namespace in self.scope.namespaces
            for each in self.every(kind, namespace=namespace, fields=fields)
        ]
        for selector in self.scope.workloads:
            found += self._pods_with(selector) if kind == POD else self.every(kind, labels=selector)
        for each in (*found, *self.own(kind)):
            uid = str(each.get("metadata", {}).get("uid"))
            if uid not in seen:
                seen.add(uid)
                yield each

    def _pods_with(self, selector: str) -> list[Object]:
        """Return the Pods with certain labels that have not succeeded.

        They are looked for where what makes them is, if that is anywhere: asked for some of all namespaces,
        a server may read every Pod that there is.
        """
        maker = _TASK_RUN if selector.startswith(_TEKTON) else REPLICA_SET
        makers = self._ask((maker, None, None, selector, None))
        places: list[str | None]
        if isinstance(makers, Unreachable):
            places = [] if makers.reason is Reason.MISSING_CRD else [None]
        elif not makers and maker == REPLICA_SET:
            places = [None]  # Pods may stand alone, and others than ReplicaSets make some
        else:
            places = list(dict.fromkeys(map(_namespace, makers)))
        return [
            pod
            for place in places
            for pod in self.every(POD, namespace=place, labels=selector, fields=_AT_WORK)
        ]

    def is_own(self, kind: str, found: Object) -> bool:
        """Tell whether an object is the exercise's: by its namespace, its labels, or who owns it."""
        metadata = found.get("metadata", {})
        return (
            metadata.get("namespace") in self.scope.namespaces
            or any(selects(selector, metadata.get("labels") or {}) for selector in self.scope.workloads)
            or any(each.kind == kind and each.fits(found) for each in self.scope.objects)
            or any(self._is_owner(each, metadata.get("namespace")) for each in owners(found))
        )

    def _is_owner(self, owner: Object, namespace: str | None) -> bool:
        like: Object = {"metadata": {"name": owner.get("name"), "namespace": namespace}}
        return any(
            each.kind.partition(".")[0] == owner.get("kind") and each.fits(like)
            for each in self.scope.objects
        )

    @functools.cached_property
    def pods(self) -> tuple[Object, ...]:
        """The exercise's Pods that should be running and are not: those that are Ready have no symptom."""
        return tuple(
            pod
            for pod in self.among(POD)
            if not is_ready(pod)
            and not pod.get("metadata", {}).get("deletionTimestamp")
            and not self._is_periodic(pod)
        )

    def _is_periodic(self, pod: Object) -> bool:
        """Whether a CronJob made it: housekeeping that fails is not why an exercise does."""
        for owner in owners(pod):
            if owner.get("kind") == "Job":
                job = self.get("Job.batch", str(owner.get("name")), _namespace(pod))
                return job is not None and any(each.get("kind") == "CronJob" for each in owners(job))
        return False

    def warnings(self, namespace: str) -> list[Object]:
        """Return the warnings of a namespace, the newest first; without those that policies leave."""
        found = self.every(EVENT, namespace=namespace, fields=_WARNINGS)
        return sorted(found, key=when, reverse=True)

    def warning_of(self, kind: str, found: Object, *reasons: str) -> Object | None:
        """Return the newest warning about an object with one of these reasons, None without any."""
        metadata = found.get("metadata", {})
        for event in self.warnings(str(metadata.get("namespace") or "default")):
            about: Object = event.get("involvedObject", {})
            if (
                event.get("reason") in reasons
                and about.get("kind") == kind.partition(".")[0]
                and about.get("name") == metadata.get("name")
                and about.get("uid", metadata.get("uid")) == metadata.get("uid")
            ):
                return event
        return None

    def complaints(self) -> Iterator[Text]:
        """Say what could not be seen."""
        for kind, unreachable in self.unseen.items():
            yield Text("{kind} could not be looked at: {problem}", kind=kind, problem=unreachable.text)


def owners(found: Object) -> Iterable[Object]:
    """Return the references to an object's owners."""
    return [each for each in found.get("metadata", {}).get("ownerReferences") or () if isinstance(each, dict)]


def group_of(found: Object) -> str:
    """Return what tells an object's trouble from others': whoever owns it, else itself."""
    for owner in owners(found):
        return f"{_namespace(found)}/{owner.get('kind')}/{owner.get('name')}"
    return f"{_namespace(found)}/{found.get('metadata', {}).get('name')}"


def when(event: Object) -> str:
    """Return when an event happened last, in a form that sorts."""
    series = event.get("series") or {}
    return str(
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event.get("metadata", {}).get("creationTimestamp")
        or ""
    )


def conditions(found: Object) -> dict[str, Object]:
    """Return the conditions of an object by type."""
    status = found.get("status")
    entries = status.get("conditions") if isinstance(status, dict) else None
    return {
        str(each.get("type")): each
        for each in (entries if isinstance(entries, list) else ())
        if isinstance(each, dict)
    }


def is_ready(pod: Object) -> bool:
    """Tell whether a Pod serves, or has done its work."""
    phase = pod.get("status", {}).get("phase")
    return phase == "Succeeded" or conditions(pod).get("Ready", {}).get("status") == "True"


def selects(selector: str, labels: Mapping[str, object]) -> bool:
    """Tell whether a selector of the form `key=value,key` fits these labels."""
    for requirement in selector.split(","):
        key, equals, value = requirement.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True


def _created(found: Object) -> str:
    return str(found.get("metadata", {}).get("creationTimestamp") or "")


def _namespace(found: Object) -> str:
    return str(found.get("metadata", {}).get("namespace") or "")
