"""Whatever goes wrong on the way to the truth: never passed, never failed, and the files are judged anyway.

The property, for every live check and every fault: its verdict is `unknown` or `blocked`, or what it is
without the fault; what it says then is something a learner can use, in both languages; every fault is really
met, and once it is over the verdicts are what they were.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.faults import faults
from tests.faults.conftest import Student
from tests.faults.verdicts import verdicts, wrong
from tests.rig.cluster import Rig
from workshop.cluster.live import LiveCluster
from workshop.cluster.port import Place, Unreachable
from workshop.cluster.stage import LiveStages
from workshop.verdicts import Half, Reason, Verdict

# What cannot pass here, and why a fault proves nothing about it.
_CANNOT_PASS = {
    "0.1.tools_answer": "asks for the programs of this machine",
    "0.1.kubectl_fits_the_cluster": "the same",
    "0.2.ports_lead_in": "looks at the ports of a container of kind, where no container runs",
    "4.7.digest_is_known": "takes a build: Pods are played here and push no image",
    "bonus-1.analysis_can_measure": "takes a second version, and a Prometheus inside the cluster",
}


def test_the_lab_is_there_to_be_missed(student: Student) -> None:
    """Faults prove nothing about checks that had nothing to find: here nearly all pass."""
    checks = [check for each in student.truth.values() for check in each.checks if check.half is Half.CLUSTER]
    amiss = {check.id: check.facts for check in checks if check.verdict is not Verdict.PASSED}
    assert {key: amiss[key] for key in amiss.keys() - _CANNOT_PASS.keys()} == {}
    assert _CANNOT_PASS.keys() <= {check.id for check in checks}
    assert Verdict.ERROR not in {check.verdict for check in checks}


@pytest.mark.parametrize("name", [each.name for each in faults.answers(faults.everything)])
def test_an_answer_to_everything(student: Student, name: str) -> None:
    fault = next(each for each in faults.answers(faults.everything) if each.name == name)
    assert student.under(fault) == []


@pytest.mark.parametrize("name", ["403", "cut-off", "status-text", "dead-after-30"])
def test_the_files_are_judged_all_the_same(student: Student, name: str) -> None:
    """The whole way, with what is asked for hints."""
    known = [*faults.answers(faults.everything), *faults.misshapen(faults.everything), faults.dead_after(30)]
    fault = next(each for each in known if each.name == name)
    found, stages = [], student.stages()
    with student.proxy.spoiling(fault):
        for exercise in student.lab.exercises:
            result = student.judge(exercise, stages)
            found += wrong(student.truth[exercise.id], result.checks, name)
            truth = student.truth[exercise.id].checks
            assert verdicts(result.checks, Half.FILES) == verdicts(truth, Half.FILES)
    assert fault.bitten
    assert found == []


@pytest.mark.parametrize("count", [1, 3, 8, 20, 40])
def test_a_cluster_lost_on_the_way(student: Student, count: int) -> None:
    assert student.under(faults.dead_after(count)) == []


def test_a_server_that_hangs(student: Student) -> None:
    assert student.under(faults.hanging(faults.everything), seconds=0.05) == []


@pytest.mark.parametrize("name", [each.name for each in faults.half_ready_webhooks()])
def test_probes_that_end_at_a_webhook_that_is_not_ready(student: Student, name: str) -> None:
    fault = next(each for each in faults.half_ready_webhooks() if each.name == name)
    assert student.under(fault) == []


def test_a_watch_that_is_cut_off(student: Student, rig: Rig) -> None:
    """What came before the cut is not taken for all there was; the next watch sees everything."""
    kind, namespace = "Role.rbac.authorization.k8s.io", "watched"
    rig.apply(_role(namespace, "before"))
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles"
    since = rig.api.request("GET", path)["metadata"]["resourceVersion"]
    rig.apply(_role(namespace, "first"))
    rig.apply(_role(namespace, "second"))
    rig.api.delete(f"{path}/before")
    cluster = LiveCluster("lab", student.kubeconfig)
    fault = faults.cut_watch()
    with student.proxy.spoiling(fault):
        with pytest.raises(Unreachable) as read:
            cluster.changes(kind, namespace=namespace, since=since)
        assert fault.bitten == 1
        with pytest.raises(Unreachable) as followed:
            list(cluster.follow(Place(kind), seconds=1))
        assert fault.bitten == 2
    assert {read.value.reason, followed.value.reason} <= {Reason.UNAVAILABLE, Reason.NO_CLUSTER}
    seen = cluster.changes(kind, namespace=namespace, since=since)
    assert seen is not None
    assert [each["metadata"]["name"] for each in seen][:2] == ["first", "second"]


def _role(namespace: str, name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": []}


_ONE_KIND = ("403", "html-404", "cut-off", "items-are-null")


@pytest.mark.parametrize("name", [*_ONE_KIND, "missing-kind", "hangs"])
def test_one_kind_that_cannot_be_read(student: Student, name: str) -> None:
    """The rest is answered by the real server: what was seen of it must not decide about what was not."""
    found = []
    for resource in sorted({each for asked in student.asked.values() for each in asked}):
        aim = faults.reads_of(resource)
        if name == "missing-kind":
            fault = faults.missing_kind(resource)
        elif name == "hangs":
            fault = faults.hanging(aim)
        else:
            fault = next(each for each in faults.answers(aim) if each.name == name)
        fault.name = f"{name} of {resource}"
        asking = [each for each in student.on_cluster if resource in student.asked[each.id]]
        found += student.under(fault, asking, seconds=0.3 if name == "hangs" else 10.0)
    assert found == []


@pytest.mark.parametrize("name", [each.name for each in faults.misshapen(faults.everything)])
def test_objects_of_a_shape_that_kubernetes_does_not_know(student: Student, name: str) -> None:
    fault = next(each for each in faults.misshapen(faults.everything) if each.name == name)
    assert student.under(fault) == []


@pytest.mark.parametrize("name", ["nobody-listens", "no-such-context", "wrong-certificate", "unknown-token"])
def test_a_cluster_that_cannot_be_reached(student: Student, rig: Rig, tmp_path: Path, name: str) -> None:
    config = yaml.safe_load(rig.sandbox.kubeconfig.read_text())
    context = config["contexts"][0]["name"]
    reasons = {Reason.NO_CLUSTER}
    if name == "nobody-listens":
        config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    elif name == "no-such-context":
        context = "kind-elsewhere"
    elif name == "wrong-certificate":
        del config["clusters"][0]["cluster"]["certificate-authority-data"]
    else:
        config["users"][0]["user"]["token"] = "nobody's"  # noqa: S105 (that is the point)
        reasons = {Reason.UNAUTHORIZED}
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    stages: LiveStages | Unreachable
    try:
        stages = LiveStages(LiveCluster(context, path, seconds=5))
    except Unreachable as unreachable:
        stages = unreachable
    found, seen, said = [], set(), set()
    for exercise in student.on_cluster:
        checks = student.look(exercise, stages)
        found += wrong(student.truth[exercise.id], checks, name)
        seen |= {check.reason for check in checks}
        said |= set(verdicts(checks, Half.CLUSTER).values())
    assert found == []
    assert reasons <= seen
    assert said <= {"unknown", "blocked"}
