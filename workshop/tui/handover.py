"""Hand the terminal over: to the student's editor, to a shell; and text to the clipboard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from workshop.texts import Message, Text
from workshop.tui import external
from workshop.verdicts import Mode

if TYPE_CHECKING:
    from workshop.tui.app import WorkshopApp


def edit(app: WorkshopApp, file: str, line: int | None = None) -> None:
    """Open a file of the workspace (a path below `td/`) in the student's editor, at a line from 1."""
    path = app.state.folder / file
    launch = external.editor(path, line)
    if launch is None:
        app.notify(app.state.say(Text("No editor found: set $VISUAL or $EDITOR.")), severity="warning")
        return
    try:
        # An editor cannot save into a folder that is not there.
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = Text("cannot write {path}: {problem}", path=file, problem=error.strerror or error)
        app.notify(app.state.say(problem), severity="error", markup=False)
        return
    _start(app, launch)


def shell(app: WorkshopApp) -> None:
    """Open a shell in the workspace; in sandbox mode kubectl speaks to the sandbox there."""
    variables: Mapping[str, str] = {}
    if app.state.mode is Mode.SANDBOX:
        from workshop.tui import own_sandbox

        variables = own_sandbox.environment()
    greeting = Text("A shell in your workspace. Leave it with: exit")
    if variables:
        greeting = Text("A shell in your workspace; kubectl speaks to the sandbox. Leave it with: exit")
    _start(app, external.shell(), greeting, variables)
    if app.state.mode is not Mode.OFFLINE and app.progress is not None:
        # What was applied there changed no file.
        app.action_check_all()


def copy(app: WorkshopApp, text: str) -> None:
    """Put text into the terminal's clipboard (OSC 52), and show it for terminals that have none."""
    app.copy_to_clipboard(text)
    app.notify(text, title=app.state.say(Text("Copied")), timeout=6, markup=False)


def _start(
    app: WorkshopApp,
    launch: external.Launch,
    greeting: Message = "",
    variables: Mapping[str, str] | None = None,
) -> None:
    try:
        external.start(launch, app.state.folder, app.suspend(), app.state.say(greeting), variables)
    except external.CannotStart as error:
        message = Text("{program} cannot be started: {problem}", program=error.program, problem=error.problem)
        app.notify(app.state.say(message), severity="error", markup=False)
    except SuspendNotSupported:
        app.notify(app.state.say(Text("This terminal cannot be handed over.")), severity="error")
    app.refresh(layout=True)
