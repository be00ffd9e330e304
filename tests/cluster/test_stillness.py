"""What is on its way: read off objects as controllers leave them, and off a real cluster."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rig.cluster import Rig, wait_for
from workshop.cluster.live import LiveCluster
from workshop.cluster.port import Object
from workshop.cluster.stage import LiveStages
from workshop.cluster.stillness import on_its_way, unsettled
from workshop.content import Lab
from workshop.engine import Run
from workshop.standstill import SECONDS
from workshop.verdicts import Mode, Report, Verdict
from workshop.waiting import judge_until_settled
from workshop.workspace import Workspace

PATH = "td/kyverno/policy-deny-latest.yaml"


def _found(status: Any, *, spec: Any = None, **metadata: Any) -> Object:
    return {"metadata": {"name": "x", "namespace": "y", **metadata}, "spec": spec or {}, "status": status}


def _has(**conditions: str) -> Object:
    return {"conditions": [{"type": kind, "status": status} for kind, status in conditions.items()]}


ROLLED_OUT = {
    "observedGeneration": 2,
    "replicas": 3,
    "readyReplicas": 3,
    "updatedReplicas": 3,
    "conditions": [
        {"type": "Available", "status": "True"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
    ],
}
ROLLING = {
    **ROLLED_OUT,
    "conditions": [{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}],
}
THREE = {"replicas": 3}


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("Deployment.apps", _found(ROLLED_OUT, spec=THREE, generation=2)),
        ("Deployment.apps", _found({**ROLLING}, spec={**THREE, "paused": True}, generation=2)),
        ("ReplicaSet.apps", _found({"replicas": 0}, spec={"replicas": 0})),
        ("DaemonSet.apps", _found(dict.fromkeys(("desiredNumberScheduled", "numberReady"), 0))),
        ("Pod", _found({"phase": "Running", **_has(Ready="True")})),
        ("Pod", _found({"phase": "Succeeded", **_has(Ready="False")})),
        ("Job.batch", _found(_has(Failed="True"))),
        ("TaskRun.tekton.dev", _found(_has(Succeeded="False"))),
        ("Rollout.argoproj.io", _found({"phase": "Degraded", "observedGeneration": "4"}, generation=4)),
        ("ChaosEngine.litmuschaos.io", _found({"engineStatus": "completed"})),
        ("ClusterPolicy.kyverno.io", _found(_has(Ready="True"), generation=1)),
        ("HorizontalPodAutoscaler.autoscaling", _found({"observedGeneration": 1})),
        ("ConfigMap", {"metadata": {"name": "x"}}),
    ],
)
def test_what_stands_still(kind: str, found: Object) -> None:
    assert list(unsettled(kind, [found])) == []


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("Deployment.apps", _found(ROLLED_OUT, spec=THREE, generation=3)),
        ("Deployment.apps", _found(ROLLING, spec=THREE, generation=2)),
        ("Deployment.apps", _found({**ROLLED_OUT, "readyReplicas": 2}, spec=THREE, generation=2)),
        ("Deployment.apps", _found({**ROLLED_OUT, "replicas": 4}, spec=THREE, generation=2)),
        ("Deployment.apps", _found({}, spec=THREE)),
        ("StatefulSet.apps", _found({"replicas": 1, "readyReplicas": 0}, spec={"replicas": 1})),
        ("ReplicaSet.apps", _found({"replicas": 1, "readyReplicas": 1}, spec={"replicas": 0})),
        ("DaemonSet.apps", _found({})),
        ("Pod", _found({"phase": "Pending"})),
        ("Pod", _found({"phase": "Running", **_has(Ready="False")})),
        ("Pod", _found({"phase": "Running", **_has(Ready="True")}, deletionTimestamp="2026-01-01T00:00:00Z")),
        ("Job.batch", _found({"active": 1})),
        ("PipelineRun.tekton.dev", _found(_has(Succeeded="Unknown"))),
        ("PipelineRun.tekton.dev", _found({})),
        ("Rollout.argoproj.io", _found({"phase": "Paused"})),
        ("Rollout.argoproj.io", _found({"phase": "Healthy", "observedGeneration": "3"}, generation=4)),
        ("AnalysisRun.argoproj.io", _found({"phase": "Running"})),
        ("ChaosEngine.litmuschaos.io", _found({"engineStatus": "initialized"})),
        ("ChaosResult.litmuschaos.io", _found({"experimentStatus": {"phase": "Running"}})),
        ("PersistentVolumeClaim", _found({"phase": "Pending"})),
        ("ClusterPolicy.kyverno.io", _found(_has(Ready="False"))),
        ("ValidatingPolicy.policies.kyverno.io", _found({"conditionStatus": {"ready": False}})),
        ("Provider.pkg.crossplane.io", _found(_has(Installed="True", Healthy="False"))),
    ],
)
def test_what_is_on_its_way(kind: str, found: Object) -> None:
    assert list(unsettled(kind, [found])) == [f"{kind.partition('.')[0]}/y/x"]


def _pod(namespace: str, **spec: Any) -> Object:
    metadata = {"name": "one", "namespace": namespace}
    spec = {"containers": [{"name": "main", "image": "played.invalid/by-kwok:1"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def test_a_pod_that_nobody_places_is_on_its_way(pristine_rig: Rig) -> None:
    cluster = pristine_rig.cluster()
    pristine_rig.apply(_pod("placed"))
    wait_for(lambda: not list(on_its_way(cluster)))
    pristine_rig.apply(_pod("waiting", schedulerName="nobody"))
    assert list(on_its_way(cluster)) == ["Pod/waiting/one"]


class Student(LiveCluster):
    """The rig, judged as a student's own cluster."""

    context = "kind-techmarket"


@pytest.fixture
def audited(pristine_rig: Rig, lab: Lab, tmp_path: Path) -> tuple[Rig, Path]:
    """A right file, and on the cluster the same policy in Audit: wrong, and nothing makes it right."""
    text = (lab.solutions / PATH).read_text()
    (tmp_path / PATH).parent.mkdir(parents=True)
    (tmp_path / PATH).write_text(text)
    policy = yaml.safe_load(text)
    policy["spec"]["validationFailureAction"] = "Audit"
    for rule in policy["spec"]["rules"]:
        rule.get("validate", {}).pop("failureAction", None)
    pristine_rig.apply(policy)
    return pristine_rig, tmp_path


def _wait(rig: Rig, lab: Lab, folder: Path, seconds: float) -> Report:
    def look(run: Run) -> Run:
        return Run.of(
            run.lab,
            run.workspace,
            run.mode,
            LiveStages(Student("techmarket-sandbox", rig.sandbox.kubeconfig)),
        )

    run = look(Run.of(lab, Workspace(folder), Mode.CLUSTER))
    return judge_until_settled(run, ["2.2"], seconds=seconds, look_anew=look, tell=lambda _: None)


def test_a_policy_in_audit_is_not_waited_for(audited: tuple[Rig, Path], lab: Lab) -> None:
    rig, folder = audited
    report = _wait(rig, lab, folder, seconds=120)
    assert report.exercises[0].verdict is Verdict.FAILED
    assert len(report.warnings) == 1, "the time was not over"


def test_a_policy_in_audit_is_waited_for_while_a_pod_is_on_its_way(
    audited: tuple[Rig, Path], lab: Lab
) -> None:
    rig, folder = audited
    rig.apply(_pod("waiting", schedulerName="nobody"))
    wait_for(partial(_is_pending, rig))
    report = _wait(rig, lab, folder, seconds=SECONDS + 3)
    assert report.exercises[0].verdict is Verdict.FAILED
    assert report.warnings == ()


def _is_pending(rig: Rig) -> bool:
    pod = rig.api.get("/api/v1/namespaces/waiting/pods/one") or {}
    return bool(pod.get("status", {}).get("phase") == "Pending")
