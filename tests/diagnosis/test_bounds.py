"""A diagnosis is advice: it costs nothing but itself, asks little, and reads nothing that is secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.diagnosis.objects import Shelf, event, failed, pod, waits
from workshop.cluster.stage import LiveStages
from workshop.content import Lab
from workshop.diagnosis import diagnose as module
from workshop.diagnosis.diagnose import asks_why, diagnose
from workshop.engine import Run, judge_exercise
from workshop.texts import Text
from workshop.verdicts import Fact, Finding, Half, Mode, Reason, Source, Verdict
from workshop.workspace import Workspace

PULLED = pod("web-1", "backstage", waits("ImagePullBackOff", "Back-off"))


def _diagnose(
    lab: Lab, folder: Path, shelf: Shelf, exercise_id: str = "1.1"
) -> tuple[tuple[Finding, ...], tuple[Any, ...]]:
    exercise = lab.exercise(exercise_id)
    assert exercise is not None
    return diagnose(lab, exercise, Workspace(folder), shelf, [failed()])


def test_forbidden_events_cost_only_what_they_alone_say(lab: Lab, started: Path) -> None:
    probe = pod("web-2", "backstage", {"name": "m", "state": {"running": {}}}, phase="Running")
    unhealthy = event(probe, "Pod", "Unhealthy", "Readiness probe failed: connection refused")
    shelf = Shelf({"Pod": [PULLED, probe], "Event": [unhealthy]})
    assert [each.id for each in _diagnose(lab, started, shelf)[0]] == ["image-unavailable", "probe-fails"]

    shelf.faults["Event"] = Reason.FORBIDDEN
    findings, unseen = _diagnose(lab, started, shelf)
    assert [each.id for each in findings] == ["image-unavailable"]
    assert any("Event" in str(each) for each in unseen)
    assert findings[0].entry == "image-not-pulled"


@pytest.mark.parametrize("reason", [Reason.TIMEOUT, Reason.NO_CLUSTER, Reason.UNAUTHORIZED])
def test_who_does_not_answer_is_asked_once(lab: Lab, started: Path, reason: Reason) -> None:
    shelf = Shelf({}, {"*": reason})
    assert _diagnose(lab, started, shelf)[0] == ()
    assert len(shelf.asked) == 1


def test_nothing_is_asked_twice_and_nothing_secret(lab: Lab, started: Path) -> None:
    kinds = ("Pod", "Event", "PersistentVolumeClaim", "ReplicaSet.apps", "Namespace")
    for exercise in lab.exercises:
        shelf = Shelf({kind: [] for kind in kinds})
        _diagnose(lab, started, shelf, exercise.id)
        assert not any(kind.partition(".")[0] == "Secret" for kind in shelf.asked)
        assert len(shelf.asked) <= 40, exercise.id


def test_a_defect_of_one_family_costs_that_family(
    lab: Lab, started: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> Any:
        raise KeyError("status")
        yield

    monkeypatch.setattr(module, "_FAMILIES", (broken, *module._FAMILIES))
    findings, _ = _diagnose(lab, started, Shelf({"Pod": [PULLED], "Event": []}))
    assert [each.id for each in findings] == ["image-unavailable"]
    assert "KeyError" in caplog.text


@pytest.mark.parametrize(
    "odd",
    [
        {"metadata": {"namespace": "backstage"}},
        {"metadata": {"namespace": "backstage", "ownerReferences": None}, "status": {"conditions": None}},
        {"metadata": {"namespace": "backstage"}, "status": {"containerStatuses": [{"state": None}]}},
    ],
)
def test_objects_without_what_is_usual(lab: Lab, started: Path, odd: Any) -> None:
    kinds = ("Pod", "Event", "PersistentVolumeClaim", "ReplicaSet.apps", "Ingress.networking.k8s.io")
    assert _diagnose(lab, started, Shelf({kind: [odd] for kind in kinds}))[0] == ()


def test_what_only_the_file_lacks_asks_nobody() -> None:
    result = failed(Fact("needs", Text("x"), None, reason=Reason.NEEDS), verdict=Verdict.BLOCKED)
    assert asks_why([failed()])
    assert not asks_why([])
    for reason in (Reason.NEEDS, Reason.MISSING_FILE, Reason.NO_CLUSTER, Reason.NO_CONTAINERS):
        blocked = type(result)(
            result.id, result.title, result.level, Half.CLUSTER, Verdict.BLOCKED, reason=reason
        )
        assert not asks_why([blocked]), reason


def test_a_diagnosis_changes_no_verdict(lab: Lab, solved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exercise = lab.exercise("2.2")
    assert exercise is not None
    shelf = Shelf({"ClusterPolicy.kyverno.io": [], "Pod": [pod("k", "kyverno", waits("ErrImagePull"))]})
    run = Run.of(lab, Workspace(solved), Mode.CLUSTER, LiveStages(shelf))
    with_it = judge_exercise(run, exercise)
    monkeypatch.setattr("workshop.diagnosis.diagnose.diagnose", lambda *_: ((), ()))
    without = judge_exercise(run, exercise)
    assert "image-unavailable" in [each.id for each in with_it.diagnosis]
    assert without.diagnosis == ()
    assert with_it.verdict is without.verdict is Verdict.UNFINISHED
    assert [each.verdict for each in with_it.checks] == [each.verdict for each in without.checks]


def test_a_mistake_in_the_file_keeps_its_hint(lab: Lab) -> None:
    from workshop.guide import hint_for, load_guide

    exercise = lab.exercise("2.2")
    assert exercise is not None
    entry = next(each for each in load_guide(lab) if each.id == "rule-misses-the-mark")
    finding = Finding("unschedulable", "Pod/kyverno/x", "0/1 nodes", remedy="make room")
    here = Fact("latest-admitted", Text("x"), False, source=Source(file="td/kyverno/x.yaml", line=3))
    there = Fact("latest-admitted", Text("x"), False, source=Source(object="ClusterPolicy/x"))
    assert hint_for(lab, exercise, [failed(here)], [finding]) == entry.remedy
    assert hint_for(lab, exercise, [failed(there)], [finding]) == "make room"
    assert hint_for(lab, exercise, [failed(there)], []) == entry.remedy
    assert hint_for(lab, exercise, [], [finding]) == "make room"
