"""3.5's follow-up on a real API server, whose controllers count ready Pods and allowed disruptions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live.judging import check, look, unmet
from tests.live.objects import Object, applied, until, workload
from tests.rig.cluster import Rig
from workshop.content import Lab
from workshop.verdicts import Reason, Verdict

EXERCISE = "3.5"
PROBES, SCALER, THREE, BUDGET = (
    "probes_are_set",
    "replicas_cannot_fall_to_one",
    "three_replicas_at_least",
    "drains_leave_enough",
)
PROBE: Object = {"httpGet": {"path": "/healthz", "port": 8080}}


def service(**how: Any) -> Object:
    probes = how.pop("probes", {"readinessProbe": PROBE, "livenessProbe": PROBE})
    return workload("payment-service", replicas=3, **probes, **how)


def scaler(least: int | None = 3) -> Object:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "payment-service"}
    spec: Object = {"scaleTargetRef": target, "maxReplicas": 6}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "any-name", "namespace": "default"},
        "spec": {**spec, **({"minReplicas": least} if least is not None else {})},
    }


def budget(**spec: Any) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "any-name", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "payment-service"}}, **spec},
    }


def with_budget(rig: Rig, made: Object) -> None:
    """Apply a budget and return once the disruption controller has counted for it."""
    rig.apply(made)
    until(
        lambda: (rig.api.get(rig.api.path(made)) or {}).get("status", {}).get("currentHealthy") == 3,
        "the budget is never counted",
    )


def test_everything_is_followed_up(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(pristine_rig, service(), scaler())
    with_budget(pristine_rig, budget(minAvailable=2))
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert {each.verdict for each in result.checks} == {Verdict.PASSED}, result.checks


def test_nothing_is_followed_up_and_the_exercise_passes(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(pristine_rig, service(probes={}))
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert unmet(result, PROBES) == ["no-readiness-probe", "no-liveness-probe"]
    assert unmet(result, SCALER) == ["hpa-missing"]
    assert unmet(result, BUDGET) == ["pdb-missing"]
    assert result.verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("least", "expected"), [(1, ["hpa-minimum-too-low"]), (None, ["hpa-minimum-too-low"]), (2, [])]
)
def test_the_minimum_of_the_scaler(
    least: int | None, expected: list[str], lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    applied(pristine_rig, service(), scaler(least))
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert unmet(result, SCALER) == expected
    if not expected:
        assert unmet(result, THREE) == ["hpa-minimum-below-three"]


def test_a_budget_that_allows_nothing(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(pristine_rig, service())
    with_budget(pristine_rig, budget(minAvailable=3))
    assert unmet(look(lab, pristine_rig, tmp_path, EXERCISE), BUDGET) == ["pdb-allows-none"]


def test_nothing_to_follow_up(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert (check(result, PROBES).verdict, check(result, PROBES).reason) == (Verdict.BLOCKED, Reason.NEEDS)
    assert result.verdict is Verdict.PASSED
