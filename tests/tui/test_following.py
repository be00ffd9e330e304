"""Watches on kinds: what changes is told, what may not be watched is known, what breaks is taken up again."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rig.cluster import Rig, wait_for
from workshop.cluster.live import LiveCluster
from workshop.cluster.port import Unreachable
from workshop.texts import Text
from workshop.tui import following
from workshop.tui.following import Follower
from workshop.tui.messages import ClusterChanged
from workshop.verdicts import Reason

NAMESPACE = "followed"


class Posted:
    def __init__(self) -> None:
        self._messages: queue.Queue[Any] = queue.Queue()

    def __call__(self, message: Any) -> None:
        assert isinstance(message, ClusterChanged)
        self._messages.put(message.kind)

    def next(self) -> str:
        """Return the kind that is told of next."""
        return str(self._messages.get(timeout=60))

    def drain(self) -> None:
        while not self._messages.empty():
            self._messages.get()


@pytest.fixture
def posted() -> Posted:
    return Posted()


@pytest.fixture
def follower(posted: Posted) -> Iterator[Follower]:
    made = Follower(posted)
    yield made
    made.stop()


def _note(name: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def test_every_change_of_a_followed_kind_is_told(rig: Rig, follower: Follower, posted: Posted) -> None:
    rig.apply(_note("before"))
    cluster = rig.cluster()
    cluster.list("ConfigMap")
    rig.apply(_note("between", what="since the first look, before the watch"))
    follower.follow(cluster, ["ConfigMap"])
    assert posted.next() == "ConfigMap"
    rig.apply(_note("between", what="changed"))
    assert posted.next() == "ConfigMap"
    rig.api.delete(f"/api/v1/namespaces/{NAMESPACE}/configmaps/between")
    assert posted.next() == "ConfigMap"


def test_a_watch_goes_on_where_it_ended(rig: Rig) -> None:
    rig.apply(_note("x"))
    cluster = rig.cluster()
    cluster.list("ConfigMap")
    assert list(cluster.follow("ConfigMap", seconds=1)) == []
    rig.apply(_note("x", what="while nobody watched"))
    assert len(list(cluster.follow("ConfigMap", seconds=1))) == 1


def test_a_kind_that_may_not_be_watched_is_known(
    rig: Rig, follower: Follower, posted: Posted, tmp_path: Path
) -> None:
    rig.apply(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "nobody", "namespace": NAMESPACE},
        }
    )
    token = rig.api.request(
        "POST",
        f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/nobody/token",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
    )["status"]["token"]
    from yaml import safe_load

    config = safe_load(rig.sandbox.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    follower.follow(LiveCluster(config["contexts"][0]["name"], tmp_path / "kubeconfig"), ["ConfigMap"])
    wait_for(lambda: follower.unwatched)
    assert follower.unwatched == {"ConfigMap"}


class Breaking:
    """Breaks the first watches, then tells of one change and of nothing more."""

    context = "kind-techmarket"

    def __init__(self, *reasons: Reason) -> None:
        self.reasons, self.calls, self.silence = list(reasons), 0, threading.Event()

    def follow(self, _kind: str, *, seconds: int) -> Iterator[None]:
        self.calls += 1
        if self.reasons:
            raise Unreachable(self.reasons.pop(0), Text("no answer"))
        yield
        self.silence.wait(2 * seconds)


def test_a_watch_that_breaks_is_told_and_taken_up_again(
    follower: Follower, posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_FIRST_PAUSE", 0.01)
    cluster: Any = Breaking(Reason.NO_CLUSTER, Reason.TIMEOUT)
    follower.follow(cluster, ["Pod"])
    assert [posted.next() for _ in range(3)] == ["Pod"] * 3
    assert cluster.calls >= 3


def test_a_kind_that_is_not_defined_is_followed_once_it_is(follower: Follower, posted: Posted) -> None:
    cluster: Any = Breaking(Reason.MISSING_CRD)
    follower.follow(cluster, ["Task.tekton.dev"])
    wait_for(lambda: not follower._ends)
    assert follower.unwatched == frozenset()
    follower.follow(cluster, ["Task.tekton.dev"])
    assert posted.next() == "Task.tekton.dev"


def test_there_are_not_more_watches_than_a_server_likes(follower: Follower) -> None:
    cluster: Any = Breaking()
    follower.follow(cluster, [f"Kind{number}" for number in range(100)])
    assert len(follower._ends) == following._MOST_WATCHES
    follower.follow(cluster, ["Kind3"])
    assert list(follower._ends) == ["Kind3"]
