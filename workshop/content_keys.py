"""Content files read strictly: every key is asked for by name, and one that nobody asked for is a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workshop.texts import LANGUAGES, Bilingual
from workshop.verdicts import Half


class ContentError(Exception):
    """A content file is not what the runner understands: says which file and which key."""


def read_content(path: Path) -> object:
    """Return what a content file holds. Raises ContentError."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (a safe loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContentError(f"{path}: {error}") from error


class Keys:
    """A mapping of a content file whose keys are taken one by one, so that a misspelt one is noticed."""

    def __init__(self, path: Path, data: object, at: str = "") -> None:
        if not isinstance(data, dict):
            raise ContentError(f"{path}: {at or 'the file'}: expected keys and values")
        self._path, self._at = path, at
        self._left: dict[Any, Any] = dict(data)
        self._seen = dict(data)

    def wrong(self, key: str, expected: str) -> ContentError:
        """Return the error for a key whose value is not as expected."""
        where = f"{self._at}.{key}" if self._at else key
        return ContentError(f"{self._path}: {where}: expected {expected}")

    def nothing_left(self) -> None:
        """Raise ContentError for a key that nobody took."""
        if self._left:
            raise ContentError(
                f"{self._path}: {self._at or 'top level'}: unknown key {next(iter(self._left))!r}"
            )

    def _take(self, key: str, expected: str, *, default: object = None) -> Any:
        self._left.pop(key, None)
        value = self._seen.get(key, default)
        if value is None:
            raise self.wrong(key, expected)
        return value

    def text(self, key: str, *, default: str | None = None) -> str:
        """Take a text."""
        value = self._take(key, "text", default=default)
        if not isinstance(value, str):
            raise self.wrong(key, "text (quote it)")
        return value

    def integer(self, key: str, *, default: int | None = None) -> int:
        """Take a whole number."""
        value = self._take(key, "a whole number", default=default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(key, "a whole number")
        return value

    def number(self, key: str, *, default: float | None = None) -> float:
        """Take a number."""
        value = self._take(key, "a number", default=default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.wrong(key, "a number")
        return float(value)

    def flag(self, key: str) -> bool:
        """Take true or false; false when it is absent."""
        value = self._take(key, "true or false", default=False)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of texts; empty when it is absent."""
        value = self._take(key, "a list of texts", default=())
        if not isinstance(value, Sequence) or not all(isinstance(entry, str) for entry in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def choice(self, key: str, words: type[Half]) -> list[Half]:
        """Take a list of halves."""
        try:
            return [words(value) for value in self.texts(key)]
        except ValueError as error:
            raise self.wrong(key, " | ".join(words)) from error

    def bilingual(self, key: str) -> Bilingual:
        """Take a text in every language."""
        return self._as_bilingual(key, self._take(key, "a text in each language (en, fr)"))

    def bilinguals(self, key: str) -> list[Bilingual]:
        """Take a list of texts in every language; empty when it is absent."""
        return [self._as_bilingual(key, value) for value in self._take(key, "a list", default=())]

    def _as_bilingual(self, key: str, value: object) -> Bilingual:
        if (
            not isinstance(value, dict)
            or set(value) != set(LANGUAGES)
            or not all(isinstance(text, str) and text.strip() for text in value.values())
        ):
            raise self.wrong(key, "a text in each language (en, fr)")
        return Bilingual(en=value["en"].strip(), fr=value["fr"].strip())

    def items(self, key: str) -> list[Keys]:
        """Take a list of mappings, or one mapping, to be read key by key; empty when it is absent."""
        value = self._take(key, "a list", default=())
        if isinstance(value, dict):
            return [Keys(self._path, value, f"{self._at}{key}")]
        if not isinstance(value, list | tuple):
            raise self.wrong(key, "a list")
        return [Keys(self._path, entry, f"{self._at}{key}[{index}]") for index, entry in enumerate(value)]
