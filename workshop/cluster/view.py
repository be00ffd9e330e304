"""One look at a cluster: what was asked once is not asked again, and what was asked is remembered.

The answers of a run are shared by its exercises, each of which sees the cluster through a View of its own: so
it is known afterwards which kinds an exercise looked at, hence whose changes could change its verdict.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from workshop.cluster.port import Cluster, Decision, Object, Unreachable
from workshop.verdicts import Reason

Answer = TypeVar("Answer")

# Asked about, but no reason to look again: probes leave Events behind, and every change does.
_UNWATCHED: Final = frozenset({"Event", "Event.events.k8s.io"})
# What a server knows changes with these.
DEFINITIONS: Final = "CustomResourceDefinition.apiextensions.k8s.io"


@dataclass(frozen=True, slots=True)
class Listed:
    """A question for objects: a kind, narrowed by namespace and selectors."""

    kind: str
    namespace: str | None = None
    labels: str | None = None
    fields: str | None = None


@dataclass(slots=True)
class Answers:
    """What a cluster has answered so far in one run; exercises and threads share it."""

    known: dict[Hashable, Any] = field(default_factory=dict)
    narrowed: Counter[str] = field(default_factory=Counter)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def of(self, question: Hashable, ask: Callable[[], Answer]) -> Answer:
        """Return the answer to a question, asking only the first time. A failure is an answer too."""
        with self.lock:
            if question not in self.known:
                try:
                    self.known[question] = ask()
                except Unreachable as unreachable:
                    self.known[question] = unreachable
            answer = self.known[question]
        if isinstance(answer, Unreachable):
            raise answer
        return answer  # type: ignore[no-any-return]  # the dictionary holds answers of every kind


class View:
    """A cluster as one exercise of a run sees it. Probes are always put anew; everything else once a run."""

    def __init__(self, cluster: Cluster, answers: Answers | None = None) -> None:
        self._cluster = cluster
        self._answers = answers or Answers()
        self._kinds: set[str] = set()

    @property
    def context(self) -> str:
        """The name of the kubeconfig context."""
        return self._cluster.context

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds whose changes could change what was seen here."""
        return frozenset(self._kinds - _UNWATCHED)

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return an object, from a list that holds it where one was answered already."""
        self._kinds.add(kind)
        held = self._held(Listed(kind, namespace, fields=f"metadata.name={name}")) if namespace else None
        if held is not None:
            return next(iter(held), None)
        return self._answers.of(
            ("get", kind, name, namespace), lambda: self._cluster.get(kind, name, namespace)
        )

    def list(
        self, kind: str, *, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[Object]:
        """Return the objects of a kind; a new list each time, of objects that are shared."""
        self._kinds.add(kind)
        question = Listed(kind, namespace, labels, fields)
        held = self._held(question)
        if held is None:
            held = self._answers.of(
                question,
                lambda: self._cluster.list(kind, namespace=namespace, labels=labels, fields=fields),
            )
        return [*held]

    def changes(self, kind: str, *, namespace: str, since: str) -> Sequence[Object] | None:
        """Return the states that objects have gone through after a resource version."""
        self._kinds.add(kind)
        return self._answers.of(
            ("changes", kind, namespace, since),
            lambda: self._cluster.changes(kind, namespace=namespace, since=since),
        )

    def follow(self, kind: str, *, seconds: int) -> Iterator[None]:
        """Yield whenever objects of a kind change."""
        return self._cluster.follow(kind, seconds=seconds)

    def serves(self, kind: str) -> bool:
        """Tell whether the server knows the kind."""
        self._kinds.add(DEFINITIONS)
        return self._answers.of(("serves", kind), lambda: self._cluster.serves(kind))

    def resources(self, group: str) -> Sequence[str]:
        """Return what a group and the groups below it serve."""
        self._kinds.add(DEFINITIONS)
        return self._answers.of(("resources", group), lambda: self._cluster.resources(group))

    def try_create(self, resource: Object) -> Decision:
        """Send an object through admission as a dry run."""
        return self._cluster.try_create(resource)

    def allowed(self, verb: str, kind: str, *, namespace: str | None = None, user: str | None = None) -> bool:
        """Tell whether somebody may do that."""
        return self._answers.of(
            ("allowed", verb, kind, namespace, user),
            lambda: self._cluster.allowed(verb, kind, namespace=namespace, user=user),
        )

    def service_get(self, namespace: str, service: str, path: str) -> tuple[int, str]:
        """GET a path of a Service through the API server."""
        return self._answers.of(
            ("service", namespace, service, path), lambda: self._cluster.service_get(namespace, service, path)
        )

    def everything(self, kind: str) -> Sequence[Object] | None:
        """Return all objects of a kind, None when there are too many for one answer."""
        self._kinds.add(kind)
        return self._answers.of(("everything", kind), lambda: self._cluster.everything(kind))

    def _held(self, question: Listed) -> Sequence[Object] | None:
        """Return the answer to a question as far as it follows from a wider one, None where it does not.

        Whoever asks for one thing of a kind and then for another is given all of it, if that is not much.
        """
        labels, fields = _equalities(question.labels), _equalities(question.fields)
        if labels is None or fields is None or fields.keys() - {"metadata.name"}:
            return None
        with self._answers.lock:
            known = self._answers.known
            wider = [known.get(Listed(question.kind, question.namespace)), known.get(Listed(question.kind))]
            if question not in known and not any(isinstance(each, list) for each in wider):
                self._answers.narrowed[question.kind] += 1
                if self._answers.narrowed[question.kind] > 1:
                    wider.append(self._all_of(question.kind))
        for held in wider:
            if isinstance(held, list):
                return [each for each in held if _fits(each, question.namespace, labels, fields)]
        return None

    def _all_of(self, kind: str) -> Sequence[Object] | None:
        try:
            return self.everything(kind)
        except Unreachable as unreachable:
            if unreachable.reason is not Reason.FORBIDDEN:
                raise
            return None  # one namespace may be open to us where all of them are not


def _fits(each: Object, namespace: str | None, labels: dict[str, str], fields: dict[str, str]) -> bool:
    metadata = _metadata(each)
    marks = metadata.get("labels")
    marks = marks if isinstance(marks, dict) else {}
    place = metadata.get("namespace")
    return (
        # A namespace is of no account for what stands in none.
        (namespace is None or place is None or place == namespace)
        and all(marks.get(key) == value for key, value in labels.items())
        and fields.get("metadata.name") in (None, metadata.get("name"))
    )


def _metadata(each: Object) -> dict[str, Any]:
    metadata = each.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _equalities(selector: str | None) -> dict[str, str] | None:
    """Return a selector that only says what equals what, as a mapping; None for any other."""
    parts = [part.strip() for part in (selector or "").split(",") if part.strip()]
    found: dict[str, str] = {}
    for part in parts:
        key, equals, value = part.partition("=")
        value = value.removeprefix("=")
        if not equals or key.endswith("!") or " in " in f" {part} " or key in found:
            return None
        found[key.strip()] = value.strip()
    return found
