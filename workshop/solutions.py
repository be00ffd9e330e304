"""Solution mode: the reference files of an exercise, compared with and applied to a workspace."""

from __future__ import annotations

import difflib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from workshop.content import Exercise, Lab
from workshop.texts import Text
from workshop.workspace import Unreadable, Workspace


class CannotApply(Exception):
    """The reference file cannot be written: `.text` says why, nothing was changed."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


@dataclass(frozen=True, slots=True)
class SolutionFile:
    """One reference file. `path` is relative to the workspace, such as `td/kyverno/x.yaml`."""

    path: str
    text: str


def reference_files(lab: Lab, exercise: Exercise) -> list[SolutionFile]:
    """Return the reference files of an exercise: its deliverables, then what else the solution brings.

    What else: files and folders that the exercise lists as optional.
    """
    found: list[SolutionFile] = []
    for name in (*exercise.deliverables, *exercise.optional):
        source = lab.solutions / name
        files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
        for file in files:
            if file.is_file():
                relative = file.relative_to(lab.solutions).as_posix()
                found.append(SolutionFile(relative, file.read_text(encoding="utf-8")))
    return found


def compare(workspace: Workspace, file: SolutionFile) -> str:
    """Return a unified diff from the student's file to the reference; empty when they are the same."""
    try:
        theirs = workspace.text(file.path).text
    except Unreadable:
        theirs = ""
    lines = difflib.unified_diff(
        theirs.splitlines(keepends=True),
        file.text.splitlines(keepends=True),
        fromfile=file.path,
        tofile=f"solution/{file.path}",
    )
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def apply(root: Path, file: SolutionFile) -> Path | None:
    """Put a reference file into the workspace; return where the student's own file went, None if none.

    Raises CannotApply, with nothing changed, when the place is a link, a folder or not writable.
    """
    target = root / file.path
    backup: Path | None = None
    try:
        _refuse_links(root, target)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}.part")
        partial.write_text(file.text, encoding="utf-8")
        if target.exists():
            backup = back_up(root, target)
        partial.replace(target)
    except OSError as error:
        raise CannotApply(
            Text("cannot write {path}: {problem}", path=file.path, problem=error.strerror or error)
        ) from error
    return backup


def back_up(root: Path, target: Path) -> Path:
    """Copy a file of the workspace to `.workshop/backup/<time>/` and return the copy's path."""
    stamp = time.strftime("%Y%m%d-%H%M%S") + f"-{time.time_ns() % 1_000_000:06d}"
    copy = root / ".workshop" / "backup" / stamp / target.relative_to(root)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(target.read_bytes())
    return copy


def _refuse_links(root: Path, target: Path) -> None:
    here = root
    for part in target.relative_to(root).parts:
        here = here / part
        if here.is_symlink():
            raise CannotApply(
                Text("{path} is a link: it is not written through", path=here.relative_to(root))
            )
    if target.is_dir():
        raise CannotApply(Text("{path} is a folder", path=target.relative_to(root)))
