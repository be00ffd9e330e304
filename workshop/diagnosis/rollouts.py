"""Rollouts that Argo's controller refuses to begin, or has called off."""

from __future__ import annotations

from collections.abc import Iterator

from workshop.diagnosis.look import Look, conditions
from workshop.diagnosis.symptom import Sign, Symptom, one_line, shown
from workshop.rollouts import ROLLOUT


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield what the controller says of the exercise's Rollouts."""
    for rollout in look.own(ROLLOUT):
        status = rollout.get("status") or {}
        invalid = conditions(rollout).get("InvalidSpec", {})
        if invalid.get("status") == "True":
            since = str(invalid.get("lastTransitionTime") or "") or None
            yield Symptom(
                Sign.ROLLOUT_INVALID, shown(ROLLOUT, rollout), one_line(invalid.get("message")), since
            )
        elif status.get("abort"):
            since = str(status.get("abortedAt") or "") or None
            yield Symptom(
                Sign.ROLLOUT_ABORTED, shown(ROLLOUT, rollout), one_line(status.get("message")), since
            )
