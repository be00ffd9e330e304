"""Discovery: one answer for everything, or the older way, group by group."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rig.cluster import Rig
from workshop.cluster import Unreachable
from workshop.cluster.discovery import Discovery, Resource
from workshop.cluster.port import Object

AT_ONCE: Object = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        {
            "metadata": {"name": "kyverno.io"},
            "versions": [
                {
                    "version": "v1",
                    "freshness": "Current",
                    "resources": [
                        {
                            "resource": "clusterpolicies",
                            "responseKind": {"kind": "ClusterPolicy"},
                            "scope": "Cluster",
                        },
                        {"resource": "policies", "responseKind": {"kind": "Policy"}, "scope": "Namespaced"},
                    ],
                }
            ],
        },
        {"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1beta1", "freshness": "Stale"}]},
    ],
}
ONE_BY_ONE: dict[str, Object] = {
    "/apis": {
        "groups": [
            {
                "name": "kyverno.io",
                "versions": [{"groupVersion": "kyverno.io/v1beta1"}, {"groupVersion": "kyverno.io/v1"}],
                "preferredVersion": {"groupVersion": "kyverno.io/v1"},
            }
        ]
    },
    "/apis/kyverno.io/v1": {
        "resources": [
            {"kind": "Policy", "name": "policies", "namespaced": True},
            {"kind": "Policy", "name": "policies/status", "namespaced": True},
        ]
    },
    "/apis/kyverno.io/v1beta1": {"resources": []},
}


class Server:
    def __init__(self, **answers: Object) -> None:
        self.answers, self.asked = answers, list[str]()

    def get(self, path: str, _accept: str) -> Object | None:
        self.asked.append(path)
        return self.answers.get(path)


def _discovery(answers: dict[str, Any]) -> tuple[Discovery, Server]:
    server = Server(**answers)
    return Discovery(server.get), server


def test_one_answer_names_every_kind() -> None:
    discovery, server = _discovery({"/apis": AT_ONCE})
    assert discovery.version_of("ClusterPolicy.kyverno.io") == "kyverno.io/v1"
    assert discovery.resources("kyverno.io/v1")["Policy"] == Resource("policies", namespaced=True)
    assert discovery.version_of("ChaosEngine.litmuschaos.io") is None
    assert server.asked == ["/apis"]


def test_a_group_that_did_not_answer_just_then_is_asked_itself() -> None:
    discovery, server = _discovery({"/apis": AT_ONCE})
    assert discovery.version_of("PodMetrics.metrics.k8s.io") is None
    assert server.asked == ["/apis", "/apis/metrics.k8s.io/v1beta1"]


def test_older_servers_are_asked_group_by_group() -> None:
    discovery, server = _discovery(ONE_BY_ONE)
    assert discovery.version_of("Policy.kyverno.io") == "kyverno.io/v1"
    assert discovery.resources("kyverno.io/v1") == {"Policy": Resource("policies", namespaced=True)}
    assert server.asked == ["/apis", "/apis/kyverno.io/v1"]


def test_the_core_group_needs_no_groups() -> None:
    pods = {"resources": [{"kind": "Pod", "name": "pods", "namespaced": True}]}
    discovery, server = _discovery({"/api/v1": pods})
    assert discovery.version_of("Pod") == "v1"
    assert server.asked == ["/api/v1"]


@pytest.mark.parametrize("answer", [{}, {"groups": None}, {"groups": "x"}, {"kind": "APIGroupDiscoveryList"}])
def test_what_is_no_api_server_is_said_so(answer: Object) -> None:
    with pytest.raises(Unreachable):
        _discovery({"/apis": answer})[0].version_of("Task.tekton.dev")


def test_the_real_server_tells_the_same_both_ways(rig: Rig) -> None:
    def ask(path: str, accept: str) -> Object | None:
        asked.append(path)
        return rig.cluster()._discover(path, accept)

    asked: list[str] = []
    at_once = Discovery(ask)
    one_by_one = Discovery(lambda path, _accept: ask(path, "application/json"))
    assert at_once.groups() == one_by_one.groups()
    for version in ("apps/v1", "kyverno.io/v1", "tekton.dev/v1", "v1", "nowhere.example/v1"):
        assert at_once.resources(version) == one_by_one.resources(version)
    assert "/apis/apps/v1" in asked
