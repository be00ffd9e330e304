"""Notice that something changed on the cluster: one watch per kind that exercises have looked at.

Whoever is told looks again at the exercises concerned. The threads of this module end with the program and
hold up nobody: a watch is over after half a minute by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from textual.message import Message

from workshop.tui.messages import ClusterChanged
from workshop.verdicts import Reason

if TYPE_CHECKING:
    from workshop.cluster.port import Cluster

_WATCH_SECONDS: Final = 30
_MOST_WATCHES: Final = 32
# After a watch that broke: the server may be restarting.
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 15.0
_REFUSED: Final = frozenset({Reason.FORBIDDEN, Reason.UNAUTHORIZED})


class Follower:
    """Follows kinds of one cluster and posts ClusterChanged. What may not be followed is `unwatched`."""

    def __init__(self, post: Callable[[Message], object]) -> None:
        self._post = post
        self._context = ""
        self._ends: dict[str, threading.Event] = {}
        self.unwatched: frozenset[str] = frozenset()

    def follow(self, cluster: Cluster, kinds: Iterable[str]) -> None:
        """Follow these kinds and no others; the first ones, where there are too many."""
        if cluster.context != self._context:
            self.stop()
            self._context = cluster.context
        wanted = list(dict.fromkeys(kinds))[:_MOST_WATCHES]
        for kind in self._ends.keys() - set(wanted):
            self._ends.pop(kind).set()
        for kind in wanted:
            if kind not in self._ends:
                self._ends[kind] = end = threading.Event()
                # A thread of our own: those of Textual are waited for when the program ends.
                threading.Thread(target=self._watch, args=(cluster, kind, end), daemon=True).start()

    def stop(self) -> None:
        """Follow nothing any more."""
        for end in self._ends.values():
            end.set()
        self._ends.clear()
        self.unwatched = frozenset()

    def _watch(self, cluster: Cluster, kind: str, end: threading.Event) -> None:
        from workshop.cluster.port import Unreachable

        pause = _FIRST_PAUSE
        while not end.is_set():
            try:
                for _ in cluster.follow(kind, seconds=_WATCH_SECONDS):
                    if end.is_set():
                        return
                    self._post(ClusterChanged(kind))
                pause = _FIRST_PAUSE
            except Unreachable as unreachable:
                if unreachable.reason is Reason.MISSING_CRD:
                    self._ends.pop(kind, None)  # there is nothing to follow before it is defined
                    return
                if unreachable.reason in _REFUSED:
                    self.unwatched |= {kind}
                    return
                self._post(ClusterChanged(kind))  # whoever looks again finds out whether it is lost
                end.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
