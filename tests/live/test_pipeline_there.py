"""4.3, 4.6 and 4.7 on a cluster that has other Tasks, Pipelines and runs than the files: these are judged."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.judging import check, look, unmet
from tests.live.objects import Object, with_status
from tests.rig.cluster import Rig
from workshop.content import Lab
from workshop.verdicts import ExerciseResult, Half, Level, Verdict, exercise_verdict

ORDER, RAN = "stages_follow_each_other", "run_is_carried_through"
STAGES = ("git-clone", "kaniko-build-push", "trivy-scan", "generate-sbom", "cosign-sign")
NAMES = ("fetch-source", "build", "scan", "sbom", "sign")
# Name in the Pipeline, name of the Task, minutes at which it started and ended.
Part = tuple[str, str, int, int]
CHAIN: tuple[Part, ...] = tuple((name, STAGES[i], i, i + 1) for i, name in enumerate(NAMES))


def on_cluster(result: ExerciseResult) -> Verdict:
    return exercise_verdict([each for each in result.checks if each.half is Half.CLUSTER])


def reference(lab: Lab, name: str) -> Object:
    found = yaml.safe_load((lab.solutions / "td" / "tekton" / name).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def _moment(minute: int) -> str:
    return f"2026-01-15T10:{minute:02}:00Z"


def _condition(status: str, reason: str) -> Object:
    told = {"type": "Succeeded", "status": status, "reason": reason, "message": "as it went"}
    return {**told, "lastTransitionTime": _moment(59)}


def ran(
    rig: Rig,
    *parts: Part,
    name: str = "payment-service-build-1",
    namespace: str = "default",
    status: str = "True",
    pipeline: str = "secure-build-pipeline",
    skipped: Sequence[str] = (),
) -> None:
    """Leave what Tekton's controller leaves of a run; it keeps its hands off what somebody else manages."""
    marks = {"tekton.dev/pipeline": pipeline}
    spec: Object = {"managedBy": "example.org/played", "pipelineRef": {"name": pipeline}}
    metadata: Object = {"name": name, "namespace": namespace, "labels": marks}
    run = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": metadata, "spec": spec}
    rig.apply(run)
    for part, task, start, end in parts:
        labels = {**marks, "tekton.dev/pipelineRun": name, "tekton.dev/pipelineTask": part}
        made = {
            "apiVersion": "tekton.dev/v1",
            "kind": "TaskRun",
            "metadata": {"name": f"{name}-{part}", "namespace": namespace, "labels": labels},
            "spec": {"managedBy": "example.org/played", "taskRef": {"name": task}},
        }
        rig.apply(made)
        times = {"startTime": _moment(start), "completionTime": _moment(end)}
        with_status(rig, made, {**times, "conditions": [_condition("True", "Succeeded")]})
    chain = [
        {"name": part, "taskRef": {"name": task}, **({"runAfter": [parts[i - 1][0]]} if i else {})}
        for i, (part, task, _, _) in enumerate(parts)
    ]
    chain += [{"name": each, "taskRef": {"name": STAGES[NAMES.index(each)]}} for each in skipped]
    reason = {"True": "Completed" if skipped else "Succeeded", "False": "Failed", "Unknown": "Running"}
    told = _condition(status, reason[status])
    left_out = [{"name": each, "reason": "When Expressions evaluated to false"} for each in skipped]
    with_status(
        rig,
        run,
        {"pipelineSpec": {"tasks": chain}, "conditions": [told], "skippedTasks": left_out},
    )


def _older(name: str) -> Callable[[Rig], None]:
    return lambda rig: ran(rig, *CHAIN[:3], name=name, status="False")


def _good(**more: Any) -> Callable[[Rig], None]:
    return lambda rig: ran(rig, *CHAIN, **more)


RUNS: dict[str, tuple[list[Callable[[Rig], None]], Verdict, list[str]]] = {
    "good": ([_good()], Verdict.PASSED, []),
    "in another namespace": ([_good(namespace="ci")], Verdict.PASSED, []),
    "a generated name": ([_good(name="payment-service-build-x7f2q")], Verdict.PASSED, []),
    "the second went well": (
        [_older("payment-service-build-1"), _good(name="payment-service-build-2")],
        Verdict.PASSED,
        [],
    ),
    "a later one failed": (
        [_good(name="payment-service-build-1"), _older("payment-service-build-2")],
        Verdict.PASSED,
        [],
    ),
    "names of an older Pipeline": (
        [lambda rig: ran(rig, *((f"t-{part}", task, at, to) for part, task, at, to in CHAIN))],
        Verdict.PASSED,
        [],
    ),
    "a neighbour's failed": (
        [_good(), lambda rig: ran(rig, name="theirs-1", pipeline="theirs", status="False")],
        Verdict.PASSED,
        [],
    ),
    "still running": ([lambda rig: ran(rig, *CHAIN[:1], status="Unknown")], Verdict.UNKNOWN, []),
    "failed": ([_older("payment-service-build-1")], Verdict.FAILED, ["run-failed"]),
    "without SBOM": (
        [lambda rig: ran(rig, *CHAIN[:3], CHAIN[4])],
        Verdict.FAILED,
        ["stage-missing"],
    ),
    "signature skipped": (
        [lambda rig: ran(rig, *CHAIN[:4], skipped=["sign"])],
        Verdict.FAILED,
        ["stage-skipped"],
    ),
    "scan beside SBOM": (
        [lambda rig: ran(rig, *CHAIN[:3], ("sbom", STAGES[3], 2, 3), CHAIN[4])],
        Verdict.FAILED,
        ["stages-overlap"],
    ),
}


@pytest.mark.parametrize(("runs", "verdict", "facts"), RUNS.values(), ids=RUNS)
def test_the_runs_that_the_cluster_has(
    runs: list[Callable[[Rig], None]],
    verdict: Verdict,
    facts: list[str],
    lab: Lab,
    pristine_rig: Rig,
    tmp_path: Path,
) -> None:
    for leave in runs:
        leave(pristine_rig)
    result = look(lab, pristine_rig, tmp_path, "4.7")
    musts = [each for each in result.checks if each.half is Half.CLUSTER and each.level is Level.MUST]
    assert exercise_verdict(musts) is verdict
    assert unmet(result, RAN) == facts


def _without_order(pipeline: Object) -> None:
    for each in pipeline["spec"]["tasks"]:
        each.pop("runAfter", None)
        for given in each.get("params", ()):
            given["value"] = given["value"].partition("@")[0]


def _without_sbom(pipeline: Object) -> None:
    tasks = pipeline["spec"]["tasks"]
    tasks[-1]["runAfter"] = ["scan"]
    del tasks[3]


def _sign_at_once(pipeline: Object) -> None:
    pipeline["spec"]["tasks"][-1]["runAfter"] = ["build"]


VERSIONS: dict[str, tuple[Callable[[Object], None], str]] = {
    "no order": (_without_order, "list-order-is-no-order"),
    "no SBOM": (_without_sbom, "stage-missing"),
    "signs at once": (_sign_at_once, "sign-before-scan"),
}


@pytest.mark.parametrize(("edit", "fact"), VERSIONS.values(), ids=VERSIONS)
def test_an_older_pipeline_is_judged_as_it_is(
    edit: Callable[[Object], None], fact: str, lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    older = copy.deepcopy(reference(lab, "pipeline-secure-build.yaml"))
    edit(older)
    pristine_rig.apply(older)
    result = look(lab, pristine_rig, tmp_path, "4.6")
    assert fact in unmet(result, ORDER)
    assert "another version than your file" in str(check(result, ORDER).unmet[0].next)


def test_a_good_pipeline_passes_before_and_after_a_failed_run(
    lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    """That the gate stops a vulnerable image is what it is for; the run is the matter of 4.7."""
    pristine_rig.apply(reference(lab, "pipeline-secure-build.yaml"))
    assert on_cluster(look(lab, pristine_rig, tmp_path, "4.6")) is Verdict.PASSED
    _older("payment-service-build-1")(pristine_rig)
    assert on_cluster(look(lab, pristine_rig, tmp_path, "4.6")) is Verdict.PASSED


def test_an_older_task_is_told(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    task = reference(lab, "task-trivy.yaml")
    pristine_rig.apply(task)
    assert unmet(look(lab, pristine_rig, tmp_path, "4.3"), "as_in_the_file") == []
    task["spec"]["steps"][0]["args"] = ["image", "$(params.IMAGE)"]
    pristine_rig.apply(task)
    assert unmet(look(lab, pristine_rig, tmp_path, "4.3"), "as_in_the_file") == ["another-version"]
