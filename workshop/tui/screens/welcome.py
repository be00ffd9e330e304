"""The first screen: language, what to check against, and a workspace where there is none yet."""

from __future__ import annotations

import shutil
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.validation import Regex
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from workshop.accounts import Account
from workshop.texts import LANGUAGES, Message, Text
from workshop.tui.messages import WorkspaceStarted
from workshop.tui.screens.base import Drawn
from workshop.tui.state import State
from workshop.tui.widgets.key_bar import KeyBar
from workshop.tui.words import MODE_WORDS, MUTED, hanging
from workshop.verdicts import Mode

_LANGUAGE_NAMES = {"en": "English", "fr": "Français"}
_MODES: dict[Mode, tuple[Text, tuple[str, ...]]] = {
    Mode.OFFLINE: (Text("Your files; nothing but this program is needed."), ()),
    Mode.SANDBOX: (Text("Also a real Kubernetes control plane, without containers."), ()),
    Mode.CLUSTER: (Text("Also a kind cluster of your own."), ("docker", "kind", "kubectl")),
}
# GitHub's rule for user names: letters, digits and single hyphens inside, 39 at most.
_GITHUB = r"(?:[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38})?"
_EMAIL = r"(?:[^@\s]+@[^@\s]+\.[^@\s]+)?"


class WelcomeScreen(Drawn[None]):
    """`fresh` says that the folder holds no `td/`: then an account is asked for and starters are copied."""

    CSS_PATH = "welcome.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f10,ctrl+s", "start", "Begin", key_display="F10", id="welcome.start"),
        Binding("escape", "leave", "Back", id="welcome.leave"),
        Binding("tab", "app.focus_next", "Next field", id="welcome.field"),
    ]

    def __init__(self, state: State, *, fresh: bool) -> None:
        super().__init__(state)
        self._fresh = fresh
        self._typed = {"github": "", "email": ""}

    def compose(self) -> ComposeResult:
        """Build the form."""
        state = self.shown
        with VerticalScroll(id="form", can_focus=False):
            yield Static(Content.styled(self.say(state.lab.title), "bold $text-primary"), id="title")
            yield Static(Content(self.say(state.lab.summary)), id="summary")
            yield Static(self.say(Text("Language")), classes="label")
            yield OptionList(*(Option(_LANGUAGE_NAMES[each], id=each) for each in LANGUAGES), id="languages")
            yield Static(self.say(Text("What the checks look at")), classes="label")
            yield OptionList(*(Option("", id=mode.value) for mode in Mode), id="modes")
            yield Static(id="sandbox")
            if self._fresh:
                folder = Text(
                    "{folder} holds no td/ yet: the starters are put there, nothing is overwritten.",
                    folder=str(state.folder),
                )
                yield Static(Content(self.say(folder)), id="folder")
                with Horizontal(classes="field"):
                    yield Static(self.say(Text("GitHub account")), classes="name")
                    yield Input(
                        self._typed["github"],
                        placeholder="lea-devops",
                        id="github",
                        compact=True,
                        validators=[Regex(_GITHUB)],
                    )
                with Horizontal(classes="field"):
                    yield Static(self.say(Text("Its e-mail")), classes="name")
                    yield Input(
                        self._typed["email"],
                        placeholder="lea@example.org",
                        id="email",
                        compact=True,
                        validators=[Regex(_EMAIL)],
                    )
            with Horizontal(id="buttons"):
                yield Button(self.say(Text("Begin")), id="start", variant="primary", compact=True)
                yield Static("", id="problem")
        yield KeyBar()

    def draw(self) -> None:
        """Show what is chosen."""
        state = self.shown
        languages, modes = self.query_one("#languages", OptionList), self.query_one("#modes", OptionList)
        for index, language in enumerate(LANGUAGES):
            mark = _mark(language == state.language)
            languages.replace_option_prompt_at_index(index, Content.assemble(mark, _LANGUAGE_NAMES[language]))
        for index, mode in enumerate(Mode):
            modes.replace_option_prompt_at_index(index, self._mode(mode))
        said, colour = state.starting, MUTED
        if said is None and state.start_problem is not None:
            said, colour = state.start_problem, "$text-error"
        line = self.query_one("#sandbox", Static)
        line.display = said is not None
        if said is not None:
            line.update(Content.styled(self.say(said), colour))

    def on_mount(self) -> None:
        """Fill the form, the chosen lines highlighted."""
        super().on_mount()
        self.query_one("#languages", OptionList).highlighted = LANGUAGES.index(self.shown.language)
        self.query_one("#modes", OptionList).highlighted = list(Mode).index(self.shown.mode)

    def on_resize(self) -> None:
        """Wrap for the new width."""
        self.redraw()

    def _mode(self, mode: Mode) -> Content:
        what, tools = _MODES[mode]
        name = self.say(MODE_WORDS[mode])
        column = max(len(self.say(word)) for word in MODE_WORDS.values())
        lead = Content.assemble(_mark(mode is self.shown.mode), (f"{name:<{column}}  ", "bold"))
        missing = [tool for tool in tools if shutil.which(tool) is None]
        text = Content.styled(self.say(what), MUTED)
        if missing:
            note = self.say(Text("Not installed here: {tools}.", tools=", ".join(missing)))
            text = Content.assemble(text, " ", (note, "$text-warning"))
        return hanging(lead, text, self.query_one("#modes").content_size.width or 72)

    # --- what happens ----------------------------------------------------------------------------

    @on(OptionList.OptionSelected, "#languages")
    def _language_chosen(self, event: OptionList.OptionSelected) -> None:
        self.workshop.set_language(LANGUAGES[event.option_index])

    @on(OptionList.OptionSelected, "#modes")
    def _mode_chosen(self, event: OptionList.OptionSelected) -> None:
        self.workshop.set_mode(list(Mode)[event.option_index])

    @on(Input.Changed)
    def _keep_typed(self, event: Input.Changed) -> None:
        # A change of language builds the fields anew: what was typed comes back.
        self._typed[event.input.id or ""] = event.value

    @on(Button.Pressed, "#start")
    @on(Input.Submitted)
    def _begin(self) -> None:
        self.action_start()

    def action_start(self) -> None:
        """Go on to the map, by way of a new workspace where there is none."""
        if not self._fresh:
            self.workshop.choose(started=True)
            self.dismiss()
            return
        invalid = [field for field in self.query(Input) if not field.is_valid]
        if invalid:
            invalid[0].focus()
            self._complain(Text("This does not look like an account or an e-mail; both may stay empty."))
            return
        account = Account(self._typed["github"].strip() or None, self._typed["email"].strip() or None)
        self.query_one("#start", Button).disabled = True
        self.workshop.make_workspace(account)

    def workspace_started(self, event: WorkspaceStarted) -> None:
        """Go on, or say why the folder could not be written."""
        if event.problem is not None:
            self.query_one("#start", Button).disabled = False
            self._complain(event.problem)
            return
        self._fresh = False
        self.action_start()

    def action_leave(self) -> None:
        """Leave; without a workspace there is nowhere to go but out."""
        if self._fresh:
            self.app.exit(0)
        else:
            self.dismiss()

    def _complain(self, problem: Message) -> None:
        self.query_one("#problem", Static).update(Content.styled(self.say(problem), "$text-error"))


def _mark(on: bool) -> Content:
    return Content.styled(" ● ", "$text-primary") if on else Content.styled(" ○ ", MUTED)
