"""`--wait`: what takes time is given it, what stands still is not waited for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.tui.in_memory import InMemory
from workshop.cluster.port import Object, Unreachable
from workshop.cluster.stage import LiveStages
from workshop.content import Lab
from workshop.engine import Run
from workshop.standstill import SECONDS
from workshop.texts import Text, translate
from workshop.verdicts import Mode, Reason, Report, Verdict
from workshop.waiting import judge_until_settled
from workshop.workspace import Workspace

PATH, NAME = "td/kyverno/policy-deny-latest.yaml", "disallow-latest-tag"


@pytest.fixture
def waiting(lab: Lab, tmp_path: Path) -> Callable[..., tuple[Report, list[str]]]:
    """Judge 2.2 for some seconds of a clock that only sleep moves; `steps` happen between two looks."""

    def wait(
        cluster: InMemory, *steps: Callable[[], Any], file: str | None = None, seconds: float = 10
    ) -> Any:
        (tmp_path / PATH).parent.mkdir(parents=True, exist_ok=True)
        if file is None:
            shutil.copy(lab.solutions / PATH, tmp_path / PATH)
        else:
            (tmp_path / PATH).write_text(file)
        told: list[str] = []
        now = [0.0]
        pending = list(steps)

        def sleep(seconds: float) -> None:
            now[0] += seconds
            if pending:
                pending.pop(0)()

        def look(run: Run) -> Run:
            try:
                cluster.serves("Namespace")
            except Unreachable as unreachable:
                return replace(run, stages=unreachable)
            return replace(run, stages=LiveStages(cluster))

        run = look(Run.of(lab, Workspace(tmp_path), Mode.CLUSTER))
        report = judge_until_settled(
            run,
            ["2.2"],
            seconds=seconds,
            look_anew=look,
            tell=lambda message: told.append(translate(message, "fr")),
            clock=lambda: now[0],
            sleep=sleep,
        )
        return report, told

    return wait


def test_what_is_applied_late_is_seen(waiting: Any) -> None:
    cluster = InMemory()
    report, told = waiting(
        cluster, lambda: cluster.put_policy(NAME, ready=False), lambda: cluster.put_policy(NAME)
    )
    assert report.exercises[0].verdict is Verdict.PASSED
    assert report.score.points == 5
    assert told == ["convergence en cours, encore 10 s : 2.2", "convergence en cours, encore 9 s : 2.2"]


def test_a_cluster_that_comes_up_is_waited_for(waiting: Any) -> None:
    cluster = InMemory()
    cluster.put_policy(NAME)
    cluster.down = Reason.NO_CLUSTER
    report, told = waiting(cluster, lambda: None, lambda: setattr(cluster, "down", None))
    assert report.exercises[0].verdict is Verdict.PASSED
    assert len(told) == 2


def test_the_time_is_over_at_some_time(waiting: Any) -> None:
    report, told = waiting(InMemory())
    assert report.exercises[0].verdict is Verdict.UNFINISHED
    assert len(told) == 10


def test_a_file_that_is_wrong_is_not_waited_for(waiting: Any) -> None:
    cluster = InMemory()
    cluster.put_policy(NAME)
    report, told = waiting(cluster, file="kind: [")
    assert report.exercises[0].verdict is Verdict.FAILED
    assert told == []


def test_a_cluster_that_refuses_to_be_looked_at_is_not_waited_for(waiting: Any) -> None:
    cluster = InMemory()
    cluster.down = Reason.FORBIDDEN
    report, told = waiting(cluster)
    assert report.exercises[0].verdict is Verdict.UNKNOWN
    assert told == []


def _audited() -> InMemory:
    """Return a cluster whose policy is as good as in Audit: ready, and nobody is refused."""
    cluster = InMemory()
    cluster.put_policy(NAME)
    cluster.enforced = False
    return cluster


PENDING: Object = {"metadata": {"name": "late", "namespace": "default"}, "status": {"phase": "Pending"}}


def test_what_is_finally_wrong_is_not_waited_for(waiting: Any) -> None:
    report, told = waiting(_audited(), seconds=60)
    assert report.exercises[0].verdict is Verdict.FAILED
    assert len(told) == SECONDS, "as long as webhooks may take"
    [why] = report.warnings
    assert "2.2" in translate(why, "en")
    assert translate(why, "fr") != translate(why, "en")


def test_what_moves_meanwhile_begins_anew(waiting: Any) -> None:
    cluster = _audited()
    idle = [lambda: None] * 9
    report, told = waiting(cluster, *idle, lambda: cluster.put_policy(NAME), seconds=60)
    assert len(told) == 10 + SECONDS
    assert len(report.warnings) == 1


def test_what_is_mended_while_it_stands_still_passes(waiting: Any) -> None:
    cluster = _audited()
    idle = [lambda: None] * 9
    report, told = waiting(cluster, *idle, lambda: setattr(cluster, "enforced", True), seconds=60)
    assert report.exercises[0].verdict is Verdict.PASSED
    assert len(told) == 10
    assert report.warnings == ()


def test_while_something_is_on_its_way_nothing_is_final(waiting: Any) -> None:
    cluster = _audited()
    cluster.pods.append(PENDING)
    report, told = waiting(cluster, seconds=60)
    assert len(told) == 60
    assert report.warnings == ()


def test_what_is_not_there_may_be_applied_until_the_end(waiting: Any) -> None:
    report, told = waiting(InMemory(), seconds=60)
    assert len(told) == 60
    assert report.warnings == ()


def test_who_may_not_see_the_whole_cluster_is_certain_of_nothing(waiting: Any) -> None:
    class Narrow(InMemory):
        def list(self, kind: str, **narrowed: Any) -> list[Object]:
            if kind == "Pod":
                raise Unreachable(Reason.FORBIDDEN, Text("no"))
            return super().list(kind, **narrowed)

    cluster = Narrow()
    cluster.put_policy(NAME)
    cluster.enforced = False
    _, told = waiting(cluster, seconds=60)
    assert len(told) == 60


def test_nothing_in_the_words_is_left_in_english() -> None:
    assert translate(Text("converging: {ids}", ids="2.2"), "fr") == "en convergence : 2.2"
