"""What Kyverno's policy webhook refuses in a ClusterPolicy or Policy whose fields are all known.

Source: pkg/validation/policy/validate.go and the Validate methods of api/kyverno/v1. Texts follow the
engine's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from workshop.kyverno.autogen import ANNOTATION as AUTOGEN
from workshop.kyverno.match import as_list, as_map
from workshop.kyverno.refusal.actions import conditions_errors, images_errors, mutate_errors, validate_errors
from workshop.kyverno.refusal.selection import ambiguous_kinds, selection_errors
from workshop.kyverno.refusal.variables import variable_errors
from workshop.kyverno.values import wildcard

_ACTIONS = ("mutate", "validate", "generate", "verifyImages")
_PREDEFINED = (
    "images",
    "request",
    "serviceAccountName",
    "serviceAccountNamespace",
    "element",
    "elementIndex",
)
_SOURCES = ("configMap", "apiCall", "globalReference", "imageRegistry", "variable")


def webhook_errors(policy: dict[str, Any]) -> Iterator[str]:
    """Every objection of the webhook; Kyverno itself answers with the first."""
    spec = as_map(policy.get("spec"))
    background = spec.get("background") is not False
    namespaced = policy.get("kind") == "Policy"
    yield from _spec_errors(policy, spec, namespaced=namespaced)
    own = [rule for rule in as_list(spec.get("rules")) if isinstance(rule, dict)]
    for index, rule in enumerate(own):
        for problem in _rule_errors(rule, spec, background=background, namespaced=namespaced):
            yield f"spec.rules[{index}]: {problem}"
    yield from ambiguous_kinds(own)
    yield from variable_errors(policy, own, background=background)


def _spec_errors(policy: dict[str, Any], spec: dict[str, Any], *, namespaced: bool) -> Iterator[str]:
    if as_map(as_map(policy.get("metadata")).get("annotations")).get(AUTOGEN) == "all":
        yield "metadata.annotations: Forbidden: Autogen annotation does not support 'all' anymore"
    names = [as_map(rule).get("name") for rule in as_list(spec.get("rules"))]
    yield from (f"Duplicate rule name: '{name}'" for name in dict.fromkeys(names) if names.count(name) > 1)
    webhook = as_map(spec.get("webhookConfiguration"))
    for key, other in (("webhookTimeoutSeconds", "timeoutSeconds"), ("failurePolicy", "failurePolicy")):
        if spec.get(key) is not None and webhook.get(other) is not None:
            yield f"spec.{key}: Forbidden: use spec.webhookConfiguration.{other} instead"
    for seconds in (spec.get("webhookTimeoutSeconds"), webhook.get("timeoutSeconds")):
        if isinstance(seconds, int) and not 1 <= seconds <= 30:
            yield "spec.webhookConfiguration.timeoutSeconds: the timeout must be between 1 and 30 seconds"
    for condition in map(as_map, as_list(webhook.get("matchConditions"))):
        from workshop.kyverno.cel.check import Checker  # a library of its own, seldom needed

        if problem := Checker("native").error(str(condition.get("expression")), ["bool"]):
            yield f"match conditions compilation errors: {problem}"
    if spec.get("generateExistingOnPolicyUpdate") is not None:
        yield "spec.generateExistingOnPolicyUpdate: Forbidden: remove the deprecated field"
    if not namespaced:
        yield from _contradictions(spec)
    if namespaced and spec.get("validationFailureActionOverrides"):
        yield "validationFailureActionOverrides is supported only with ClusterPolicy"
    if spec.get("admission") is False:
        if spec.get("background") is False:
            yield "disabling both admission and background processing is not allowed"
        if any(
            as_map(rule).get(key)
            for rule in as_list(spec.get("rules"))
            for key in _ACTIONS
            if key != "validate"
        ):
            yield "disabling admission processing is only allowed with validation policies"


def _contradictions(spec: dict[str, Any]) -> Iterator[str]:
    """Namespaces that one override has refused and another reported; a wildcard stands for what it covers."""
    holders = [("spec.validationFailureActionOverrides", spec.get("validationFailureActionOverrides"))]
    for index, rule in enumerate(map(as_map, as_list(spec.get("rules")))):
        overrides = as_map(rule.get("validate")).get("failureActionOverrides")
        holders.append((f"spec.rules[{index}].validate.failureActionOverrides", overrides))
    for path, overrides in holders:
        listed: dict[str, list[str]] = {"enforce": [], "audit": []}
        for override in map(as_map, as_list(overrides)):
            names = map(str, as_list(override.get("namespaces")))
            listed.get(str(override.get("action")).lower(), []).extend(names)
        for mine, other in itertools.product(listed["enforce"], listed["audit"]):
            if wildcard(mine, other) or wildcard(other, mine):
                yield f"{path}: conflicting namespaces: {mine} enforces, {other} audits"


def _rule_errors(
    rule: dict[str, Any], spec: dict[str, Any], *, background: bool, namespaced: bool
) -> Iterator[str]:
    actions = [key for key in _ACTIONS if _says_something(rule.get(key))]
    if len(actions) != 1:
        yield "exactly one operation (mutate, validate, generate, verifyImages) is required per rule"
        return
    if len(str(rule.get("name"))) > 63:
        yield "name: Too long: may not be more than 63 bytes"
    if rule.get("imageExtractors") and actions != ["verifyImages"]:
        yield "imageExtractors can only be defined for verifyImages rule"
    yield from selection_errors(rule, background=background, namespaced=namespaced)
    yield from _context_errors(rule)
    yield from conditions_errors(rule.get("preconditions"), "preconditions")
    changes_each = bool(as_map(rule.get("mutate")).get("foreach"))
    if rule.get("celPreconditions") and not (as_map(rule.get("validate")).get("cel") or changes_each):
        yield "celPrecondition can only be used with validate.cel"
    if actions == ["validate"]:
        yield from validate_errors(as_map(rule["validate"]))
    elif actions == ["mutate"]:
        yield from mutate_errors(as_map(rule["mutate"]), spec)
    elif actions == ["verifyImages"]:
        yield from images_errors(as_list(rule["verifyImages"]), spec)
    if not _metadata_texts(rule):
        yield "labels and annotations supports only string values: use double quotes"


def _says_something(action: object) -> bool:
    """Null fields are dropped before the webhook sees them: a body of nothing else is an empty one."""
    return any(value is not None for value in action.values()) if isinstance(action, dict) else bool(action)


def _context_errors(rule: dict[str, Any]) -> Iterator[str]:
    entries = as_list(rule.get("context"))
    if entries and as_map(rule.get("validate")).get("cel"):
        yield "context variables are not supported for CEL expressions in validate rules"
    for entry in map(as_map, entries):
        name = str(entry.get("name") or "")
        if not name:
            yield "a name is required for context entries"
        if any(name == word or name.startswith(f"{word}.") for word in _PREDEFINED):
            yield f"entry name {name} is invalid as it conflicts with a pre-defined variable"
        if len([key for key in _SOURCES if entry.get(key) is not None]) != 1:
            yield "exactly one of configMap, apiCall, imageRegistry or variable is required in context"
        variable = entry.get("variable")
        if isinstance(variable, dict):
            if variable.get("value") is None and not variable.get("jmesPath"):
                yield "a variable must define a value or a jmesPath expression"
            if variable.get("default") is not None and not variable.get("jmesPath"):
                yield "a variable must define a default value only when a jmesPath expression is defined"
        if isinstance(entry.get("configMap"), dict) and not entry["configMap"].get("namespace"):
            yield "a namespace is required for configMap context entry"


def _metadata_texts(rule: dict[str, Any]) -> bool:
    """Labels and annotations of patterns and patches must be texts."""
    validate, mutate = as_map(rule.get("validate")), as_map(rule.get("mutate"))
    patterns = [
        validate.get("pattern"),
        mutate.get("patchStrategicMerge"),
        *as_list(validate.get("anyPattern")),
    ]
    for holder, key in ((validate, "pattern"), (mutate, "patchStrategicMerge")):
        patterns += [as_map(loop).get(key) for loop in as_list(holder.get("foreach"))]
    for pattern in map(as_map, patterns):
        template = as_map(as_map(pattern.get("spec")).get("template"))
        for metadata in (as_map(pattern.get("metadata")), as_map(template.get("metadata"))):
            for key in ("labels", "annotations"):
                if any(not isinstance(value, str) for value in as_map(metadata.get(key)).values()):
                    return False
    return True
