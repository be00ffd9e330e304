"""Notice that a file below `td/` was saved, whatever the file system.

Events of the operating system (watchfiles) only wake the watcher up; what changed is found by
comparing names, sizes and times with what was there before. So an event that says nothing new is no
change, and a change that sent no event – a network mount, a Windows folder seen from WSL – is found at
the next look. Once that has happened, looks become frequent.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

# Milliseconds. An editor's burst of writes is over within QUIET of its last one; watchfiles waits for one to
# two of it. Whoever writes more slowly is judged once more: a newer run makes the one before it stale.
QUIET: Final = 15
_LONGEST_BURST: Final = 200
_LOOK_EVERY: Final = 2_000
_POLL_EVERY: Final = 300
_MAX_FILES: Final = 5_000
_SKIPPED: Final = frozenset({"node_modules", "__pycache__"})
# Mounts that send no events for what happens on the other side.
_SILENT: Final = frozenset(
    {
        *("9p", "afs", "ceph", "cifs", "drvfs", "fuse.sshfs", "fuse.vmhgfs-fuse", "nfs", "nfs4"),
        *("prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs"),
    }
)

Snapshot = Mapping[str, tuple[int, int, int]]


def changes(root: Path, stop: threading.Event, *, polling: bool | None = None) -> Iterator[frozenset[str]]:
    """Yield the paths (relative to `root`) that changed below `td/`, until `stop` is set.

    `polling` True never waits for events, None decides by the file system. `td/` may be missing, and may
    disappear and come back.
    """
    silent = sends_no_events(root) if polling is None else polling
    missed = 0
    before = look(root)
    while not stop.is_set():
        for event in _wake_ups(root / "td", stop, silent=silent):
            after = look(root)
            changed = frozenset(
                path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
            )
            before = after
            if changed:
                yield changed
                if not event and not silent:
                    # No event came: td/ was replaced (then listening anew helps), or none ever will.
                    missed += 1
                    silent = polling is None and missed > 1
                    break


def look(root: Path) -> Snapshot:
    """Return what files are below `td/` now: path → identity, size in bytes, time of change in ns.

    Links are noticed but not followed; hidden files, editors' backups and downloads are left out.
    """
    found: dict[str, tuple[int, int, int]] = {}
    pending = [root / "td"]
    while pending and len(found) < _MAX_FILES:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name.endswith("~") or entry.name in _SKIPPED:
                        continue
                    info = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(Path(entry.path))
                    else:
                        path = Path(entry.path).relative_to(root).as_posix()
                        found[path] = (info.st_ino, info.st_size, info.st_mtime_ns)
        except OSError:
            continue  # gone or closed to us while we looked: the next look tells
    return found


def sends_no_events(root: Path, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Whether `root` is on a file system that is known to send no events (network, WSL, shared folders).

    WATCHFILES_FORCE_POLLING decides where it is set, as it does for watchfiles itself.
    """
    forced = os.environ.get("WATCHFILES_FORCE_POLLING")
    if forced:
        return forced.lower() not in ("false", "disable", "disabled")
    best, kind = "", ""
    try:
        here = str(root.resolve())
        for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
            left, _, right = line.partition(" - ")
            point = left.split(" ")[4].replace("\\040", " ")
            inside = here == point or here.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best):
                best, kind = point, right.split(" ")[0]
    except (OSError, IndexError):
        return False
    return kind in _SILENT


def _wake_ups(folder: Path, stop: threading.Event, *, silent: bool) -> Iterator[bool]:
    """Yield True when an event arrived, False when it is time to look anyway; ends when `stop` is set."""
    if not silent:
        # No such folder yet, or no events to be had (inotify's limit reached): look instead.
        with suppress(OSError, RuntimeError):
            yield from _events(folder, stop)
    while not stop.wait(_POLL_EVERY / 1000):
        yield False


def _events(folder: Path, stop: threading.Event) -> Iterator[bool]:
    from watchfiles import watch

    for batch in watch(
        folder,
        watch_filter=None,
        debounce=_LONGEST_BURST,
        step=QUIET,
        stop_event=stop,
        rust_timeout=_LOOK_EVERY,
        yield_on_timeout=True,
        raise_interrupt=False,
        force_polling=False,
        ignore_permission_denied=True,
    ):
        yield bool(batch)
