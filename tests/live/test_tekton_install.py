"""4.1 against a real API server: Deployments of Tekton's own manifests, and a policy of the real Kyverno.

Their Pods are played by kwok; Tekton's own webhook runs beside the cluster and writes its certificate there.
The Dashboard is an object with the labels of its release.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.live.judging import check, look, unmet
from tests.rig.cluster import Rig, wait_for
from workshop.content import Lab
from workshop.sandbox.client import ApiError
from workshop.sandbox.components.tekton import FAMILY
from workshop.sandbox.manifest import FamilyFolder
from workshop.sandbox.places import Cache
from workshop.sandbox.running import read_documents
from workshop.verdicts import Verdict

EXERCISE = "4.1"
NAMESPACE = "tekton-pipelines"
# What the namespace's Pod Security asks for, and no limits.
RESTRICTED: dict[str, Any] = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "main",
            "image": "played.invalid/by-kwok:1",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
}
DASHBOARD: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "tekton-dashboard",
        "namespace": NAMESPACE,
        "labels": {"app.kubernetes.io/part-of": "tekton-dashboard"},
    },
    "spec": {
        "selector": {"matchLabels": {"app": "tekton-dashboard"}},
        "template": {
            "metadata": {"labels": {"app": "tekton-dashboard"}},
            "spec": RESTRICTED,
        },
    },
}
LIMITS: dict[str, Any] = {
    "apiVersion": "kyverno.io/v1",
    "kind": "ClusterPolicy",
    "metadata": {"name": "require-resource-limits"},
    "spec": {
        "validationFailureAction": "Enforce",
        "rules": [
            {
                "name": "limits",
                "match": {"any": [{"resources": {"kinds": ["Pod"], "namespaces": ["tekton-*"]}}]},
                "validate": {
                    "message": "CPU and memory limits are required",
                    "pattern": {
                        "spec": {"containers": [{"resources": {"limits": {"memory": "?*", "cpu": "?*"}}}]}
                    },
                },
            }
        ],
    },
}


def release() -> list[dict[str, Any]]:
    """Return namespaces and Deployments of Tekton Pipelines, as shipped but for the Pods' accounts."""
    folder = FamilyFolder.of(FAMILY, Cache.of_user().programs)
    found = []
    for each in read_documents(folder.recorded_files()):
        made = copy.deepcopy(each)
        if each["kind"] == "Namespace":
            found.append(made)
        if each["kind"] != "Deployment":
            continue
        pod = made["spec"]["template"]["spec"]
        pod.pop("serviceAccountName", None)  # its rights are nobody's matter here
        pod.pop("affinity", None)
        found.append(made)
    return found


@pytest.fixture
def tekton(rig: Rig) -> Iterator[Rig]:
    """The rig, with whatever a test installs taken away again."""
    yield rig
    rig.api.delete(rig.api.path(LIMITS))
    for each in (DASHBOARD, *release()):
        if each["kind"] == "Deployment":
            rig.api.delete(rig.api.path(each))


def install(rig: Rig, documents: list[dict[str, Any]]) -> None:
    """Apply them and wait until their Pods are ready."""
    rig.apply(*documents)
    for each in documents:
        if each["kind"] == "Deployment":
            wait_for(partial(_is_ready, rig, each))


def _status(rig: Rig, deployment: dict[str, Any]) -> dict[str, Any]:
    current: dict[str, Any] = rig.api.get(rig.api.path(deployment)) or {}
    status: dict[str, Any] = current.get("status", {})
    return status


def _is_ready(rig: Rig, deployment: dict[str, Any]) -> bool:
    return bool(_status(rig, deployment).get("readyReplicas"))


def test_the_whole_release(lab: Lab, tekton: Rig, tmp_path: Path) -> None:
    install(tekton, [*release(), DASHBOARD])
    result = look(lab, tekton, tmp_path, EXERCISE)
    assert {each.id: each.facts for each in result.checks if each.verdict is not Verdict.PASSED} == {}
    assert result.verdict is Verdict.PASSED


def test_nothing_installed(lab: Lab, tekton: Rig, tmp_path: Path) -> None:
    result = look(lab, tekton, tmp_path, EXERCISE)
    assert result.verdict is Verdict.UNFINISHED
    assert unmet(result, "controller_runs") == ["tekton-absent"]
    assert unmet(result, "dashboard_runs") == ["dashboard-absent"]


def test_pipelines_without_a_dashboard(lab: Lab, tekton: Rig, tmp_path: Path) -> None:
    install(tekton, release())
    result = look(lab, tekton, tmp_path, EXERCISE)
    assert result.verdict is Verdict.UNFINISHED
    assert unmet(result, "dashboard_runs") == ["dashboard-absent"]
    assert check(result, "controller_runs").verdict is Verdict.PASSED


def test_half_a_release(lab: Lab, tekton: Rig, tmp_path: Path) -> None:
    documents = [each for each in release() if "webhook" not in each["metadata"]["name"]]
    documents = [each for each in documents if "resolvers" not in each["metadata"]["name"]]
    install(tekton, [*documents, DASHBOARD])
    result = look(lab, tekton, tmp_path, EXERCISE)
    assert result.verdict is Verdict.FAILED
    assert unmet(result, "webhook_answers") == ["component-absent"]
    assert unmet(result, "helpers_run") == ["component-absent"]


def test_a_controller_that_waits_for_a_node(lab: Lab, tekton: Rig, tmp_path: Path) -> None:
    documents = [*release(), DASHBOARD]
    (controller,) = [each for each in documents if each["metadata"]["name"] == "tekton-pipelines-controller"]
    controller["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "none-has-this"}
    install(tekton, [each for each in documents if each is not controller])
    tekton.apply(controller)
    wait_for(lambda: _status(tekton, controller).get("unavailableReplicas"))
    result = look(lab, tekton, tmp_path, EXERCISE)
    assert result.verdict is Verdict.FAILED
    assert unmet(result, "controller_runs") == ["tekton-not-ready"]


def enforce_limits(rig: Rig) -> None:
    """Put the policy of exercise 2.3 in force, and wait until it is."""
    rig.apply(LIMITS)
    wait_for(lambda: rig.api.refuses(_pod_without_limits(), by="validate.kyverno.svc"))


def test_a_policy_refuses_its_deployments(lab: Lab, tekton: Rig, tmp_path: Path) -> None:
    """The rule covers what makes Pods: controller and events, which ship without limits, are never made."""
    enforce_limits(tekton)
    documents = [each for each in release() if each["kind"] == "Deployment"]
    refused = [each for each in documents if not _is_taken(tekton, each)]
    assert {each["metadata"]["labels"]["app.kubernetes.io/component"] for each in refused} == {
        "controller",
        "events",
    }
    for each in documents:
        if each not in refused:
            wait_for(partial(_is_ready, tekton, each))
    for each in refused:
        wait_for(partial(_is_told, tekton, f"Deployment {NAMESPACE}/{each['metadata']['name']}"))
    result = look(lab, tekton, tmp_path, EXERCISE)
    assert unmet(result, "controller_runs") == ["pods-refused"]
    assert unmet(result, "helpers_run")[0] == "pods-refused"
    assert "Exclude the namespace tekton-pipelines" in str(result.hint)
    assert check(result, "webhook_answers").verdict is Verdict.PASSED, (
        "webhook and resolvers ship with limits"
    )


def _is_taken(rig: Rig, document: dict[str, Any]) -> bool:
    try:
        rig.apply(document)
    except ApiError as error:
        if "require-resource-limits" not in error.message:
            raise
        return False
    return True


def _is_told(rig: Rig, words: str) -> bool:
    violations = "/api/v1/events?fieldSelector=reason%3DPolicyViolation"
    return words in str(rig.api.request("GET", violations))


def test_a_policy_refuses_its_pods(lab: Lab, tekton: Rig, tmp_path: Path) -> None:
    """The policy came after Tekton: nothing happens until a Pod is replaced."""
    documents = release()
    install(tekton, documents)
    enforce_limits(tekton)
    tekton.api.delete(f"/api/v1/namespaces/{NAMESPACE}/pods")
    (controller,) = [each for each in documents if each["metadata"]["name"] == "tekton-pipelines-controller"]
    wait_for(lambda: "ReplicaFailure" in str(_status(tekton, controller)))
    result = look(lab, tekton, tmp_path, EXERCISE)
    assert unmet(result, "controller_runs") == ["pods-refused"]
    (fact,) = check(result, "controller_runs").facts
    assert "require-resource-limits" in str(fact.observed)
    assert "require-resource-limits" in str(fact.next)
    assert "Exclude the namespace tekton-pipelines" in str(result.hint)


def _pod_without_limits() -> dict[str, Any]:
    metadata = {"name": "probe", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": RESTRICTED}
