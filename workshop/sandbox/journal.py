"""What a supervisor reports, one JSON object a line: whoever started it reads along."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workshop.sandbox.errors import SandboxError
from workshop.texts import Bilingual, Message, Text


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened, `seconds` after the start: step, ready, up, died, lost, failed or down."""

    kind: str
    seconds: float
    text: Message
    component: str = ""
    remedy: Message | None = None
    details: tuple[str, ...] = ()


class Journal:
    """The supervisor's end: a new file for each start."""

    def __init__(self, path: Path) -> None:
        self._begin = time.monotonic()
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)

    def write(
        self,
        kind: str,
        text: Message,
        *,
        component: str = "",
        remedy: Message | None = None,
        details: tuple[str, ...] = (),
    ) -> None:
        """Report something, in one write: a reader never sees half a line that will not be finished."""
        line = {
            "kind": kind,
            "seconds": round(time.monotonic() - self._begin, 3),
            "text": pack(text),
            "component": component,
            "remedy": None if remedy is None else pack(remedy),
            "details": list(details),
        }
        os.write(self._descriptor, json.dumps(line).encode() + b"\n")

    def fail(self, error: SandboxError) -> None:
        """Report that the sandbox could not be brought up."""
        self.write("failed", error.problem, remedy=error.remedy, details=error.details)


def read(path: Path, offset: int = 0) -> tuple[list[Entry], int]:
    """Return the complete entries from a byte offset on, and the offset behind them."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read()
    except OSError:
        return [], offset
    complete = content.rfind(b"\n") + 1
    return list(_entries(content[:complete])), offset + complete


def _entries(content: bytes) -> Iterator[Entry]:
    for line in content.splitlines():
        try:
            found = json.loads(line)
            remedy = found["remedy"]
            yield Entry(
                str(found["kind"]),
                float(found["seconds"]),
                unpack(found["text"]),
                str(found["component"]),
                None if remedy is None else unpack(remedy),
                tuple(str(detail) for detail in found["details"]),
            )
        except (ValueError, KeyError, TypeError):
            continue  # cut short by a power failure: what matters is told by the processes themselves


def pack(message: Message) -> Any:
    """Return a message as JSON data."""
    if isinstance(message, Text):
        params = {
            name: pack(value) if isinstance(value, Text | Bilingual) else str(value)
            for name, value in message.params.items()
        }
        return {"english": message.english, "params": params}
    return message if isinstance(message, str) else {"en": message.en, "fr": message.fr}


def unpack(data: Any) -> Message:
    """Return the message that was packed. Raises KeyError or TypeError when it is none."""
    if isinstance(data, str):
        return data
    if "english" in data:
        return Text(data["english"], **{name: unpack(value) for name, value in data["params"].items()})
    return Bilingual(en=data["en"], fr=data["fr"])
