"""Messages for people: English text is the message id, translations live in YAML catalogues.

A `Text` is made where something is found out and translated where it is shown, so that a screen can
change language without checking anything again.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, get_args

Language = Literal["en", "fr"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, init=False)
class Text:
    """A message with named placeholders: `Text("{count} Pods are ready", count=3)`.

    A parameter may itself be a Text (translated with the rest). Texts are compared by content, so
    that two runs of a check can be compared.
    """

    english: str
    params: Mapping[str, object]

    def __init__(self, english: str, **params: object) -> None:
        object.__setattr__(self, "english", english)
        object.__setattr__(self, "params", MappingProxyType(params) if params else _NOTHING)

    def __str__(self) -> str:
        return translate(self, "en")

    def __reduce__(self) -> tuple[object, ...]:
        # A mapping proxy cannot be pickled, and reports travel between processes.
        return _text_of, (self.english, dict(self.params))

    def __hash__(self) -> int:
        return hash(self.english)


def _text_of(english: str, params: dict[str, object]) -> Text:
    return Text(english, **params)


@dataclass(frozen=True, slots=True)
class Bilingual:
    """A message of the content, written by its author in every language."""

    en: str
    fr: str

    def __str__(self) -> str:
        return self.en


Message = Text | Bilingual | str


def translate(message: Message, language: Language) -> str:
    """Return the message in that language; English where no translation is known."""
    if isinstance(message, str):
        return message
    if isinstance(message, Bilingual):
        return message.fr if language == "fr" else message.en
    template = _catalogue(language).get(message.english)
    if not message.params:
        return template
    values = {
        name: translate(value, language) if isinstance(value, Text | Bilingual) else value
        for name, value in message.params.items()
    }
    # Values come from students' files: they are substituted once and never read as a template.
    return _fill(template, values)


def _fill(template: str, values: Mapping[str, object]) -> str:
    pieces: list[str] = []
    rest = template
    while rest:
        before, brace, after = rest.partition("{")
        pieces.append(before)
        if not brace:
            break
        name, closing, tail = after.partition("}")
        if closing and name in values:
            pieces.append(str(values[name]))
            rest = tail
        else:
            pieces.append(brace)
            rest = after
    return "".join(pieces)


class _Catalogue:
    """The translations of one language, read file by file as far as they are needed."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._known: dict[str, str] = {}
        self._unread = list(files)[::-1]
        # Screens translate while a judging thread does.
        self._reading = threading.Lock()

    def get(self, english: str) -> str:
        """Return the translation; the message itself where no file has one."""
        found = self._known.get(english)
        if found is not None or not self._unread:
            return found or english
        with self._reading:
            while english not in self._known and self._unread:
                self._known.update(read_catalogue(self._unread[-1]))
                self._unread.pop()
        return self._known.get(english, english)


@functools.cache
def _catalogue(language: Language) -> _Catalogue:
    return _Catalogue(catalogue_files(language) if language != "en" else ())


def catalogue_files(language: Language) -> Iterable[Path]:
    """Yield the catalogue files of a language: first what a screen says before anything is judged."""
    from workshop.paths import content_root

    own = sorted((Path(__file__).parent / "locale" / language).glob("*.yaml"))
    yield from sorted(own, key=lambda path: path.stem not in ("runner", "tui"))
    yield from sorted((content_root() / "checks").glob(f"*/locale/{language}/*.yaml"))


def read_catalogue(path: Path) -> dict[str, str]:
    """Read one flat catalogue: English sentence → translation.

    Raises ValueError when the file is not a flat mapping of text to text.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    entries = yaml.load(path.read_text(encoding="utf-8"), Loader=loader) or {}  # noqa: S506 (a safe loader)
    if not isinstance(entries, dict) or not all(
        isinstance(key, str) and isinstance(value, str) for key, value in entries.items()
    ):
        raise ValueError(f"{path}: a catalogue maps English text to its translation, nothing else")
    return entries
