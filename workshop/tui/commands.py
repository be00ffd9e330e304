"""What the command palette offers, in the student's language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from workshop.texts import Text
from workshop.tui.words import VERDICT_WORDS, symbol

if TYPE_CHECKING:
    from workshop.tui.app import WorkshopApp

_ACTIONS = (
    (Text("Map"), "app.map", Text("All blocks and exercises")),
    (Text("Goals"), "app.board", Text("Success criteria, points and time")),
    (Text("Check all"), "app.check_all", Text("Judge every exercise again")),
    (Text("Start the sandbox"), "app.sandbox", Text("A Kubernetes control plane of your own")),
    (Text("Terminal"), "app.shell", Text("A shell in your workspace")),
    (Text("Settings"), "app.welcome", Text("Language and what the checks look at")),
    (Text("English / français"), "app.language", Text("Change the language")),
    (Text("Dark / light"), "app.theme", Text("Change the theme")),
    (Text("Help"), "app.help", Text("Every key")),
    (Text("Quit"), "app.quit", Text("Everything is kept")),
)


class WorkshopCommands(Provider):
    """Actions first, then every open exercise by id and title."""

    async def discover(self) -> Hits:
        """Offer everything before a word is typed."""
        for name, run, help_ in self._all():
            yield DiscoveryHit(name, run, help=help_)

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for name, run, help_ in self._all():
            if (score := matcher.match(name)) > 0:
                yield Hit(score, matcher.highlight(name), run, help=help_)

    def _all(self) -> Iterator[tuple[str, Callable[[], object], str]]:
        app = cast("WorkshopApp", self.app)
        state = app.state
        for title, action, help_ in _ACTIONS:
            yield state.say(title), partial(app.run_action, action), state.say(help_)
        for exercise in state.lab.exercises:
            if exercise.id in state.unlocked:
                verdict = state.verdict(exercise.id)
                word = state.say(VERDICT_WORDS[verdict]) if verdict else ""
                name = f"{exercise.id}  {state.say(exercise.title)}"
                yield name, partial(app.open_exercise, exercise.id), f"{symbol(verdict)} {word}"
