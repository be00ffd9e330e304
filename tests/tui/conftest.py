"""Driving the application: keys in, state and screens out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from workshop.content import Lab
from workshop.texts import Language
from workshop.tui.app import WorkshopApp
from workshop.tui.screens.map import MapScreen
from workshop.tui.widgets.lab_list import LabList

Script = Callable[["Hands"], Awaitable[None]]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sandbox: runs real control-plane components")


class Hands:
    """A student at the keyboard of one running application."""

    def __init__(self, app: WorkshopApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        # Not `pilot.press`: it waits for every widget of the screen, also for those that a change of
        # language has just removed.
        await self.app._press_keys(keys)

    async def until(self, condition: Callable[[], Any], what: str = "") -> None:
        """Wait until something is so; how long that takes is the machine's affair."""
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, f"never came: {what or condition}"
            await asyncio.sleep(0.01)

    async def focus(self, selector: str) -> None:
        """Put the keyboard into a widget of the screen."""
        self.app.screen.query_one(selector).focus()
        await self.until(lambda: self.app.screen.query_one(selector).has_focus, f"the focus on {selector}")

    async def judged(self) -> None:
        """Wait until every exercise has been judged."""
        await self.until(lambda: self.app.state.results and not self.app.state.running, "a whole run")

    async def at(self, screen: type[Any]) -> Any:
        """Wait for a screen and return it, drawn."""
        await self.until(lambda: isinstance(self.app.screen, screen), str(screen))
        await self.pilot.pause()
        return self.app.screen

    async def open(self, exercise_id: str) -> Any:
        """Open an exercise from the map."""
        from workshop.tui.screens.exercise import ExerciseScreen

        (await self.at(MapScreen)).query_one(LabList).select(exercise_id)
        await self.pilot.pause()
        await self.press("enter")
        screen = await self.at(ExerciseScreen)
        await self.until(lambda: screen.query("Markdown"), "the brief")
        assert screen.exercise.id == exercise_id
        return screen

    def text(self, selector: str) -> str:
        """Return the plain text of a static or a list of the screen."""
        widget = self.app.screen.query_one(selector)
        if isinstance(widget, OptionList):
            return "\n".join(str(option.prompt) for option in widget.options)
        assert isinstance(widget, Static)
        return str(widget.content)


@pytest.fixture
def drive(lab: Lab) -> Callable[..., WorkshopApp]:
    """Run a script against an application on a folder and return the application, closed."""

    def run(
        script: Script,
        folder: Path,
        *,
        size: tuple[int, int] = (80, 24),
        language: Language | None = "fr",
        app: WorkshopApp | None = None,
        **options: Any,
    ) -> WorkshopApp:
        app = app or WorkshopApp(options.pop("lab", lab), folder, language=language, **options)

        async def main() -> None:
            async with app.run_test(size=size) as pilot:
                await script(Hands(app, pilot))

        asyncio.run(main())
        return app

    return run


@pytest.fixture(autouse=True)
def no_sandbox(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for sandboxes where there is none: whoever runs the tests may well have one."""
    monkeypatch.setenv("WORKSHOP_STATE", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
def welcomed(started: Path) -> Path:
    """A new workspace whose first screen is behind the student."""
    from workshop.progress import Progress

    progress = Progress.open(started)
    progress.set_setting("started", "yes")
    progress.close()
    return started
