"""Autoscalers that cannot measure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workshop.cluster.port import Object
from workshop.diagnosis.look import Look, conditions
from workshop.diagnosis.symptom import Sign, Symptom, one_line, shown

_HPA: Final = "HorizontalPodAutoscaler.autoscaling"


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield the exercise's HorizontalPodAutoscalers that get no metrics."""
    for hpa in (each for namespace in look.homes for each in look.every(_HPA, namespace=namespace)):
        if not (look.is_own(_HPA, hpa) or _scales_own(look, hpa)):
            continue
        active = conditions(hpa).get("ScalingActive", {})
        if active.get("status") == "False" and str(active.get("reason", "")).startswith("FailedGet"):
            since = str(active.get("lastTransitionTime") or "") or None
            yield Symptom(Sign.HPA_WITHOUT_METRICS, shown(_HPA, hpa), one_line(active.get("message")), since)


def _scales_own(look: Look, hpa: Object) -> bool:
    """Whether what it scales is the exercise's: an autoscaler itself need not carry the label."""
    target, namespace = hpa.get("spec", {}).get("scaleTargetRef", {}), hpa["metadata"].get("namespace")
    if target.get("kind") != "Deployment":
        return False
    deployment = look.get("Deployment.apps", str(target.get("name")), namespace)
    return deployment is not None and look.is_own("Deployment.apps", deployment)
