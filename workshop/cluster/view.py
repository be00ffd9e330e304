"""One look at a cluster: what was asked once is not asked again, and what was asked is remembered.

The answers of a run are shared by its exercises, each of which sees the cluster through a View of its own: so
it is known afterwards where an exercise looked, hence which changes could change its verdict.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from workshop.cluster.port import Cluster, Decision, Object, Place, Unreachable
from workshop.verdicts import Reason

Answer = TypeVar("Answer")
# The port has a method of that name.
Objects = list[Object]

# Asked about, but no reason to look again: probes leave Events behind, and every change does.
_UNWATCHED: Final = frozenset({"Event", "Event.events.k8s.io"})
# What a server knows changes with these.
DEFINITIONS: Final = "CustomResourceDefinition.apiextensions.k8s.io"
# Even few of these are megabytes, or none of our business: only those that are named are fetched.
_NEVER_WHOLE: Final = frozenset({"ConfigMap", "Secret", DEFINITIONS})
# There may be too many of these to fetch them all, and they stand in namespaces.
_CROWDED: Final = frozenset({"Pod", "Event", "PipelineRun.tekton.dev", "TaskRun.tekton.dev"})
# Fields by which we can select as the server does; all others are for it to tell.
_SEEN: Final = frozenset({"metadata.name", "metadata.namespace"})
_SEEN_OF: Final = frozenset({("Pod", "status.phase")})
_NO_ANSWER: Final = frozenset({Reason.NO_CLUSTER, Reason.TIMEOUT, Reason.UNAUTHORIZED})
# Questions in a row that nobody answered, after a time-out each: then nobody is there.
_PATIENCE: Final = 2


@dataclass(frozen=True, slots=True)
class Listed:
    """A question for objects: a kind, narrowed by namespace and selectors."""

    kind: str
    namespace: str | None = None
    labels: str | None = None
    fields: str | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One part of a selector: a key that must have a value, or must not."""

    key: str
    value: str
    equal: bool = True

    def __str__(self) -> str:
        """Write it as the API server reads it."""
        return f"{self.key}{'=' if self.equal else '!='}{self.value}"


@dataclass(slots=True)
class Answers:
    """What a cluster has answered so far in one run; exercises and threads share it."""

    known: dict[Hashable, Any] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    unanswered: list[Unreachable] = field(default_factory=list)

    def of(self, question: Hashable, ask: Callable[[], Answer]) -> Answer:
        """Return the answer to a question, asking only the first time. A failure is an answer too.

        Raises Unreachable without asking once nobody answers any more.
        """
        with self.lock:
            if question not in self.known:
                self.expect_answers()
                try:
                    self.known[question] = ask()
                    self.unanswered.clear()
                except Unreachable as unreachable:
                    self.known[question] = unreachable
                    if unreachable.reason in _NO_ANSWER:
                        self.unanswered.append(unreachable)
            answer = self.known[question]
        if isinstance(answer, Unreachable):
            raise answer
        return answer  # type: ignore[no-any-return]  # the dictionary holds answers of every kind

    def expect_answers(self) -> None:
        """Raise Unreachable when the last questions got no answer: the next would only take its time."""
        if len(self.unanswered) >= _PATIENCE:
            raise self.unanswered[-1]


class View:
    """A cluster as one exercise of a run sees it. Probes are always put anew; everything else once a run."""

    def __init__(self, cluster: Cluster, answers: Answers | None = None) -> None:
        self._cluster = cluster
        self._answers = answers or Answers()
        self._places: set[Place] = set()
        self._seen: dict[str, dict[str, Object]] = {}
        self.asked_services = False

    @property
    def context(self) -> str:
        """The name of the kubeconfig context."""
        return self._cluster.context

    @property
    def places(self) -> frozenset[Place]:
        """Where a change could change what was seen here."""
        return frozenset(each for each in self._places if each.kind not in _UNWATCHED)

    @property
    def seen(self) -> dict[str, Sequence[Object]]:
        """The objects that were shown here, by kind."""
        return {kind: list(objects.values()) for kind, objects in self._seen.items()}

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return an object."""
        self._places.add(Place(kind, namespace))
        held = self._held(Listed(kind, namespace), name)
        if held is None:
            found = self._answers.of(
                ("get", kind, name, namespace), lambda: self._cluster.get(kind, name, namespace)
            )
            held = [] if found is None else [found]
        return self._shown(kind, held)[0] if held else None

    def list(
        self, kind: str, *, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[Object]:
        """Return the objects of a kind; a new list each time, of objects that are shared."""
        self._places.add(Place(kind, namespace))
        question = Listed(kind, namespace, labels, fields)
        held = self._held(question)
        if held is None:
            held = self._answers.of(
                question,
                lambda: self._cluster.list(kind, namespace=namespace, labels=labels, fields=fields),
            )
        return self._shown(kind, held)

    def _shown(self, kind: str, objects: Iterable[Object]) -> Objects:
        """Note what is shown, and return it in a list of its own."""
        shown = [*objects]
        if kind not in _UNWATCHED and shown:
            noted = self._seen.setdefault(kind, {})
            noted.update((str(_metadata(each).get("uid") or id(each)), each) for each in shown)
        return shown

    def changes(self, kind: str, *, namespace: str, since: str) -> Sequence[Object] | None:
        """Return the states that objects have gone through after a resource version."""
        self._places.add(Place(kind, namespace))
        return self._answers.of(
            ("changes", kind, namespace, since),
            lambda: self._cluster.changes(kind, namespace=namespace, since=since),
        )

    def follow(self, place: Place, *, seconds: int) -> Iterator[Place]:
        """Yield where objects change, whenever they do."""
        return self._cluster.follow(place, seconds=seconds)

    def serves(self, kind: str) -> bool:
        """Tell whether the server knows the kind."""
        self._places.add(Place(DEFINITIONS))
        return self._answers.of(("serves", kind), lambda: self._cluster.serves(kind))

    def resources(self, group: str) -> Sequence[str]:
        """Return what a group and the groups below it serve."""
        self._places.add(Place(DEFINITIONS))
        return self._answers.of(("resources", group), lambda: self._cluster.resources(group))

    def version(self) -> str:
        """Return the version of the server."""
        return self._answers.of(("version",), self._cluster.version)

    def try_create(self, resource: Object) -> Decision:
        """Send an object through admission as a dry run."""
        self._answers.expect_answers()
        return self._cluster.try_create(resource)

    def allowed(self, verb: str, kind: str, *, namespace: str | None = None, user: str | None = None) -> bool:
        """Tell whether somebody may do that."""
        return self._answers.of(
            ("allowed", verb, kind, namespace, user),
            lambda: self._cluster.allowed(verb, kind, namespace=namespace, user=user),
        )

    def service_get(self, namespace: str, service: str, path: str) -> tuple[int, str]:
        """GET a path of a Service through the API server."""
        self.asked_services = True
        hanging = ("silent", namespace, service)

        def ask() -> tuple[int, str]:
            if hanging in self._answers.known:  # each question more would only take its time
                raise self._answers.known[hanging]
            try:
                return self._cluster.service_get(namespace, service, path)
            except Unreachable as unreachable:
                if unreachable.reason is Reason.UNAVAILABLE:
                    self._answers.known[hanging] = unreachable
                raise

        return self._answers.of(("service", namespace, service, path), ask)

    def everything(self, kind: str, *, fields: str | None = None) -> Sequence[Object] | None:
        """Return all objects of a kind, None when there are too many for one answer."""
        self._places.add(Place(kind))
        return self._whole(kind, fields)

    def _whole(self, kind: str, fields: str | None) -> Sequence[Object] | None:
        return self._answers.of(
            ("everything", kind, fields), lambda: self._cluster.everything(kind, fields=fields)
        )

    def _held(self, question: Listed, name: str | None = None) -> Sequence[Object] | None:
        """Return the answer to a question as far as it follows from a wider one, None where it does not.

        Whoever asks for some of a kind is given all of it, if that is not much: most exercises ask for the
        same objects, each in its own words.
        """
        labels, fields = _requirements(question.labels), _requirements(question.fields)
        if labels is None or fields is None:
            return None
        if name is not None:
            fields.append(Requirement("metadata.name", name))
        seen = [each for each in fields if each.key in _SEEN or (question.kind, each.key) in _SEEN_OF]
        # What else is selected by a field only the server can tell: both questions must agree on it.
        alike = ",".join(sorted(str(each) for each in fields if each not in seen)) or None
        whole = Listed(question.kind, fields=alike)
        wider = (replace(whole, namespace=question.namespace), whole, ("everything", question.kind, alike))
        with self._answers.lock:
            known = map(self._answers.known.get, wider)
            held: Sequence[Object] | None = next((each for each in known if isinstance(each, list)), None)
        asks_for_some = question != whole or name is not None
        if held is None and asks_for_some and question.kind not in _NEVER_WHOLE:
            held = self._all_of(question.kind, alike)
        if held is None and question.kind in _CROWDED and self._is_absent(question.namespace):
            return []
        if held is None:
            return None
        return [each for each in held if _fits(each, question.namespace, labels, seen)]

    def _is_absent(self, namespace: str | None) -> bool:
        """Whether the namespaces are known, and this one is not among them: nothing can be in it."""
        with self._answers.lock:
            known = map(self._answers.known.get, (Listed("Namespace"), ("everything", "Namespace", None)))
            namespaces = next((each for each in known if isinstance(each, list)), None)
        if namespace is None or namespaces is None:
            return False
        return all(_metadata(each).get("name") != namespace for each in namespaces)

    def _all_of(self, kind: str, fields: str | None) -> Sequence[Object] | None:
        try:
            return self._whole(kind, fields)
        except Unreachable as unreachable:
            if unreachable.reason in _NO_ANSWER:
                raise
            return None  # a part may be open to us all the same, or free of what breaks the rest


def _fits(
    each: Object, namespace: str | None, labels: Iterable[Requirement], fields: Iterable[Requirement]
) -> bool:
    metadata = _metadata(each)
    marks = metadata.get("labels")
    marks = marks if isinstance(marks, dict) else {}
    place = metadata.get("namespace")
    return (
        # A namespace is of no account for what stands in none.
        (namespace is None or place is None or place == namespace)
        and all((marks.get(want.key) == want.value) is want.equal for want in labels)
        and all((_field(each, want.key) == want.value) is want.equal for want in fields)
    )


def _metadata(each: Object) -> dict[str, Any]:
    metadata = each.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _field(each: Object, path: str) -> object:
    """Return what a field selector compares: an absent field is empty."""
    found: Any = each
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return "" if found is None else found


def _requirements(selector: str | None) -> list[Requirement] | None:
    """Return what a selector that only says `=` and `!=` asks of each key; None for any other selector."""
    found: list[Requirement] = []
    for part in filter(None, (part.strip() for part in (selector or "").split(","))):
        key, equals, value = part.partition("=")
        equal = not key.endswith("!")
        key, value = key.removesuffix("!").strip(), value.removeprefix("=").strip()
        if not equals or not key or len(key.split()) > 1 or "(" in part:
            return None
        found.append(Requirement(key, value, equal))
    return found
