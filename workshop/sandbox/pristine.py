"""Back to pristine: etcd's keys made again what they were when the sandbox had just come up.

Everything else keeps running: the API server and the controllers see the changes as they see any other, and
what was applied meanwhile has no say in its own removal. Keys that components keep renewing (leases) are
left to them.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from workshop.sandbox.store import DeleteRange, Entry, Put, Store, entries
from workshop.sandbox.writing import write_atomically

_BEGIN: Final = b"/registry/"
_END: Final = b"/registry0"  # "0" follows "/": the end of all keys that begin with /registry/
_RENEWED: Final = (b"/registry/leases/", b"/registry/masterleases/")
# A controller writes the API server's certificate into each namespace, and again whatever anybody does.
_PUBLISHED: Final = b"/kube-root-ca.crt"
_EVENTS: Final = b"/registry/events/"
# Controllers of a busy machine take their time to notice; starting everything again takes longer.
_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.02
_QUIET_PASSES: Final = 2


def record(store: Store, path: Path) -> None:
    """Write down what etcd holds now as what is pristine."""
    write_atomically(path, store.everything(_BEGIN, _END), 0o600)


def state(store: Store) -> list[tuple[bytes, int]]:
    """Return every key with its revision, but for those that are renewed all the time."""
    found = entries(store.everything(_BEGIN, _END, keys_only=True))
    return [(entry.key, entry.mod_revision) for entry in found if not _renewed(entry.key)]


def removal(begins: Iterable[str]) -> list[DeleteRange]:
    """Return what removes every key that begins so, below /registry/."""
    prefixes = [_BEGIN + begin.encode() for begin in begins]
    return [DeleteRange(prefix, prefix[:-1] + bytes([prefix[-1] + 1])) for prefix in prefixes]


class Pristine:
    """What was recorded, and the way back to it.

    Keys that begin with one of `owned` are left to the components as they are, and put back when gone.
    """

    def __init__(self, path: Path, owned: Iterable[str] = ()) -> None:
        self._path = path
        self._owned = tuple(_BEGIN + begin.encode() for begin in owned)
        self._entries = {entry.key: entry for entry in entries(path.read_bytes()) if _is_kept(entry.key)}
        self._keys = sorted(self._entries)

    def restore(self, store: Store, *, seconds: float = _SECONDS) -> bool:
        """Bring everything back; tell whether it stayed so (controllers may write what they had begun).

        Returns after two looks in a row that found nothing to do, or after so many seconds.
        """
        quiet = 0
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = store.everything(_BEGIN, _END, keys_only=True)
            operations = list(self._operations(entries(answer)))
            quiet = 0 if operations else quiet + 1
            if quiet == _QUIET_PASSES:
                return True
            if operations:
                store.change(operations)
                self._learn_revisions(store, operations)
            time.sleep(_PAUSE_SECONDS)
        return False

    def _operations(self, found: list[Entry]) -> Iterator[Put | DeleteRange]:
        kept: list[bytes] = []
        strangers: list[bytes] = []
        present: dict[bytes, int] = {}
        for entry in found:
            if entry.key in self._entries:
                present[entry.key] = entry.mod_revision
            elif _renewed(entry.key):
                kept.append(entry.key)
            else:
                strangers.append(entry.key)
        yield from ranges(strangers, sorted([*present, *kept]))
        for key in self._keys:
            pristine = self._entries[key]
            theirs = key.startswith(self._owned) or key.endswith(_PUBLISHED)
            if key not in present or (present[key] != pristine.mod_revision and not theirs):
                yield Put(key, pristine.value)

    def _learn_revisions(self, store: Store, operations: list[Put | DeleteRange]) -> None:
        # What we wrote has a new revision; only what somebody writes after that differs again.
        written = {one.key for one in operations if isinstance(one, Put)}
        if not written:
            return
        for entry in entries(store.everything(_BEGIN, _END)):
            known = self._entries.get(entry.key)
            if known is not None and entry.key in written and entry.value == known.value:
                self._entries[entry.key] = Entry(entry.key, entry.mod_revision, entry.value)
        kvs = [
            {"key": _text(one.key), "mod_revision": str(one.mod_revision), "value": _text(one.value)}
            for one in self._entries.values()
        ]
        write_atomically(self._path, json.dumps({"kvs": kvs}).encode(), 0o600)


def _text(raw: bytes) -> str:
    import base64

    return base64.b64encode(raw).decode()


def _renewed(key: bytes) -> bool:
    return key.startswith(_RENEWED)


def _is_kept(key: bytes) -> bool:
    return not _renewed(key) and not key.startswith(_EVENTS)


def ranges(strangers: list[bytes], kept: list[bytes]) -> Iterator[DeleteRange]:
    """Yield ranges that hold every stranger and nothing that is kept; both lists are sorted."""
    at = 0
    while at < len(strangers):
        first = strangers[at]
        wall = bisect_left(kept, first)
        end = kept[wall] if wall < len(kept) else _END
        yield DeleteRange(first, end)
        at = bisect_left(strangers, end, lo=at)
