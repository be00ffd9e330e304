"""For the instructor and whoever has passed: walkthrough, reference files, how the student's differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Markdown, OptionList, Static
from textual.widgets.option_list import Option

from workshop.content import Exercise
from workshop.solutions import CannotApply, SolutionFile, apply, compare, reference_files
from workshop.texts import Text
from workshop.tui import handover
from workshop.tui.screens.base import Drawn
from workshop.tui.screens.confirm import ConfirmDialog
from workshop.tui.state import State
from workshop.tui.widgets.key_bar import KeyBar
from workshop.tui.widgets.top_bar import TopBar
from workshop.tui.words import FAINT, printable
from workshop.workspace import NotAWorkspace, Workspace

WALKTHROUGH = "walkthrough"


class SolutionScreen(Drawn[None]):
    """A list of pages – the walkthrough, then each reference file – and the chosen one below it."""

    CSS_PATH = "solution.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back", id="solution.back"),
        Binding("m", "turn", "Difference / whole file", id="solution.turn"),
        Binding("x", "apply", "Put it into td/", id="solution.apply"),
        Binding("y", "copy", "Copy", id="solution.copy"),
    ]

    def __init__(self, state: State, exercise: Exercise) -> None:
        super().__init__(state)
        self._exercise = exercise
        self._files = {file.path: file for file in reference_files(state.lab, exercise)}
        self._whole = False

    def compose(self) -> ComposeResult:
        """Build the skeleton."""
        yield TopBar()
        pages = [Option(self.say(Text("Walkthrough")), id=WALKTHROUGH)]
        pages += [Option(Content(path), id=path) for path in self._files]
        yield OptionList(*pages, id="pages")
        with VerticalScroll(id="page"):
            yield Markdown(self._walkthrough(), id="text", open_links=False)
            yield Static(id="file")
        yield KeyBar()

    def draw(self) -> None:
        """Fill it."""
        top = self.query_one(TopBar)
        title = f"{self._exercise.id} {self.say(self._exercise.title)}"
        top.state, top.where = self.shown, f"{title}  ›  {self.say(Text('Solution'))}"
        pages = self.query_one("#pages", OptionList)
        if pages.highlighted is None:
            pages.highlighted = 0
        self._turn_page()

    @on(OptionList.OptionHighlighted)
    def _turn_page(self) -> None:
        file = self._file()
        self.query_one("#text").display = file is None
        page = self.query_one("#file", Static)
        page.display = file is not None
        if file is not None:
            page.update(_numbered(file.text) if self._whole else self._difference(file))
        self.refresh_bindings()

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Offer what concerns a file only beside one."""
        return self._file() is not None if action in ("turn", "apply", "copy") else True

    def action_turn(self) -> None:
        """Show the whole reference file instead of the difference, or the other way round."""
        self._whole = not self._whole
        self._turn_page()

    def action_copy(self) -> None:
        """Copy the reference file."""
        file = self._file()
        if file is not None:
            handover.copy(self.workshop, file.text)

    def action_apply(self) -> None:
        """Put the reference in place of the student's file, which is kept, once that is confirmed."""
        file = self._file()
        if file is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._apply(file)

        question = Text(
            "Replace {path} by the reference? Your file is kept in .workshop/backup.", path=file.path
        )
        self.app.push_screen(ConfirmDialog(self.shown, question, Text("Replace")), answered)

    def _apply(self, file: SolutionFile) -> None:
        try:
            backup = apply(self.shown.folder, file)
        except CannotApply as error:
            self.notify(self.say(error.text), severity="error", markup=False)
            return
        kept = backup.relative_to(self.shown.folder) if backup is not None else None
        message = (
            Text("{path} is in place; yours is {backup}", path=file.path, backup=kept)
            if kept is not None
            else Text("{path} is in place", path=file.path)
        )
        self.notify(self.say(message), markup=False)
        self._turn_page()
        self.workshop.action_check_all()

    def _file(self) -> SolutionFile | None:
        found = next(iter(self.query("#pages").results(OptionList)), None)
        option = found.highlighted_option if found is not None else None
        return self._files.get(option.id or "") if option is not None else None

    def _difference(self, file: SolutionFile) -> Content:
        try:
            text = compare(Workspace(self.shown.folder), file)
        except NotAWorkspace as error:
            return Content.styled(self.say(error.text), "$text-error")
        if not text:
            return Content.styled(
                self.say(Text("Your file is the reference, letter by letter.")), "$text-success"
            )
        return Content("\n").join(_coloured(text))

    def _walkthrough(self) -> str:
        try:
            return self.shown.lab.walkthrough(self._exercise, self.shown.language)
        except OSError:
            return self.say(Text("There is no walkthrough for this exercise yet."))


def _coloured(difference: str) -> Iterator[Content]:
    for line in difference.splitlines():
        sign = line[:1]
        colour = {"+": "$text-success", "-": "$text-error", "@": "$text-accent"}.get(sign, "")
        yield Content.styled(printable(line), colour) if colour else Content(printable(line))


def _numbered(text: str) -> Content:
    lines = text.splitlines()
    width = len(str(len(lines)))
    return Content("\n").join(
        [
            Content.assemble((f"{number:>{width}}  ", FAINT), printable(line))
            for number, line in enumerate(lines, start=1)
        ]
    )
