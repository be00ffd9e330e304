"""Results that may change without anybody's doing: controllers and webhooks take their time."""

from __future__ import annotations

from typing import Final

from workshop.verdicts import CheckResult, ExerciseResult, Fact, Half, Level, Reason, Verdict

# Answers that say nothing yet.
_PASSING: Final = frozenset({Reason.TIMEOUT, Reason.UNAVAILABLE})
_COMING_UP: Final = frozenset({Reason.NO_CLUSTER, Reason.NO_SANDBOX})


def may_change(result: ExerciseResult) -> bool:
    """Whether waiting may change a result: the cluster is on its way, or behind what the files say."""
    reasons = {each.reason for each in result.checks if each.half is Half.CLUSTER}
    return bool(reasons & _COMING_UP) or is_converging(result, is_open=True)


def only_behind(result: ExerciseResult) -> bool:
    """Whether a result may change for no other reason than that somebody might change what is on the cluster.

    All that is asked for is there, it is wrong, and nothing of what was seen says that it is on its way.
    """
    checks = _on_cluster(result)
    # What advice could not be told decides nothing.
    musts = [each for each in checks if each.level is Level.MUST]
    return (
        any(each.verdict is Verdict.FAILED for each in musts)
        and not any(each.verdict is Verdict.UNFINISHED or each.reason in _COMING_UP for each in checks)
        and not any(_is_passing(fact) for each in musts for fact in each.facts)
        and not any(_is_not_ready(fact) for each in checks for fact in each.facts)
    )


def is_converging(result: ExerciseResult, *, is_open: bool) -> bool:
    """Whether the cluster's answer is about to change without a key: then it is worth asking again soon.

    Controllers that are not done yet; and, for an open exercise, files that are not applied yet.
    """
    cluster = _on_cluster(result)
    if any(_is_passing(fact) for check in cluster for fact in check.facts):
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


def _on_cluster(result: ExerciseResult) -> list[CheckResult]:
    return [check for check in result.checks if check.half is Half.CLUSTER and not check.left_out]


def _is_passing(fact: Fact) -> bool:
    """Whether a fact says that something is on its way, or could not be told just now."""
    return _is_not_ready(fact) or (fact.met is None and fact.reason in _PASSING)


def _is_not_ready(fact: Fact) -> bool:
    return fact.met is False and fact.id.endswith("not-ready")
