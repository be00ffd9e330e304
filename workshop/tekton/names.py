"""Names of tasks, parameters and workspaces: what a DNS label is, and which are given twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from workshop.tekton.view import View

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def is_label(name: str) -> bool:
    """Whether a name is a DNS label."""
    return len(name) <= 63 and _LABEL.fullmatch(name) is not None


def repeated(views: Sequence[View], key: str = "name") -> Iterator[View]:
    """Yield the items whose name an earlier one has already."""
    seen: set[str] = set()
    for view in views:
        name = view.text(key)
        if name in seen:
            yield view
        seen.add(name)
