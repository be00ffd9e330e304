"""Pods no node takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from workshop.diagnosis.look import POD, Look, conditions, group_of
from workshop.diagnosis.symptom import Sign, Symptom, one_line, shown

_CLAIM_MISSING: Final = re.compile(r'persistentvolumeclaim "[^"]*" not found')
# Why a claim is not bound is said of the claim itself.
_CLAIM_UNBOUND: Final = re.compile(r"unbound immediate PersistentVolumeClaims")


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield the exercise's Pods that the scheduler finds no place for."""
    for pod in look.pods:
        condition = conditions(pod).get("PodScheduled", {})
        message = str(condition.get("message") or "")
        if condition.get("status") != "False" or condition.get("reason") != "Unschedulable":
            continue
        if _CLAIM_UNBOUND.search(message):
            continue
        sign = Sign.CLAIM_MISSING if _CLAIM_MISSING.search(message) else Sign.UNSCHEDULABLE
        since = str(condition.get("lastTransitionTime") or "") or None
        yield Symptom(sign, shown(POD, pod), one_line(message), since, group_of(pod))
