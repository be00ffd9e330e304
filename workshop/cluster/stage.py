"""What is set up for the cluster half of one exercise before its checks look."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from workshop.cluster.port import Cluster, Decision
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


class Stages(Protocol):
    """Sets up the stage of one exercise after the other."""

    def stage(self, exercise: Exercise, workspace: Workspace, /) -> AbstractContextManager[Stage]:
        """Return the stage of an exercise. Raises Unreachable when there is none to be had."""


class LiveStages:
    """The student's own cluster: the same for every exercise, with nothing applied."""

    def __init__(self, cluster: Cluster) -> None:
        self._stage = Stage(cluster)

    @property
    def context(self) -> str:
        """The name of the cluster's kubeconfig context."""
        return self._stage.cluster.context

    def stage(self, _exercise: Exercise, _workspace: Workspace, /) -> AbstractContextManager[Stage]:
        """Return the cluster as it is."""
        return nullcontext(self._stage)
