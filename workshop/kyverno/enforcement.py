"""Does a failure refuse the request, or is it only reported?

Source: pkg/engine/api/engineresponse.go, api/kyverno/v1, api/policies.kyverno.io. ClusterPolicies report by
default (Audit), CEL policies refuse by default (Deny).
"""

from __future__ import annotations

from typing import Any

from workshop.kyverno.match import Request, as_list, as_map
from workshop.kyverno.outcome import KyvernoError
from workshop.kyverno.values import wildcard

ACTIONS = ("Enforce", "enforce", "Audit", "audit")


def judges(policy: dict[str, Any], rule: dict[str, Any], request: Request) -> bool:
    """Is a validating rule among those that may hold a request up?

    Source: pkg/policycache/cache.go. What its failure then does is `enforces`' question: the two read
    overrides differently.
    """
    validate, spec = as_map(rule.get("validate")), as_map(policy.get("spec"))
    overrides = as_list(validate.get("failureActionOverrides"))
    for item in map(as_map, overrides or as_list(spec.get("validationFailureActionOverrides"))):
        namespaces, selector = as_list(item.get("namespaces")), item.get("namespaceSelector")
        here = bool(request.namespace) and any(wildcard(str(name), request.namespace) for name in namespaces)
        if here or not (namespaces or selector is not None) or _selects(selector, request):
            return str(item.get("action")).lower() == "enforce"
    action = validate.get("failureAction") or spec.get("validationFailureAction")
    return str(action).lower() == "enforce"


def _selects(selector: object, request: Request) -> bool:
    if not isinstance(selector, dict) or not request.namespace:
        return False
    try:
        return request.namespace_selected(selector, wildcards=False)
    except KyvernoError:
        return False


def enforces(policy: dict[str, Any], rule: dict[str, Any], request: Request) -> bool:
    """Is the effective failure action of a legacy rule Enforce?"""
    action = _rule_action(rule, request)
    spec = policy.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    if action is None:
        action = _override(spec.get("validationFailureActionOverrides"), request)
    if action is None:
        action = spec.get("validationFailureAction")
    return str(action).lower() == "enforce"


def _rule_action(rule: dict[str, Any], request: Request) -> object:
    validate = rule.get("validate")
    if isinstance(validate, dict):
        override = _override(validate.get("failureActionOverrides"), request)
        return override if override is not None else validate.get("failureAction")
    actions = [
        item.get("failureAction") for item in as_list(rule.get("verifyImages")) if isinstance(item, dict)
    ]
    given = [action for action in actions if action is not None]
    return next((action for action in given if str(action).lower() == "enforce"), given[0] if given else None)


def _override(overrides: object, request: Request) -> object:
    for item in as_list(overrides):
        if not isinstance(item, dict) or item.get("action") not in ACTIONS:
            continue
        namespaces, selector = item.get("namespaces"), item.get("namespaceSelector")
        if namespaces is not None and not any(
            wildcard(str(name), request.namespace) for name in as_list(namespaces)
        ):
            continue
        try:
            if selector is None or (isinstance(selector, dict) and request.namespace_selected(selector)):
                return item["action"]
        except KyvernoError:
            continue
    return None


def ignores_errors(spec: dict[str, Any]) -> bool:
    """Are requests let through when the policy itself cannot be evaluated (failurePolicy: Ignore)?"""
    webhook = spec.get("webhookConfiguration")
    inner = webhook.get("failurePolicy") if isinstance(webhook, dict) else None
    return (inner or spec.get("failurePolicy")) == "Ignore"


def admission_off(spec: dict[str, Any]) -> bool:
    """Is the policy kept out of admission (`admission: false`, `evaluation.admission.enabled: false`)?"""
    if spec.get("admission") is False:
        return True
    node: object = spec.get("evaluation")
    for key in ("admission", "enabled"):
        node = node.get(key) if isinstance(node, dict) else None
    return node is False


def cel_actions(spec: dict[str, Any]) -> list[str]:
    """The `validationActions` of a CEL policy; none written means Deny."""
    return [str(action) for action in as_list(spec.get("validationActions"))] or ["Deny"]
