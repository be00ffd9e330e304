"""What is set up for the cluster half of one exercise before its checks look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from workshop.cluster.doors import Doors
from workshop.cluster.port import Cluster, Decision, Object, Place
from workshop.cluster.view import Answers, View
from workshop.content import Exercise
from workshop.workspace import Document, Workspace


@dataclass(frozen=True, slots=True)
class Applied:
    """One object of the student's files and what the API server said to it.

    `decision` is None when it was not sent: the exercise does not ask for such an object.
    """

    document: Document
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Stage:
    """A cluster to look at, and what was applied to it first (nothing, on a student's own cluster)."""

    cluster: Cluster
    applied: tuple[Applied, ...] = ()
    doors: Doors = field(default_factory=Doors)


class Stages(Protocol):
    """Sets up the stage of one exercise after the other."""

    def stage(self, exercise: Exercise, workspace: Workspace, /) -> AbstractContextManager[Stage]:
        """Return the stage of an exercise. Raises Unreachable when there is none to be had."""


class LiveStages:
    """The student's own cluster: the same for every exercise of a run, with nothing applied."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._answers = Answers()
        self._views: dict[str, View] = {}
        self._doors: dict[str, Doors] = {}

    @property
    def context(self) -> str:
        """The name of the cluster's kubeconfig context."""
        return self._cluster.context

    def stage(self, exercise: Exercise, _workspace: Workspace, /) -> AbstractContextManager[Stage]:
        """Return the cluster as it is; what another exercise of the run has asked is not asked again."""
        view = self._views[exercise.id] = View(self._cluster, self._answers)
        doors = self._doors[exercise.id] = Doors()
        return nullcontext(Stage(view, doors=doors))

    def places(self, exercise: Exercise) -> frozenset[Place]:
        """Return where an exercise has looked in this run."""
        view = self._views.get(exercise.id)
        return view.places if view else frozenset()

    def seen(self, exercise: Exercise) -> Mapping[str, Sequence[Object]] | None:
        """Return the objects that an exercise was shown in this run, by kind.

        None where it did not judge by these alone, but asked what runs there.
        """
        view, doors = self._views.get(exercise.id), self._doors.get(exercise.id)
        if view is None or view.asked_services or doors is None or doors.knocked:
            return None
        return view.seen

    @property
    def cluster(self) -> Cluster:
        """The cluster, to be asked what no exercise does; what the run has asked is not asked again."""
        return View(self._cluster, self._answers)
