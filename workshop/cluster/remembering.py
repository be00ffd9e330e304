"""The context a student confirmed with --context, kept in `.workshop/` for later checks and for the TUI.

Importing this costs nothing: the store is opened when it is asked, and only where it already exists.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from workshop.progress import Progress

_SETTING: Final = "context"


def remembered_context(root: Path) -> str | None:
    """Return the context confirmed for the workspace `root`, None when none was or nothing is kept there."""
    progress = _kept(root)
    if progress is None:
        return None
    try:
        return progress.setting(_SETTING) or None
    finally:
        progress.close()


def remember_context(root: Path, context: str) -> None:
    """Keep a context that the student named, where `.workshop/` already exists."""
    progress = _kept(root)
    if progress is None:
        return
    try:
        if progress.setting(_SETTING) != context:
            progress.set_setting(_SETTING, context)
    finally:
        progress.close()


def _kept(root: Path) -> Progress | None:
    from workshop.progress import FOLDER, Progress

    return Progress.open(root) if (root / FOLDER).is_dir() else None
