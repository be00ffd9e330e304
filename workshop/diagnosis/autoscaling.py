"""Autoscalers that cannot measure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workshop.diagnosis.look import Look, conditions
from workshop.diagnosis.symptom import Sign, Symptom, one_line, shown

_HPA: Final = "HorizontalPodAutoscaler.autoscaling"


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield the exercise's HorizontalPodAutoscalers that get no metrics."""
    for hpa in look.among(_HPA):
        active = conditions(hpa).get("ScalingActive", {})
        if active.get("status") == "False" and str(active.get("reason", "")).startswith("FailedGet"):
            since = str(active.get("lastTransitionTime") or "") or None
            yield Symptom(Sign.HPA_WITHOUT_METRICS, shown(_HPA, hpa), one_line(active.get("message")), since)
