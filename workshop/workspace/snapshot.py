"""A workspace as it is at one moment: every path is looked at once, whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from workshop.dialects import Dialect
from workshop.workspace.documents import Document
from workshop.workspace.folder import Workspace
from workshop.workspace.problems import Problem, Unreadable
from workshop.workspace.textfile import TextFile

Answer = TypeVar("Answer")


class Snapshot(Workspace):
    """What was found out about a path holds for the life of the snapshot, which is that of one judgement.

    So all checks of an exercise see the same work, even while it is being saved. What was read is shared
    with the workspace it is of. One thread's alone.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.root = workspace.root  # type: ignore[misc]  # final: the workspace has made sure of it
        self._texts, self._documents = workspace._texts, workspace._documents
        self._found: dict[Hashable, Any] = {}

    @classmethod
    def of(cls, workspace: Workspace) -> Snapshot:
        """Return a snapshot of a workspace, itself where it is one already."""
        return workspace if isinstance(workspace, Snapshot) else cls(workspace)

    def exists(self, path: str) -> bool:
        """Whether anything is at that path."""
        return self._once(("exists", path), lambda: super(Snapshot, self).exists(path))

    def files(self, folder: str, suffixes: Iterable[str] = ()) -> list[str]:
        """Return the regular files below a folder, sorted."""
        wanted = tuple(suffixes)
        return [*self._once(("files", folder, wanted), lambda: super(Snapshot, self).files(folder, wanted))]

    def text(self, path: str) -> TextFile:
        """Return a text file. Raises Unreadable."""
        return self._once(("text", path), lambda: super(Snapshot, self).text(path))

    def documents(self, path: str, *, dialect: Dialect = "kubernetes") -> list[Document]:
        """Return the YAML documents of a file. Raises Unreadable."""
        question = ("documents", path, dialect)
        return [*self._once(question, lambda: super(Snapshot, self).documents(path, dialect=dialect))]

    def _once(self, question: Hashable, look: Callable[[], Answer]) -> Answer:
        if question not in self._found:
            try:
                self._found[question] = look()
            except Unreadable as unreadable:
                self._found[question] = unreadable.problem
                raise
        answer = self._found[question]
        if isinstance(answer, Problem):
            raise Unreadable(answer)
        return answer  # type: ignore[no-any-return]  # the dictionary holds answers of every kind
