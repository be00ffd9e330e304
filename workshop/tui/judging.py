"""Runs, as threads do them: judge exercises one by one and post every result at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from workshop.content import Exercise, Lab
from workshop.texts import Text
from workshop.tui.messages import Judged, RunEnded
from workshop.verdicts import Mode

if TYPE_CHECKING:
    from workshop.workspace import Workspace


class Judge:
    """Judges one folder again and again; what was read is kept until the file changes.

    Every method runs in a worker thread and touches no widget: what is found goes through `post`.
    Two runs may overlap for a moment, the older one being stale: a Workspace bears that, since it only
    ever replaces whole entries of its cache.
    """

    def __init__(self, lab: Lab, folder: Path, post: Callable[[Message], object]) -> None:
        self._lab, self._folder, self._post = lab, folder, post
        self._workspace: Workspace | None = None

    def run(self, run_id: int, mode: Mode, exercises: Sequence[Exercise], stale: Callable[[], bool]) -> None:
        """Judge `exercises` in their order until `stale` says that a newer run has begun. Never raises."""
        # Imported in the thread: the first paint waits for neither the engine nor the checks.
        from workshop.engine import Run, judge_exercise
        from workshop.workspace import NotAWorkspace, Workspace

        try:
            self._workspace = self._workspace or Workspace(self._folder)
            run = Run.of(self._lab, self._workspace, mode)
            for exercise in exercises:
                if stale():
                    return
                self._post(Judged(run_id, judge_exercise(run, exercise)))
            if not stale():
                self._post(RunEnded(run_id, files_readable=_every_file_readable(self._workspace)))
        except NotAWorkspace as error:
            self._post(RunEnded(run_id, problem=error.text))
        except Exception as error:  # noqa: BLE001 (a worker that raises takes the whole screen down)
            name = type(error).__name__
            problem = Text("The check itself broke: {kind}: {message}", kind=name, message=str(error)[:200])
            self._post(RunEnded(run_id, problem=problem))


def _every_file_readable(workspace: Workspace) -> bool:
    from workshop.workspace import Unreadable

    for path in workspace.files("td", (".yaml", ".yml")):
        try:
            workspace.documents(path)
        except Unreadable as unreadable:
            if unreadable.problem.kind not in ("missing", "empty"):
                return False
    return True
