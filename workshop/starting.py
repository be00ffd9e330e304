"""A new workspace: the starters and materials of a lab copied into a student's folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from workshop.accounts import Account
from workshop.answers import PATH as ANSWERS
from workshop.answers import render_answers
from workshop.content import Lab

_IGNORE = "# Progress of the workshop: not part of what you hand in.\n*\n"


def start_workspace(lab: Lab, folder: Path, account: Account) -> list[Path]:
    """Add what is missing to a folder and return the files that were added.

    Nothing that exists is overwritten or followed when it is a link. Raises OSError when the folder
    cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    added = [
        target
        for source, target in _plan(lab, folder)
        if not os.path.lexists(target) and _copy(source.read_bytes(), target)
    ]
    answers = folder / ANSWERS
    if not os.path.lexists(answers) and _copy(render_answers(account, {}).encode(), answers):
        added.append(answers)
    ignore = folder / ".workshop" / ".gitignore"
    if not os.path.lexists(ignore) and _copy(_IGNORE.encode(), ignore):
        added.append(ignore)
    return added


def _plan(lab: Lab, folder: Path) -> Iterator[tuple[Path, Path]]:
    for root, below in ((lab.starters, folder), (lab.materials, folder / "materials")):
        for source in sorted(root.rglob("*")):
            if source.is_file() and "node_modules" not in source.parts and "__pycache__" not in source.parts:
                yield source, below / source.relative_to(root)


def _copy(content: bytes, target: Path) -> bool:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True
