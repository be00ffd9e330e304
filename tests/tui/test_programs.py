"""The student's own programs: which command is run, at which line, where, and what happens without one."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from workshop.content import Lab
from workshop.tui import external
from workshop.tui.app import WorkshopApp
from workshop.tui.screens.choose import ChooseDialog
from workshop.tui.widgets.check_list import CheckList
from workshop.tui.widgets.fact_list import FactList
from workshop.verdicts import Verdict

FILE = Path("/w/td/kyverno/x.yaml")


@pytest.mark.parametrize(
    ("environment", "line", "argv", "windowed"),
    [
        ({"VISUAL": "vim", "EDITOR": "nano"}, 12, ["vim", "+12", str(FILE)], False),
        ({"EDITOR": "nano"}, 12, ["nano", "+12", str(FILE)], False),
        ({"EDITOR": "nano"}, None, ["nano", str(FILE)], False),
        ({"EDITOR": "/usr/bin/nvim -p"}, 3, ["/usr/bin/nvim", "-p", "+3", str(FILE)], False),
        ({"EDITOR": "hx"}, 3, ["hx", f"{FILE}:3"], False),
        ({"VISUAL": "code --wait"}, 7, ["code", "--wait", "--goto", f"{FILE}:7"], True),
        ({"VISUAL": "subl"}, 7, ["subl", f"{FILE}:7"], True),
        ({"EDITOR": "my-editor"}, 7, ["my-editor", str(FILE)], False),
        ({"EDITOR": "'my editor' --x"}, 7, ["my editor", "--x", str(FILE)], False),
        ({"EDITOR": "it's"}, 7, ["it's", str(FILE)], False),
    ],
)
def test_how_an_editor_is_called(
    environment: dict[str, str], line: int | None, argv: list[str], windowed: bool
) -> None:
    assert external.editor(FILE, line, environment) == external.Launch(tuple(argv), windowed)


def test_without_a_chosen_editor_one_that_is_installed_is_taken(tmp_path: Path) -> None:
    assert external.editor(FILE, 1, {"PATH": str(tmp_path)}) is None
    fake = tmp_path / "vi"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    assert external.editor(FILE, 4, {"PATH": str(tmp_path), "EDITOR": "  "}) == external.Launch(
        ("vi", "+4", str(FILE))
    )


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the driver of the tests hand over a terminal, although there is none."""
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)
    monkeypatch.setattr(HeadlessDriver, "suspend_application_mode", lambda _: None)
    monkeypatch.setattr(HeadlessDriver, "resume_application_mode", lambda _: None)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a command on PATH that notes its arguments and its folder, and return how to read them."""
    folder = tmp_path / "bin"
    folder.mkdir()
    log = tmp_path / "log"

    def make(name: str, also: str = "") -> Any:
        program = folder / name
        program.write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$PWD" "$@" > {log}.part\n{also}\nmv {log}.part {log}\n'
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return lambda: log.read_text().splitlines() if log.exists() else []

    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    return make


def test_the_editor_opens_the_fact_and_its_save_is_judged(
    drive: Any, lab: Lab, welcomed: Path, fake: Any, terminal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercise = lab.exercise("1.2")
    assert exercise is not None
    paths = exercise.deliverables
    for path in paths[:2]:
        shutil.copy(lab.solutions / path, welcomed / path)
    # This editor corrects the third file.
    read = fake("vim", also=f"cp {lab.solutions / paths[2]} {welcomed / paths[2]}")
    monkeypatch.setenv("VISUAL", "vim")

    async def script(hands: Any) -> None:
        await hands.judged()
        screen = await hands.open("1.2")
        await hands.press("c")
        await hands.until(lambda: screen.query_one(CheckList).has_focus, "the checks")
        await hands.press("enter")
        facts = screen.query_one(FactList)
        await hands.until(lambda: facts.has_focus, "the facts")
        source = facts.selected.source
        assert source.file == paths[2]
        await hands.press("e")
        await hands.until(read, "the editor")
        assert read() == [str(welcomed), f"+{source.line}", str(welcomed / paths[2])]
        await hands.until(lambda: hands.app.state.verdict("1.2") is Verdict.PASSED, "the verdict")

    drive(script, welcomed)


def test_one_of_several_deliverables_is_chosen(
    drive: Any, lab: Lab, welcomed: Path, fake: Any, terminal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = fake("my-editor")
    monkeypatch.setenv("EDITOR", "my-editor")
    shutil.rmtree(welcomed / "td/backstage")

    async def script(hands: Any) -> None:
        await hands.judged()
        screen = await hands.open("1.2")
        await hands.press("e")
        await hands.at(ChooseDialog)
        await hands.press("down", "enter")
        await hands.until(read, "the editor")
        path = screen.exercise.deliverables[1]
        assert read() == [str(welcomed), str(welcomed / path)]
        assert (welcomed / path).parent.is_dir(), "an editor can save there"

    drive(script, welcomed)


def test_a_shell_opens_in_the_workspace(
    drive: Any, lab: Lab, welcomed: Path, fake: Any, terminal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = fake("my-shell")
    monkeypatch.setenv("SHELL", "my-shell")

    async def script(hands: Any) -> None:
        await hands.judged()
        await hands.press("t")
        await hands.until(read, "the shell")
        assert read() == [str(welcomed)]

    drive(script, welcomed)


def test_a_shell_in_sandbox_mode_speaks_to_the_sandbox_and_what_it_did_is_judged(
    drive: Any, welcomed: Path, fake: Any, terminal: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workshop.progress import Progress
    from workshop.tui import own_sandbox

    progress = Progress.open(welcomed)
    progress.set_setting("mode", "sandbox")
    progress.close()
    seen = tmp_path / "seen"
    fake("my-shell", also=f'printf %s "$KUBECONFIG" > {seen}')
    monkeypatch.setenv("SHELL", "my-shell")
    monkeypatch.setenv("KUBECONFIG", "/of/the/student")
    monkeypatch.setattr(own_sandbox, "environment", lambda: {"KUBECONFIG": "/of/the/sandbox"})

    async def script(hands: Any) -> None:
        await hands.judged()
        before = hands.app._run_id
        await hands.press("t")
        await hands.until(seen.exists, "the shell")
        assert seen.read_text() == "/of/the/sandbox"
        await hands.until(lambda: hands.app._run_id > before, "a run after the shell")
        await hands.judged()

    drive(script, welcomed)


def _notes(app: WorkshopApp) -> str:
    return "\n".join(f"{note.title} {note.message}" for note in app._notifications)


def test_a_missing_editor_and_a_terminal_that_stays_are_said(
    drive: Any, terminal: None, welcomed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(hands: Any) -> None:
        await hands.judged()
        await hands.open("2.2")
        monkeypatch.setenv("EDITOR", "no-such-editor")
        await hands.press("e")
        await hands.until(lambda: "no-such-editor ne démarre pas" in _notes(hands.app), "the message")

    drive(script, welcomed)
    monkeypatch.undo()

    async def headless(hands: Any) -> None:
        await hands.judged()
        await hands.press("t")
        await hands.until(lambda: "ne peut pas être cédé" in _notes(hands.app), "the message")

    drive(headless, welcomed)


def test_a_command_is_copied_and_shown(drive: Any, lab: Lab, welcomed: Path) -> None:
    async def script(hands: Any) -> None:
        await hands.judged()
        screen = await hands.open("0.1")
        await hands.press("y")
        if isinstance(hands.app.screen, ChooseDialog):
            await hands.press("enter")
        await hands.until(lambda: hands.app.clipboard, "the clipboard")
        assert hands.app.clipboard in (*screen.exercise.commands, screen.exercise.brief("fr"))
        assert hands.app.clipboard in _notes(hands.app)

    drive(script, welcomed)
