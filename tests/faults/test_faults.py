"""Whatever goes wrong on the way to the truth: never passed, never failed, and the files are judged anyway.

The property, for every live check and every fault: its verdict is `unknown` or `blocked`, or what it is
without the fault.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from tests.faults import faults
from tests.faults.conftest import Student, verdicts
from tests.faults.proxy import Spoilt
from tests.rig.cluster import Rig
from workshop.cluster.live import LiveCluster
from workshop.cluster.port import Unreachable
from workshop.cluster.stage import LiveStages
from workshop.content import Exercise
from workshop.verdicts import CheckResult, Half, Reason, Verdict

_COULD_NOT_LOOK = {Verdict.UNKNOWN, Verdict.BLOCKED}


def _wrong(student: Student, exercise: Exercise, checks: Iterable[CheckResult], fault: str) -> list[str]:
    """Return what live checks said under a fault that nobody could know."""
    truth = {check.id: check for check in student.truth[exercise.id].checks}
    wrong = []
    for check in checks:
        if check.half is not Half.CLUSTER or check.verdict is truth[check.id].verdict:
            continue
        if check.verdict not in _COULD_NOT_LOOK:
            said = f"{check.verdict.value}, not {truth[check.id].verdict.value}: {_why(check)}"
            wrong.append(f"{fault}: {check.id} is {said}")
        elif check.reason is None:
            wrong.append(f"{fault}: {check.id} is {check.verdict.value} without a reason")
    return wrong


def _why(check: CheckResult) -> str:
    unmet = [fact for fact in check.facts if fact.met is not True]
    return "; ".join(f"{fact.id}: {fact.observed}" for fact in unmet)[:200]


def _under(
    student: Student, exercises: Iterable[Exercise], fault: Spoilt, *, seconds: float = 10.0
) -> list[str]:
    """Judge exercises in one run under a fault; return what was said that nobody could know."""
    wrong = []
    stages = student.stages(seconds)
    with student.proxy.spoiling(fault):
        for exercise in exercises:
            wrong += _wrong(student, exercise, student.look(exercise, stages), fault.name)
    return wrong


def test_the_lab_is_there_to_be_missed(student: Student) -> None:
    """Faults prove nothing about checks that had nothing to find."""
    passed = [
        check
        for result in student.truth.values()
        for check in result.checks
        if check.half is Half.CLUSTER and check.verdict is Verdict.PASSED
    ]
    assert len(passed) >= 30
    errors = [
        check.id
        for result in student.truth.values()
        for check in result.checks
        if check.verdict is Verdict.ERROR
    ]
    assert errors == []


@pytest.mark.parametrize("name", [each.name for each in faults.answers(faults.everything)])
def test_an_answer_to_everything(student: Student, name: str) -> None:
    fault = next(each for each in faults.answers(faults.everything) if each.name == name)
    wrong = _under(student, student.on_cluster, fault)
    assert fault.bitten
    assert wrong == []


@pytest.mark.parametrize("name", ["403", "cut-off", "status-text", "dead-after-30"])
def test_the_files_are_judged_all_the_same(student: Student, name: str) -> None:
    """The whole way, with what is asked for hints."""
    known = [*faults.answers(faults.everything), *faults.misshapen(faults.everything), faults.dead_after(30)]
    fault = next(each for each in known if each.name == name)
    wrong, stages = [], student.stages()
    with student.proxy.spoiling(fault):
        for exercise in student.lab.exercises:
            result = student.judge(exercise, stages)
            wrong += _wrong(student, exercise, result.checks, name)
            truth = student.truth[exercise.id].checks
            assert verdicts(result.checks, Half.FILES) == verdicts(truth, Half.FILES)
    assert fault.bitten
    assert wrong == []


@pytest.mark.parametrize("count", [1, 3, 8, 20, 40])
def test_a_cluster_lost_on_the_way(student: Student, count: int) -> None:
    fault = faults.dead_after(count)
    assert _under(student, student.on_cluster, fault) == []
    assert fault.bitten


def test_a_server_that_hangs(student: Student) -> None:
    fault = faults.hanging(faults.everything)
    assert _under(student, student.on_cluster, fault, seconds=0.05) == []
    assert fault.bitten


@pytest.mark.parametrize("name", [each.name for each in faults.half_ready_webhooks()])
def test_probes_that_end_at_a_webhook_that_is_not_ready(student: Student, name: str) -> None:
    fault = next(each for each in faults.half_ready_webhooks() if each.name == name)
    wrong = _under(student, student.on_cluster, fault)
    assert fault.bitten
    assert wrong == []


def test_a_watch_that_is_cut_off(student: Student) -> None:
    assert _under(student, student.on_cluster, faults.cut_watch()) == []


_ONE_KIND = ("403", "html-404", "cut-off", "items-are-null")
# Behind the proxy it is the Service that answers: a page or a list of its own is no fault of the API server.
_OF_A_SERVICE = frozenset({"html-404", "items-are-null"})


@pytest.mark.parametrize("name", [*_ONE_KIND, "missing-kind", "hangs"])
def test_one_kind_that_cannot_be_read(student: Student, name: str) -> None:
    """The rest is answered by the real server: what was seen of it must not decide about what was not."""
    wrong, bitten = [], 0
    for resource in sorted({each for asked in student.asked.values() for each in asked}):
        if name in _OF_A_SERVICE and resource == "v1/services/proxy":
            continue
        aim = faults.reads_of(resource)
        if name == "missing-kind":
            fault = faults.missing_kind(resource)
        elif name == "hangs":
            fault = faults.hanging(aim)
        else:
            fault = next(each for each in faults.answers(aim) if each.name == name)
        asking = [each for each in student.on_cluster if resource in student.asked[each.id]]
        found = _under(student, asking, fault, seconds=0.3 if name == "hangs" else 10.0)
        wrong += [f"{resource} {each}" for each in found]
        bitten += fault.bitten
    assert bitten
    assert wrong == []


@pytest.mark.parametrize("name", [each.name for each in faults.misshapen(faults.everything)])
def test_objects_of_a_shape_that_kubernetes_does_not_know(student: Student, name: str) -> None:
    fault = next(each for each in faults.misshapen(faults.everything) if each.name == name)
    assert _under(student, student.on_cluster, fault) == []


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
    wrong, seen, said = [], set(), set()
    for exercise in student.on_cluster:
        checks = student.look(exercise, stages)
        wrong += _wrong(student, exercise, checks, name)
        seen |= {check.reason for check in checks}
        said |= set(verdicts(checks, Half.CLUSTER).values())
    assert wrong == []
    assert reasons <= seen
    assert said <= {"unknown", "blocked"}
