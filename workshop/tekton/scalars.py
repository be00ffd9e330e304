"""Parameter values: their types, and what they become inside a text."""

from __future__ import annotations

from typing import Any, Literal

ParamType = Literal["string", "array", "object"]


def type_of(value: Any) -> ParamType:
    """Return the type Tekton gives to a value: anything but a list or a mapping of texts is a string."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "array"
    if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
        return "object"
    return "string"


def as_text(value: Any) -> str:
    """Return a value as Tekton substitutes it into a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
