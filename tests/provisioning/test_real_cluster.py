"""What of the commands reaches an API server, against a real one: kubectl, and waiting until it is usable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.rig.cluster import Rig
from workshop.components import Command, Component, load_components
from workshop.content import Lab
from workshop.provisioning.installing import install, plan
from workshop.provisioning.readiness import NotUsableError, wait_until_usable
from workshop.provisioning.target import Target
from workshop.texts import Message

_DNS = {"k8s-app": "kube-dns"}
COREDNS = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "coredns", "namespace": "kube-system", "labels": _DNS},
    "spec": {
        "selector": {"matchLabels": _DNS},
        "template": {
            "metadata": {"labels": _DNS},
            "spec": {"containers": [{"name": "coredns", "image": "played.invalid/by-kwok:1"}]},
        },
    },
}
STANDARD = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "rancher.io/local-path",
}


@pytest.fixture
def target(pristine_rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Target:
    """The sandbox, with its own kubectl on PATH, and a kubeconfig of the user's that leads nowhere."""
    kubectl = pristine_rig.sandbox.program("kubectl")
    assert kubectl is not None
    monkeypatch.setenv("PATH", f"{kubectl.parent}:/usr/bin:/bin")
    (tmp_path / "kubeconfig").write_text("{}")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    return Target("techmarket-sandbox", pristine_rig.sandbox.kubeconfig)


def _install(component: Component, target: Target) -> list[str]:
    told: list[str] = []
    install(plan([component], target), target, tell=lambda text: told.append(str(text)), say=told.append)
    return told


def test_the_payment_service_is_applied_waited_for_and_applied_again(
    lab: Lab, pristine_rig: Rig, target: Target
) -> None:
    component = load_components(lab)["payment-service"]
    for _ in range(2):
        told = _install(component, target)
        assert any("only for a kind cluster" in each for each in told)
        assert any("successfully rolled out" in each for each in told)
    deployment = pristine_rig.api.get("/apis/apps/v1/namespaces/default/deployments/payment-service") or {}
    assert deployment["status"]["readyReplicas"] == 3


@pytest.mark.parametrize("name", ["litmus", "prometheus"])
def test_what_else_is_applied_is_taken(lab: Lab, pristine_rig: Rig, target: Target, name: str) -> None:
    """Charts cannot be had here; the lab's own manifests and the definitions they wait for can."""
    component = load_components(lab)[name]
    ours = tuple(
        step
        for step in component.steps
        if isinstance(step.action, Command) and step.action.arguments[0] in ("apply", "wait")
    )
    pristine_rig.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring"}})
    assert ours
    told = _install(replace(component, steps=ours), target)
    assert any("serverside-applied" in each for each in told)


def test_a_cluster_becomes_usable(pristine_rig: Rig) -> None:
    told: list[Message] = []
    with pytest.raises(NotUsableError) as error:
        wait_until_usable(pristine_rig.cluster, told.append, seconds=-1)
    assert "no default StorageClass yet" in map(str, error.value.missing)
    pristine_rig.apply(COREDNS, STANDARD)
    wait_until_usable(pristine_rig.cluster, told.append, seconds=120, poll=0.05)
