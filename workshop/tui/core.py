"""The application below its screens: the state, the progress store, and the threads that find things out.

Thread workers only post messages; the handlers here turn them into a new `State`, which goes down to
every screen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import App
from textual.message_pump import MessagePump
from textual.reactive import Reactive

from workshop.content import Exercise, Lab
from workshop.converging import is_converging
from workshop.texts import Language, Message, Text
from workshop.tui import connecting, themes
from workshop.tui.choices import Choices
from workshop.tui.clocks import Clocks
from workshop.tui.following import Follower
from workshop.tui.judging import Connect, Judge
from workshop.tui.messages import ClusterChanged, ClusterSeen, FilesChanged, Judged, RunEnded
from workshop.tui.screens.base import Drawn
from workshop.tui.state import State
from workshop.verdicts import ExerciseResult, Half, Mode, Verdict

if TYPE_CHECKING:
    from textual.timer import Timer

    from workshop.cluster.port import Place
    from workshop.progress import Progress

# Seconds.
_SAVE_CLOCKS_EVERY = 15.0
_TOGETHER = 0.1
_TAKES_LONG = 0.15
_ASK_AGAIN = 3.0
# Controllers change an object several times in a row.
_CHANGES_TOGETHER = 0.4
# How often webhooks are given time to catch up with the last change before one waits for the next.
_ASK_AGAIN_TIMES = 10


class Core(App[int]):
    """What the workshop knows, and how it comes to know it."""

    # A theme that is put on after the start has every style sheet parsed and applied once more.
    theme = Reactive(themes.DARK.name)

    def __init__(
        self,
        lab: Lab,
        folder: Path,
        *,
        language: Language | None = None,
        instructor: bool = False,
        now: Callable[[], float] = time.monotonic,
        polling: bool | None = None,
        connect: Connect | None = None,
    ) -> None:
        """Prepare; nothing is read or written before the application runs.

        `now` is a monotonic clock in seconds; `polling` is handed to `watching.changes`;
        `connect` finds the cluster of a mode.
        """
        super().__init__()
        self.register_theme(themes.DARK)
        self.register_theme(themes.LIGHT)
        self.stylesheet.set_variables(self.get_css_variables())
        self.progress: Progress | None = None
        self.choices = Choices.recall(None, language)
        self.clocks = Clocks({}, now)
        self.current: Exercise | None = None
        self.state = State(lab=lab, folder=folder, language=self.choices.language, instructor=instructor)
        self._asked_language = language
        self._now, self._polling = now, polling
        connect = connect or partial(connecting.connect, folder=folder)
        self._judge = Judge(lab, folder, self.post_message, connect)
        self._run_id = 0
        self._found: list[ExerciseResult] = []
        self._unrecorded: list[tuple[list[ExerciseResult], Mode]] = []
        self._stop = threading.Event()
        self._told: Message | None = None
        self._asking_again = self._under_way = False
        self._next_look: Timer | None = None
        self._follower = Follower(self.post_message)
        self._looked_at: dict[str, frozenset[Place]] = {}
        self._changed: set[Place] = set()
        self._asks_left = _ASK_AGAIN_TIMES
        self._painted = False
        self._when_painted: list[tuple[MessagePump, Callable[[], object]]] = []

    # --- beginning and end -----------------------------------------------------------------------

    def open_workspace(self) -> None:
        """Take up the progress of the folder."""
        from workshop.progress import Progress

        progress = Progress.open(self.state.folder)
        self.progress = progress
        self.choices = Choices.recall(progress, self._asked_language)
        self.clocks = Clocks(progress.time_spent(), self._now)
        exercises = self.state.lab.exercises
        self.show(
            language=self.choices.language,
            mode=self.choices.mode,
            remembered=progress.verdicts(),
            passed_once=frozenset(
                each.id
                for each in exercises
                if any(attempt.verdict is Verdict.PASSED for attempt in progress.attempts(each.id))
            ),
            hints={each.id: progress.hints(each.id) for each in exercises},
            spent=self.clocks.spent(),
        )

    def when_painted(self, pump: MessagePump, work: Callable[[], object]) -> None:
        """Let a screen or the application do something once the first frame is on the terminal.

        While the application starts, what Textual calls after a refresh comes before the first frame.
        """
        if self._painted:
            pump.call_after_refresh(work)
        else:
            self._when_painted.append((pump, work))

    def post_display_hook(self) -> None:
        """Notice the first frame: drawing that Textual puts off until its start is over is none."""
        if self._painted or self._batch_count or not isinstance(self.screen, Drawn):
            return
        self._painted = True
        for pump, work in self._when_painted:
            pump.call_later(work)

    def begin(self) -> None:
        """Watch the folder, judge everything once, let the clocks go."""
        self._tell_problem()
        self.set_interval(_SAVE_CLOCKS_EVERY, self._save_clocks)
        self.run_worker(self._watch, thread=True, group="watching", name="watching")
        self.action_check_all()

    def on_unmount(self) -> None:
        """Keep what is not kept yet, and let the threads go."""
        self._stop.set()
        self._follower.stop()
        self._run_id += 1
        self._record()
        if self.progress is not None:
            self.clocks.save(self.progress)
            self.progress.close()

    def _watch(self) -> None:
        from workshop.tui.watching import changes

        for paths in changes(self.state.folder, self._stop, polling=self._polling):
            self.post_message(FilesChanged(paths))

    # --- state -----------------------------------------------------------------------------------

    def show(self, **changed: Any) -> None:
        """Replace parts of the state and let every screen draw it."""
        self.state = replace(self.state, **changed)
        for screen in self.screen_stack:
            if isinstance(screen, Drawn):
                screen.state = self.state

    def choose(self, **changed: Any) -> None:
        """Change a choice and remember it."""
        self.choices = replace(self.choices, **changed)
        if self.progress is not None:
            self.choices.keep(self.progress)
            self._tell_problem()

    def set_language(self, language: Language) -> None:
        """Speak another language, from now on."""
        self.show(language=language)
        self.choose(language=language)

    def set_mode(self, mode: Mode) -> None:
        """Judge in another mode, from now on."""
        if mode is not self.state.mode:
            self._follower.stop()
            self._looked_at.clear()
            self.show(mode=mode, cluster=None)
            self.choose(mode=mode)
            if self.progress is not None:
                self.action_check_all()

    def work_on(self, exercise: Exercise | None) -> None:
        """Let the clock of an exercise run, and no other one."""
        self.current = exercise
        self.clocks.start(exercise)
        self.show(spent=self.clocks.spent())
        self._look_later()

    def reveal_hint(self, exercise: Exercise) -> None:
        """Show one more hint tier of an exercise."""
        total = len(exercise.hints)
        if self.progress is not None:
            revealed = self.progress.reveal_hint(exercise.id, total)
        else:
            revealed = min(self.state.hints.get(exercise.id, 0) + 1, total)
        self.show(hints={**self.state.hints, exercise.id: revealed})

    def _save_clocks(self) -> None:
        if self.progress is not None:
            self.clocks.save(self.progress)
            self.show(spent=self.clocks.spent())
            self._tell_problem()

    def _tell_problem(self) -> None:
        """Say once what is wrong with the progress store; the work goes on without it."""
        problem = self.progress.problem if self.progress is not None else None
        if problem is not None and problem != self._told:
            self._told = problem
            self.notify(self.state.say(problem), severity="warning", timeout=12, markup=False)

    # --- judging ---------------------------------------------------------------------------------

    def action_check_all(self) -> None:
        """Judge every exercise, the open one first. A run that is still under way becomes stale."""
        exercises = sorted(self.state.lab.exercises, key=lambda each: each is not self.current)
        # Drawn with the first result, or when that takes long: drawing it now would delay the result.
        self.state = replace(self.state, running=frozenset(each.id for each in exercises))
        self.set_timer(_TAKES_LONG, self.show)
        self._asking_again, self._asks_left = False, _ASK_AGAIN_TIMES
        self._start_run(self._judge.run, exercises)

    def _start_run(self, judge: Callable[..., None], exercises: Sequence[Exercise]) -> None:
        self._run_id += 1
        self._under_way = True
        self._found.clear()
        run_id = self._run_id
        work = partial(judge, run_id, self.state.mode, exercises, lambda: run_id != self._run_id)
        self.run_worker(work, thread=True, group="judging", name=f"run {run_id}")

    @on(ClusterSeen)
    def _cluster_seen(self, event: ClusterSeen) -> None:
        known, seen = self.state.cluster, event.view
        # The words of a failure may differ each time; its reason does not.
        failing_still = (
            known is not None
            and known.problem is not None
            and (known.context, known.reason) == (seen.context, seen.reason)
        )
        if event.run_id == self._run_id and not failing_still:
            self.show(cluster=seen)

    @on(ClusterChanged)
    def _cluster_changed(self, event: ClusterChanged) -> None:
        if not self._changed:
            self.set_timer(_CHANGES_TOGETHER, self._take_changes)
        self._changed.add(event.place)

    def _take_changes(self) -> None:
        """Judge again what has looked at what changed; after the run that is under way, if one is."""
        if self._under_way or not self._changed:
            return
        changed, self._changed = self._changed, set()
        if self.state.cluster is not None and self.state.cluster.problem is not None:
            # That a watch broke tells nothing new; whoever finds the cluster again has everything to look at.
            self._judge_again(self._worth_asking())
            return
        self._asks_left = _ASK_AGAIN_TIMES
        ordered = sorted(self.state.lab.exercises, key=lambda each: each is not self.current)
        self._judge_again([each for each in ordered if self._concerns(each, changed)])

    def _concerns(self, exercise: Exercise, changed: Iterable[Place]) -> bool:
        looked = self._looked_at.get(exercise.id, frozenset())
        return any(one.meets(other) for one in changed for other in looked)

    def _follow(self) -> None:
        """Follow what the exercises have looked at, the open one's places first."""
        if self._judge.cluster is not None:
            ordered = sorted(
                self._looked_at, key=lambda each: self.current is None or each != self.current.id
            )
            places = [place for each in ordered for place in sorted(self._looked_at[each], key=str)]
            self._follower.follow(self._judge.cluster, places)

    def _look_later(self) -> None:
        """Look at the cluster again soon where something is on its way; the end of a run calls this too."""
        if self._next_look is not None:
            self._next_look.stop()
        if not self._under_way and self._worth_asking():
            self._next_look = self.set_timer(_ASK_AGAIN, self._ask_again)

    def _ask_again(self) -> None:
        self._asks_left -= 1
        self._judge_again(self._worth_asking())

    def _judge_again(self, exercises: Sequence[Exercise]) -> None:
        if exercises and not self._under_way:
            self._asking_again = True
            self._start_run(self._judge.again, exercises)

    def _worth_asking(self) -> list[Exercise]:
        """Return what a cluster may soon answer differently although no object there changes.

        A cluster that was lost; webhooks that follow a change a moment later; what cannot be followed.
        """
        state, current = self.state, self.current
        if state.mode is Mode.OFFLINE or state.cluster is None:
            return []
        ordered = sorted(state.lab.exercises, key=lambda each: each is not current)
        if state.cluster.problem is not None:
            return [each for each in ordered if each.halves != (Half.FILES,)]
        return [
            each
            for each in ordered
            if (result := state.results.get(each.id)) is not None
            and (is_converging(result, is_open=each is current) or connecting.is_lost(result))
            and (self._asks_left > 0 or self._follower.misses(self._looked_at.get(each.id, ())))
        ]

    @on(FilesChanged)
    def _files_changed(self) -> None:
        # Exercises are compared with each other: all are judged again, from what is already read.
        self.action_check_all()

    @on(Judged)
    def _judged(self, event: Judged) -> None:
        if event.run_id != self._run_id:
            return
        self._found.append(event.result)
        self._looked_at[event.result.id] = event.places
        self.call_after_refresh(self._judge.go_on)
        if self.current is not None and event.result.id == self.current.id:
            self._take_results()
        elif len(self._found) == 1:
            # Nobody waits for the others: they are drawn together.
            self.set_timer(_TOGETHER, self._take_results)

    @on(RunEnded)
    def _run_ended(self, event: RunEnded) -> None:
        if event.run_id != self._run_id:
            return
        self._under_way = False
        self._take_results()
        self.show(running=frozenset(), files_readable=event.files_readable)
        if event.problem is not None:
            self.notify(self.state.say(event.problem), severity="error", timeout=12, markup=False)
        self._follow()
        self._take_changes()
        self._look_later()

    def _take_results(self) -> None:
        """Draw, record and celebrate what was found since the last time."""
        found, self._found = self._found, []
        if not found:
            return
        before = self.state
        passed = {result.id for result in found if result.verdict is Verdict.PASSED}
        self.show(
            results={**before.results, **{result.id: result for result in found}},
            running=before.running - {result.id for result in found},
            passed_once=before.passed_once | passed,
        )
        current = self.current.id if self.current is not None else None
        new = [
            each
            for each in found
            if (each.id == current and not self._asking_again) or each.verdict is not before.verdict(each.id)
        ]
        if new:
            self._unrecorded.append((new, before.mode))
            self.call_after_refresh(self._record)  # the disk may be slow
        opened = self.state.unlocked - before.unlocked
        for result in found:
            if result.id in passed and before.verdict(result.id) not in (None, Verdict.PASSED):
                # A toast has everything laid out again: the verdict is drawn first.
                self.call_after_refresh(self._congratulate, result.id, opened)

    def _record(self) -> None:
        """Keep what was found in the progress store."""
        unrecorded, self._unrecorded = self._unrecorded, []
        if self.progress is None or not unrecorded:
            return
        for results, mode in unrecorded:
            self.progress.record(results, mode)
        self._tell_problem()

    def _congratulate(self, exercise_id: str, opened: frozenset[str]) -> None:
        say = self.state.say
        for exercise in self.state.lab.exercises:
            if exercise.id == exercise_id:
                points = f"{exercise.points:g}"
                lines = [say(Text("{id} passed: {points} points", id=exercise.id, points=points))]
                lines += [
                    say(Text("{id} {title} is open now", id=each.id, title=each.title))
                    for each in self.state.lab.exercises
                    if each.id in opened
                ]
                self.notify("\n".join(lines), timeout=6, markup=False)
