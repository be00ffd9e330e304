"""2.1 against a real API server: objects of Kyverno's own manifest, in the states students leave them in.

Kyverno itself runs beside the cluster and registers its webhooks there; its Pods are played by kwok.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.live.judging import check, look, unmet
from tests.rig.cluster import Rig, wait_for
from workshop.cluster.live import LiveCluster
from workshop.cluster.port import Object
from workshop.cluster.reading import replicas
from workshop.cluster.stage import LiveStages
from workshop.content import Lab
from workshop.engine import Run, judge_exercise
from workshop.sandbox.components.kyverno import FAMILY
from workshop.sandbox.manifest import FamilyFolder
from workshop.sandbox.places import Cache
from workshop.sandbox.running import read_documents
from workshop.verdicts import Mode, Verdict
from workshop.workspace import Workspace

EXERCISE = "2.1"
ADMISSION = "kyverno-admission-controller"
MUSTS = (
    "three_replicas_asked_for",
    "three_replicas_ready",
    "kinds_are_served",
    "webhooks_are_registered",
    "service_leads_to_pods",
)
BUDGET: dict[str, Any] = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": ADMISSION, "namespace": "kyverno"},
    "spec": {
        "minAvailable": 1,
        "selector": {
            "matchLabels": {
                "app.kubernetes.io/part-of": "kyverno",
                "app.kubernetes.io/component": "admission-controller",
            }
        },
    },
}


def manifest(*, replicas: int, namespace: str = "kyverno", version: str = "v1.19.1") -> list[dict[str, Any]]:
    """Return the Deployments and Services of the release, as they are in a namespace."""
    folder = FamilyFolder.of(FAMILY, Cache.of_user().programs)
    files = [path for path in folder.recorded_files() if path.relative_to(folder.files).parts[0] == "install"]
    found = []
    for document in read_documents(files):
        if document["kind"] not in ("Deployment", "Service"):
            continue
        made = copy.deepcopy(document)
        made["metadata"]["namespace"] = namespace
        if made["kind"] == "Deployment":
            made["spec"]["replicas"] = replicas if made["metadata"]["name"] == ADMISSION else 1
            pod = made["spec"]["template"]["spec"]
            pod.pop("serviceAccountName", None)  # its rights are nobody's matter here
            pod.pop("affinity", None)  # there is one node
            for container in (*pod["containers"], *pod.get("initContainers", ())):
                container["image"] = container["image"].rpartition(":")[0] + f":{version}"
        found.append(made)
    return found


def install(rig: Rig, documents: list[dict[str, Any]]) -> None:
    """Apply them and wait until every Pod that can be ready is."""
    rig.apply(*documents)
    for each in documents:
        if each["kind"] == "Deployment":
            wait_for(partial(_settled, rig, each))


def _settled(rig: Rig, deployment: dict[str, Any]) -> bool:
    current = rig.api.get(rig.api.path(deployment)) or {}
    return replicas(current) == (deployment["spec"]["replicas"],) * 2


@pytest.fixture
def installed(rig: Rig) -> Iterator[Rig]:
    """The rig, with whatever a test installs taken away again."""
    (own,) = [each for each in manifest(replicas=0) if each["metadata"]["name"] == ADMISSION]
    yield rig
    rig.api.merge(rig.api.path(own), {"metadata": {"labels": own["metadata"]["labels"]}})
    rig.api.apply(own)
    for each in (BUDGET, *manifest(replicas=0)):
        for name in (each["metadata"]["name"], f"my-{each['metadata']['name']}"):
            if (name, each["kind"]) != (ADMISSION, "Deployment"):
                made = copy.deepcopy(each)
                made["metadata"]["name"] = name
                rig.api.delete(rig.api.path(made))
    rig.api.delete("/api/v1/namespaces/policies")


@pytest.fixture
def bare(installed: Rig) -> Rig:
    """The same; the Deployment of its own that Kyverno looks for is not taken for an installation."""
    path = f"/apis/apps/v1/namespaces/kyverno/deployments/{ADMISSION}"
    pod = {"containers": [{"name": "kyverno", "image": "played.invalid/nothing:1"}]}
    labels = {"app.kubernetes.io/component": "none"}
    installed.api.merge(path, {"metadata": {"labels": labels}, "spec": {"template": {"spec": pod}}})
    return installed


def test_installed_by_the_release_manifest_then_scaled(lab: Lab, installed: Rig, tmp_path: Path) -> None:
    install(installed, manifest(replicas=3))
    installed.apply(BUDGET)
    result = look(lab, installed, tmp_path, EXERCISE)
    assert {each.id: each.verdict for each in result.checks if each.verdict is not Verdict.PASSED} == {}
    assert result.verdict is Verdict.PASSED


def test_five_replicas_of_another_release(lab: Lab, bare: Rig, tmp_path: Path) -> None:
    documents = manifest(replicas=5)
    for each in documents:
        each["metadata"]["name"] = f"my-{each['metadata']['name']}"
    install(bare, documents)
    result = look(lab, bare, tmp_path, EXERCISE)
    assert result.verdict is Verdict.PASSED, [(each.id, each.facts) for each in result.checks]


def test_nothing_installed(lab: Lab, bare: Rig, tmp_path: Path) -> None:
    result = look(lab, bare, tmp_path, EXERCISE)
    assert result.verdict is Verdict.UNFINISHED
    assert unmet(result, MUSTS[0]) == ["kyverno-absent"]


def test_another_namespace(lab: Lab, bare: Rig, tmp_path: Path) -> None:
    install(bare, manifest(replicas=3, namespace="policies"))
    result = look(lab, bare, tmp_path, EXERCISE)
    assert result.verdict is Verdict.FAILED
    assert unmet(result, MUSTS[0]) == ["kyverno-elsewhere"]


@pytest.mark.parametrize(
    ("replicas", "fact"), [(1, "one-replica"), (2, "too-few-replicas"), (0, "too-few-replicas")]
)
def test_too_few(replicas: int, fact: str, lab: Lab, installed: Rig, tmp_path: Path) -> None:
    install(installed, manifest(replicas=replicas))
    result = look(lab, installed, tmp_path, EXERCISE)
    assert result.verdict is Verdict.FAILED
    assert unmet(result, "three_replicas_asked_for") == [fact]
    assert check(result, "three_replicas_ready").verdict is Verdict.BLOCKED
    assert (check(result, "service_leads_to_pods").verdict is Verdict.PASSED) == (replicas > 0)
    assert unmet(result, "disruptions_are_bounded") == ["no-budget"]
    assert "replicas" in str(result.hint)


def test_no_room_for_the_third(lab: Lab, installed: Rig, tmp_path: Path) -> None:
    documents = manifest(replicas=3)
    (admission,) = [each for each in documents if each["metadata"]["name"] == ADMISSION]
    labels = admission["spec"]["selector"]["matchLabels"]
    # One node, and none may share it with another of them.
    admission["spec"]["template"]["spec"]["affinity"] = {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"}
            ]
        }
    }
    installed.apply(*documents)
    path = installed.api.path(admission)
    wait_for(lambda: (installed.api.get(path) or {}).get("status", {}).get("readyReplicas") == 1)
    result = look(lab, installed, tmp_path, EXERCISE)
    assert result.verdict is Verdict.FAILED
    assert unmet(result, "three_replicas_ready") == ["replicas-not-ready"]
    (fact,) = check(result, "three_replicas_ready").facts
    assert str(fact.observed) == "1 of 3 ready"


def test_a_service_that_leads_nowhere(lab: Lab, installed: Rig, tmp_path: Path) -> None:
    documents = manifest(replicas=3)
    for each in documents:
        if each["metadata"]["name"] == "kyverno-svc":
            each["spec"]["selector"] = {"app": "kyverno"}
    install(installed, documents)
    result = look(lab, installed, tmp_path, EXERCISE)
    assert result.verdict is Verdict.FAILED
    assert unmet(result, "service_leads_to_pods") == ["service-without-endpoints"]


def test_a_helper_switched_off_is_advice(lab: Lab, installed: Rig, tmp_path: Path) -> None:
    documents = [each for each in manifest(replicas=3) if "cleanup" not in each["metadata"]["name"]]
    install(installed, documents)
    result = look(lab, installed, tmp_path, EXERCISE)
    assert result.verdict is Verdict.PASSED
    assert unmet(result, "other_controllers_run") == ["controller-absent"]


def test_a_version_that_drops_cluster_policies(lab: Lab, installed: Rig, tmp_path: Path) -> None:
    install(installed, manifest(replicas=3, version="v1.20.0"))
    result = look(lab, installed, tmp_path, EXERCISE)
    assert result.verdict is Verdict.PASSED
    assert unmet(result, "version_carries_out_cluster_policies") == ["cel-kinds-only"]
    policy = look(lab, installed, tmp_path, "2.2")
    assert unmet(policy, "kind_is_carried_out") == ["legacy-kind"]


def test_the_list_of_crds_is_that_of_the_cluster(lab: Lab, installed: Rig, tmp_path: Path) -> None:
    install(installed, manifest(replicas=3))
    answers = (lab.solutions / "td/answers.yaml").read_text(encoding="utf-8")
    for old, new, fact in (
        ("      mutatingpolicies.policies.kyverno.io\n", "", "crds-not-listed"),
        ("clusterpolicies.kyverno.io", "clusterpolicies.kyverno.io\n      sheriffs.policies.kyverno.io",
         "crds-of-another-cluster"),
    ):  # fmt: skip
        assert old in answers
        files = {"td/answers.yaml": answers.replace(old, new)}
        result = look(lab, installed, tmp_path, EXERCISE, files)
        assert unmet(result, "crds_match_the_cluster") == [fact]
        assert result.verdict is Verdict.PASSED


def test_the_question_of_the_statement_decides(lab: Lab, installed: Rig, tmp_path: Path) -> None:
    install(installed, manifest(replicas=3))
    kinds = "[ClusterPolicy, Policy, PolicyException, CleanupPolicy, UpdateRequest]"
    for answer, verdict in (
        (kinds, Verdict.PASSED),
        ("[clusterpolicies.kyverno.io]", Verdict.FAILED),
        ('"20"', Verdict.FAILED),
        ("TODO", Verdict.UNFINISHED),
    ):
        files = {"td/answers.yaml": f'answers: {{"2.1": {{crds: {answer}}}}}\n'}
        result = look(lab, installed, tmp_path, EXERCISE, files)
        assert check(result, "question_is_answered").verdict is verdict, answer
        assert result.verdict is verdict


class _WithoutWebhooks(LiveCluster):
    """A cluster whose webhook configurations are gone. Kyverno, where it runs, writes them again at once."""

    def list(
        self, kind: str, *, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[Object]:
        if "WebhookConfiguration" in kind:
            return []
        return super().list(kind, namespace=namespace, labels=labels, fields=fields)

    def everything(self, kind: str, *, fields: str | None = None) -> Sequence[Object] | None:
        return [] if "WebhookConfiguration" in kind else super().everything(kind, fields=fields)


def test_webhooks_that_are_gone(lab: Lab, installed: Rig, solved: Path) -> None:
    install(installed, manifest(replicas=3))
    cluster = _WithoutWebhooks("techmarket-sandbox", installed.sandbox.kubeconfig)
    exercise = lab.exercise(EXERCISE)
    assert exercise is not None
    run = Run.of(lab, Workspace(solved), Mode.CLUSTER, LiveStages(cluster))
    result = judge_exercise(run, exercise)
    assert unmet(result, "webhooks_are_registered") == ["webhooks-missing"]
    assert result.verdict is Verdict.FAILED
