"""One look at a cluster: no question is put twice, wider answers serve narrower ones, kinds are noted."""

# ruff: noqa: ARG002 (the port says what a method is given; this cluster does not need all of it)

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop.cluster import Unreachable
from workshop.cluster.port import Decision, Object
from workshop.cluster.view import DEFINITIONS, Answers, View
from workshop.texts import Text
from workshop.verdicts import Reason


def _pod(name: str, namespace: str, **labels: str) -> Object:
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels}}


class Counting:
    """Answers from a list of Pods, as an API server would, and counts."""

    context = "kind-techmarket"

    def __init__(self, pods: Sequence[Object] = (), failing: bool = False) -> None:
        self.pods, self.failing, self.asked, self.few = pods, failing, 0, True

    def _count(self) -> None:
        self.asked += 1
        if self.failing:
            raise Unreachable(Reason.TIMEOUT, Text("no answer"))

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        found = self.list(kind, namespace=namespace, fields=f"metadata.name={name}")
        return found[0] if found else None

    def list(
        self, kind: str, *, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[Object]:
        self._count()
        wanted = dict(part.split("=") for part in labels.split(",")) if labels else {}
        name = fields.partition("=")[2] if fields else None
        return [
            each
            for each in self.pods
            if namespace in (None, each["metadata"]["namespace"])
            and name in (None, each["metadata"]["name"])
            and wanted.items() <= each["metadata"]["labels"].items()
        ]

    def everything(self, kind: str) -> Sequence[Object] | None:
        return self.list(kind) if self.few else None

    def changes(self, kind: str, *, namespace: str, since: str) -> Sequence[Object] | None:
        self._count()
        return None

    def follow(self, kind: str, *, seconds: int) -> Iterator[None]:
        self._count()
        yield

    def serves(self, kind: str) -> bool:
        self._count()
        return True

    def resources(self, group: str) -> Sequence[str]:
        self._count()
        return []

    def try_create(self, resource: Object) -> Decision:
        self._count()
        return Decision(admitted=True)

    def allowed(self, verb: str, kind: str, *, namespace: str | None = None, user: str | None = None) -> bool:
        self._count()
        return True

    def service_get(self, namespace: str, service: str, path: str) -> tuple[int, str]:
        self._count()
        return 200, ""


PODS = [_pod("a", "one", app="x"), _pod("b", "one", app="y", tier="z"), _pod("a", "two", app="y")]


def test_exercises_of_a_run_share_the_answers_and_note_their_own_kinds() -> None:
    cluster, answers = Counting(PODS), Answers()
    first, second = View(cluster, answers), View(cluster, answers)
    assert first.list("Pod", namespace="one") == second.list("Pod", namespace="one")
    assert first.serves("Task.tekton.dev") is second.serves("Task.tekton.dev")
    second.list("Event", namespace="one")
    second.get("Deployment.apps", "x", "one")
    assert cluster.asked == 4
    assert first.kinds == {"Pod", DEFINITIONS}
    assert second.kinds == {"Pod", "Deployment.apps", DEFINITIONS}


def test_a_probe_is_always_put_anew() -> None:
    cluster = Counting()
    view = View(cluster)
    for _ in range(3):
        view.try_create({"kind": "Pod"})
    assert cluster.asked == 3


def test_a_failure_is_waited_for_once() -> None:
    cluster = Counting(failing=True)
    view = View(cluster)
    for _ in range(3):
        with pytest.raises(Unreachable):
            view.list("Pod")
    assert cluster.asked == 1


def test_what_stands_in_no_namespace_is_found_whatever_namespace_is_named() -> None:
    cluster = Counting([{"metadata": {"name": "deny", "namespace": None, "labels": {}}}])
    view = View(cluster)
    view.list("ClusterPolicy.kyverno.io")
    assert view.get("ClusterPolicy.kyverno.io", "deny", "default") is not None


QUESTIONS = st.fixed_dictionaries(
    {
        "namespace": st.sampled_from([None, "one", "two", "three"]),
        "labels": st.sampled_from([None, "app=x", "app=y", "app=y,tier=z"]),
        "fields": st.sampled_from([None, "metadata.name=a", "metadata.name=c"]),
    }
)


@given(questions=st.lists(QUESTIONS, max_size=8))
def test_answers_from_a_wider_list_are_the_servers_own(questions: list[dict[str, Any]]) -> None:
    view = View(Counting(PODS))
    for question in questions:
        assert view.list("Pod", **question) == Counting(PODS).list("Pod", **question)


def test_who_asks_for_one_and_then_for_another_is_given_all() -> None:
    cluster = Counting(PODS)
    view = View(cluster)
    for name, namespace in (("a", "one"), ("b", "one"), ("a", "two"), ("c", "two")):
        found = view.get("Pod", name, namespace)
        assert (found is not None) is (name != "c")
    assert cluster.asked == 2


def test_where_there_is_too_much_of_it_each_is_asked_for() -> None:
    cluster = Counting(PODS)
    cluster.few = False
    view = View(cluster)
    for name in "abc":
        view.get("Pod", name, "one")
    assert cluster.asked == 3


@pytest.mark.parametrize("selector", ["app!=x", "app in (x,y)", "app", "!app"])
def test_other_selectors_are_left_to_the_server(selector: str) -> None:
    class Server(Counting):
        def list(self, kind: str, **narrowed: Any) -> list[Object]:
            self._count()
            return list(self.pods)

    cluster = Server(PODS)
    view = View(cluster)
    view.list("Pod")
    view.list("Pod", labels=selector)
    assert cluster.asked == 2
