"""How one check is run, and what stands in for those that cannot be."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from workshop.answers import Answers
from workshop.checking import Check, Exam
from workshop.cluster.port import Unreachable
from workshop.content import Exercise
from workshop.network import LiveNetwork, Network
from workshop.texts import Text
from workshop.typography import bent_quotes
from workshop.verdicts import (
    CheckResult,
    Fact,
    Half,
    Level,
    Mode,
    Reason,
    Source,
    Verdict,
    check_verdict,
)
from workshop.workspace import Dialect, Unreadable, Workspace

if TYPE_CHECKING:  # files alone need no stage
    from workshop.cluster.stage import Stage


@dataclass(frozen=True, slots=True)
class Setting:
    """What the checks of one exercise look at.

    `stage` is None where the mode looks at no cluster, and the reason itself where there should be one.
    """

    exercise: Exercise
    workspace: Workspace
    answers: Answers
    mode: Mode
    stage: Stage | Unreachable | None = None
    network: Network = field(default_factory=LiveNetwork)


def run_check(setting: Setting, check: Check, outcomes: Mapping[Check, Verdict]) -> CheckResult:
    """Run one check. Never raises: a defect of ours becomes an `error`."""
    skeleton = CheckResult(
        id=f"{setting.exercise.id}.{check.name}",
        title=check.title,
        level=check.level,
        half=check.half,
        verdict=Verdict.UNKNOWN,
        why=check.why,
    )
    reason = _out_of_reach(setting, check.half, containers=check.containers)
    if reason is not None:
        return replace(skeleton, verdict=_verdict_of(reason), reason=reason)
    if check.half is Half.CLUSTER and isinstance(setting.stage, Unreachable):
        return _unreached(skeleton, setting.stage)
    waiting = next((need for need in check.needs if outcomes.get(need) is not Verdict.PASSED), None)
    if waiting is not None:
        fact = Fact(
            "needs", Text("First this must hold: {title}", title=waiting.title), met=None, reason=Reason.NEEDS
        )
        return replace(skeleton, verdict=Verdict.BLOCKED, reason=Reason.NEEDS, facts=(fact,))
    exam = Exam(setting.exercise, setting.workspace, setting.answers, setting.stage, setting.network)
    started = time.perf_counter()
    verdict: Verdict
    try:
        with exam.part():
            check.run(exam)
        verdict, reason = exam.conclude()
    except Unreachable as unreachable:
        return replace(_unreached(skeleton, unreachable, exam.facts), seconds=time.perf_counter() - started)
    except Exception as error:  # noqa: BLE001 (our defect must look like ours, and cost one check only)
        found = defect(skeleton.id, error)
        exam.facts.extend(found.facts)
        verdict, reason = found.verdict, found.reason
    return replace(
        skeleton,
        verdict=verdict,
        reason=reason,
        seconds=time.perf_counter() - started,
        facts=tuple(exam.facts),
    )


def readable(setting: Setting) -> list[CheckResult]:
    """Say of every file that is there whether it can be read: a must for what is asked, else advice."""
    exercise = setting.exercise
    # Without a deciding file half, a file that can be read must not decide either.
    level = Level.MUST if Half.FILES in exercise.halves else Level.SHOULD
    title = Text("The files of this exercise can be read")
    beside = Text("What is kept beside them can be read")
    asked = _readable(
        setting, exercise.deliverables, f"{exercise.id}.readable", title, level, exercise.dialect
    )
    # A name that ends in a slash is a folder: what is in it is for the checks to judge.
    files = [path for path in exercise.optional if not path.endswith("/")]
    kept = _readable(setting, files, f"{exercise.id}.kept_readable", beside, Level.SHOULD)
    bent = _bent(setting, [*exercise.deliverables, *files])
    return [result for result in (asked, kept, bent) if result is not None]


def _bent(setting: Setting, paths: Iterable[str]) -> CheckResult | None:
    """Return advice on quotation marks that YAML takes for letters; None where there are none."""
    facts = []
    for path in map(setting.workspace.spelling, paths):
        if not path.endswith((".yaml", ".yml")):
            continue
        try:
            text = setting.workspace.text(path).text
        except Unreadable:
            continue
        facts += [
            Fact(
                "bent-quotes",
                Text("Quotation marks are straight ones"),
                met=False,
                expected='"…"',
                observed=each.value,
                next=Text(
                    "Type them anew: word processors and PDFs bend them, and YAML keeps them as letters."
                ),
                source=Source(path, each.line, each.column),
            )
            for each in islice(bent_quotes(text), 3)
        ]
    if not facts:
        return None
    return CheckResult(
        id=f"{setting.exercise.id}.quotes_are_straight",
        title=Text("Quotation marks are straight ones"),
        level=Level.SHOULD,
        half=Half.FILES,
        verdict=Verdict.FAILED,
        why=Text("A value in bent quotation marks is another value."),
        facts=tuple(facts),
    )


def _readable(
    setting: Setting,
    paths: Iterable[str],
    check_id: str,
    title: Text,
    level: Level,
    dialect: Dialect = "kubernetes",
) -> CheckResult | None:
    started = time.perf_counter()
    facts = [fact for path in paths if (fact := _readable_fact(setting.workspace, path, dialect))]
    if not facts:
        return None
    verdict, reason = check_verdict(facts)
    return CheckResult(
        id=check_id,
        title=title,
        level=level,
        half=Half.FILES,
        verdict=verdict,
        reason=reason,
        why=Text("A file that no tool can read is applied by no tool either."),
        seconds=time.perf_counter() - started,
        facts=tuple(facts),
    )


def _readable_fact(workspace: Workspace, path: str, dialect: Dialect) -> Fact | None:
    """Return the finding about one file, None when there is nothing yet."""
    path = workspace.spelling(path)
    try:
        if path.endswith((".yaml", ".yml")):
            workspace.documents(path, dialect=dialect)
        else:
            workspace.text(path)
    except Unreadable as unreadable:
        problem = unreadable.problem
        if problem.kind in ("missing", "empty"):
            return None
        position = problem.position
        source = Source(position.file, position.line, position.column) if position else Source(file=path)
        claim = Text("{path} can be read", path=path)
        expected = Text("a text that every tool of the field can read")
        return Fact(problem.kind, claim, False, expected, problem.text, problem.remedy, source)
    return Fact("readable", Text("{path} can be read", path=path), True, source=Source(file=path))


def _out_of_reach(setting: Setting, half: Half, *, containers: bool) -> Reason | None:
    """Return why the mode leaves a half out; None when it looks at it."""
    if half is Half.FILES:
        return None
    if setting.mode is Mode.OFFLINE:
        return Reason.OFFLINE
    if half is Half.NETWORK:
        return Reason.NO_NETWORK if setting.mode is Mode.SANDBOX else None
    if setting.mode is not Mode.SANDBOX:
        return None
    if containers:
        return Reason.NO_CONTAINERS
    return None if setting.exercise.sandbox.parts else Reason.NOT_BUILT


def _unreached(skeleton: CheckResult, unreachable: Unreachable, facts: Sequence[Fact] = ()) -> CheckResult:
    """Say why nobody could be asked; what was seen before then proves nothing by itself."""
    reason = unreachable.reason
    fact = Fact(
        reason.value,
        unreachable.claim,
        met=None,
        observed=unreachable.text,
        next=unreachable.next,
        reason=reason,
    )
    verdict = Verdict.BLOCKED if reason is Reason.MISSING_CRD else Verdict.UNKNOWN
    return replace(skeleton, verdict=verdict, reason=reason, facts=(*facts, fact))


def _verdict_of(reason: Reason) -> Verdict:
    return Verdict.BLOCKED if reason is Reason.NO_CONTAINERS else Verdict.UNKNOWN


def not_judged(setting: Setting, half: Half) -> CheckResult:
    """Stand in for a half that no check of this version judges, so that nobody takes silence for a pass."""
    titles = {
        Half.FILES: Text("The files"),
        Half.CLUSTER: Text("What runs on the cluster"),
        Half.NETWORK: Text("What is published on the network"),
    }
    skeleton = CheckResult(
        id=f"{setting.exercise.id}.{half}",
        title=titles[half],
        level=Level.MUST,
        half=half,
        verdict=Verdict.UNKNOWN,
    )
    reason = _out_of_reach(setting, half, containers=setting.exercise.containers)
    if reason is None and half is Half.CLUSTER and isinstance(setting.stage, Unreachable):
        return _unreached(skeleton, setting.stage)
    reason = reason or Reason.NOT_BUILT
    fact = Fact(f"{half}-not-judged", Text("This part is not judged here"), met=None, reason=reason)
    return replace(skeleton, verdict=_verdict_of(reason), reason=reason, facts=(fact,))


def defect(check_id: str, error: Exception) -> CheckResult:
    """Return the result that owns up to a defect of ours."""
    import logging  # a run without one does without it

    logging.getLogger(__name__).warning(
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
