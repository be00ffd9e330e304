"""The words of a result: verdicts, levels, halves, facts – and how they add up.

Lab → Block → Exercise → Check → Fact. Everything here is plain, immutable data: screens and reports
are drawn from it and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from workshop.texts import Message


class Verdict(StrEnum):
    """What became of a check or an exercise."""

    PASSED = "passed"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    ERROR = "error"


class Level(StrEnum):
    """How much a check weighs: `must` decides the exercise, the others advise."""

    MUST = "must"
    SHOULD = "should"
    REMARK = "remark"


class Half(StrEnum):
    """What a check has to look at."""

    FILES = "files"
    CLUSTER = "cluster"
    NETWORK = "network"


class Mode(StrEnum):
    """Where a run looks: at files only, at a control plane of its own, or at the student's cluster."""

    OFFLINE = "offline"
    SANDBOX = "sandbox"
    CLUSTER = "cluster"


class Reason(StrEnum):
    """Why a check could not be judged. Values are part of the JSON contract."""

    OFFLINE = "offline"
    NO_CLUSTER = "no-cluster"
    NO_SANDBOX = "no-sandbox"
    NO_CONTAINERS = "no-containers"
    NO_NETWORK = "no-network"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    MISSING_CRD = "missing-crd"
    NEEDS = "needs"
    MISSING_FILE = "missing-file"
    UNREADABLE = "unreadable"
    BEYOND_EVALUATOR = "beyond-evaluator"
    NO_FACT = "no-fact"
    DEFECT = "defect"
    NOT_BUILT = "not-built"


# What a mode leaves out by choice: listed with its reason, and decides only when nothing else does.
LEFT_OUT = frozenset({Reason.OFFLINE, Reason.NO_CONTAINERS, Reason.NO_NETWORK, Reason.NOT_BUILT})

# The first of these that occurs among the deciding checks is the exercise's verdict.
PRECEDENCE = (
    Verdict.FAILED,
    Verdict.UNFINISHED,
    Verdict.ERROR,
    Verdict.BLOCKED,
    Verdict.UNKNOWN,
    Verdict.PASSED,
)


class Source(NamedTuple):
    """Where a fact was found: a place in a file (line and column from 1) or an object of the cluster."""

    file: str | None = None
    line: int | None = None
    column: int | None = None
    object: str | None = None
    field: str | None = None

    def __str__(self) -> str:
        if self.file is None:
            return " ".join(part for part in (self.object, self.field) if part)
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


@dataclass(frozen=True, slots=True)
class Fact:
    """One finding of a check; ids are stable and language-free.

    `met` is None when it could not be told, and `reason` then says why not.
    """

    id: str
    claim: Message
    met: bool | None
    expected: Message | None = None
    observed: Message | None = None
    next: Message | None = None
    source: Source | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check. `seconds` is wall time."""

    id: str
    title: Message
    level: Level
    half: Half
    verdict: Verdict
    reason: Reason | None = None
    why: Message | None = None
    seconds: float = 0.0
    facts: tuple[Fact, ...] = ()

    @property
    def left_out(self) -> bool:
        """Whether the chosen mode leaves this check out by choice."""
        return self.reason in LEFT_OUT

    @property
    def unmet(self) -> tuple[Fact, ...]:
        """The facts that do not hold."""
        return tuple(fact for fact in self.facts if fact.met is False)


class Finding(NamedTuple):
    """Something wrong on the cluster that explains a failure: object, message, and the guide's entry.

    `id` is the symptom's, stable and language-free; `since` is a time as the cluster wrote it.
    """

    id: str
    object: str
    message: Message
    since: str | None = None
    entry: str | None = None
    symptom: Message | None = None
    cause: Message | None = None
    remedy: Message | None = None


@dataclass(frozen=True, slots=True)
class ExerciseResult:
    """The outcome of one exercise. Points are all or nothing.

    `diagnosis` is what was seen to be wrong on the cluster where its half there did not pass, `unseen` what
    could not be looked at for it. Neither has a say in the verdict.
    """

    id: str
    slug: str
    title: Message
    verdict: Verdict
    max_points: float
    checks: tuple[CheckResult, ...] = ()
    hint: Message | None = None
    asked: bool = True
    diagnosis: tuple[Finding, ...] = ()
    unseen: tuple[Message, ...] = ()

    @property
    def points(self) -> float:
        """`max_points` when passed, else 0."""
        return self.max_points if self.verdict is Verdict.PASSED else 0.0

    @property
    def in_reach(self) -> bool:
        """Whether the chosen mode looks at anything that decides this exercise."""
        return any(check.level is Level.MUST and not check.left_out for check in self.checks)

    @property
    def judged(self) -> bool:
        """Whether the verdict says something about the student's work."""
        return self.in_reach and self.verdict in (Verdict.PASSED, Verdict.FAILED, Verdict.UNFINISHED)


class Score(NamedTuple):
    """Points of a run against the lab's total; bonus exercises add to `points`, not to `max_points`."""

    points: float
    judged_points: float
    max_points: float
    threshold: float

    @property
    def reached(self) -> bool:
        """Whether the threshold of the lab is reached."""
        return self.points >= self.threshold


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run: what every format and every screen is drawn from."""

    lab_id: str
    lab_title: Message
    mode: Mode
    exercises: tuple[ExerciseResult, ...]
    score: Score
    warnings: tuple[Message, ...] = field(default=())

    @property
    def exit_code(self) -> int:
        """1 when an exercise asked for is failed or unfinished, else 3 when one cannot be judged, else 0."""
        verdicts = {exercise.verdict for exercise in self.exercises if exercise.asked}
        if verdicts & {Verdict.FAILED, Verdict.UNFINISHED}:
            return 1
        if verdicts & {Verdict.ERROR, Verdict.BLOCKED, Verdict.UNKNOWN}:
            return 3
        return 0


def check_verdict(facts: Iterable[Fact]) -> tuple[Verdict, Reason | None]:
    """Return what the facts of one finished check add up to. No fact at all is a defect of the check."""
    recorded = list(facts)
    if not recorded:
        return Verdict.ERROR, Reason.NO_FACT
    if any(fact.met is False for fact in recorded):
        return Verdict.FAILED, None
    for fact in recorded:
        if fact.met is None:
            return Verdict.UNKNOWN, fact.reason or Reason.BEYOND_EVALUATOR
    return Verdict.PASSED, None


def exercise_verdict(checks: Iterable[CheckResult]) -> Verdict:
    """Return the verdict of an exercise from its `must` checks that the mode judges."""
    musts = [check for check in checks if check.level is Level.MUST]
    deciding = [check for check in musts if not check.left_out] or musts
    # A check that compares with a file of another exercise waits for it without deciding this one.
    deciding = [check for check in deciding if check.reason is not Reason.MISSING_FILE] or deciding
    found = {check.verdict for check in deciding}
    return next((verdict for verdict in PRECEDENCE if verdict in found), Verdict.UNKNOWN)
