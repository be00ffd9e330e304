"""Notice that something changed on the cluster: watches where exercises have looked.

One namespace is watched where only one was asked about, all of them where all were or too many; where nobody
may watch all of them, those that were asked about by name. Whoever is told looks again at the exercises
concerned. The threads of this module end with the program and hold up nobody: a watch is over after half a
minute by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from textual.message import Message

from workshop.cluster.port import Place, Unreachable
from workshop.tui.messages import ClusterChanged
from workshop.verdicts import Reason

if TYPE_CHECKING:
    from workshop.cluster.port import Cluster

_WATCH_SECONDS: Final = 30
_MOST_WATCHES: Final = 32
# Namespaces of one kind that are watched one by one; more are watched all together.
_MOST_NAMESPACES: Final = 3
# After a watch that broke: the server may be restarting.
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 15.0
_REFUSED: Final = frozenset({Reason.FORBIDDEN, Reason.UNAUTHORIZED})


class Follower:
    """Follows places of one cluster and posts ClusterChanged."""

    def __init__(self, post: Callable[[Message], object]) -> None:
        self._post = post
        self._cluster: Cluster | None = None
        self._wanted: tuple[Place, ...] = ()
        self._ends: dict[Place, threading.Event] = {}
        self._refused: set[Place] = set()
        self._lock = threading.RLock()

    def follow(self, cluster: Cluster, places: Iterable[Place]) -> None:
        """Follow these places and no others; the first ones, where there are too many."""
        with self._lock:
            if cluster != self._cluster:  # also one made anew under the same name, elsewhere
                self.stop()
            self._cluster, self._wanted = cluster, tuple(places)
            self._arrange()

    def stop(self) -> None:
        """Follow nothing any more."""
        with self._lock:
            for end in self._ends.values():
                end.set()
            self._ends.clear()
            self._cluster, self._wanted = None, ()
            self._refused.clear()

    def misses(self, places: Iterable[Place]) -> bool:
        """Whether one of these places may not be followed: only who asks again hears of changes there."""
        with self._lock:
            return any(
                not self._refused.isdisjoint(around) and around.isdisjoint(self._ends)
                for around in ({place, Place(place.kind)} for place in places)
            )

    def _arrange(self) -> None:
        """Start the watches that are wanted and end the others."""
        if self._cluster is None:
            return
        watches = list(dict.fromkeys(self._watches()))[:_MOST_WATCHES]
        for place in self._ends.keys() - set(watches):
            self._ends.pop(place).set()
        for place in watches:
            if place not in self._ends:
                self._ends[place] = end = threading.Event()
                # A thread of our own: those of Textual are waited for when the program ends.
                threading.Thread(target=self._watch, args=(self._cluster, place, end), daemon=True).start()

    def _watches(self) -> Iterator[Place]:
        asked: dict[str, list[str | None]] = {}
        for place in self._wanted:
            asked.setdefault(place.kind, []).append(place.namespace)
        for kind, namespaces in asked.items():
            named = list(dict.fromkeys(filter(None, namespaces)))
            together = None in namespaces or len(named) > _MOST_NAMESPACES
            if together and Place(kind) not in self._refused:
                yield Place(kind)
            else:
                places = (Place(kind, namespace) for namespace in named)
                yield from (place for place in places if place not in self._refused)

    def _watch(self, cluster: Cluster, place: Place, end: threading.Event) -> None:
        pause = _FIRST_PAUSE
        while not end.is_set():
            try:
                for changed in cluster.follow(place, seconds=_WATCH_SECONDS):
                    if end.is_set():
                        return
                    self._post(ClusterChanged(changed))
                pause = _FIRST_PAUSE
            except Unreachable as unreachable:
                if unreachable.reason is Reason.MISSING_CRD or unreachable.reason in _REFUSED:
                    self._give_up(place, end, refused=unreachable.reason in _REFUSED)
                    return
                self._post(ClusterChanged(place))  # whoever looks again finds out whether it is lost
                end.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _give_up(self, place: Place, end: threading.Event, *, refused: bool) -> None:
        """Forget a watch: it may not be, or there is nothing to follow before its kind is defined."""
        with self._lock:
            if end.is_set():
                return  # somebody else's by now
            self._ends.pop(place, None)
            if refused:
                self._refused.add(place)
                self._arrange()
