"""Bonus 1 with the real Rollouts controller, whose analyses ask a real Prometheus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.judging import check, look, unmet
from tests.live.objects import IMAGE, Object, until
from tests.rig.cluster import Rig
from tests.rig.prometheus import Prometheus, free_port
from workshop.content import Lab
from workshop.verdicts import Verdict

EXERCISE = "bonus-1"
FILE = "td/bonus/rollout-canary.yaml"
AGREES, MEASURES = "controller_agrees", "analysis_can_measure"
ROLLOUT = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts/payment-service"


def rollout(**canary: Any) -> Object:
    steps: list[Object] = [{"setWeight": 10}, {"analysis": {"templates": [{"templateName": "success"}]}}]
    marks = {"app": "payment-service"}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "payment-service", "namespace": "default"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": marks},
            "template": {
                "metadata": {"labels": marks},
                "spec": {"containers": [{"name": "main", "image": IMAGE}]},
            },
            "strategy": {"canary": {"steps": steps, **canary}},
        },
    }


def template(port: int, query: str, **metric: Any) -> Object:
    provider = {"prometheus": {"address": f"http://127.0.0.1:{port}", "query": query}}
    made = {
        "name": "success",
        "successCondition": "result[0] > 0.99",
        "consecutiveErrorLimit": 0,
        "provider": provider,
        **metric,
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "success", "namespace": "default"},
        "spec": {"metrics": [made]},
    }


def files(*objects: Object) -> dict[str, str]:
    return {FILE: yaml.safe_dump_all(objects)}


def phase(rig: Rig) -> str:
    return str((rig.api.get(ROLLOUT) or {}).get("status", {}).get("phase"))


def updated(rig: Rig, *objects: Object) -> None:
    """Apply a first version, and a second one as soon as the first is healthy."""
    rig.apply(*objects)
    until(lambda: phase(rig) == "Healthy", "the first version is never healthy")
    container = {"name": "main", "image": IMAGE, "env": [{"name": "VERSION", "value": "2"}]}
    rig.api.merge(ROLLOUT, {"spec": {"template": {"spec": {"containers": [container]}}}})


def aborted(rig: Rig) -> bool:
    return bool((rig.api.get(ROLLOUT) or {}).get("status", {}).get("abort"))


def test_the_first_version_has_no_analysis(
    lab: Lab, pristine_rig: Rig, prometheus: Prometheus, tmp_path: Path
) -> None:
    made = (template(prometheus.port, "vector(1)"), rollout())
    pristine_rig.apply(*made)
    until(lambda: phase(pristine_rig) == "Healthy", "it is never healthy")
    result = look(lab, pristine_rig, tmp_path, EXERCISE, files(*made))
    assert check(result, AGREES).verdict is Verdict.PASSED
    assert unmet(result, MEASURES) == ["never-analysed"]


def test_a_good_version_goes_on(lab: Lab, pristine_rig: Rig, prometheus: Prometheus, tmp_path: Path) -> None:
    made = (template(prometheus.port, "vector(1)"), rollout())
    updated(pristine_rig, *made)

    def analysed() -> bool:
        runs = pristine_rig.api.request("GET", "/apis/argoproj.io/v1alpha1/namespaces/default/analysisruns")
        return any(each.get("status", {}).get("phase") == "Successful" for each in runs["items"])

    until(lambda: analysed() and phase(pristine_rig) == "Healthy", "the second version never arrives")
    result = look(lab, pristine_rig, tmp_path, EXERCISE, files(*made))
    assert {check(result, name).verdict for name in (AGREES, MEASURES)} == {Verdict.PASSED}


def test_a_bad_version_is_taken_back_and_that_is_right(
    lab: Lab, pristine_rig: Rig, prometheus: Prometheus, tmp_path: Path
) -> None:
    made = (template(prometheus.port, "vector(0.5)"), rollout())
    updated(pristine_rig, *made)
    until(lambda: aborted(pristine_rig), "it is never aborted")
    result = look(lab, pristine_rig, tmp_path, EXERCISE, files(*made))
    assert [fact.id for fact in check(result, AGREES).facts] == ["rolled-back"]
    assert {check(result, name).verdict for name in (AGREES, MEASURES)} == {Verdict.PASSED}


@pytest.mark.parametrize(
    ("query", "anywhere", "metric", "expected"),
    [
        ("vector(1)", False, {}, "analysis-error"),
        ("absent_metric", True, {}, "analysis-error"),
        ("vector(0.9)", True, {"failureCondition": "result[0] < 0.5"}, "analysis-inconclusive"),
    ],
    ids=["nobody-answers", "no-traffic", "between-two-conditions"],
)
def test_an_analysis_that_cannot_tell(
    query: str,
    anywhere: bool,
    metric: dict[str, Any],
    expected: str,
    lab: Lab,
    pristine_rig: Rig,
    prometheus: Prometheus,
    tmp_path: Path,
) -> None:
    made = (template(prometheus.port if anywhere else free_port(), query, **metric), rollout())
    updated(pristine_rig, *made)
    runs = "/apis/argoproj.io/v1alpha1/namespaces/default/analysisruns"
    until(
        lambda: any(
            each.get("status", {}).get("phase") in ("Error", "Inconclusive")
            for each in pristine_rig.api.request("GET", runs)["items"]
        ),
        "the analysis never ends",
    )
    if expected == "analysis-error":
        until(lambda: aborted(pristine_rig), "it is never aborted")
    result = look(lab, pristine_rig, tmp_path, EXERCISE, files(*made))
    if expected == "analysis-error":
        assert unmet(result, AGREES) == ["rollout-aborted"]
        assert result.hint is not None
    else:
        assert unmet(result, MEASURES) == [expected]


@pytest.mark.parametrize(
    ("canary", "metric", "words"),
    [
        ({"steps": [{"setCanaryScale": {"weight": 10}}, {"setWeight": 10}]}, {}, "requires TrafficRouting"),
        ({}, {"interval": "30s"}, "runs indefinitely"),
        ({"canaryService": "one", "stableService": "one"}, {}, "same service"),
        ({"maxSurge": 0, "maxUnavailable": 0}, {}, "both can not be zero"),
    ],
    ids=["no-router", "no-end", "one-service", "no-change"],
)
def test_what_the_controller_refuses_the_files_show(
    canary: dict[str, Any],
    metric: dict[str, Any],
    words: str,
    lab: Lab,
    pristine_rig: Rig,
    prometheus: Prometheus,
    tmp_path: Path,
) -> None:
    made = (template(prometheus.port, "vector(1)", **metric), rollout(**canary))
    pristine_rig.apply(*made)
    until(lambda: phase(pristine_rig) == "Degraded", "it is never refused")
    result = look(lab, pristine_rig, tmp_path, EXERCISE, files(*made))
    assert unmet(result, AGREES) == ["rollout-degraded"]
    [fact] = [fact for fact in check(result, AGREES).facts if fact.met is False]
    assert words in str(fact.observed)
    told = {"router-missing", "analysis-never-ends", "services-same", "no-way-to-change"}
    in_files = {fact.id for each in result.checks if each.half == "files" for fact in each.unmet}
    assert in_files & told


def test_a_neighbours_of_the_same_name_is_not_judged(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    """Names are listed in the order of namespaces; the file's own comes first all the same."""
    theirs = rollout()
    theirs["metadata"]["namespace"] = "a-team"
    pristine_rig.apply(rollout(), template(1, "up"), theirs)
    path = ROLLOUT.replace("/default/", "/a-team/")
    until(
        lambda: (pristine_rig.api.get(path) or {}).get("status", {}).get("phase") == "Degraded",
        "the neighbour's, which has no template, is never degraded",
    )
    until(lambda: phase(pristine_rig) == "Healthy", "ours is never healthy")
    result = look(lab, pristine_rig, tmp_path, EXERCISE, files(rollout(), template(1, "up")))
    assert check(result, AGREES).verdict is Verdict.PASSED
