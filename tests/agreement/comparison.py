"""Hold `workshop.kyverno` against the engine: one set of policies, many requests."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from workshop.kyverno import Admission, admit, refusals
from workshop.sandbox.client import ApiError

from .engine import Answer, Document, Engine, Probe, of_the_cluster, stripped

_PATIENCE: Final = 1.5
#: Of the requests a policy has nothing to say about, this many are sent all the same.
_BYSTANDERS: Final = 3
_TOSSES: Final = 6
#: How the API server says that a webhook is gone, or breaks off.
_BROKEN: Final = "failed calling webhook"


@dataclass(frozen=True)
class Subject:
    """Policies that stand together, and where they come from."""

    name: str
    policies: tuple[Document, ...]


@dataclass(frozen=True)
class Disagreement:
    """One difference: `probe` is None when it is about whether the policy itself is accepted."""

    subject: Subject
    probe: Probe | None
    ours: str
    engine: str


@dataclass
class Figures:
    """What was compared, and how it came out."""

    subjects: int = 0
    refused_policies: int = 0
    accepted_policies: int = 0
    cluster_decides: int = 0
    pairs: int = 0
    acted: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    disagreements: list[Disagreement] = field(default_factory=list)


def compare(engine: Engine, subject: Subject, probes: Sequence[Probe], figures: Figures) -> None:
    """Compare acceptance of the policies, then, when all are accepted, what they do to each probe."""
    figures.subjects += 1
    accepted = True
    for policy in subject.policies:
        accepted = _acceptance(engine, subject, policy, figures) and accepted
    if not accepted:
        return
    ours = {
        probe.name: admit(
            list(subject.policies),
            probe.object,
            operation=probe.operation,
            old=probe.old,
            namespace_labels=probe.namespace_labels or None,
        )
        for probe in probes
    }
    chosen = _chosen(probes, ours)
    # Requests with an effect come first: they show that the policies are in force.
    chosen.sort(key=lambda probe: ours[probe.name].admitted is not False)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(engine.in_force(subject.policies))
        except ApiError as error:
            figures.disagreements.append(
                Disagreement(subject, None, "accepted", f"not stored: {error.message}")
            )
            return
        outcomes = engine.pool.map(lambda probe: _outcome(engine, probe, ours[probe.name]), chosen)
        for probe, (verdict, difference) in zip(chosen, outcomes, strict=True):
            figures.pairs += 1
            figures.acted += bool(ours[probe.name].results)
            figures.verdicts[verdict] += 1
            if verdict == "unknown":
                figures.unknown.update({str(r.reason) for r in ours[probe.name].results if r.reason})
            if difference is not None:
                figures.disagreements.append(Disagreement(subject, probe, *difference))


def _acceptance(engine: Engine, subject: Subject, policy: Document, figures: Figures) -> bool:
    """Do both accept it? A difference is noted."""
    reasons = refusals(policy)
    # Kyverno looks at either labels or a Pod template, whichever comes first in a map of Go: by chance.
    for _ in range(_TOSSES):
        answer = engine.refusal(policy)
        if (answer is not None) is bool(reasons):
            break
    if answer is not None and not reasons and of_the_cluster(answer):
        figures.cluster_decides += 1
        return False
    if answer is None and reasons and not engine.serves_kinds(policy):
        # With a kind it does not find, Kyverno stops checking and takes the policy with a warning.
        figures.cluster_decides += 1
        return False
    figures.refused_policies += answer is not None
    figures.accepted_policies += answer is None
    if (answer is not None) is not bool(reasons):
        ours = f"refused: {reasons}" if reasons else "accepted"
        theirs = f"refused: {answer}" if answer is not None else "accepted"
        figures.disagreements.append(Disagreement(subject, None, ours, theirs))
    return answer is None and not reasons


def _chosen(probes: Sequence[Probe], ours: dict[str, Admission]) -> list[Probe]:
    """Every probe that a policy has something to say about, and a few others."""
    told = [probe for probe in probes if ours[probe.name].results]
    silent = [probe for probe in probes if not ours[probe.name].results]
    step = max(1, len(silent) // _BYSTANDERS)
    return told + silent[::step][:_BYSTANDERS]


def _outcome(engine: Engine, probe: Probe, ours: Admission) -> tuple[str, tuple[str, str] | None]:
    """(verdict, difference) of one request: admitted, changed, refused, unknown or different."""
    if ours.admitted is None or any(
        r.kind in {"mutate", "verifyImages"} and r.result == "unknown" for r in ours.results
    ):
        return "unknown", None
    expected = expectation(engine, probe, ours)
    deadline = time.monotonic() + _PATIENCE
    while True:
        answer = engine.ask(probe)
        difference = differs(expected, answer)
        if (
            answer.refused is None
            and probe.operation == "UPDATE"
            and expected.object != stripped(probe.object)
        ):
            # A policy may change what the API server lets nobody change: that is not the policy's refusal.
            difference = None
        if difference is not None and answer.refused is None and _spoilt(engine, probe, ours):
            # The API server refuses what policies have made of the object before others can.
            difference = None
        if difference is not None and _BROKEN in answer.message:
            # Some policies bring Kyverno down (a context entry that names itself): nobody answers.
            return "broken", None
        # Kyverno's cache follows a moment after its status: only what stays different is a disagreement.
        if difference is None or time.monotonic() > deadline:
            break
    if difference is not None:
        return "different", difference
    changed = answer.object is not None and answer.object != stripped(probe.object)
    return "refused" if answer.refused else "changed" if changed else "admitted", None


def _spoilt(engine: Engine, probe: Probe, ours: Admission) -> bool:
    return ours.resource != probe.object and engine.defaulted(ours.resource, probe.operation) is None


def expectation(engine: Engine, probe: Probe, ours: Admission) -> Answer:
    """The answer the engine should give, in its own form."""
    if ours.admitted is False:
        failed = [r for r in ours.results if r.enforce and r.kind == "validate"]
        known = all(r.rule and r.result in {"pass", "fail", "skip"} for r in failed)
        rules = frozenset(f"{r.policy}/{r.rule}" for r in failed if r.result == "fail") if known else None
        return Answer(True, "; ".join(r.message for r in ours.results), rules or None)
    if ours.resource == probe.object or probe.operation == "DELETE":
        return Answer(False, object=stripped(probe.object))
    result = engine.defaulted(ours.resource, probe.operation)
    return Answer(False if result is not None else None, "not a valid object", object=result)


def differs(expected: Answer, seen: Answer) -> tuple[str, str] | None:
    """(ours, the engine's) when they are not the same."""
    if expected.refused is None and seen.refused is True:
        # Refused by the policy before the API server could refuse what the policy makes of it.
        return None
    if expected.refused is not seen.refused:
        return _told(expected), _told(seen)
    if expected.rules is not None and seen.rules is not None and expected.rules != seen.rules:
        return f"refused by {sorted(expected.rules)}", f"refused by {sorted(seen.rules)}"
    if expected.refused is False and expected.object != seen.object:
        return _first_difference(expected.object, seen.object)
    return None


def _told(answer: Answer) -> str:
    word = {True: "refused", False: "admitted", None: "no valid object"}[answer.refused]
    return f"{word}: {answer.message}" if answer.message and answer.refused is not False else word


def _first_difference(ours: Any, theirs: Any, path: str = "") -> tuple[str, str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            if ours.get(key) != theirs.get(key) or (key in ours) != (key in theirs):
                return _first_difference(ours.get(key), theirs.get(key), f"{path}/{key}")
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            if mine != other:
                return _first_difference(mine, other, f"{path}/{index}")
    return f"{path} is {ours!r}", f"{path} is {theirs!r}"
