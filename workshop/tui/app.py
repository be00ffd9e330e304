"""The application: owns the state, starts the workers, and lets screens draw what is known.

Layout: thread workers (`judging`, `watching`) only post messages; the handlers here turn them into a
new `State`, which goes down to every screen. Screens ask for things through the public methods below.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import App, SuspendNotSupported
from textual.binding import Binding, BindingType

from workshop.content import Exercise, Lab
from workshop.texts import Language, Message, Text
from workshop.tui import themes
from workshop.tui.choices import BOARD, MAP, Choices
from workshop.tui.clocks import Clocks
from workshop.tui.judging import Judge
from workshop.tui.messages import FilesChanged, Judged, RunEnded, WorkspaceStarted
from workshop.tui.screens.base import Drawn
from workshop.tui.screens.map import MapScreen
from workshop.tui.state import State
from workshop.verdicts import Mode, Verdict

if TYPE_CHECKING:
    from textual.command import Provider

    from workshop.accounts import Account
    from workshop.progress import Progress

_SAVE_CLOCKS_EVERY = 15.0


def _commands() -> type[Provider]:
    from workshop.tui.commands import WorkshopCommands

    return WorkshopCommands


class WorkshopApp(App[int]):
    """The workshop in the terminal."""

    TITLE = "workshop"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}
    # Textual declares these as variables of the instance: a ClassVar would not type-check.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark", "help", "Help", key_display="?", id="app.help"),
        Binding("f2,l", "language", "English / français", show=False, id="app.language"),
        Binding("f3,d", "theme", "Dark / light", show=False, id="app.theme"),
        Binding("q", "quit", "Quit", id="app.quit"),
    ]

    def __init__(
        self,
        lab: Lab,
        folder: Path,
        *,
        language: Language | None = None,
        instructor: bool = False,
        now: Callable[[], float] = time.monotonic,
        polling: bool | None = None,
    ) -> None:
        """Prepare; nothing is read or written before `on_mount`. `now` is a monotonic clock in seconds."""
        super().__init__()
        self.register_theme(themes.DARK)
        self.register_theme(themes.LIGHT)
        self.progress: Progress | None = None
        self._asked_language = language
        self._now, self._polling = now, polling
        self._run_id = 0
        self._stop = threading.Event()
        self._told: Message | None = None
        self.choices = Choices.recall(None, language)
        self.clocks = Clocks({}, now)
        self.state = State(lab=lab, folder=folder, language=self.choices.language, instructor=instructor)
        self._judge = Judge(lab, folder, self.post_message)

    # --- beginning and end -----------------------------------------------------------------------

    def on_mount(self) -> None:
        """Show the first screen, or the one that was left; work begins once it is painted."""
        self.theme = themes.DARK.name
        if (self.state.folder / "td").is_dir():
            self._open_workspace()
        self.push_screen(MapScreen(self.state, self.choices.place if self._exercise_at_place() else None))
        if not self.choices.started:
            self.action_welcome()
        elif exercise := self._exercise_at_place():
            self.open_exercise(exercise.id)
        elif self.choices.place == BOARD:
            self.action_board()
        self.set_interval(_SAVE_CLOCKS_EVERY, self._tick)
        if self.progress is not None:
            self.call_after_refresh(self.begin)

    def on_unmount(self) -> None:
        """Keep what is not kept yet, and let the watcher go."""
        self._stop.set()
        self._run_id += 1
        if self.progress is not None:
            self.clocks.save(self.progress)
            self.progress.close()

    def _open_workspace(self) -> None:
        from workshop.progress import Progress

        progress = Progress.open(self.state.folder)
        self.progress = progress
        self.choices = Choices.recall(progress, self._asked_language)
        self.clocks = Clocks(progress.time_spent(), self._now)
        self.theme = (themes.DARK if self.choices.dark else themes.LIGHT).name
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

    def begin(self) -> None:
        """Watch the folder and judge everything once."""
        self._tell_problem()
        self.run_worker(self._watch, thread=True, group="watching", name="watching")
        self.action_check_all()

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

    def _tick(self) -> None:
        if self.progress is not None:
            self.clocks.save(self.progress)
            self.show(spent=self.clocks.spent())

    def _tell_problem(self) -> None:
        """Say once what is wrong with the progress store; the work goes on without it."""
        problem = self.progress.problem if self.progress is not None else None
        if problem is not None and problem != self._told:
            self._told = problem
            self.notify(self.state.say(problem), severity="warning", timeout=12, markup=False)

    # --- judging ---------------------------------------------------------------------------------

    def action_check_all(self) -> None:
        """Judge every exercise, the open one first."""
        first = self._open_exercise()
        exercises = sorted(self.state.lab.exercises, key=lambda each: each is not first)
        self._run_id += 1
        self.show(running=frozenset(each.id for each in exercises))
        run_id = self._run_id
        work = partial(self._judge.run, run_id, self.state.mode, exercises, lambda: run_id != self._run_id)
        self.run_worker(work, thread=True, group="judging", name=f"run {run_id}")

    def check_again(self) -> None:
        """Judge again because the student asked for it."""
        self.action_check_all()

    @on(FilesChanged)
    def _files_changed(self) -> None:
        # Files are compared with each other across exercises: all of them are judged, from a warm cache.
        self.action_check_all()

    @on(Judged)
    def _judged(self, event: Judged) -> None:
        if event.run_id != self._run_id:
            return
        result, state = event.result, self.state
        before = state.verdict(result.id)
        unlocked = state.unlocked
        if result.verdict is Verdict.PASSED:
            self.show(passed_once=state.passed_once | {result.id})
        self.show(results={**state.results, result.id: result}, running=state.running - {result.id})
        open_ = self._open_exercise()
        if self.progress is not None and (
            result.verdict != before or (open_ is not None and open_.id == result.id)
        ):
            self.progress.record([result], self.state.mode)
            self._tell_problem()
        if result.verdict is Verdict.PASSED and before is not Verdict.PASSED and before is not None:
            self._celebrate(result.id, unlocked)

    @on(RunEnded)
    def _run_ended(self, event: RunEnded) -> None:
        if event.run_id != self._run_id:
            return
        self.show(running=frozenset(), files_readable=event.files_readable)
        if event.problem is not None:
            self.notify(self.state.say(event.problem), severity="error", timeout=12, markup=False)

    def _celebrate(self, exercise_id: str, unlocked: frozenset[str]) -> None:
        exercise = self.state.lab.exercise(exercise_id)
        if exercise is None:
            return
        opened = [each for each in self.state.lab.exercises if each.id in self.state.unlocked - unlocked]
        lines = [
            self.state.say(
                Text("{id} passed: {points} points", id=exercise.id, points=f"{exercise.points:g}")
            )
        ]
        lines += [
            self.state.say(Text("{id} {title} is open now", id=each.id, title=each.title)) for each in opened
        ]
        self.notify("\n".join(lines), timeout=6, markup=False)

    # --- going places ----------------------------------------------------------------------------

    def open_exercise(self, exercise_id: str) -> None:
        """Open an exercise unless it is locked."""
        from workshop.tui.screens.exercise import ExerciseScreen

        exercise = self.state.lab.exercise(exercise_id)
        if exercise is None:
            return
        if exercise.id not in self.state.unlocked:
            self.notify(self.state.say(Text("Locked: finish the one before it first.")), severity="warning")
            return
        self._back_to_map()
        self._map().point_at(exercise.id)
        self.push_screen(ExerciseScreen(self.state, exercise))
        self.clocks.start(exercise)
        self.choose(place=exercise.id)

    def action_map(self) -> None:
        """Go back to the map."""
        self._back_to_map()
        self.clocks.start(None)
        self.choose(place=MAP)
        self.show(spent=self.clocks.spent())

    def action_board(self) -> None:
        """Show the final board."""
        from workshop.tui.screens.board import BoardScreen

        self._back_to_map()
        self.clocks.start(None)
        self.push_screen(BoardScreen(self.state))
        self.choose(place=BOARD)

    def action_welcome(self) -> None:
        """Show the first screen: language, mode, and the workspace where there is none."""
        from workshop.tui.screens.welcome import WelcomeScreen

        self.push_screen(WelcomeScreen(self.state, fresh=self.progress is None))

    def make_workspace(self, account: Account) -> None:
        """Put the starters into the folder; `WorkspaceStarted` tells how it went."""
        self.run_worker(partial(self._make_workspace, account), thread=True, group="starting")

    def _make_workspace(self, account: Account) -> None:
        from workshop.starting import start_workspace

        folder = self.state.folder
        try:
            self.post_message(WorkspaceStarted(len(start_workspace(self.state.lab, folder, account))))
        except OSError as error:
            problem = error.strerror or str(error)
            text = Text("cannot write into {path}: {problem}", path=str(folder), problem=problem)
            self.post_message(WorkspaceStarted(problem=text))

    @on(WorkspaceStarted)
    def _workspace_started(self, event: WorkspaceStarted) -> None:
        from workshop.tui.screens.welcome import WelcomeScreen

        if event.problem is None:
            chosen = self.choices
            self._asked_language = chosen.language
            self._open_workspace()
            self.choose(language=chosen.language, dark=chosen.dark, mode=self.state.mode)
            self.begin()
        if isinstance(self.screen, WelcomeScreen):
            self.screen.workspace_started(event)

    def action_help(self) -> None:
        """Show every key."""
        from workshop.tui.screens.help import HelpDialog

        self.push_screen(HelpDialog(self.state))

    def _back_to_map(self) -> None:
        while len(self.screen_stack) > 2:
            self.pop_screen()

    def _map(self) -> MapScreen:
        return next(screen for screen in self.screen_stack if isinstance(screen, MapScreen))

    def _open_exercise(self) -> Exercise | None:
        from workshop.tui.screens.exercise import ExerciseScreen

        return next(
            (screen.exercise for screen in self.screen_stack if isinstance(screen, ExerciseScreen)), None
        )

    def _exercise_at_place(self) -> Exercise | None:
        return self.state.lab.exercise(self.choices.place)

    # --- choices ---------------------------------------------------------------------------------

    def action_language(self) -> None:
        """Change between French and English."""
        self.set_language("en" if self.state.language == "fr" else "fr")

    def set_language(self, language: Language) -> None:
        """Speak another language, from now on."""
        self.show(language=language)
        self.choose(language=language)

    def set_mode(self, mode: Mode) -> None:
        """Judge in another mode, from now on."""
        if mode is not self.state.mode:
            self.show(mode=mode)
            self.choose(mode=mode)
            if self.progress is not None:
                self.action_check_all()

    def action_theme(self) -> None:
        """Change between dark and light."""
        theme = themes.other(self.theme)
        self.theme = theme.name
        self.choose(dark=theme.dark)

    def reveal_hint(self, exercise: Exercise) -> None:
        """Show one more hint tier of an exercise."""
        shown = self.state.hints.get(exercise.id, 0)
        total = len(exercise.hints)
        revealed = self.progress.reveal_hint(exercise.id, total) if self.progress else min(shown + 1, total)
        hints: Mapping[str, int] = {**self.state.hints, exercise.id: revealed}
        self.show(hints=hints)

    # --- the student's own programs ----------------------------------------------------------------

    def edit(self, file: str, line: int | None = None) -> None:
        """Open a file of the workspace in the student's editor."""
        from workshop.tui import external

        path = self.state.folder / file
        launch = external.editor(path, line)
        if launch is None:
            self.notify(self.state.say(Text("No editor found: set $VISUAL or $EDITOR.")), severity="warning")
            return
        self._start(launch)

    def action_shell(self) -> None:
        """Open a shell in the workspace."""
        from workshop.tui import external

        self._start(external.shell(), Text("A shell in your workspace. Leave it with: exit"))

    def _start(self, launch: Any, greeting: Message | None = None) -> None:
        from workshop.tui import external

        try:
            external.start(
                launch, self.state.folder, self.suspend(), self.state.say(greeting) if greeting else ""
            )
        except external.CannotStart as error:
            message = Text(
                "{program} cannot be started: {problem}", program=error.program, problem=error.problem
            )
            self.notify(self.state.say(message), severity="error", markup=False)
        except SuspendNotSupported:
            self.notify(self.state.say(Text("This terminal cannot be handed over.")), severity="error")

    def copy(self, text: str) -> None:
        """Put text into the terminal's clipboard (OSC 52) and show it, for terminals that have none."""
        self.copy_to_clipboard(text)
        self.notify(text, title=self.state.say(Text("Copied")), timeout=6, markup=False)
