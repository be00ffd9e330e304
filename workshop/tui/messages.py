"""What the thread workers tell the application. Each carries the id of its run: stale ones are dropped."""

from __future__ import annotations

from textual.message import Message

from workshop.cluster.port import Place
from workshop.texts import Message as Words
from workshop.tui.connecting import ClusterView
from workshop.verdicts import ExerciseResult


class Judged(Message):
    """One exercise of a run has its result; `places` are where it looked on the cluster."""

    def __init__(self, run_id: int, result: ExerciseResult, places: frozenset[Place] = frozenset()) -> None:
        super().__init__()
        self.run_id = run_id
        self.result = result
        self.places = places


class RunEnded(Message):
    """A run is over: everything asked was judged, or `problem` says why nothing could be."""

    def __init__(
        self, run_id: int, *, files_readable: bool | None = None, problem: Words | None = None
    ) -> None:
        super().__init__()
        self.run_id = run_id
        self.files_readable = files_readable
        self.problem = problem


class FilesChanged(Message):
    """Files below `td/` were written, added or removed; paths are relative to the workspace."""

    def __init__(self, paths: frozenset[str]) -> None:
        super().__init__()
        self.paths = paths


class WorkspaceStarted(Message):
    """A new workspace was made in the folder, or `problem` says why not."""

    def __init__(self, added: int = 0, problem: Words | None = None) -> None:
        super().__init__()
        self.added = added
        self.problem = problem


class ClusterSeen(Message):
    """A run has asked the cluster, or could not."""

    def __init__(self, run_id: int, view: ClusterView) -> None:
        super().__init__()
        self.run_id = run_id
        self.view = view


class ClusterChanged(Message):
    """Objects have changed somewhere on the cluster, or it can no longer be told."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place


class SandboxMissing(Message):
    """No sandbox is running for the student."""


class SandboxProgress(Message):
    """The sandbox is starting; `text` is what it is doing."""

    def __init__(self, text: Words) -> None:
        super().__init__()
        self.text = text


class SandboxStarted(Message):
    """The sandbox is up, or `problem` says why not and what to do."""

    def __init__(self, problem: Words | None = None) -> None:
        super().__init__()
        self.problem = problem
