"""Opening files below a folder without ever following a link out of it.

Each component of a path is opened relative to its parent (openat) with O_NOFOLLOW, links are read and
resolved here: nothing between looking and opening can be swapped for something else. Where the system
has no openat (Windows), the path is resolved and compared instead.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from workshop.texts import Text
from workshop.workspace.problems import Unreadable, refusal

MAX_BYTES: Final = 1024 * 1024
_MAX_LINKS: Final = 40
_HAS_OPENAT: Final = {os.open, os.stat, os.readlink} <= os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
# O_NONBLOCK: opening a FIFO or a terminal must not wait for somebody at its other end.
_READ: Final = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY")
)
_FOLDER: Final = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_DIRECTORY", "O_CLOEXEC")
)


class Identity(NamedTuple):
    """What tells one content of a file from another without reading it."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, info: os.stat_result) -> Identity:
        """Return the identity of what was looked at; times in nanoseconds."""
        return cls(info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)


class Entry(NamedTuple):
    """Something found below the root: its name, the folder it is in (None without openat), what it is."""

    name: str
    parent: int | None
    info: os.stat_result

    @contextmanager
    def scan(self) -> Iterator[Iterator[os.DirEntry[str]]]:
        """List the folder that was found. Raises OSError."""
        if self.parent is None:
            with os.scandir(self.name) as entries:
                yield entries
            return
        descriptor = os.open(self.name, _FOLDER, dir_fd=self.parent)
        try:
            with os.scandir(descriptor) as entries:
                yield entries
        finally:
            os.close(descriptor)


@contextmanager
def locate(root: Path, path: str, *, follow_last: bool = True) -> Iterator[Entry]:
    """Find what is at `path` (relative, POSIX) below `root`; links are followed as long as they stay inside.

    Raises Unreadable (missing, outside, permission, not-a-file).
    """
    with ExitStack() as stack:
        try:
            if "\0" in path:
                raise _missing(path)
            if path.startswith("/"):
                raise _outside(path)
            walk = _walk if _HAS_OPENAT else _resolve
            yield walk(root, path, follow_last=follow_last, stack=stack)
        except UnicodeEncodeError as error:  # half a surrogate pair: no file system knows such a name
            raise _missing(path) from error
        except OSError as error:
            raise _of_system(path, error) from error


def read_bytes(root: Path, path: str, *, limit: int = MAX_BYTES) -> tuple[bytes, Identity]:
    """Return the content of a regular file, at most `limit` bytes, and its identity. Raises Unreadable."""
    with locate(root, path) as entry:
        _regular(path, entry.info)
        try:
            descriptor = os.open(entry.name, _READ, dir_fd=entry.parent)
        except OSError as error:
            if error.errno == errno.ELOOP:  # a link took its place since it was looked at
                raise changed(path) from error
            raise
        with os.fdopen(descriptor, "rb") as file:
            before = os.fstat(descriptor)
            _regular(path, before)
            if (before.st_dev, before.st_ino) != (entry.info.st_dev, entry.info.st_ino):
                raise changed(path)
            if before.st_size > limit:
                raise _too_large(path, limit)
            data = file.read(limit + 1)
            if len(data) > limit:
                raise _too_large(path, limit)
            identity = Identity.of(before)
            if Identity.of(os.fstat(descriptor)) != identity:
                raise changed(path)
            return data, identity


def identify(root: Path, path: str) -> Identity:
    """Return the identity of a regular file without reading it. Raises Unreadable."""
    with locate(root, path) as entry:
        _regular(path, entry.info)
        return Identity.of(entry.info)


def changed(path: str) -> Unreadable:
    """Return the problem of a file that was written to while it was read."""
    return refusal(
        "changed",
        Text("{path} was being written while it was read", path=path),
        Text("Save the file, then check again."),
    )


def _walk(root: Path, path: str, *, follow_last: bool, stack: ExitStack) -> Entry:
    folders = [_open_folder(str(root), None, stack)]
    pending = deque(_components(path))
    links = 0
    while pending:
        name = pending.popleft()
        if name == "..":
            if len(folders) == 1:
                raise _outside(path)
            folders.pop()
            continue
        info = os.stat(name, dir_fd=folders[-1], follow_symlinks=False)
        if stat.S_ISLNK(info.st_mode) and (pending or follow_last):
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            target = os.readlink(name, dir_fd=folders[-1])
            if target.startswith("/"):
                target = _below(root, target, path)
                del folders[1:]
            pending.extendleft(reversed(_components(target)))
        elif pending:
            folders.append(_open_folder(name, folders[-1], stack))
        else:
            return Entry(name, folders[-1], info)
    return Entry(".", folders[-1], os.fstat(folders[-1]))


def _resolve(root: Path, path: str, *, follow_last: bool, stack: ExitStack) -> Entry:
    del stack
    joined = root.joinpath(*_components(path))
    # realpath and not Path.resolve, which raises RuntimeError for a link to itself.
    followed = Path(os.path.realpath(joined if follow_last else joined.parent))
    followed = followed if follow_last else followed / joined.name
    if not followed.is_relative_to(os.path.realpath(root)):
        raise _outside(path)
    return Entry(str(followed), None, followed.lstat())


def _components(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _open_folder(name: str, parent: int | None, stack: ExitStack) -> int:
    # The root may be reached through links: it is the caller's choice, not the student's.
    flags = _FOLDER if parent is not None else _FOLDER & ~os.O_NOFOLLOW
    descriptor = os.open(name, flags, dir_fd=parent)
    stack.callback(os.close, descriptor)
    return descriptor


def _below(root: Path, target: str, path: str) -> str:
    # macOS reaches /tmp through a link: the root counts under both of its names.
    for base in (os.path.realpath(root), os.path.abspath(root)):  # noqa: PTH100 (must not touch "..")
        if target == base or target.startswith(base.rstrip("/") + "/"):
            return target[len(base) :]
    raise _outside(path)


def _regular(path: str, info: os.stat_result) -> None:
    if stat.S_ISREG(info.st_mode):
        return
    what = next((text for test, text in _KINDS if test(info.st_mode)), Text("something that is not a file"))
    raise refusal(
        "not-a-file",
        Text("{path} is {what}, not a file", path=path, what=what),
        Text("Remove it and put the file in its place."),
    )


_KINDS: Final = (
    (stat.S_ISDIR, Text("a folder")),
    (stat.S_ISFIFO, Text("a named pipe")),
    (stat.S_ISSOCK, Text("a socket")),
    (stat.S_ISBLK, Text("a device")),
    (stat.S_ISCHR, Text("a device")),
    (stat.S_ISLNK, Text("a link")),
)


def _too_large(path: str, limit: int) -> Unreadable:
    return refusal(
        "too-large",
        Text("{path} is larger than {limit} KiB", path=path, limit=limit // 1024),
        Text("Keep only what the exercise asks for; logs and downloads do not belong in this file."),
    )


def _outside(path: str) -> Unreadable:
    return refusal(
        "outside",
        Text("{path} leads out of the workspace through a link or “..”", path=path),
        Text("Copy the real file into td/: only what is inside the workspace is handed in."),
    )


def _missing(path: str) -> Unreadable:
    return refusal(
        "missing",
        Text("{path} does not exist", path=path),
        Text("Create it, with exactly this name and in this folder."),
    )


def _of_system(path: str, error: OSError) -> Unreadable:
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
        return _missing(path)
    if error.errno == errno.ELOOP:
        return refusal(
            "not-a-file",
            Text("{path} is a link that leads back to itself", path=path),
            Text("Remove it and put the file in its place."),
        )
    return refusal(
        "permission",
        Text("{path} cannot be opened: {reason}", path=path, reason=error.strerror or type(error).__name__),
        Text("Give yourself the right to read it: chmod u+r on the file, u+rx on its folders."),
    )
