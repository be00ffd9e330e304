"""Results that may change without anybody's doing: controllers and webhooks take their time."""

from __future__ import annotations

from typing import Final

from workshop.verdicts import ExerciseResult, Half, Level, Reason, Verdict

# Answers that say nothing yet.
_PASSING: Final = frozenset({Reason.TIMEOUT, Reason.UNAVAILABLE})
_COMING_UP: Final = frozenset({Reason.NO_CLUSTER, Reason.NO_SANDBOX})


def may_change(result: ExerciseResult) -> bool:
    """Whether waiting may change a result: the cluster is on its way, or behind what the files say."""
    reasons = {each.reason for each in result.checks if each.half is Half.CLUSTER}
    return bool(reasons & _COMING_UP) or is_converging(result, is_open=True)


def is_converging(result: ExerciseResult, *, is_open: bool) -> bool:
    """Whether the cluster's answer is about to change without a key: then it is worth asking again soon.

    Controllers that are not done yet; and, for an open exercise, files that are not applied yet.
    """
    cluster = [check for check in result.checks if check.half is Half.CLUSTER and not check.left_out]
    facts = [fact for check in cluster for fact in check.facts]
    if any(fact.id.endswith("not-ready") and fact.met is False for fact in facts) or any(
        fact.met is None and fact.reason in _PASSING for fact in facts
    ):
        return True
    files = [
        check.verdict for check in result.checks if check.half is Half.FILES and check.level is Level.MUST
    ]
    if not is_open or Verdict.UNFINISHED in files:
        return False
    cluster = [check for check in cluster if check.level is Level.MUST]
    if any(check.verdict is Verdict.UNFINISHED for check in cluster):
        return True
    behind = any(check.verdict is Verdict.FAILED for check in cluster)
    return behind and all(verdict is Verdict.PASSED for verdict in files)
