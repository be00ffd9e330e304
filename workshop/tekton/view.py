"""A part of a YAML document, read without ever raising: what has another shape is simply not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workshop.workspace import Document, Position

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A document from one path on. All paths given to its methods are relative to that one."""

    document: Document
    path: Path = ()

    def get(self, *keys: str | int, default: Any = None) -> Any:
        """Return the value, or `default` where there is none or it is null."""
        return self.document.get(*self.path, *keys, default=default)

    def has(self, *keys: str | int) -> bool:
        """Whether there is a value other than null."""
        return self.get(*keys) is not None

    def sub(self, *keys: str | int) -> View:
        """Return the view from a deeper path on, whether or not anything is there."""
        return View(self.document, (*self.path, *keys))

    def at(self, *keys: str | int) -> Position:
        """Return where the value stands, or the nearest thing above it."""
        return self.document.at(*self.path, *keys)

    def text(self, *keys: str | int) -> str:
        """Return a text; empty where there is none or it is of another type."""
        value = self.get(*keys)
        return value if isinstance(value, str) else ""

    def texts(self, *keys: str | int) -> list[str]:
        """Return the texts of a list."""
        value = self.get(*keys)
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def mapping(self, *keys: str | int) -> dict[str, Any]:
        """Return a mapping; empty where there is none."""
        value = self.get(*keys)
        return value if isinstance(value, dict) else {}

    def items(self, *keys: str | int) -> list[View]:
        """Return the mappings of a list, as views."""
        value = self.get(*keys)
        if not isinstance(value, list):
            return []
        return [self.sub(*keys, index) for index, item in enumerate(value) if isinstance(item, dict)]
