"""What was found out about an expression."""

from __future__ import annotations

from dataclasses import dataclass

from workshop.texts import Text
from workshop.verdicts import Level


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be; `id` becomes the id of a fact."""

    id: str
    level: Level
    claim: Text
    expected: Text
    observed: Text
    next: Text
