"""What is refused of policies written in CEL, Kyverno's kinds and Kubernetes' own: their expressions first.

Sources: pkg/cel/policies/*/validate.go, pkg/cel/compiler (Kyverno); k8s.io/kubernetes' validation of
admissionregistration.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workshop.kyverno.match import OPERATIONS, as_list, as_map, matches_selector
from workshop.kyverno.outcome import KyvernoError

#: The types that expressions must have where they stand.
_OUTPUTS: dict[str, tuple[str, ...]] = {
    "expression": ("bool",),
    "messageExpression": ("string",),
    "valueExpression": ("string", "null"),
    "applyConfiguration.expression": ("Object",),
    "jsonPatch.expression": ("list<JSONPatch>",),
}
_PROFILES = {
    "ValidatingPolicy": "validating",
    "MutatingPolicy": "mutating",
    "ImageValidatingPolicy": "images",
}


def _twice(spec: dict[str, Any]) -> Iterator[str]:
    """Entries of lists that the API server keeps as sets, or by their names."""
    actions = as_list(spec.get("validationActions"))
    if any(each in actions[:index] for index, each in enumerate(actions)):
        yield "spec.validationActions: Duplicate value"
    for key in ("matchConditions", "variables"):
        names = [str(as_map(each).get("name")) for each in as_list(spec.get(key))]
        yield from (f'spec.{key}: Duplicate value: "{name}"' for name in set(names) if names.count(name) > 1)


def cel_errors(spec: dict[str, Any], kind: str) -> Iterator[str]:
    """What Kyverno's webhook refuses in a policy of its CEL kinds."""
    constraints = as_map(spec.get("matchConstraints"))
    # An ImageValidatingPolicy without is taken, and looks at nothing.
    if kind != "ImageValidatingPolicy" and not as_list(constraints.get("resourceRules")):
        yield "spec.matchConstraints: Required value: at least one resource rule is required"
    yield from _twice(spec)
    evaluation = as_map(spec.get("evaluation"))
    admits = as_map(evaluation.get("admission")).get("enabled") is not False
    if (
        kind == "MutatingPolicy"
        and not admits
        and not as_map(evaluation.get("mutateExisting")).get("enabled")
    ):
        yield "spec.evaluation: Forbidden: disabling both admission and mutateExisting is not allowed"
    if evaluation.get("mode") in {None, "", "Kubernetes", "JSON"}:
        yield from _expression_errors(spec, _PROFILES[kind])
    if kind == "ImageValidatingPolicy":
        for index, item in enumerate(as_list(spec.get("matchImageReferences"))):
            if not (as_map(item).get("glob") or as_map(item).get("expression")):
                yield f"spec.matchImageReferences[{index}]: either glob or expression must be set"
        for index, item in enumerate(as_list(spec.get("attestors"))):
            if not (as_map(item).get("cosign") or as_map(item).get("notary")):
                yield f"spec.attestors[{index}]: one of cosign or notary is required"
    yield from _mutation_errors(spec)


def _mutation_errors(spec: dict[str, Any]) -> Iterator[str]:
    for index, item in enumerate(as_list(spec.get("mutations"))):
        kinds = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
        needed = kinds.get(str(as_map(item).get("patchType")))
        if needed is None or not as_map(as_map(item).get(needed)).get("expression"):
            yield f"spec.mutations[{index}]: patchType and its expression are required"


def _expression_errors(spec: dict[str, Any], profile: str) -> Iterator[str]:
    # Most policies have no CEL in them: its reader is loaded for those that do.
    from workshop.kyverno.cel.check import Checker

    checker = Checker(profile)
    # Conditions are compiled before the variables are known, but for a MutatingPolicy.
    conditions = checker if profile == "mutating" else Checker(profile)
    for path, source in _expressions(spec):
        name, _, key = path.removeprefix("spec.").replace("[", ".").partition(".")
        if name == "variables":
            index = int(key.partition("]")[0])
            problem = checker.variable(str(as_map(spec["variables"][index]).get("name")), source)
        elif name == "matchConditions":
            problem = conditions.error(source, ["bool"])
        else:
            problem = checker.error(source, _OUTPUTS.get(path.rpartition("].")[2], ()))
        if problem:
            yield f"{path}: Invalid value: {problem}"


def native_errors(spec: dict[str, Any], kind: str) -> Iterator[str]:
    """What the API server refuses in a policy of its own or a binding: wrong parts of it."""
    if kind.endswith("Binding") and not spec.get("policyName"):
        yield "spec.policyName: Required value"
    if kind == "ValidatingAdmissionPolicyBinding" and not spec.get("validationActions"):
        yield "spec.validationActions: Required value: at least one validation action is required"
    if kind == "MutatingAdmissionPolicy":
        if not spec.get("mutations"):
            yield "spec.mutations: Required value: mutations must contain at least one item"
        if not as_map(spec.get("matchConstraints")).get("resourceRules"):
            yield "spec.matchConstraints.resourceRules: Required value"
        yield from _mutation_errors(spec)
    if kind == "ValidatingAdmissionPolicy":
        if not (spec.get("validations") or spec.get("auditAnnotations")):
            yield "spec.validations: Required value: validations or auditAnnotations must contain an item"
        if not as_map(spec.get("matchConstraints")).get("resourceRules"):
            yield "spec.matchConstraints.resourceRules: Required value"
    profile = "native mutating" if kind == "MutatingAdmissionPolicy" else "native"
    yield from _expression_errors(spec, f"{profile} with params" if spec.get("paramKind") else profile)
    for block in ("matchConstraints", "matchResources"):
        for key in ("resourceRules", "excludeResourceRules"):
            for index, item in enumerate(as_list(as_map(spec.get(block)).get(key))):
                yield from _resource_rule_errors(as_map(item), f"spec.{block}.{key}[{index}]")
        for key in ("namespaceSelector", "objectSelector"):
            try:
                matches_selector(as_map(as_map(spec.get(block)).get(key)), {}, wildcards=False, strict=True)
            except KyvernoError as error:
                yield f"spec.{block}.{key}: {error}"


def _resource_rule_errors(rule: dict[str, Any], path: str) -> Iterator[str]:
    for key in ("apiGroups", "apiVersions", "operations", "resources"):
        given = as_list(rule.get(key))
        # The core group is the empty text.
        if not given or (key != "apiGroups" and "" in given):
            yield f"{path}.{key}: Required value"
        others = [one for one in given if one != "*" and (key != "resources" or "/" not in str(one))]
        if others and "*" in given:
            yield f"{path}.{key}: Invalid value: if '*' is present, must not specify other ones"
    for operation in as_list(rule.get("operations")):
        if operation not in ("", "*", *OPERATIONS):
            yield f"{path}.operations: Unsupported value: {operation}"
    if rule.get("scope") not in (None, "*", "Cluster", "Namespaced"):
        yield f"{path}.scope: Unsupported value: {rule['scope']}"


def _expressions(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every CEL expression of a spec with its path."""
    lists = (
        "variables",
        "matchConditions",
        "validations",
        "auditAnnotations",
        "targetMatchConditions",
    )
    for name in lists:
        for index, item in enumerate(as_list(spec.get(name))):
            for key in ("expression", "messageExpression", "valueExpression"):
                if isinstance(as_map(item).get(key), str) and as_map(item)[key]:
                    yield f"spec.{name}[{index}].{key}", as_map(item)[key]
    for index, item in enumerate(as_list(spec.get("mutations"))):
        for holder in ("applyConfiguration", "jsonPatch"):
            source = as_map(as_map(item).get(holder)).get("expression")
            if isinstance(source, str):
                yield f"spec.mutations[{index}].{holder}.expression", source
