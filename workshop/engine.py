"""Which checks run, in what order, with what outcome.

The way of the data: a Lab and a Workspace go in, a Report comes out. Nothing is written.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import TYPE_CHECKING

from workshop.answers import Answers, read_answers
from workshop.checking import Check
from workshop.cluster.port import Unreachable
from workshop.content import Exercise, Lab
from workshop.execution import Setting, defect, not_judged, readable, run_check
from workshop.guide import hint_for
from workshop.network import LiveNetwork, Network
from workshop.texts import Message, Text
from workshop.verdicts import (
    CheckResult,
    ExerciseResult,
    Finding,
    Half,
    Level,
    Mode,
    Reason,
    Report,
    Score,
    Verdict,
    exercise_verdict,
)
from workshop.workspace import Snapshot, Workspace

if TYPE_CHECKING:  # files alone need no stage
    from workshop.cluster.stage import Stage, Stages


@dataclass(frozen=True, slots=True)
class Run:
    """What a run looks at: one workspace, read once, in one mode.

    `stages` gives the cluster half something to look at; None is said as `no-cluster` or `no-sandbox`.
    `network` is what the network half asks; nothing is asked before a check does.
    """

    lab: Lab
    workspace: Workspace
    mode: Mode
    answers: Answers
    stages: Stages | Unreachable | None = None
    network: Network = field(default_factory=LiveNetwork)

    @classmethod
    def of(
        cls, lab: Lab, workspace: Workspace, mode: Mode, stages: Stages | Unreachable | None = None
    ) -> Run:
        """Start a run; the answers are read here, once."""
        return cls(lab, workspace, mode, read_answers(workspace), stages)


def judge(
    run: Run, ids: Iterable[str] = (), *, progress: Callable[[ExerciseResult], None] | None = None
) -> Report:
    """Judge the named exercises (all of them when none is named) and return the report.

    `progress` is told every result as it is known. Raises KeyError for an id that the lab does not have.
    """
    run = replace(run, workspace=Snapshot.of(run.workspace))
    named = list(dict.fromkeys(ids))
    # One exercise may be named by its id and by its slug: it counts once.
    asked_for = {exercise.id: exercise for exercise in (_known(run.lab, each) for each in named)}
    wanted = list(asked_for.values()) if named else list(run.lab.exercises)
    results = []
    for exercise in wanted:
        result = judge_exercise(run, exercise)
        if not named:
            # Without ids, what this mode cannot judge at all is listed but not asked for.
            result = replace(result, asked=result.in_reach)
        results.append(result)
        if progress:
            progress(result)
    return Report(run.lab.id, run.lab.title, run.mode, tuple(results), score(run.lab, results))


def judge_exercise(run: Run, exercise: Exercise) -> ExerciseResult:
    """Judge one exercise. Never raises: a defect of ours becomes an `error` check."""
    run = replace(run, workspace=Snapshot.of(run.workspace))
    results: list[CheckResult] = []
    try:
        checks = load_checks(run.lab, exercise)
    except Exception as error:  # noqa: BLE001 (a broken check module must not take the lab down)
        results.append(defect(f"{exercise.id}.checks", error))
        checks = []
    with ExitStack() as stack:
        stage = _stage(run, exercise, checks, stack)
        setting = Setting(exercise, run.workspace, run.answers, run.mode, stage, run.network)
        results += readable(setting)
        outcomes: dict[Check, Verdict] = {}
        for check in checks:
            result = run_check(setting, check, outcomes)
            outcomes[check] = result.verdict
            results.append(result)
        diagnosis, unseen = _diagnosis(run, exercise, setting, results)
    judged_halves = {check.half for check in checks if check.level is Level.MUST}
    results.extend(not_judged(setting, half) for half in exercise.halves if half not in judged_halves)
    verdict = exercise_verdict(results)
    return ExerciseResult(
        id=exercise.id,
        slug=exercise.slug,
        title=exercise.title,
        verdict=verdict,
        max_points=exercise.points,
        checks=tuple(results),
        hint=hint_for(run.lab, exercise, results, diagnosis) if verdict is not Verdict.PASSED else None,
        diagnosis=diagnosis,
        unseen=unseen,
    )


def _diagnosis(
    run: Run, exercise: Exercise, setting: Setting, results: Sequence[CheckResult]
) -> tuple[tuple[Finding, ...], tuple[Message, ...]]:
    """Look for what is wrong on the cluster where a check that looked there did not pass."""
    if setting.stage is None or isinstance(setting.stage, Unreachable):
        return (), ()
    from workshop.diagnosis.diagnose import asks_why, diagnose  # files alone need none of it

    if not asks_why(results):
        return (), ()
    return diagnose(run.lab, exercise, run.workspace, setting.stage.cluster, results)


def _stage(run: Run, exercise: Exercise, checks: list[Check], stack: ExitStack) -> Stage | Unreachable | None:
    """Set the stage of an exercise, if any of its checks looks at a cluster in this mode."""
    if run.mode is Mode.OFFLINE:
        return None
    if run.stages is None:
        missing = Reason.NO_SANDBOX if run.mode is Mode.SANDBOX else Reason.NO_CLUSTER
        return Unreachable(missing, Text("there is no cluster to look at"))
    if isinstance(run.stages, Unreachable):
        return run.stages
    looking = [check for check in checks if check.half is Half.CLUSTER and not check.containers]
    if run.mode is Mode.SANDBOX and (not looking or not exercise.sandbox.parts):
        return None
    try:
        return stack.enter_context(run.stages.stage(exercise, run.workspace))
    except Unreachable as unreachable:
        return unreachable


def score(lab: Lab, results: Iterable[ExerciseResult]) -> Score:
    """Add up the points. `max_points` is always the lab's total; bonus points come on top."""
    results = list(results)
    regular = [result for result in results if not _is_bonus(lab, result)]
    return Score(
        points=sum(result.points for result in results),
        judged_points=sum(result.max_points for result in regular if result.judged),
        max_points=lab.max_points,
        threshold=lab.threshold,
    )


def load_checks(lab: Lab, exercise: Exercise) -> list[Check]:
    """Return the checks of an exercise in their order: files first, then the cluster, then the network."""
    package = f"workshop.labs.{lab.id}"
    folders = (package, f"{package}.on_cluster", f"{package}.on_network")
    modules = [_module(f"{folder}.{exercise.module}") for folder in folders]
    return [
        value for module in modules if module for value in vars(module).values() if isinstance(value, Check)
    ]


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.startswith(error.name):
            return None
        raise


def _known(lab: Lab, wanted: str) -> Exercise:
    exercise = lab.exercise(wanted)
    if exercise is None:
        raise KeyError(wanted)
    return exercise


def _is_bonus(lab: Lab, result: ExerciseResult) -> bool:
    exercise = lab.exercise(result.id)
    return exercise is not None and exercise.bonus
