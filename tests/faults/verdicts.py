"""What may be said under a fault, and how: the properties that every test of this folder asks for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from typing import Final

from workshop.checking import Check
from workshop.cluster.port import Unreachable
from workshop.cluster.stage import Stage
from workshop.content import Exercise
from workshop.engine import Run, load_checks
from workshop.execution import Setting, run_check
from workshop.texts import Message, Text, translate
from workshop.verdicts import CheckResult, ExerciseResult, Fact, Half, Reason, Verdict

COULD_NOT_LOOK: Final = frozenset({Verdict.UNKNOWN, Verdict.BLOCKED})
# Words of programs that no learner should have to read.
_OURS: Final = re.compile(r"Traceback|object at 0x|HTTPS?Connection|urllib3|<class|\bNone\b|\bb'|Error\(")
_NO_WORDS: Final = re.compile(r"\{\w+\}|[^A-Za-z]+")


def look(run: Run, exercise: Exercise, truth: ExerciseResult, half: Half) -> list[CheckResult]:
    """Run the checks of one half alone: what they stand on in the others is taken as it is in truth."""
    true = {check.id: check.verdict for check in truth.checks}
    results, outcomes = [], dict[Check, Verdict]()
    with ExitStack() as stack:
        stage: Stage | Unreachable | None = (
            run.stages
            if isinstance(run.stages, Unreachable) or run.stages is None
            else stack.enter_context(run.stages.stage(exercise, run.workspace))
        )
        setting = Setting(exercise, run.workspace, run.answers, run.mode, stage, run.network)
        for check in load_checks(run.lab, exercise):
            if check.half is half:
                result = run_check(setting, check, outcomes)
                outcomes[check] = result.verdict
                results.append(result)
            else:
                outcomes[check] = true[f"{exercise.id}.{check.name}"]
    return results


def wrong(
    truth: ExerciseResult,
    checks: Iterable[CheckResult],
    fault: str,
    *,
    half: Half = Half.CLUSTER,
    evidence: Mapping[str, Collection[str]] | None = None,
) -> list[str]:
    """Return what was said under a fault that nobody could know, and what was said badly.

    `evidence` names by check the facts that the fault itself establishes: then it was seen, not guessed.
    """
    true = {check.id: check for check in truth.checks}
    found = []
    for check in checks:
        if check.half is not half or check.verdict is true[check.id].verdict:
            continue
        unmet = [fact for fact in check.facts if fact.met is not True]
        if check.verdict in COULD_NOT_LOOK:
            if check.reason is None:
                found.append(f"{fault}: {check.id} is {check.verdict.value} without a reason")
        elif not {fact.id for fact in unmet} <= set((evidence or {}).get(check.id, ())):
            said = "; ".join(f"{fact.id}: {fact.observed}" for fact in unmet)[:200]
            found.append(
                f"{fault}: {check.id} is {check.verdict.value}, not {true[check.id].verdict.value}: {said}"
            )
        found += [f"{fault}: {check.id}: {each}" for fact in unmet for each in badly_said(fact)]
    return found


def badly_said(fact: Fact) -> list[str]:
    """Return what a learner would miss in a finding: what was observed, what to try, words they can read."""
    found = []
    if fact.reason is not Reason.NEEDS:  # that one names what has to hold first, and says all by that
        found += [
            f"{fact.id} does not say {name}" for name in ("observed", "next") if not getattr(fact, name)
        ]
    for message in (fact.claim, fact.expected, fact.observed, fact.next):
        if message is None:
            continue
        if ours := _OURS.search(str(message)):
            found.append(f"{fact.id} speaks of {ours[0]!r}: {message}")
        if isinstance(message, Text) and _is_untranslated(message):
            found.append(f"{fact.id} is not said in French: {message.english}")
    return found


def _is_untranslated(message: Message) -> bool:
    assert isinstance(message, Text)
    bare = Text(message.english, **dict.fromkeys(message.params, ""))
    return bool(_NO_WORDS.sub("", message.english)) and translate(bare, "fr") == translate(bare, "en")


def verdicts(checks: Iterable[CheckResult], half: Half) -> dict[str, str]:
    """Return the verdict of every check of a half."""
    return {check.id: check.verdict.value for check in checks if check.half is half}
