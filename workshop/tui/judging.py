"""Runs, as threads do them: judge exercises one by one and post every result at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.message import Message

from workshop.content import Exercise, Lab
from workshop.texts import Text
from workshop.tui import connecting
from workshop.tui.connecting import ClusterView
from workshop.tui.messages import ClusterSeen, Judged, RunEnded
from workshop.verdicts import Half, Mode

if TYPE_CHECKING:
    from workshop.cluster.port import Cluster, Unreachable
    from workshop.engine import Run
    from workshop.workspace import Workspace

Connect = Callable[[Mode, Lab], "Cluster"]
Stale = Callable[[], bool]
# Seconds that a run gives the screen to draw its first result.
_FOR_THE_SCREEN: Final = 0.5


class Judge:
    """Judges one folder again and again; what was read is kept until the file changes.

    Every method runs in a worker thread and touches no widget: what is found goes through `post`.
    `cluster` is the one that the newest run reached, None while there is none.
    Two runs may overlap for a moment, the older one being stale: a Workspace bears that, since it only
    ever replaces whole entries of its cache.
    """

    def __init__(
        self,
        lab: Lab,
        folder: Path,
        post: Callable[[Message], object],
        connect: Connect = connecting.connect,
    ) -> None:
        self._lab, self._folder, self._post, self._connect = lab, folder, post, connect
        self._workspace: Workspace | None = None
        self._mode = Mode.OFFLINE
        self._asked = False
        self._lost: Unreachable | None = None
        self.cluster: Cluster | None = None
        self._go_on = threading.Event()

    def go_on(self) -> None:
        """Judge the others too: the result that somebody waits for is on the screen."""
        self._go_on.set()

    def run(self, run_id: int, mode: Mode, exercises: Sequence[Exercise], stale: Stale) -> None:
        """Judge `exercises` in their order until `stale` says that a newer run has begun. Never raises.

        Nobody waits for a cluster that has not answered yet, or no longer does: files come first then.
        """
        with self._telling(run_id, stale):
            run = self._begin(mode)
            on_cluster = [each for each in exercises if each.halves != (Half.FILES,)]
            if mode is Mode.OFFLINE:
                self._judge(run_id, run, exercises, stale)
            elif not self._asked:
                self._judge(run_id, run, [each for each in exercises if each not in on_cluster], stale)
                self._judge(run_id, self._reach(run_id, run, mode, stale), on_cluster, stale)
            elif self._lost is not None:
                self._judge(run_id, replace(run, stages=self._lost), exercises, stale)
                found = self._reach(run_id, run, mode, stale)
                if self._lost is None:
                    self._judge(run_id, found, on_cluster, stale)
            else:
                self._judge(run_id, self._reach(run_id, run, mode, stale), exercises, stale)

    def again(self, run_id: int, mode: Mode, exercises: Sequence[Exercise], stale: Stale) -> None:
        """Ask the cluster again about `exercises`; judge nothing while it is lost. Never raises."""
        with self._telling(run_id, stale):
            before = self._lost
            run = self._reach(run_id, self._begin(mode), mode, stale)
            if self._lost is None or before is None:
                self._judge(run_id, run, exercises, stale)

    def _begin(self, mode: Mode) -> Run:
        # Imported in the thread: the first paint waits for neither the engine nor the checks.
        from workshop.engine import Run
        from workshop.workspace import Workspace

        if mode is not self._mode:
            self._mode, self._asked, self._lost = mode, False, None
        self._workspace = self._workspace or Workspace(self._folder)
        return Run.of(self._lab, self._workspace, mode)

    def _judge(self, run_id: int, run: Run, exercises: Sequence[Exercise], stale: Stale) -> None:
        from workshop.cluster.stage import LiveStages
        from workshop.engine import judge_exercise

        for place, exercise in enumerate(exercises):
            if stale():
                return
            self._go_on.clear()
            result = judge_exercise(run, exercise)
            looked = run.stages.places(exercise) if isinstance(run.stages, LiveStages) else frozenset()
            self._post(Judged(run_id, result, looked))
            if place == 0:
                # Threads share one interpreter: drawing it while others are judged would take twice as long.
                self._go_on.wait(_FOR_THE_SCREEN)
            if isinstance(run.stages, LiveStages) and connecting.is_lost(result):
                # Else every exercise after this one would wait for a time-out of its own.
                run = self._reach(run_id, run, self._mode, stale)

    def _reach(self, run_id: int, run: Run, mode: Mode, stale: Stale) -> Run:
        """Return the run with the cluster there is now, or with the reason why there is none."""
        from workshop.cluster.port import Unreachable
        from workshop.cluster.stage import LiveStages

        if stale():
            return run
        lost, context, cluster = None, "", None
        try:
            cluster = self._connect(mode, self._lab)
            context = cluster.context
            view = connecting.look(cluster)
            run = replace(run, mode=connecting.mode_for(mode, cluster), stages=LiveStages(cluster))
        except Unreachable as unreachable:
            lost = unreachable
            view = ClusterView(context, reason=unreachable.reason, problem=unreachable.text)
            run = replace(run, mode=mode, stages=unreachable)
        if not stale():
            self._asked, self._lost = True, lost
            self.cluster = cluster if lost is None else None
            self._post(ClusterSeen(run_id, view))
        return run

    @contextmanager
    def _telling(self, run_id: int, stale: Stale) -> Iterator[None]:
        """Say that the run is over, and why nothing could be judged if so."""
        from workshop.workspace import NotAWorkspace

        try:
            yield
            if not stale() and self._workspace is not None:
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
