"""What was found out about an expression."""

from __future__ import annotations

from typing import NamedTuple

from workshop.texts import Text
from workshop.verdicts import Level


class Finding(NamedTuple):
    """One thing that is not as it should be; `id` becomes the id of a fact."""

    id: str
    level: Level
    claim: Text
    expected: Text
    observed: Text
    next: Text
