"""One installed lab a module, a proxy before it, and what a whole-lab check says when nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults import lab_state
from tests.faults.proxy import Proxy, standing_before
from tests.rig.cluster import Rig
from workshop.checking import Check
from workshop.cluster.live import LiveCluster
from workshop.cluster.port import Unreachable
from workshop.cluster.stage import LiveStages, Stage
from workshop.content import Exercise, Lab
from workshop.engine import Run, judge_exercise, load_checks
from workshop.execution import Setting, run_check
from workshop.verdicts import CheckResult, ExerciseResult, Half, Mode, Verdict
from workshop.workspace import Workspace


@dataclass(slots=True)
class Student:
    """Somebody who did the whole lab, and checks it through a proxy."""

    lab: Lab
    workspace: Workspace
    proxy: Proxy
    kubeconfig: Path
    truth: Mapping[str, ExerciseResult]
    asked: Mapping[str, frozenset[str]]

    def stages(self, seconds: float = 10.0) -> LiveStages:
        """Return a cluster that nothing is known of yet."""
        return LiveStages(LiveCluster("lab", self.kubeconfig, seconds=seconds))

    def judge(self, exercise: Exercise, stages: LiveStages | Unreachable) -> ExerciseResult:
        """Judge an exercise on a cluster."""
        return judge_exercise(Run.of(self.lab, self.workspace, Mode.CLUSTER, stages), exercise)

    def look(self, exercise: Exercise, stages: LiveStages | Unreachable) -> list[CheckResult]:
        """Run the live checks alone: what they stand on in the files is taken as it is without a fault."""
        truth = {check.id: check.verdict for check in self.truth[exercise.id].checks}
        run = Run.of(self.lab, self.workspace, Mode.CLUSTER, stages)
        results, outcomes = [], dict[Check, Verdict]()
        with ExitStack() as stack:
            stage: Stage | Unreachable = (
                stages
                if isinstance(stages, Unreachable)
                else stack.enter_context(stages.stage(exercise, self.workspace))
            )
            setting = Setting(exercise, run.workspace, run.answers, run.mode, stage, run.network)
            for check in load_checks(self.lab, exercise):
                if check.half is Half.CLUSTER:
                    result = run_check(setting, check, outcomes)
                    outcomes[check] = result.verdict
                    results.append(result)
                else:
                    outcomes[check] = truth[f"{exercise.id}.{check.name}"]
        return results

    @property
    def on_cluster(self) -> list[Exercise]:
        """The exercises whose checks put a question to the cluster."""
        return [each for each in self.lab.exercises if self.asked.get(each.id)]


@pytest.fixture(scope="module")
def student(rig: Rig, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Student]:
    lab_state.install(rig, lab)
    folder = tmp_path_factory.mktemp("faults")
    with standing_before(rig.sandbox.kubeconfig) as proxy:
        truth: dict[str, ExerciseResult] = {}
        asked: dict[str, frozenset[str]] = {}
        made = Student(lab, Workspace(lab.solutions), proxy, proxy.kubeconfig(folder), truth, asked)
        for exercise in lab.exercises:
            proxy.asked.clear()
            truth[exercise.id] = made.judge(exercise, made.stages())
            asked[exercise.id] = frozenset(each.resource for each in proxy.asked if each.resource)
        yield made
    rig.sandbox.reset()


def verdicts(checks: Iterable[CheckResult], half: Half) -> dict[str, str]:
    """Return the verdict of every check of a half."""
    return {check.id: check.verdict.value for check in checks if check.half is half}
