"""Which checks run, in what order, with what outcome.

The way of the data: a Lab and a Workspace go in, a Report comes out. Nothing is written.
"""

from __future__ import annotations

import importlib
import logging
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import ModuleType

from workshop.answers import Answers, read_answers
from workshop.checking import Check, Exam
from workshop.content import Exercise, Lab
from workshop.guide import hint_for
from workshop.texts import Text
from workshop.verdicts import (
    CheckResult,
    ExerciseResult,
    Fact,
    Half,
    Level,
    Mode,
    Reason,
    Report,
    Score,
    Source,
    Verdict,
    check_verdict,
    exercise_verdict,
)
from workshop.workspace import Unreadable, Workspace

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run looks at: one workspace, read once, in one mode."""

    lab: Lab
    workspace: Workspace
    mode: Mode
    answers: Answers

    @classmethod
    def of(cls, lab: Lab, workspace: Workspace, mode: Mode) -> Run:
        """Start a run; the answers are read here, once."""
        return cls(lab, workspace, mode, read_answers(workspace))


def judge(
    run: Run, ids: Iterable[str] = (), *, progress: Callable[[ExerciseResult], None] | None = None
) -> Report:
    """Judge the named exercises (all of them when none is named) and return the report.

    `progress` is told every result as it is known. Raises KeyError for an id that the lab does not have.
    """
    named = list(dict.fromkeys(ids))
    wanted = [_known(run.lab, each) for each in named] if named else list(run.lab.exercises)
    results = []
    for exercise in wanted:
        result = judge_exercise(run, exercise)
        if not named:
            # Without ids, what this mode cannot judge at all is listed but not asked for.
            result = replace(result, asked=result.judged)
        results.append(result)
        if progress:
            progress(result)
    return Report(run.lab.id, run.lab.title, run.mode, tuple(results), score(run.lab, results))


def judge_exercise(run: Run, exercise: Exercise) -> ExerciseResult:
    """Judge one exercise. Never raises: a defect of ours becomes an `error` check."""
    results: list[CheckResult] = []
    readable = _readable(run, exercise)
    if readable is not None:
        results.append(readable)
    outcomes: dict[Check, Verdict] = {}
    try:
        checks = load_checks(run.lab, exercise)
    except Exception as error:  # noqa: BLE001 (a broken check module must not take the lab down)
        results.append(_defect(f"{exercise.id}.checks", error))
        checks = []
    for check in checks:
        result = _run_check(run, exercise, check, outcomes)
        outcomes[check] = result.verdict
        results.append(result)
    judged_halves = {check.half for check in checks}
    results.extend(_not_built(run, exercise, half) for half in exercise.halves if half not in judged_halves)
    verdict = exercise_verdict(results)
    return ExerciseResult(
        id=exercise.id,
        slug=exercise.slug,
        title=exercise.title,
        verdict=verdict,
        max_points=exercise.points,
        checks=tuple(results),
        hint=hint_for(run.lab, exercise, results) if verdict is not Verdict.PASSED else None,
    )


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
    """Return the checks of an exercise in the order of their definition; none when it has no module."""
    name = f"workshop.labs.{lab.id}.{exercise.module}"
    try:
        module: ModuleType = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            return []
        raise
    return [value for value in vars(module).values() if isinstance(value, Check)]


def _run_check(run: Run, exercise: Exercise, check: Check, outcomes: dict[Check, Verdict]) -> CheckResult:
    skeleton = CheckResult(
        id=f"{exercise.id}.{check.name}",
        title=check.title,
        level=check.level,
        half=check.half,
        verdict=Verdict.UNKNOWN,
        why=check.why,
    )
    reason = _out_of_reach(run.mode, check.half, containers=check.containers)
    if reason is not None:
        return replace(skeleton, verdict=_verdict_of(reason), reason=reason)
    waiting = next((need for need in check.needs if outcomes.get(need) is not Verdict.PASSED), None)
    if waiting is not None:
        fact = Fact(
            "needs", Text("First this must hold: {title}", title=waiting.title), met=None, reason=Reason.NEEDS
        )
        return replace(skeleton, verdict=Verdict.BLOCKED, reason=Reason.NEEDS, facts=(fact,))
    exam = Exam(exercise, run.workspace, run.answers)
    started = time.perf_counter()
    verdict: Verdict
    try:
        with exam.part():
            check.run(exam)
        verdict, reason = exam.conclude()
    except Exception as error:  # noqa: BLE001 (our defect must look like ours, and cost one check only)
        defect = _defect(skeleton.id, error)
        exam.facts.extend(defect.facts)
        verdict, reason = defect.verdict, defect.reason
    return replace(
        skeleton,
        verdict=verdict,
        reason=reason,
        seconds=time.perf_counter() - started,
        facts=tuple(exam.facts),
    )


def _readable(run: Run, exercise: Exercise) -> CheckResult | None:
    """Say of every deliverable that is there whether it can be read; None when there is none yet."""
    started = time.perf_counter()
    facts: list[Fact] = []
    for path in (*exercise.deliverables, *exercise.optional):
        try:
            if path.endswith((".yaml", ".yml")):
                run.workspace.documents(path)
            else:
                run.workspace.text(path)
        except Unreadable as unreadable:
            problem = unreadable.problem
            if problem.kind in ("missing", "empty"):
                continue
            position = problem.position
            source = Source(position.file, position.line, position.column) if position else Source(file=path)
            claim = Text("{path} can be read", path=path)
            facts.append(
                Fact(
                    f"{problem.kind}", claim, False, observed=problem.text, next=problem.remedy, source=source
                )
            )
        else:
            facts.append(
                Fact("readable", Text("{path} can be read", path=path), True, source=Source(file=path))
            )
    if not facts:
        return None
    verdict, reason = check_verdict(facts)
    return CheckResult(
        id=f"{exercise.id}.readable",
        title=Text("The files of this exercise can be read"),
        level=Level.MUST,
        half=Half.FILES,
        verdict=verdict,
        reason=reason,
        why=Text("A file that no tool can read is applied by no tool either."),
        seconds=time.perf_counter() - started,
        facts=tuple(facts),
    )


def _out_of_reach(mode: Mode, half: Half, *, containers: bool) -> Reason | None:
    if half is Half.FILES:
        return None
    if mode is Mode.OFFLINE:
        return Reason.OFFLINE
    if mode is Mode.SANDBOX and half is Half.NETWORK:
        return Reason.NO_NETWORK
    if mode is Mode.SANDBOX and containers:
        return Reason.NO_CONTAINERS
    return Reason.NO_CLUSTER if half is Half.CLUSTER else Reason.NO_NETWORK


def _verdict_of(reason: Reason) -> Verdict:
    return Verdict.BLOCKED if reason is Reason.NO_CONTAINERS else Verdict.UNKNOWN


def _not_built(run: Run, exercise: Exercise, half: Half) -> CheckResult:
    """Stand in for a half that this version cannot judge, so that nobody takes silence for a pass."""
    reason = _out_of_reach(run.mode, half, containers=exercise.containers) or Reason.NOT_BUILT
    titles = {
        Half.FILES: Text("The files"),
        Half.CLUSTER: Text("What runs on the cluster"),
        Half.NETWORK: Text("What is published on the network"),
    }
    return CheckResult(
        id=f"{exercise.id}.{half}",
        title=titles[half],
        level=Level.MUST,
        half=half,
        verdict=_verdict_of(reason),
        reason=reason,
        facts=(Fact(f"{half}-not-judged", Text("This part is not judged here"), met=None, reason=reason),),
    )


def _defect(check_id: str, error: Exception) -> CheckResult:
    log.warning(
        "%s: %s: %s", check_id, type(error).__name__, error, exc_info=bool(os.environ.get("WORKSHOP_DEBUG"))
    )
    return CheckResult(
        id=check_id,
        title=Text("The checks of this exercise"),
        level=Level.MUST,
        half=Half.FILES,
        verdict=Verdict.ERROR,
        reason=Reason.DEFECT,
        facts=(
            Fact(
                "defect",
                Text("The check itself works"),
                met=None,
                observed=Text("{kind}: {message}", kind=type(error).__name__, message=str(error)[:200]),
                next=Text("This is the workshop's fault, not yours: go on, and tell the maintainers."),
                reason=Reason.DEFECT,
            ),
        ),
    )


def _known(lab: Lab, wanted: str) -> Exercise:
    exercise = lab.exercise(wanted)
    if exercise is None:
        raise KeyError(wanted)
    return exercise


def _is_bonus(lab: Lab, result: ExerciseResult) -> bool:
    exercise = lab.exercise(result.id)
    return exercise is not None and exercise.bonus
