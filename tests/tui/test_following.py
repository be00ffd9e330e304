"""Watches: what changes is told, what may not be watched is known, what breaks is taken up again."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rig.cluster import Rig, wait_for
from workshop.cluster.live import LiveCluster
from workshop.cluster.port import Place, Unreachable
from workshop.cluster.view import View
from workshop.texts import Text
from workshop.tui import following
from workshop.tui.following import Follower
from workshop.tui.messages import ClusterChanged
from workshop.verdicts import Reason

NAMESPACE = "followed"
NOTES = Place("ConfigMap", NAMESPACE)


class Posted:
    def __init__(self) -> None:
        self._messages: queue.Queue[Any] = queue.Queue()

    def __call__(self, message: Any) -> None:
        assert isinstance(message, ClusterChanged)
        self._messages.put(message.place)

    def next(self) -> Place:
        """Return the place that is told of next."""
        found = self._messages.get(timeout=60)
        assert isinstance(found, Place)
        return found

    @property
    def is_empty(self) -> bool:
        """Whether nothing more was told."""
        return self._messages.empty()


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
    follower.follow(cluster, [Place("ConfigMap")])
    assert posted.next() == NOTES
    rig.apply(_note("between", what="changed"))
    assert posted.next() == NOTES
    rig.api.delete(f"/api/v1/namespaces/{NAMESPACE}/configmaps/between")
    assert posted.next() == NOTES


def test_a_watch_goes_on_where_it_ended(rig: Rig) -> None:
    rig.apply(_note("x"))
    cluster = rig.cluster()
    cluster.list("ConfigMap")
    assert list(cluster.follow(Place("ConfigMap"), seconds=1)) == []
    rig.apply(_note("x", what="while nobody watched"))
    assert len(list(cluster.follow(Place("ConfigMap"), seconds=1))) == 1


@pytest.fixture
def account(rig: Rig, tmp_path: Path) -> Callable[..., LiveCluster]:
    """Return the rig as an account sees it that may look at some kinds in one namespace, and nowhere else."""

    def account(name: str, *resources: str) -> LiveCluster:
        metadata = {"name": name, "namespace": NAMESPACE}
        subject = {"kind": "ServiceAccount", **metadata}
        rule = {"apiGroups": [""], "resources": list(resources), "verbs": ["get", "list", "watch"]}
        rbac = "rbac.authorization.k8s.io"
        role = {"apiGroup": rbac, "kind": "Role", "name": name}
        rig.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        if resources:
            rig.apply({"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": metadata, "rules": [rule]})
            binding = {"roleRef": role, "subjects": [subject]}
            rig.apply({"apiVersion": f"{rbac}/v1", "kind": "RoleBinding", "metadata": metadata, **binding})
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{name}/token"
        token = rig.api.request("POST", path, asked)["status"]["token"]
        config = yaml.safe_load(rig.sandbox.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": token}
        (tmp_path / name).write_text(json.dumps(config))
        return LiveCluster(config["contexts"][0]["name"], tmp_path / name)

    return account


def _may_list(cluster: LiveCluster, kind: str) -> bool:
    """Whether the API server has taken up by now what an account may do."""
    try:
        cluster.list(kind, namespace=NAMESPACE)
    except Unreachable:
        return False
    return True


def test_what_may_not_be_watched_is_known(follower: Follower, account: Any) -> None:
    follower.follow(account("nobody"), [Place("ConfigMap"), NOTES])
    wait_for(lambda: follower.misses([NOTES]))
    assert follower.misses([Place("ConfigMap")])
    assert not follower.misses([Place("Pod")])


def test_who_may_look_at_one_namespace_only_is_told_of_what_changes_there(
    rig: Rig, follower: Follower, posted: Posted, account: Any
) -> None:
    rig.apply(_note("mine"))
    limited = account("limited", "configmaps")
    wait_for(partial(_may_list, limited, "ConfigMap"))
    view = View(limited)
    view.list("ConfigMap", namespace=NAMESPACE)
    with pytest.raises(Unreachable) as refused:
        view.list("ConfigMap")
    assert refused.value.reason is Reason.FORBIDDEN
    assert view.places == {NOTES, Place("ConfigMap")}
    follower.follow(limited, view.places)
    wait_for(lambda: follower.misses([Place("ConfigMap")]))
    assert not follower.misses([NOTES])
    rig.apply(_note("mine", what="changed"))
    assert posted.next() == NOTES


def test_one_namespace_is_watched_where_one_is_asked_about(
    rig: Rig, follower: Follower, posted: Posted
) -> None:
    other = {**_note("other"), "metadata": {"name": "other", "namespace": "not-followed"}}
    rig.apply(_note("mine"), other)
    cluster = rig.cluster()
    view = View(cluster)
    view.list("ConfigMap", namespace=NAMESPACE)
    follower.follow(cluster, view.places)
    rig.apply({**other, "data": {"what": "nobody asked"}})
    rig.apply(_note("mine", what="changed"))
    assert posted.next() == NOTES
    assert posted.is_empty


class Breaking:
    """Breaks the first watches, then tells of one change and of nothing more."""

    context = "kind-techmarket"

    def __init__(self, *reasons: Reason) -> None:
        self.reasons, self.calls, self.silence = list(reasons), 0, threading.Event()
        self.ended = False

    def follow(self, place: Place, *, seconds: int) -> Iterator[Place]:
        self.calls += 1
        if self.reasons:
            raise Unreachable(self.reasons.pop(0), Text("no answer"))
        yield place
        self.silence.wait(2 * seconds)
        self.ended = True
        if self.reasons:
            raise Unreachable(self.reasons.pop(0), Text("no answer"))


def test_a_watch_that_breaks_is_told_and_taken_up_again(
    follower: Follower, posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_FIRST_PAUSE", 0.01)
    cluster: Any = Breaking(Reason.NO_CLUSTER, Reason.TIMEOUT)
    follower.follow(cluster, [Place("Pod")])
    assert [posted.next() for _ in range(3)] == [Place("Pod")] * 3
    assert cluster.calls >= 3


def test_a_kind_that_is_not_defined_is_followed_once_it_is(follower: Follower, posted: Posted) -> None:
    cluster: Any = Breaking(Reason.MISSING_CRD)
    follower.follow(cluster, [Place("Task.tekton.dev")])
    wait_for(lambda: not follower._ends)
    assert not follower.misses([Place("Task.tekton.dev")])
    follower.follow(cluster, [Place("Task.tekton.dev")])
    assert posted.next() == Place("Task.tekton.dev")


def test_a_cluster_made_anew_under_the_same_name_is_followed(follower: Follower, posted: Posted) -> None:
    """The old one's watches are left to end; what they find then is nobody's affair any more."""
    pods = Place("Pod")
    old: Any = Breaking()
    follower.follow(old, [pods])
    assert posted.next() == pods
    follower.follow(old, [pods])
    assert old.calls == 1, "the same cluster is not followed twice"
    new: Any = Breaking()
    follower.follow(new, [pods])
    assert posted.next() == pods
    old.reasons.append(Reason.FORBIDDEN)
    old.silence.set()
    wait_for(lambda: old.ended)
    assert not follower.misses([pods])
    assert list(follower._ends) == [pods]


def test_a_cluster_is_the_same_by_address_authority_and_credentials(rig: Rig, tmp_path: Path) -> None:
    from yaml import safe_load

    config = safe_load(rig.sandbox.kubeconfig.read_text())
    context, path = config["contexts"][0]["name"], tmp_path / "kubeconfig"

    def cluster() -> LiveCluster:
        path.write_text(json.dumps(config))
        return LiveCluster(context, path)

    first = cluster()
    assert first == cluster()
    known = config["clusters"][0]["cluster"]
    for part, other in (
        (config["users"][0]["user"], {"token": "another"}),
        (known, {"server": "https://127.0.0.1:1"}),
        (known, {"certificate-authority-data": "YW5vdGhlcg=="}),
    ):
        before = {key: part[key] for key in other}
        part.update(other)
        assert first != cluster()
        part.update(before)
    assert first == cluster()


def test_there_are_not_more_watches_than_a_server_likes(follower: Follower) -> None:
    cluster: Any = Breaking()
    follower.follow(cluster, [Place(f"Kind{number}") for number in range(100)])
    assert len(follower._ends) == following._MOST_WATCHES
    follower.follow(cluster, [Place("Kind3")])
    assert list(follower._ends) == [Place("Kind3")]


def test_many_namespaces_of_a_kind_are_watched_together(follower: Follower) -> None:
    cluster: Any = Breaking()
    few = [Place("Pod", f"ns-{number}") for number in range(following._MOST_NAMESPACES)]
    follower.follow(cluster, few)
    assert list(follower._ends) == few
    follower.follow(cluster, [*few, Place("Pod", "one-more")])
    assert list(follower._ends) == [Place("Pod")]
