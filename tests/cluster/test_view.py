"""One look at a cluster: no question is put twice, wider answers serve narrower ones, places are noted."""

# ruff: noqa: ARG002 (the port says what a method is given; this cluster does not need all of it)

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workshop.cluster import Unreachable
from workshop.cluster.port import Decision, Object, Place
from workshop.cluster.view import DEFINITIONS, Answers, View
from workshop.texts import Text
from workshop.verdicts import Reason


def _pod(name: str, namespace: str, **labels: str) -> Object:
    phase = "Running" if name == "a" else "Pending"
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"nodeName": f"node-{namespace}"},
        "status": {"phase": phase},
    }


def _selects(selector: str | None, values: dict[str, str]) -> bool:
    for part in (selector or "").split(",") if selector else ():
        if "!=" in part:
            key, value = part.split("!=")
            if values.get(key) == value:
                return False
        else:
            key, value = part.split("=")
            if values.get(key) != value:
                return False
    return True


class Counting:
    """Answers from a list of Pods, as an API server would, and counts."""

    context = "kind-techmarket"

    def __init__(
        self, pods: Sequence[Object] = (), failing: Reason | None = None, most: int = 10, whole: bool = True
    ) -> None:
        """Take Pods; `most` are few, `whole` says whether all of them may be seen at once."""
        self.pods, self.failing, self.most, self.whole, self.asked = pods, failing, most, whole, 0

    def _count(self) -> None:
        self.asked += 1
        if self.failing:
            raise Unreachable(self.failing, Text("no answer"))

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        found = self.list(kind, namespace=namespace, fields=f"metadata.name={name}")
        return found[0] if found else None

    def list(
        self, kind: str, *, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[Object]:
        self._count()
        return [
            each
            for each in self.pods
            if namespace in (None, each["metadata"]["namespace"])
            and _selects(labels, each["metadata"]["labels"])
            and _selects(
                fields,
                {
                    "metadata.name": each["metadata"]["name"],
                    "spec.nodeName": each["spec"]["nodeName"],
                    "status.phase": each["status"]["phase"],
                },
            )
        ]

    def everything(self, kind: str, *, fields: str | None = None) -> Sequence[Object] | None:
        found = self.list(kind, fields=fields)
        if not self.whole:
            raise Unreachable(Reason.FORBIDDEN, Text("not allowed"))
        return found if len(found) <= self.most else None

    def changes(self, kind: str, *, namespace: str, since: str) -> Sequence[Object] | None:
        self._count()
        return None

    def follow(self, place: Place, *, seconds: int) -> Iterator[Place]:
        self._count()
        return iter(())

    def serves(self, kind: str) -> bool:
        self._count()
        return True

    def resources(self, group: str) -> Sequence[str]:
        self._count()
        return []

    def version(self) -> str:
        self._count()
        return "v1.35.4"

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


def test_exercises_of_a_run_share_the_answers_and_note_where_they_looked_themselves() -> None:
    cluster, answers = Counting(PODS), Answers()
    first, second = View(cluster, answers), View(cluster, answers)
    assert first.list("Pod", namespace="one") == second.list("Pod", namespace="one")
    assert first.serves("Task.tekton.dev") is second.serves("Task.tekton.dev")
    second.list("Event", namespace="one")
    second.get("Deployment.apps", "x", "one")
    assert cluster.asked == 4
    assert first.places == {Place("Pod", "one"), Place(DEFINITIONS)}
    assert second.places == {Place("Pod", "one"), Place("Deployment.apps", "one"), Place(DEFINITIONS)}


def test_a_probe_is_always_put_anew() -> None:
    cluster = Counting()
    view = View(cluster)
    for _ in range(3):
        view.try_create({"kind": "Pod"})
    assert cluster.asked == 3


def test_a_failure_is_waited_for_once() -> None:
    cluster = Counting(failing=Reason.TIMEOUT)
    view = View(cluster)
    for _ in range(3):
        with pytest.raises(Unreachable):
            view.list("Pod")
    assert cluster.asked == 1


def test_what_stands_in_no_namespace_is_found_whatever_namespace_is_named() -> None:
    cluster = Counting(
        [{**_pod("deny", "one"), "metadata": {"name": "deny", "namespace": None, "labels": {}}}]
    )
    view = View(cluster)
    view.list("ClusterPolicy.kyverno.io")
    assert view.get("ClusterPolicy.kyverno.io", "deny", "default") is not None


QUESTIONS = st.fixed_dictionaries(
    {
        "namespace": st.sampled_from([None, "one", "two", "three"]),
        "labels": st.sampled_from(
            [None, "app=x", "app=y", "app=y,tier=z", "app!=x", "tier!=z,app=y", "app=x,app=y"]
        ),
        "fields": st.sampled_from(
            [
                None,
                "metadata.name=a",
                "metadata.name=c",
                "status.phase=Pending",
                "status.phase!=Pending,metadata.name!=b",
                "spec.nodeName=node-one",
                "spec.nodeName!=node-one,status.phase=Pending",
            ]
        ),
    }
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine proves nothing
@given(questions=st.lists(QUESTIONS, max_size=8), most=st.integers(0, 3), whole=st.booleans())
def test_answers_from_a_wider_list_are_the_servers_own(
    questions: list[dict[str, Any]], most: int, whole: bool
) -> None:
    cluster = Counting(PODS, most=most, whole=whole)
    view = View(cluster)
    for question in questions:
        assert view.list("Pod", **question) == Counting(PODS).list("Pod", **question)
    overviews = len({each["fields"] for each in questions if "spec" in (each["fields"] or "")}) + 1
    assert cluster.asked <= overviews + len({str(each) for each in questions})


def test_few_objects_are_fetched_once_for_all_who_ask_for_some() -> None:
    cluster, answers = Counting(PODS), Answers()
    for namespace in ("one", "two", None):
        for labels in ("app=x", "app=y", None):
            View(cluster, answers).list("Pod", namespace=namespace, labels=labels)
        View(cluster, answers).get("Pod", "a", namespace or "one")
    assert cluster.asked == 1


def test_of_many_objects_only_those_asked_for_are_fetched() -> None:
    cluster, answers = Counting(PODS, most=2), Answers()
    for _ in range(2):
        assert len(View(cluster, answers).list("Pod", namespace="two")) == 1
        assert View(cluster, answers).get("Pod", "b", "one") is not None
    assert cluster.asked == 3, "once to learn that they are many, once for each question"


def test_a_namespace_that_is_not_there_is_not_looked_into() -> None:
    cluster, answers = Counting([_pod("one", "one")], most=0), Answers()
    view = View(cluster, answers)
    assert view.list("Pod", namespace="two") == []
    assert cluster.asked == 2, "nothing is known of namespaces yet"
    view.list("Namespace")
    assert view.list("Pod", namespace="three") == []
    assert view.get("Pod", "a", "three") is None
    assert cluster.asked == 3
    view.get("ClusterPolicy.kyverno.io", "a", "three")
    assert cluster.asked == 5, "what stands in no namespace may be there all the same"


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap", DEFINITIONS])
def test_what_is_large_or_private_is_never_fetched_as_a_whole(kind: str) -> None:
    cluster = Counting(PODS)
    cluster.everything = lambda *_, **__: pytest.fail("fetched as a whole")  # type: ignore[method-assign]
    view = View(cluster)
    assert view.get(kind, "a", "one") is not None
    assert view.list(kind, namespace="two")


def test_a_name_is_a_name_whatever_is_in_it() -> None:
    assert View(Counting(PODS)).get("Pod", "a,metadata.name=b", "one") is None


@pytest.mark.parametrize(
    ("reason", "asked"), [(Reason.NO_CLUSTER, 2), (Reason.TIMEOUT, 2), (Reason.FORBIDDEN, 8)]
)
def test_who_does_not_answer_is_soon_asked_no_more(reason: Reason, asked: int) -> None:
    cluster, answers = Counting(failing=reason), Answers()
    for number in range(4):
        with pytest.raises(Unreachable) as failure:
            View(cluster, answers).list(f"Kind{number}", namespace="one")
        assert failure.value.reason is reason
    assert cluster.asked == asked
    if reason is not Reason.FORBIDDEN:
        with pytest.raises(Unreachable):
            View(cluster, answers).try_create({"kind": "Pod"})
        assert cluster.asked == asked


def test_one_question_too_many_for_a_server_costs_no_other_one() -> None:
    cluster = Counting(PODS, failing=Reason.TIMEOUT)
    view = View(cluster)
    for _ in range(3):
        with pytest.raises(Unreachable):
            view.serves("Slow.example.org")
        cluster.failing = None
        assert view.list("Pod")


@pytest.mark.parametrize("selector", ["app in (x,y)", "app notin (x,y)", "app", "!app", "tier>3"])
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
