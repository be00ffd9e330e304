"""The objects whose answer from a real webhook is on record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "documents"


@dataclass(frozen=True)
class Recorded:
    kind: str
    name: str
    refused: bool
    object: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


def recorded() -> list[Recorded]:
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))["documents"]
        found += [Recorded(path.stem, entry["name"], entry["refused"], entry["object"]) for entry in entries]
    return found
