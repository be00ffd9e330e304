"""What the Rollouts controller refuses of a canary as an invalid spec, read off its own validation."""

from __future__ import annotations

from typing import Final

from workshop.checking import Document, Exam, Text
from workshop.rollouts import canary_steps

_CANARY: Final = ("spec", "strategy", "canary")
# What cannot be done without a router for traffic.
_ROUTED_STEPS: Final = ("setCanaryScale", "setHeaderRoute", "setMirrorRoute")
_ROUTED_FIELDS: Final = ("scaleDownDelaySeconds", "dynamicStableScale")


def judge_canary(exam: Exam, rollout: Document) -> None:
    """Record what else the Rollouts controller refuses of a canary as an invalid spec."""
    canary = rollout.get("spec", "strategy", "canary")
    canary = canary if isinstance(canary, dict) else {}
    routing = canary.get("trafficRouting")
    needing = [(step.kind, step.position) for step in canary_steps(rollout) if step.kind in _ROUTED_STEPS]
    needing += [(key, rollout.at(*_CANARY, key)) for key in _ROUTED_FIELDS if canary.get(key)]
    for name, position in needing if routing is None else ():
        exam.fact(
            "router-missing",
            Text("What needs a router for traffic has one"),
            met=False,
            expected="strategy.canary.trafficRouting",
            observed=name,
            next=Text("Leave it out, or say under trafficRouting who routes: Pods alone cannot."),
            where=position,
        )
    services = [canary.get(key) for key in ("canaryService", "stableService")]
    if services[0] and services[0] == services[1]:
        exam.fact(
            "services-same",
            Text("Canary and stable Pods have a Service each"),
            met=False,
            expected=Text("two Services"),
            observed=str(services[0]),
            next=Text("Both lead to the same Pods otherwise: make a second Service."),
            where=rollout.at(*_CANARY, "canaryService"),
        )
    surge, unavailable = canary.get("maxSurge", "25%"), canary.get("maxUnavailable", "25%")
    if {str(surge), str(unavailable)} <= {"0", "0%"}:
        exam.fact(
            "no-way-to-change",
            Text("A Pod may come or go during the change"),
            met=False,
            expected=Text("maxSurge or maxUnavailable above 0"),
            observed=f"maxSurge: {surge}, maxUnavailable: {unavailable}",
            next=Text("With both at 0 no Pod could ever be replaced."),
            where=rollout.at(*_CANARY, "maxSurge"),
        )
