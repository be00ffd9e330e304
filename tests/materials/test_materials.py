"""What the exercises refer to works: the microservice runs, the manifests hold together."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from workshop.content import Lab
from workshop.kyverno import admit

SERVICES = ("frontend-app", "backend-api", "payment-service")


def _documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def test_the_microservice_passes_its_own_tests(lab: Lab, tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have node and npm")
        pytest.skip("node and npm are not installed: the microservice was not run")
    folder = tmp_path / "microservice"
    shutil.copytree(lab.materials / "microservice", folder)
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=300
    )
    done = subprocess.run(
        ["npm", "test"], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_its_four_objects_and_they_select_each_other(lab: Lab, name: str) -> None:
    objects = {each["kind"]: each for each in _documents(lab.materials / f"kubernetes/{name}.yaml")}
    assert set(objects) == {"Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"}
    pod = objects["Deployment"]["spec"]["template"]
    labels, container = pod["metadata"]["labels"], pod["spec"]["containers"][0]
    assert labels["backstage.io/kubernetes-id"] == name
    for selector in (
        objects["Deployment"]["spec"]["selector"]["matchLabels"],
        objects["Service"]["spec"]["selector"],
        objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    assert objects["Service"]["spec"]["ports"][0]["targetPort"] == container["ports"][0]["name"]
    assert objects["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == name
    assert objects["Deployment"]["spec"]["replicas"] >= 3
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)


@pytest.mark.parametrize("name", SERVICES)
def test_the_policies_of_block_2_admit_every_service(lab: Lab, name: str) -> None:
    policies = [
        document
        for file in ("policy-deny-latest.yaml", "policy-require-limits.yaml", "policy-add-labels.yaml")
        for document in _documents(lab.solutions / "td/kyverno" / file)
    ]
    deployment = _documents(lab.materials / f"kubernetes/{name}.yaml")[0]
    admission = admit(policies, deployment)
    assert admission.admitted is True, admission.results


def test_the_cluster_publishes_the_ports_that_the_lab_uses(lab: Lab) -> None:
    (config,) = _documents(lab.materials / "kind-config.yaml")
    mappings = config["nodes"][0]["extraPortMappings"]
    assert {each["hostPort"] for each in mappings} == {30000, 30002, 30090}
    assert all(each["listenAddress"] == "127.0.0.1" for each in mappings)
    values = _documents(lab.materials / "prometheus/values.yaml")[0]
    assert values["prometheus"]["service"]["nodePort"] == 30090


def test_the_monitor_selects_every_service(lab: Lab) -> None:
    (monitor,) = _documents(lab.materials / "prometheus/service-monitor.yaml")
    wanted = monitor["spec"]["selector"]["matchLabels"]
    for name in SERVICES:
        service = _documents(lab.materials / f"kubernetes/{name}.yaml")[1]
        assert wanted.items() <= service["metadata"]["labels"].items()
        assert service["spec"]["ports"][0]["name"] == monitor["spec"]["endpoints"][0]["port"]
