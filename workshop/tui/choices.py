"""What the student chose and where they were, remembered in the progress store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workshop.texts import LANGUAGES, Language
from workshop.verdicts import Mode

if TYPE_CHECKING:
    from workshop.progress import Progress

MAP: Final = "map"
BOARD: Final = "board"


@dataclass(frozen=True, slots=True)
class Choices:
    """`place` is `map`, `board` or an exercise id; `started` says that the welcome screen is behind them."""

    language: Language
    mode: Mode = Mode.OFFLINE
    dark: bool = True
    started: bool = False
    place: str = MAP

    @classmethod
    def recall(cls, progress: Progress | None, language: Language | None) -> Choices:
        """Return what is remembered; an explicit language wins, the environment's is the last resort."""

        def remembered(name: str) -> str:
            return (progress.setting(name) if progress else None) or ""

        known = remembered("language")
        mode = remembered("mode")
        return cls(
            language=language or _language(known) or _environment_language(),
            mode=Mode(mode) if mode in set(Mode) else Mode.OFFLINE,
            dark=remembered("theme") != "light",
            started=remembered("started") == "yes",
            place=remembered("place") or MAP,
        )

    def keep(self, progress: Progress) -> None:
        """Remember all of it."""
        for name, value in (
            ("language", self.language),
            ("mode", self.mode.value),
            ("theme", "dark" if self.dark else "light"),
            ("started", "yes" if self.started else "no"),
            ("place", self.place),
        ):
            if progress.setting(name) != value:
                progress.set_setting(name, value)


def _language(known: str) -> Language | None:
    return next((each for each in LANGUAGES if each == known), None)


def _environment_language() -> Language:
    names = ("WORKSHOP_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    value = next((os.environ[name] for name in names if os.environ.get(name)), "en")
    return "fr" if value.lower().startswith("fr") else "en"
