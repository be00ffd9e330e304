"""Answer the questions of an exercise; kept in `td/answers.yaml`, beside what is there already."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static, TextArea

from workshop.content import Exercise, Question
from workshop.texts import Message, Text
from workshop.tui.answering import AnswersError, keep, known
from workshop.tui.screens.base import Dialog
from workshop.tui.state import State
from workshop.tui.widgets.key_bar import KeyBar
from workshop.tui.words import prose


class AnswersDialog(Dialog[None]):
    """One field per question."""

    CSS_PATH = "answers.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,f10", "save", "Save", key_display="F10", id="answers.save"),
        Binding("tab", "app.focus_next", "Next field", id="answers.field"),
        Binding("escape", "cancel", "Back", id="answers.cancel"),
    ]

    def __init__(self, state: State, exercise: Exercise) -> None:
        super().__init__(state)
        self._exercise = exercise
        self._typed: dict[str, str] = {}
        self._problem: Message | None = None
        try:
            self._typed = known(state.folder, exercise)
        except AnswersError as error:
            self._problem = error.text

    def compose(self) -> ComposeResult:
        """Build the form."""
        with Vertical(id="dialog"):
            yield Static(Content.styled(self.say(self._exercise.title), "bold $text-primary"))
            with VerticalScroll(id="questions", can_focus=False):
                for number, question in enumerate(self._exercise.questions, start=1):
                    yield Static(prose(f"{number}. {self.say(question.prompt)}"), classes="prompt")
                    yield self._field(question)
            with Horizontal(id="buttons"):
                yield Static("", id="problem")
                yield Button(self.say(Text("Save")), id="save", variant="primary", compact=True)
        yield KeyBar()

    def draw(self) -> None:
        """Show what is wrong with the file of answers, if anything."""
        if self._problem is not None:
            self.query_one("#problem", Static).update(Content.styled(self.say(self._problem), "$text-error"))

    def _field(self, question: Question) -> Input | TextArea:
        value = self._typed.get(question.id, "")
        if question.kind == "lines":
            return TextArea(value, id=f"answer-{question.id}", tab_behavior="focus", compact=True)
        placeholder = {"number": "12.5", "url": "http://…"}.get(question.kind, "")
        return Input(value, id=f"answer-{question.id}", compact=True, placeholder=placeholder)

    @on(Input.Changed)
    def _input(self, event: Input.Changed) -> None:
        self._typed[(event.input.id or "").removeprefix("answer-")] = event.value

    @on(TextArea.Changed)
    def _area(self, event: TextArea.Changed) -> None:
        self._typed[(event.text_area.id or "").removeprefix("answer-")] = event.text_area.text

    @on(Input.Submitted)
    def _onward(self) -> None:
        self.focus_next()

    @on(Button.Pressed, "#save")
    def _pressed(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        """Keep the answers; the checks run by themselves once the file is written."""
        try:
            keep(self.shown.folder, self._exercise, self._typed)
        except AnswersError as error:
            self._problem = error.text
            self.draw()
            return
        self.dismiss()
        self.workshop.action_check_all()
