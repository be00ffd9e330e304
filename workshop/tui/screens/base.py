"""What all screens share: the state they are drawn from, their language, and translated key names."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, TypeVar, cast

from textual.binding import ActiveBinding
from textual.css.query import NoMatches
from textual.reactive import reactive
from textual.screen import ModalScreen, Screen

from workshop.texts import Message, Text
from workshop.tui.state import State

if TYPE_CHECKING:
    from workshop.tui.app import WorkshopApp

Result = TypeVar("Result")


class Drawn(Screen[Result]):
    """A screen drawn from the application's state and from nothing else.

    A subclass composes its skeleton in `compose` and fills it in `draw`, which is called again whenever
    the state is replaced: at once where the screen is in view, else when it comes back into view. A change
    of language composes everything anew.
    """

    state: reactive[State | None] = reactive(None, init=False)

    def __init__(self, state: State) -> None:
        super().__init__()
        self.set_reactive(Drawn.state, state)
        self._building = self._behind = False

    @property
    def shown(self) -> State:
        """The state to draw."""
        assert self.state is not None  # noqa: S101 (set in __init__, never unset)
        return self.state

    @property
    def workshop(self) -> WorkshopApp:
        """The application, typed."""
        return cast("WorkshopApp", self.app)

    def say(self, message: Message) -> str:
        """Return a message in the student's language."""
        return self.shown.say(message)

    def draw(self) -> None:
        """Fill the widgets from `shown`."""

    def on_mount(self) -> None:
        """Fill the skeleton for the first time."""
        self.draw()

    def watch_state(self, before: State | None, after: State | None) -> None:
        """Draw again; in another language, build anew."""
        if not self.is_mounted or before is None or after is None:
            return
        if before.language != after.language and not self._building:
            self._building = True
            self.call_next(self._build_anew)
        elif self._in_view():
            self.redraw()
        else:
            self._behind = True

    def on_screen_resume(self) -> None:
        """Draw what was found out while other screens stood before this one."""
        if self._behind:
            self._behind = False
            self.redraw()

    def _in_view(self) -> bool:
        """Whether nothing but dialogs stands before it. Textual's `is_current` counts one that is covered."""
        before = takewhile(lambda screen: screen is not self, reversed(self.app.screen_stack))
        return all(screen.is_modal for screen in before)

    def redraw(self) -> None:
        """Draw, unless the widgets are away: being built anew, or gone while the application closes."""
        if self.is_mounted and not self._building:
            with suppress(NoMatches):
                self.draw()

    async def _build_anew(self) -> None:
        focused = self.focused.id if self.focused is not None else None
        # The state may be replaced again while the widgets are away: what is drawn last is the newest.
        await self.recompose()
        self._building = False
        if focused is not None and (widget := next(iter(self.query(f"#{focused}")), None)) is not None:
            widget.focus(scroll_visible=False)
        self.refresh_bindings()
        self.redraw()

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The keys that work now, described in the student's language."""
        return {
            key: active._replace(
                binding=replace(active.binding, description=self.say(Text(active.binding.description)))
            )
            for key, active in super().active_bindings.items()
        }


class Dialog(Drawn[Result], ModalScreen[Result]):
    """A screen on top of another one, left with an answer or with escape."""

    def action_cancel(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)
