"""How long the student has been at it: per exercise, hence per block and for the lab."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workshop.content import Exercise
    from workshop.progress import Progress


class Clocks:
    """Counts while an exercise is open. `now` is monotonic, in seconds: a laptop asleep costs nothing."""

    def __init__(self, spent: Mapping[str, float], now: Callable[[], float] = time.monotonic) -> None:
        self._spent = dict(spent)
        self._now = now
        self._running: Exercise | None = None
        self._since = 0.0
        self._unsaved: dict[tuple[str, str], float] = {}

    def start(self, exercise: Exercise | None) -> None:
        """Stop what runs and start the clock of an exercise; None stops only."""
        self._settle()
        self._running = exercise

    def spent(self) -> Mapping[str, float]:
        """Return the seconds by exercise id, up to now."""
        self._settle()
        return dict(self._spent)

    def save(self, progress: Progress) -> None:
        """Hand what is not saved yet to the progress store."""
        self._settle()
        for (block, exercise), seconds in self._unsaved.items():
            progress.add_time(block, exercise, seconds)
        self._unsaved.clear()

    def _settle(self) -> None:
        now = self._now()
        if self._running is not None:
            seconds = now - self._since
            key = (self._running.block, self._running.id)
            self._spent[self._running.id] = self._spent.get(self._running.id, 0.0) + seconds
            self._unsaved[key] = self._unsaved.get(key, 0.0) + seconds
        self._since = now
