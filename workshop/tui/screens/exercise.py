"""One exercise: what is asked, what the checks say, the hints – side by side where there is room."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import OptionList, Static

from workshop.content import Exercise
from workshop.texts import Text
from workshop.tui import handover
from workshop.tui.brief import commands_of, markdown_of
from workshop.tui.screens.base import Drawn
from workshop.tui.state import State
from workshop.tui.widgets.check_list import CheckList
from workshop.tui.widgets.diagnosis_list import DiagnosisList, command_for
from workshop.tui.widgets.exercise_head import ExerciseHead, NextStep
from workshop.tui.widgets.fact_list import FactList, why
from workshop.tui.widgets.hint_pane import HintPane
from workshop.tui.widgets.key_bar import KeyBar
from workshop.tui.widgets.pane_tabs import PaneTabs, Tab
from workshop.tui.widgets.top_bar import TopBar
from workshop.tui.words import MUTED, prose
from workshop.verdicts import ExerciseResult, Half, Level, Verdict

if TYPE_CHECKING:
    from textual.widgets import Markdown

BRIEF, CHECKS, HINTS, DIAGNOSIS = "brief", "checks", "hints", "diagnosis"
PANES = (BRIEF, CHECKS, HINTS, DIAGNOSIS)


class ExerciseScreen(Drawn[None]):
    """In a wide terminal the checks are always in view; in a narrow one they are a pane of their own."""

    CSS_PATH = "exercise.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.map", "Map", id="exercise.map"),
        Binding("b", "pane('brief')", "Brief", show=False, id="exercise.brief"),
        Binding("c", "pane('checks')", "Checks", show=False, id="exercise.checks"),
        Binding("h", "hint", "Hint", id="exercise.hint"),
        Binding("i", "pane('diagnosis')", "Wrong on the cluster", show=False, id="exercise.diagnosis"),
        Binding("e", "edit", "Edit", id="exercise.edit"),
        Binding("a", "answer", "Answer", id="exercise.answer"),
        Binding("n", "go(1)", "Next", id="exercise.next"),
        Binding("p", "go(-1)", "Previous", show=False, id="exercise.previous"),
        Binding("r", "app.check_all", "Check again", show=False, id="exercise.check"),
        Binding("t", "app.shell", "Terminal", show=False, id="exercise.shell"),
        Binding("y", "copy", "Copy a command", show=False, id="exercise.copy"),
        Binding("s", "solution", "Solution", id="exercise.solution"),
        Binding("g", "app.board", "Goals", show=False, id="exercise.board"),
        Binding("left", "turn(-1)", "Pane to the left", show=False, priority=True, id="exercise.left"),
        Binding("right", "turn(1)", "Pane to the right", show=False, priority=True, id="exercise.right"),
    ]

    def __init__(self, state: State, exercise: Exercise) -> None:
        super().__init__(state)
        self.exercise = exercise
        self._pane = BRIEF

    # --- drawing ---------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Build the skeleton; the brief follows after the first paint."""
        yield TopBar()
        yield ExerciseHead()
        yield PaneTabs()
        with Horizontal(id="body"):
            with Vertical(id="reading"):
                yield VerticalScroll(id="brief")
                with VerticalScroll(id="hints"):
                    yield HintPane(id="hint-text")
                yield DiagnosisList(id="diagnosis")
            with Vertical(id="judging"):
                yield CheckList(id="checks")
                yield Static(id="why")
                yield FactList(id="facts")
        yield NextStep()
        yield KeyBar()

    def on_mount(self) -> None:
        """Fill the screen, show where one was, then load the brief."""
        super().on_mount()
        self.workshop.when_painted(self, self._show_brief)

    async def recompose(self) -> None:
        """Build anew in another language, the brief included."""
        await super().recompose()
        await self._show_brief()

    async def _show_brief(self) -> None:
        from textual.widgets import Markdown

        pane = self.query_one("#brief", VerticalScroll)
        await pane.query(Markdown).remove()
        await pane.mount(Markdown(markdown_of(self.shown, self.exercise), open_links=False))
        self._focus()

    def draw(self) -> None:
        """Fill the widgets."""
        state, exercise = self.shown, self.exercise
        result = state.results.get(exercise.id)
        top = self.query_one(TopBar)
        top.state, top.where = state, state.say(state.block_of(exercise).title)
        for widget in (self.query_one(ExerciseHead), self.query_one(NextStep), self.query_one(HintPane)):
            widget.state, widget.exercise = state, exercise
        checks, facts = self.query_one(CheckList), self.query_one(FactList)
        checks.language = facts.language = state.language
        checks.result = result
        facts.check = checks.selected
        diagnosis = self.query_one(DiagnosisList)
        diagnosis.state, diagnosis.result = state, result
        self._show_why()
        self._show_pane()

    def _show_pane(self) -> None:
        tabs = self.query_one(PaneTabs)
        tabs.active = self._pane
        tabs.tabs = self._tabs()
        for pane in PANES:
            self.set_class(pane == self._pane, f"-pane-{pane}")

    def _tabs(self) -> tuple[Tab, ...]:
        state, exercise = self.shown, self.exercise
        result = state.results.get(exercise.id)
        judged = (
            [check for check in result.checks if check.level is Level.MUST and not check.left_out]
            if result
            else []
        )
        passed = sum(check.verdict is Verdict.PASSED for check in judged)
        colour = "$text-success" if judged and passed == len(judged) else "$text-warning"
        revealed, total = state.hints.get(exercise.id, 0), len(exercise.hints)
        return (
            Tab(BRIEF, "b", self.say(Text("Brief"))),
            Tab(CHECKS, "c", self.say(Text("Checks")), f"{passed}/{len(judged)}" if judged else "", colour),
            Tab(HINTS, "h", self.say(Text("Hints")), f"{revealed}/{total}" if total else ""),
            *([Tab(DIAGNOSIS, "i", self.say(Text("Diagnosis")), *_troubles(result))] if self._lives else []),
        )

    @property
    def _lives(self) -> bool:
        """Whether the exercise has anything on a cluster that could be wrong."""
        return Half.CLUSTER in self.exercise.halves

    @property
    def _panes(self) -> tuple[str, ...]:
        return PANES if self._lives else PANES[:-1]

    def _focus(self) -> None:
        target = f"#{self._pane}"
        self.query_one(target).focus(scroll_visible=False)

    # --- what happens ----------------------------------------------------------------------------

    @on(OptionList.OptionHighlighted, "#checks")
    def _look_at(self) -> None:
        self.query_one(FactList).check = self.query_one(CheckList).selected
        self._show_why()

    def _show_why(self) -> None:
        check = self.query_one(CheckList).selected
        message = why(check) if check is not None else Text("checking…")
        self.query_one("#why", Static).update(prose(self.say(message), MUTED) if message is not None else "")

    @on(OptionList.OptionSelected, "#checks")
    def _into_facts(self) -> None:
        self.query_one(FactList).focus(scroll_visible=False)

    @on(OptionList.OptionSelected, "#facts")
    def _to_the_place(self) -> None:
        self.action_edit()

    @on(OptionList.OptionSelected, "#diagnosis")
    def _copy_command(self) -> None:
        finding = self.query_one(DiagnosisList).selected
        command = command_for(finding) if finding is not None else None
        if command is not None:
            handover.copy(self.workshop, command)

    @on(PaneTabs.Chosen)
    def _tab_chosen(self, event: PaneTabs.Chosen) -> None:
        self.action_pane(event.pane)

    def action_pane(self, pane: str) -> None:
        """Show a pane, if the exercise has it, and put the keyboard into it."""
        if pane not in self._panes:
            return
        self._pane = pane
        self._show_pane()
        self.call_after_refresh(self._focus)

    def action_turn(self, step: int) -> None:
        """Show the pane to the left or to the right."""
        panes = self._panes
        self.action_pane(panes[(panes.index(self._pane) + step) % len(panes)])

    def action_hint(self) -> None:
        """Show the hints; asked again there, one more of them."""
        if self._pane != HINTS and self.shown.hints.get(self.exercise.id, 0) > 0:
            self.action_pane(HINTS)
            return
        self.workshop.reveal_hint(self.exercise)
        self.action_pane(HINTS)
        self.call_after_refresh(self.query_one("#hints", VerticalScroll).scroll_end, animate=False)

    def action_go(self, step: int) -> None:
        """Open the next or the previous exercise that is not locked."""
        neighbour = self.shown.neighbour(self.exercise, step)
        if neighbour is None:
            self.notify(self.say(Text("There is no further exercise that way.")))
        else:
            self.workshop.open_exercise(neighbour.id)

    def action_edit(self) -> None:
        """Open a file: from the checks the one of the selected fact at its line, else the deliverable."""
        fact = self.query_one(FactList).selected
        source = fact.source if fact is not None and fact.met is not True else None
        if self.query_one("#judging").has_focus_within and source is not None and source.file is not None:
            handover.edit(self.workshop, source.file, source.line)
            return
        named = (*self.exercise.deliverables, *self.exercise.optional)
        files = [name for name in named if not (self.shown.folder / name).is_dir()]
        lines = {source.file: source.line} if source is not None and source.file is not None else {}
        if len(files) == 1:
            handover.edit(self.workshop, files[0], lines.get(files[0]))
        elif files:
            self._choose(
                Text("Which file?"), files, lambda file: handover.edit(self.workshop, file, lines.get(file))
            )
        elif self.exercise.questions:
            self.action_answer()
        else:
            self.notify(
                self.say(Text("This exercise asks for no file: work on the cluster, press t for a terminal."))
            )

    def action_answer(self) -> None:
        """Answer the questions of the exercise."""
        if not self.exercise.questions:
            self.notify(self.say(Text("This exercise asks no questions.")))
            return
        from workshop.tui.screens.answers import AnswersDialog

        self.app.push_screen(AnswersDialog(self.shown, self.exercise))

    def action_copy(self) -> None:
        """Copy a command of the exercise; several are chosen from."""
        commands = commands_of(self.shown, self.exercise)
        if not commands:
            self.notify(self.say(Text("This exercise names no command.")))
        elif len(commands) == 1:
            handover.copy(self.workshop, commands[0])
        else:
            self._choose(Text("Which command?"), commands, partial(handover.copy, self.workshop))

    def action_solution(self) -> None:
        """Show the walkthrough and the reference files."""
        from workshop.tui.screens.solution import SolutionScreen

        self.app.push_screen(SolutionScreen(self.shown, self.exercise))

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Offer the solution to the instructor, and to whoever has passed."""
        state = self.shown
        if action == "solution":
            return state.instructor or state.verdict(self.exercise.id) is Verdict.PASSED
        if action == "answer":
            return bool(self.exercise.questions)
        return True

    def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        """Copy the address of a link."""
        # A browser started from here may well be one that takes the terminal: hand the address over.
        handover.copy(self.workshop, event.href)

    def _choose(self, title: Text, choices: list[str], then: Callable[[str], None]) -> None:
        from workshop.tui.screens.choose import ChooseDialog

        def chosen(choice: str | None) -> None:
            if choice is not None:
                then(choice)

        self.app.push_screen(ChooseDialog(self.shown, title, choices), chosen)


def _troubles(result: ExerciseResult | None) -> tuple[str, str]:
    """Return how many troubles were seen, and the colour that says so."""
    count = len(result.diagnosis) if result else 0
    return (str(count), "$text-error") if count else ("", MUTED)
