"""The workspace: the folder that holds a student's `td/`."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from workshop.dialects import Dialect
from workshop.texts import Text
from workshop.workspace.documents import Document, parse_documents
from workshop.workspace.opening import Entry, Identity, identify, locate, read_bytes
from workshop.workspace.problems import NotAWorkspace, Problem, Unreadable, empty
from workshop.workspace.textfile import TextFile, decode, without_comments

MAX_FILES: Final = 2_000
_MAX_ENTRIES: Final = 20_000
_MAX_FOLDERS_DEEP: Final = 20
# Downloaded, never written by the student, and as large as all the rest together.
_SKIPPED_FOLDERS: Final = frozenset({"node_modules", "__pycache__"})


class Workspace:
    """A student's work. Paths are relative to `root` and written with `/`: `td/kyverno/x.yaml`.

    What was read is kept as long as the file does not change; nothing of it may be modified.
    """

    def __init__(self, root: Path) -> None:
        """Raise NotAWorkspace unless `root` holds a real folder `td/` that can be looked into."""
        self.root: Final = Path(os.path.realpath(root))
        _require_td(self.root, shown=root)
        self._texts: dict[str, tuple[Identity, TextFile]] = {}
        self._documents: dict[tuple[str, Dialect], tuple[Identity, list[Document] | Problem]] = {}

    def exists(self, path: str) -> bool:
        """Whether anything is at that path: a broken link and what must not be opened count."""
        try:
            with locate(self.root, path, follow_last=False):
                return True
        except Unreadable as unreadable:
            return unreadable.problem.kind != "missing"

    def spelling(self, path: str) -> str:
        """Return the path as the student spelt its ending: `.yml` where only that file is there."""
        if not path.endswith(".yaml") or self.exists(path):
            return path
        twin = path.removesuffix(".yaml") + ".yml"
        return twin if self.exists(twin) else path

    def files(self, folder: str, suffixes: Iterable[str] = ()) -> list[str]:
        """Return the regular files below a folder, sorted; with `suffixes`, those that end in one of them.

        Hidden names, links to folders, links that lead out and names no terminal can show are left out.
        Looks at the nearest files first and stops at 2,000.
        """
        wanted = tuple(suffix.lower() for suffix in suffixes)
        found: list[str] = []
        pending = deque([(PurePosixPath(folder), 0)])
        looked_at = 0
        while pending and len(found) < MAX_FILES and looked_at < _MAX_ENTRIES:
            place, depth = pending.popleft()
            for name, mode in _entries(self.root, str(place)):
                looked_at += 1
                path = place / name
                if stat.S_ISDIR(mode):
                    if depth < _MAX_FOLDERS_DEEP and name not in _SKIPPED_FOLDERS:
                        pending.append((path, depth + 1))
                elif (not wanted or name.lower().endswith(wanted)) and self._is_file(str(path), mode):
                    found.append(str(path))
        return sorted(found[:MAX_FILES])

    def text(self, path: str) -> TextFile:
        """Return a UTF-8 text file of at most 1 MiB that is not blank. Raises Unreadable."""
        known = self._texts.get(path)
        if known and identify(self.root, path) == known[0]:
            return known[1]
        file, identity = self._read(path)
        self._texts[path] = (identity, file)
        return file

    def documents(self, path: str, *, dialect: Dialect = "kubernetes") -> list[Document]:
        """Return the YAML documents of a file, at least one; a List is its items. Raises Unreadable."""
        key = (path, dialect)
        known = self._documents.get(key)
        if known is None or identify(self.root, path) != known[0]:
            file, identity = self._read(path)
            known = (identity, _parsed(file, dialect))
            self._documents[key] = known
        if isinstance(known[1], Problem):
            raise Unreadable(known[1])
        return list(known[1])

    def _read(self, path: str) -> tuple[TextFile, Identity]:
        try:
            data, identity = read_bytes(self.root, path)
        except Unreadable as unreadable:
            if unreadable.problem.kind != "changed":
                raise
            data, identity = read_bytes(self.root, path)  # an editor was saving: it is done by now
        file = TextFile(path, decode(path, data))
        written = without_comments(file.text) if path.endswith(".md") else file.text
        if not written.strip():
            raise empty(path)
        return file, identity

    def _is_file(self, path: str, mode: int) -> bool:
        if not stat.S_ISLNK(mode):
            return stat.S_ISREG(mode)
        try:
            identify(self.root, path)
        except Unreadable:
            return False
        return True


def _parsed(file: TextFile, dialect: Dialect) -> list[Document] | Problem:
    try:
        return parse_documents(file.text, file=file.path, dialect=dialect)
    except Unreadable as unreadable:
        return unreadable.problem


def _entries(root: Path, folder: str) -> list[tuple[str, int]]:
    """Return names and modes (of links: their own) in a folder, sorted; nothing where it cannot be listed."""
    try:
        with locate(root, folder) as entry:
            return _listed(entry)
    except Unreadable:
        return []


def _listed(entry: Entry) -> list[tuple[str, int]]:
    if not stat.S_ISDIR(entry.info.st_mode):
        return []
    found: list[tuple[str, int]] = []
    with entry.scan() as entries:
        for each in entries:
            if len(found) >= _MAX_ENTRIES:
                break
            if each.name.startswith(".") or not each.name.isprintable():
                continue
            found.append((each.name, each.stat(follow_symlinks=False).st_mode))
    return sorted(found)


def _require_td(root: Path, *, shown: Path) -> None:
    try:
        with locate(root, "td", follow_last=False) as entry:
            if stat.S_ISLNK(entry.info.st_mode):
                raise NotAWorkspace(Text("{folder}/td is a link, not a folder", folder=str(shown)))
            if not stat.S_ISDIR(entry.info.st_mode):
                raise NotAWorkspace(Text("{folder}/td is not a folder", folder=str(shown)))
            with entry.scan():
                pass
    except Unreadable as unreadable:
        if unreadable.problem.kind == "missing":
            raise NotAWorkspace(
                Text(
                    "{folder} is not a workspace: it holds no td/ folder; make one with “workshop init”",
                    folder=str(shown),
                )
            ) from unreadable
        raise NotAWorkspace(Text("{folder} cannot be read", folder=str(shown))) from unreadable
    except OSError as error:
        raise NotAWorkspace(Text("{folder}/td cannot be read", folder=str(shown))) from error
