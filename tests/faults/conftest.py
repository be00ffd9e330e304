"""One finished lab for all of them, a proxy before it, and what is said of it when nothing is wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest

from tests.faults import lab_state
from tests.faults.grader import Right, compared, manifest
from tests.faults.proxy import Proxy, Spoilt, standing_before
from tests.faults.services import Services
from tests.faults.services import running as services_of_the_lab
from tests.faults.verdicts import look, verdicts, wrong
from tests.rig.cluster import Rig
from workshop.accounts import Account
from workshop.cluster.live import LiveCluster
from workshop.cluster.port import Unreachable
from workshop.cluster.stage import LiveStages
from workshop.content import Exercise, Lab
from workshop.engine import Run, judge_exercise
from workshop.starting import start_workspace
from workshop.verdicts import CheckResult, ExerciseResult, Half, Mode
from workshop.workspace import Workspace


@dataclass(slots=True)
class Student:
    """Somebody who checks a lab through a proxy.

    `truth` is what is said of it when nothing is wrong, `asked` what its live checks read by exercise,
    `asked_at_all` what is read with hints.
    """

    lab: Lab
    workspace: Workspace
    proxy: Proxy
    fronts: Mapping[str, Proxy]
    kubeconfig: Path
    truth: dict[str, ExerciseResult] = field(default_factory=dict)
    asked: dict[str, frozenset[str]] = field(default_factory=dict)
    asked_at_all: dict[str, frozenset[str]] = field(default_factory=dict)
    _turn: Iterator[int] = field(default_factory=count)

    def stages(self, seconds: float = 10.0) -> LiveStages:
        """Return a cluster that nothing is known of yet."""
        return LiveStages(LiveCluster("lab", self.kubeconfig, seconds=seconds))

    def learn(self) -> None:
        """Look at everything once, while nothing is wrong."""
        for exercise in self.lab.exercises:
            self.proxy.asked.clear()
            self.truth[exercise.id] = self.judge(exercise, self.stages())
            self.asked_at_all[exercise.id] = self._read()
            self.proxy.asked.clear()
            self.look(exercise, self.stages())
            self.asked[exercise.id] = self._read()

    def _read(self) -> frozenset[str]:
        return frozenset(each.resource for each in self.proxy.asked if each.resource)

    def judge(self, exercise: Exercise, stages: LiveStages | Unreachable) -> ExerciseResult:
        """Judge an exercise on a cluster."""
        return judge_exercise(Run.of(self.lab, self.workspace, Mode.CLUSTER, stages), exercise)

    def look(self, exercise: Exercise, stages: LiveStages | Unreachable) -> list[CheckResult]:
        """Run the live checks alone: what they stand on in the files is taken as it is without a fault."""
        run = Run.of(self.lab, self.workspace, Mode.CLUSTER, stages)
        return look(run, exercise, self.truth[exercise.id], Half.CLUSTER)

    @property
    def on_cluster(self) -> list[Exercise]:
        """The exercises whose checks put a question to the cluster."""
        return [each for each in self.lab.exercises if self.asked.get(each.id)]

    def under(
        self,
        fault: Spoilt,
        exercises: Iterable[Exercise] | None = None,
        *,
        front: Proxy | None = None,
        seconds: float = 10.0,
        evidence: Mapping[str, Collection[str]] | None = None,
    ) -> list[str]:
        """Look at exercises in one run under a fault, and at one of them when it is over.

        Returns what was said that nobody could know. Raises AssertionError where the fault was never met.
        """
        exercises = list(self.on_cluster if exercises is None else exercises)
        found, stages = [], self.stages(seconds)
        with (front or self.proxy).spoiling(fault):
            for exercise in exercises:
                checks = self.look(exercise, stages)
                found += wrong(self.truth[exercise.id], checks, fault.name, evidence=evidence)
        assert fault.bitten, f"{fault.name} was never met"
        return found + self._after(fault, exercises[next(self._turn) % len(exercises)])

    def _after(self, fault: Spoilt, exercise: Exercise) -> list[str]:
        """Return the checks of an exercise that are not again what they were before a fault."""
        truth = verdicts(self.truth[exercise.id].checks, Half.CLUSTER)
        now = verdicts(self.look(exercise, self.stages()), Half.CLUSTER)
        return [
            f"after {fault.name} {check} stays {verdict}"
            for check, verdict in now.items()
            if verdict != truth[check]
        ]


@pytest.fixture(scope="package")
def services(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """What answers behind the cluster's Services."""
    with services_of_the_lab(lab, tmp_path_factory.mktemp("services")) as made:
        yield made


@pytest.fixture(scope="package")
def done(rig: Rig, lab: Lab, services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cluster on which the whole lab was done, and the folder of whoever did it."""
    lab_state.install(rig, lab, services)
    yield lab_state.workspace(lab, tmp_path_factory.mktemp("done"), services)
    rig.reset()


@pytest.fixture(scope="package")
def student(
    rig: Rig, lab: Lab, done: Path, services: Services, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Student]:
    folder = tmp_path_factory.mktemp("faults")
    with standing_before(rig.sandbox.kubeconfig) as proxy:
        made = Student(lab, Workspace(done), proxy, services.fronts, proxy.kubeconfig(folder))
        made.learn()
        yield made


@pytest.fixture(scope="package")
def token(rig: Rig, lab: Lab, done: Path) -> str:
    """The token of the grader's account, on a cluster where the whole lab was done."""
    objects = manifest(lab)
    rig.apply(*objects)
    account = next(each for each in objects if each["kind"] == "ServiceAccount")["metadata"]
    path = f"/api/v1/namespaces/{account['namespace']}/serviceaccounts/{account['name']}/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    return str(rig.api.request("POST", path, body)["status"]["token"])


@pytest.fixture(scope="package")
def asked_when_done(
    rig: Rig, lab: Lab, student: Student, token: str, tmp_path_factory: pytest.TempPathFactory
) -> set[Right]:
    """The rights that it takes to judge the finished lab, and files that were hardly begun."""
    begun = tmp_path_factory.mktemp("begun")
    start_workspace(lab, begun, Account())
    asked = compared(rig, student, token, tmp_path_factory.mktemp("grader"))
    other = replace(student, workspace=Workspace(begun))
    return asked | compared(rig, other, token, tmp_path_factory.mktemp("grader"))
