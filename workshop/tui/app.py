"""The application: its keys, and the way from screen to screen. See `core` for what it knows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import App
from textual.binding import Binding, BindingType

from workshop.texts import Message, Text
from workshop.tui import handover, themes
from workshop.tui.choices import BOARD, MAP
from workshop.tui.core import Core
from workshop.tui.messages import SandboxMissing, SandboxProgress, SandboxStarted, WorkspaceStarted
from workshop.tui.screens.map import MapScreen
from workshop.verdicts import Mode

if TYPE_CHECKING:
    from textual.command import Provider

    from workshop.accounts import Account


def _commands() -> type[Provider]:
    from workshop.tui.commands import WorkshopCommands

    return WorkshopCommands


class WorkshopApp(Core):
    """The workshop in the terminal. The map is always at the bottom of the stack of screens."""

    TITLE = "workshop"
    # With its screens' own sheets: one that Textual meets only when its screen opens has all parsed again.
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        Path(__file__).with_name("app.tcss"),
        *sorted(Path(__file__).with_name("screens").glob("*.tcss")),
    ]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}
    # Textual declares these as variables of the instance: a ClassVar would not type-check.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark", "help", "Help", key_display="?", id="app.help"),
        Binding("f2,l", "language", "English / français", show=False, id="app.language"),
        Binding("f3,d", "theme", "Dark / light", show=False, id="app.theme"),
        Binding("u", "sandbox", "Start the sandbox", show=False, id="app.sandbox"),
        Binding("q", "quit", "Quit", id="app.quit"),
    ]

    def on_mount(self) -> None:
        """Show the first screen, or the one that was left; work begins once it is painted."""
        if (self.state.folder / "td").is_dir():
            self.open_workspace()
        self.theme = (themes.DARK if self.choices.dark else themes.LIGHT).name
        place = self.choices.place
        exercise = self.state.lab.exercise(place)
        self.push_screen(MapScreen(self.state, exercise.id if exercise else None))
        if not self.choices.started:
            self.action_welcome()
        elif exercise is not None:
            self.open_exercise(exercise.id, resumed=True)
        elif place == BOARD:
            self.action_board()
        if self.progress is not None:
            self.when_painted(self, self.begin)

    # --- going places ----------------------------------------------------------------------------

    def open_exercise(self, exercise_id: str, *, resumed: bool = False) -> None:
        """Open an exercise unless it is locked; one that is `resumed` was open before."""
        from workshop.tui.screens.exercise import ExerciseScreen

        exercise = self.state.lab.exercise(exercise_id)
        if exercise is None:
            return
        if exercise.id not in self.state.unlocked and not resumed:
            locked = Text("Locked: finish the one before it first.")
            self.notify(self.state.say(locked), severity="warning")
            return
        self._back_to_map().point_at(exercise.id)
        self.work_on(exercise)
        self.push_screen(ExerciseScreen(self.state, exercise))
        self.choose(place=exercise.id)

    def action_map(self) -> None:
        """Go back to the map."""
        self._back_to_map()
        self.work_on(None)
        self.choose(place=MAP)

    def action_board(self) -> None:
        """Show the final board."""
        from workshop.tui.screens.board import BoardScreen

        self._back_to_map()
        self.work_on(None)
        self.push_screen(BoardScreen(self.state))
        self.choose(place=BOARD)

    def action_welcome(self) -> None:
        """Show the first screen: language, mode, and the workspace where there is none."""
        from workshop.tui.screens.welcome import WelcomeScreen

        self.push_screen(WelcomeScreen(self.state, fresh=self.progress is None))

    def action_help(self) -> None:
        """Show every key."""
        from workshop.tui.screens.help import HelpDialog

        self.push_screen(HelpDialog(self.state))

    def action_command_palette(self) -> None:
        """Open the palette, its prompt in the student's language."""
        from textual.command import CommandPalette

        if not CommandPalette.is_open(cast("App[object]", self)):
            prompt = self.state.say(Text("Search for a command or an exercise…"))
            self.push_screen(CommandPalette(placeholder=prompt))

    def _back_to_map(self) -> MapScreen:
        while not isinstance(self.screen, MapScreen):
            self.pop_screen()
        return self.screen

    # --- a new workspace -------------------------------------------------------------------------

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
            self.open_workspace()
            self.show(language=chosen.language, mode=chosen.mode)
            self.choose(language=chosen.language, mode=chosen.mode, dark=chosen.dark)
            self.begin()
        if isinstance(self.screen, WelcomeScreen):
            self.screen.workspace_started(event)

    # --- the sandbox -----------------------------------------------------------------------------

    def set_mode(self, mode: Mode) -> None:
        """Judge in another mode; a sandbox that is chosen and not there is offered."""
        super().set_mode(mode)
        if mode is Mode.SANDBOX:
            self.run_worker(self._look_for_sandbox, thread=True, group="sandbox")

    def action_sandbox(self) -> None:
        """Judge against the sandbox, and offer to start it where none runs."""
        self.set_mode(Mode.SANDBOX)

    def _look_for_sandbox(self) -> None:
        from workshop.tui import own_sandbox

        if not own_sandbox.is_up():
            self.post_message(SandboxMissing())

    @on(SandboxMissing)
    def _offer_sandbox(self) -> None:
        from workshop.tui.screens.confirm import ConfirmDialog

        if self.state.starting is not None or isinstance(self.screen, ConfirmDialog):
            return
        question = Text(
            "No sandbox is running. Start one? It takes some seconds and up to 1.4 GiB of memory."
        )
        self.push_screen(ConfirmDialog(self.state, question, Text("Start it")), self._start_sandbox)

    def _start_sandbox(self, confirmed: bool | None) -> None:
        if confirmed:
            self.show(starting=Text("starting the sandbox…"), start_problem=None)
            self.run_worker(self._bring_sandbox_up, thread=True, group="sandbox")

    def _bring_sandbox_up(self) -> None:
        from workshop.tui import own_sandbox

        def tell(message: Message) -> None:
            self.post_message(SandboxProgress(message))

        self.post_message(SandboxStarted(own_sandbox.bring_up(tell, self._stop)))

    @on(SandboxProgress)
    def _sandbox_progress(self, event: SandboxProgress) -> None:
        self.show(starting=event.text)

    @on(SandboxStarted)
    def _sandbox_started(self, event: SandboxStarted) -> None:
        self.show(starting=None, start_problem=event.problem)
        if event.problem is not None:
            self.notify(self.state.say(event.problem), severity="error", timeout=20, markup=False)
        else:
            self.notify(self.state.say(Text("The sandbox is up.")), timeout=4)
        if self.progress is not None and self.state.mode is Mode.SANDBOX:
            self.action_check_all()

    # --- choices and programs --------------------------------------------------------------------

    def action_language(self) -> None:
        """Change between French and English."""
        self.set_language("en" if self.state.language == "fr" else "fr")

    def action_theme(self) -> None:
        """Change between dark and light."""
        theme = themes.other(self.theme)
        self.theme = theme.name
        self.choose(dark=theme.dark)

    def action_shell(self) -> None:
        """Open a shell in the workspace."""
        handover.shell(self)
