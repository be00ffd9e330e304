"""The sandbox itself: real API server, real Kyverno, Tekton and Rollouts, one control plane for all of it."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.rig.cluster import wait_for
from workshop.sandbox.api import Sandbox
from workshop.sandbox.client import Api, ApiError, Document
from workshop.sandbox.definitions import unserved

pytestmark = pytest.mark.sandbox

_PATIENCE = 30.0


def until(what: Callable[[], Any], *, seconds: float = _PATIENCE) -> Any:
    """Ask until the answer is true, and return it; fail when that takes too long."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return answer


def pod(name: str = "probe", image: str = "nginx:1.27.5", **spec: Any) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [{"name": "main", "image": image}], **spec},
    }


def deny_latest(name: str = "deny-latest") -> Document:
    rule = {
        "name": "no-latest",
        "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
        "validate": {
            "failureAction": "Enforce",
            "message": "a moving tag",
            "pattern": {"spec": {"containers": [{"image": "!*:latest"}]}},
        },
    }
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": name},
        "spec": {"rules": [rule]},
    }


def enforce(api: Api, policy: Document) -> None:
    api.create(policy)
    until(lambda: _condition(api.get(api.path(policy)), "Ready") == "True")


def _condition(found: Document | None, kind: str) -> str | None:
    conditions = (found or {}).get("status", {}).get("conditions", [])
    return next((str(one["status"]) for one in conditions if one["type"] == kind), None)


def refusal(api: Api, document: Document) -> str | None:
    try:
        api.create(document, dry_run=True)
    except ApiError as error:
        return error.message
    return None


def test_a_policy_refuses_and_admits(api: Api) -> None:
    assert refusal(api, pod(image="nginx:latest")) is None
    enforce(api, deny_latest())
    said = refusal(api, pod(image="nginx:latest"))
    assert said is not None
    assert "deny-latest" in said
    assert "a moving tag" in said
    assert refusal(api, pod()) is None


def test_a_policy_that_is_wrong_is_refused_itself(api: Api) -> None:
    wrong = deny_latest()
    wrong["spec"]["rules"][0]["validate"]["pattern"] = {"spec": "{{ nowhere.defined }}"}
    assert "nowhere.defined" in str(refusal(api, wrong))


def test_a_policy_cannot_make_the_machine_call_another(api: Api) -> None:
    calling = deny_latest("calling")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        rule = calling["spec"]["rules"][0]
        rule["context"] = [
            {
                "name": "answer",
                "apiCall": {"service": {"url": f"http://127.0.0.1:{server.getsockname()[1]}/"}},
            }
        ]
        rule["validate"] = {
            "failureAction": "Enforce",
            "message": "{{ answer }}",
            "deny": {"conditions": {"any": [{"key": "{{ answer }}", "operator": "Equals", "value": "x"}]}},
        }
        enforce(api, calling)
        assert "calling" in str(refusal(api, pod()))
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_deployment_becomes_available(api: Api) -> None:
    labels = {"app": "web"}
    deployment: Document = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "nginx:1.27.5"}]},
            },
        },
    }
    api.create(deployment)
    found = until(lambda: _ready(api.get(api.path(deployment)), 3))
    assert found["status"]["availableReplicas"] == 3


def _ready(found: Document | None, replicas: int) -> Document | None:
    return found if found and found.get("status", {}).get("readyReplicas") == replicas else None


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("monitoring.coreos.com/v1", "PrometheusRule"),
        ("monitoring.coreos.com/v1", "ServiceMonitor"),
        ("litmuschaos.io/v1alpha1", "ChaosEngine"),
        ("litmuschaos.io/v1alpha1", "ChaosExperiment"),
        ("litmuschaos.io/v1alpha1", "ChaosResult"),
        ("apiextensions.crossplane.io/v2", "CompositeResourceDefinition"),
        ("apiextensions.crossplane.io/v1", "Composition"),
        ("pkg.crossplane.io/v1", "Provider"),
        ("kubernetes.crossplane.io/v1alpha2", "Object"),
        ("kubernetes.m.crossplane.io/v1alpha1", "Object"),
        ("kubernetes.m.crossplane.io/v1alpha1", "ClusterProviderConfig"),
        ("policies.kyverno.io/v1", "ValidatingPolicy"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("policy/v1", "PodDisruptionBudget"),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
        ("admissionregistration.k8s.io/v1beta1", "MutatingAdmissionPolicy"),
        ("tekton.dev/v1beta1", "Task"),
        ("argoproj.io/v1alpha1", "Rollout"),
    ],
)
def test_the_kinds_of_the_lab_are_served(api: Api, version: str, kind: str) -> None:
    document = {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "default"}}
    assert api.path(document).endswith("/x")


def _task(name: str, **spec: Any) -> Document:
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "Task",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def _pipeline(tasks: list[Document]) -> Document:
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "Pipeline",
        "metadata": {"name": "ci", "namespace": "default"},
        "spec": {"tasks": tasks},
    }


def test_tekton_refuses_a_cycle(api: Api) -> None:
    cycle = [
        {"name": "a", "taskRef": {"name": "x"}, "runAfter": ["b"]},
        {"name": "b", "taskRef": {"name": "x"}, "runAfter": ["a"]},
    ]
    assert "cycle" in str(refusal(api, _pipeline(cycle)))


def test_tekton_carries_a_run_through_in_order(api: Api) -> None:
    build = {"name": "build", "image": "example.org/kaniko:v1", "args": ["--destination=x"]}
    api.create(_task("build", results=[{"name": "DIGEST"}, {"name": "URL"}], steps=[build]))
    scan = {"name": "scan", "image": "example.org/trivy:v1", "script": "trivy $(params.DIGEST)"}
    api.create(_task("scan", params=[{"name": "DIGEST"}], steps=[scan]))
    digest = [{"name": "DIGEST", "value": "$(tasks.build.results.DIGEST)"}]
    tasks: list[Document] = [
        {"name": "scan", "taskRef": {"name": "scan"}, "params": digest},
        {"name": "build", "taskRef": {"name": "build"}},
    ]
    api.create(_pipeline(tasks))
    run: Document = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": "run", "namespace": "default"},
        "spec": {"pipelineRef": {"name": "ci"}},
    }
    api.create(run)
    until(lambda: _condition(api.get(api.path(run)), "Succeeded") in ("True", "False"))
    found = api.get(api.path(run))
    assert _condition(found, "Succeeded") == "True", json.dumps((found or {}).get("status"))
    runs = api.request("GET", "/apis/tekton.dev/v1/namespaces/default/taskruns")["items"]
    completed = {one["metadata"]["labels"]["tekton.dev/pipelineTask"]: one["status"] for one in runs}
    assert completed["build"]["completionTime"] <= completed["scan"]["startTime"]
    assert [one["name"] for one in completed["build"]["results"]] == ["DIGEST", "URL"]


@pytest.mark.parametrize(("selected", "phase"), [("web", "Healthy"), ("other", "Degraded")])
def test_rollouts_tells_good_from_bad(api: Api, selected: str, phase: str) -> None:
    rollout: Document = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": selected}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "main", "image": "nginx:1.27.5"}]},
            },
            "strategy": {"canary": {"steps": [{"setWeight": 20}]}},
        },
    }
    api.create(rollout)
    wanted = {"Healthy", "Degraded"}
    status = until(lambda: _phase(api.get(api.path(rollout)), wanted))
    assert status["phase"] == phase, status


def _phase(found: Document | None, wanted: set[str]) -> Document | None:
    status: Document = (found or {}).get("status", {})
    return status if status.get("phase") in wanted else None


class TestReset:
    def test_what_was_applied_is_gone_and_what_was_there_is_back(self, pristine: Sandbox, api: Api) -> None:
        before = _names(api)
        enforce(api, deny_latest())
        api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "more"}})
        stuck = pod("stuck")
        stuck["metadata"]["finalizers"] = ["example.org/never"]
        api.create(stuck)
        api.delete("/api/v1/namespaces/default/pods/stuck")
        assert api.get("/api/v1/namespaces/default/pods/stuck") is not None
        api.delete("/api/v1/namespaces/kyverno/configmaps/kyverno")
        pristine.reset()
        assert _names(api) == before
        assert refusal(api, pod(image="nginx:latest")) is None

    def test_what_refuses_every_deletion_is_gone_too(self, pristine: Sandbox, api: Api) -> None:
        rule = {
            "name": "keep",
            "match": {"any": [{"resources": {"kinds": ["*"], "operations": ["DELETE"]}}]},
            "validate": {"failureAction": "Enforce", "message": "kept", "deny": {}},
        }
        policy = deny_latest("keep-everything")
        policy["spec"] = {"background": False, "rules": [rule]}
        enforce(api, policy)
        api.create(pod("kept"))
        until(lambda: _refuses_deletion(api, "/api/v1/namespaces/default/pods/kept"))
        pristine.reset()
        assert api.get("/api/v1/namespaces/default/pods/kept") is None
        assert api.get(api.path(policy)) is None

    def test_the_next_policy_is_not_judged_with_the_last(self, pristine: Sandbox, api: Api) -> None:
        enforce(api, deny_latest())
        pristine.reset()
        other = deny_latest()
        other["spec"]["rules"][0]["validate"]["pattern"] = {"metadata": {"labels": {"team": "?*"}}}
        enforce(api, other)
        labelled = pod(image="nginx:latest")
        labelled["metadata"]["labels"] = {"team": "a"}
        assert refusal(api, labelled) is None
        assert "deny-latest" in str(refusal(api, pod()))

    def test_many_objects(self, pristine: Sandbox, api: Api) -> None:
        from concurrent.futures import ThreadPoolExecutor

        maps: list[Document] = [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": f"many-{number}", "namespace": "default"},
                "data": {"filling": "x" * 1000},
            }
            for number in range(500)
        ]
        api.path(maps[0])
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(api.create, maps))
        pristine.reset()
        listed = api.request("GET", "/api/v1/namespaces/default/configmaps")["items"]
        assert [one["metadata"]["name"] for one in listed] == ["kube-root-ca.crt"]


def _refuses_deletion(api: Api, path: str) -> bool:
    try:
        api.request("DELETE", path, query={"dryRun": "All"})
    except ApiError as error:
        return "kept" in error.message
    return False


def _names(api: Api) -> dict[str, list[str]]:
    kinds = (
        "/api/v1/namespaces",
        "/api/v1/pods",
        "/api/v1/configmaps",
        "/apis/apps/v1/deployments",
        "/apis/kyverno.io/v1/clusterpolicies",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    )
    listed = {kind: api.request("GET", kind)["items"] for kind in kinds}
    return {
        kind: sorted(f"{one['metadata'].get('namespace')}/{one['metadata']['name']}" for one in found)
        for kind, found in listed.items()
    }


def test_what_people_ask_for_is_written_down(everything: Sandbox, api: Api) -> None:
    def asked() -> list[tuple[str, str, str]]:
        lines = everything.home.audit.read_text(encoding="utf-8").splitlines()
        return [
            (found["user"]["username"], found["verb"], found["requestURI"])
            for found in map(json.loads, lines)
        ]

    before = len(asked())
    assert refusal(api, pod("audited")) is None
    assert ("admin", "create", "/api/v1/namespaces/default/pods?dryRun=All") in asked()[before:]
    # Not what the components do all the time.
    assert {user for user, _, _ in asked()} == {"admin"}


class TestSafety:
    def test_everything_listens_on_loopback_only(self, everything: Sandbox) -> None:
        ours = {one.pid for one in everything.status().components}
        listening = [
            line.split()
            for line in subprocess.run(
                ["ss", "-Hltnp"], capture_output=True, text=True, check=True
            ).stdout.splitlines()
        ]
        addresses = {fields[3] for fields in listening if any(f"pid={pid}," in fields[-1] for pid in ours)}
        assert len(addresses) >= 10
        assert {address.rpartition(":")[0] for address in addresses} == {"127.0.0.1"}

    def test_others_cannot_read_what_is_secret(self, everything: Sandbox) -> None:
        assert stat.S_IMODE(everything.home.root.stat().st_mode) == 0o700
        private = [
            everything.kubeconfig,
            everything.home.pristine,
            everything.home.audit,
            *everything.home.secrets.glob("*"),
        ]
        loose = [
            path.name for path in private if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077
        ]
        assert loose == []

    def test_nobody_gets_in_without_a_token(self, everything: Sandbox) -> None:
        port = json.loads((everything.home.root / "record.json").read_bytes())["ports"]["kube-apiserver"]
        authority = (everything.home.secrets / "apiserver" / "apiserver.crt").read_bytes()
        stranger = Api(port, authority, "wrong")
        assert stranger.raw("GET", "/api/v1/namespaces")[0] == 401

    def test_the_context_is_in_its_own_kubeconfig(self, everything: Sandbox) -> None:
        kubectl = everything.program("kubectl")
        assert kubectl is not None
        said = subprocess.run(
            [kubectl, "--kubeconfig", everything.kubeconfig, "config", "get-contexts", "-o", "name"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout.split() == ["techmarket-sandbox"]

    def test_it_says_what_it_is_doing(self, everything: Sandbox) -> None:
        status = everything.status()
        assert status.up
        assert {"etcd", "kube-apiserver", "kyverno", "tekton-webhook", "rollouts"} <= {
            one.name for one in status.components if one.alive and one.resident > 10_000_000
        }

    def test_nothing_is_written_elsewhere(self, everything: Sandbox, state_folder: Path) -> None:
        assert {path.name for path in state_folder.iterdir()} == {"sandbox"}
        for one in everything.status().components:
            if one.name != "supervisor":
                home = Path(f"/proc/{one.pid}/cwd").readlink()
                assert home.is_relative_to(everything.home.root)


def _definition(plural: str) -> dict[str, Any]:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object"}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.lab.example.org"},
        "spec": {
            "group": "lab.example.org",
            "names": {"plural": plural, "kind": "Thing"},
            "scope": "Cluster",
            "versions": [version],
        },
    }


def test_what_is_installed_is_served(api: Api) -> None:
    assert unserved(api) == []
    api.apply(_definition("things"))
    wait_for(lambda: not unserved(api))
    api.apply(_definition("rivals"))  # of the same kind, which is taken: it never will be
    assert unserved(api) == ["rivals.lab.example.org"]
