"""What the Rollouts controller refuses of a canary as an invalid spec, read off its own validation."""

from __future__ import annotations

from typing import Any, Final

from workshop.checking import Document, Exam, Text
from workshop.rollouts import canary_steps

_CANARY: Final = ("spec", "strategy", "canary")
# What cannot be done without a router for traffic.
_ROUTED_STEPS: Final = ("setCanaryScale", "setHeaderRoute", "setMirrorRoute")
_ROUTED_FIELDS: Final = ("scaleDownDelaySeconds", "dynamicStableScale")
# Routers that send traffic to Services of their own for old and new; an asterisk: not with ping-pong.
_BY_SERVICE: Final = ("alb*", "istio*", "smi", "apisix", "ambassador", "nginx", "appMesh", "traefik")


def judge_pods(exam: Exam, rollout: Document) -> None:
    """Record whether the Rollout says in one way, and completely, which Pods it runs."""
    template, reference = rollout.get("spec", "template"), rollout.get("spec", "workloadRef")
    exam.fact(
        "no-pods",
        Text("The Rollout says which Pods it runs"),
        isinstance(template, dict) or isinstance(reference, dict),
        expected=Text("spec.template, or spec.workloadRef to the Deployment"),
        observed=Text("neither"),
        next=Text("Copy the Pod template of the Deployment, or refer to it."),
        where=rollout.at("spec"),
    )
    exam.fact(
        "template-and-reference",
        Text("The Rollout says in one way which Pods it runs"),
        not (template and reference),
        expected=Text("spec.template, or spec.workloadRef to the Deployment"),
        observed=Text("both of them"),
        next=Text("Argo Rollouts refuses both at once as an invalid spec: keep one of them."),
        where=rollout.key_at("spec", "workloadRef"),
    )
    selector = rollout.get("spec", "selector")
    exam.fact(
        "no-selector",
        Text("The Rollout says by which labels it knows its Pods"),
        bool(reference) or bool(selector),
        expected=Text("spec.selector.matchLabels with labels of the template"),
        observed=Text("no selector"),
        next=Text("Without a workloadRef it is required: copy the labels of spec.template.metadata."),
        where=rollout.key_at("spec"),
    )


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
    router = _router_by_service(canary)
    exam.fact(
        "services-missing",
        Text("A router for traffic knows the Services of both versions"),
        router is None or all(services),
        expected="canaryService, stableService",
        observed=Text("{router} without them", router=router or "–"),
        next=Text("Name two Services beside trafficRouting: one for the new Pods, one for the old."),
        where=rollout.key_at(*_CANARY, "trafficRouting"),
    )
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


def _router_by_service(canary: dict[str, Any]) -> str | None:
    """Return the first router that needs a Service for either version; None where there is none."""
    routing = canary.get("trafficRouting")
    for name in _BY_SERVICE:
        key = name.rstrip("*")
        router = routing.get(key) if isinstance(routing, dict) else None
        if router is None or (name != key and canary.get("pingPong")):
            continue
        if key == "istio" and isinstance(router, dict) and router.get("destinationRule"):
            continue
        return key
    return None
