"""Why a policy itself is refused: by its CRD under strict decoding, by Kyverno's webhook, by the API server.

Sources: pkg/validation/policy, pkg/policy, api/kyverno/v1 (Validate methods),
pkg/cel/policies/*/validate.go. What only a cluster decides (permissions, whether a kind exists) is not
asked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from workshop.kyverno.match import LABEL_VALUE, OPERATIONS, as_list, as_map, matches_selector
from workshop.kyverno.outcome import Beyond, KyvernoError, plain, work
from workshop.kyverno.schema import schema_errors

_VERSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "kyverno.io": {"ClusterPolicy": ("v1", "v2beta1"), "Policy": ("v1", "v2beta1")},
    "policies.kyverno.io": {
        f"{prefix}{kind}": ("v1", "v1beta1", "v1alpha1")
        for kind in ("ValidatingPolicy", "MutatingPolicy", "ImageValidatingPolicy")
        for prefix in ("", "Namespaced")
    },
}
_NATIVE = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*", re.ASCII)
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


def refusals(policy: object) -> list[str]:
    """See `workshop.kyverno.refusals`."""
    with work():
        try:
            document = plain(policy)
            return (
                list(dict.fromkeys(_refusals(document))) if isinstance(document, dict) else ["not an object"]
            )
        except Beyond as beyond:
            return [str(beyond)]
        except RecursionError:
            return ["nested too deeply"]


def _refusals(policy: dict[str, Any]) -> Iterator[str]:
    group, _, version = str(policy.get("apiVersion") or "").rpartition("/")
    kind = str(policy.get("kind") or "")
    if not version or not kind:
        yield "apiVersion or kind is not set: nobody knows what this is"
        return
    if group == "admissionregistration.k8s.io" and kind.startswith("ValidatingAdmissionPolicy"):
        errors = schema_errors(policy.get("spec"), kind) if kind in _NATIVE else []
        yield from errors or _native_errors(as_map(policy.get("spec")), kind)
        return
    known = _VERSIONS.get(group)
    if known is None and not any(kind in kinds for kinds in _VERSIONS.values()):
        return
    if known is None or version not in known.get(kind, ()):
        yield f'no matches for kind "{kind}" in version "{policy.get("apiVersion")}"'
        return
    yield from _envelope(policy)
    schema = kind.removeprefix("Namespaced")
    errors = schema_errors(
        policy.get("spec"), "ClusterPolicy" if group == "kyverno.io" else schema, version=version
    )
    yield from errors
    if errors or not isinstance(policy.get("spec"), dict):
        # The API server stops here: the webhook never sees what does not decode.
        return
    if group == "kyverno.io":
        from workshop.kyverno.refusal_rules import webhook_errors

        yield from webhook_errors(policy)
    else:
        yield from _cel_errors(as_map(policy.get("spec")), schema)


def _envelope(policy: dict[str, Any]) -> Iterator[str]:
    for key in policy.keys() - {"apiVersion", "kind", "metadata", "spec", "status"}:
        yield f'strict decoding error: unknown field "{key}"'
    metadata = as_map(policy.get("metadata"))
    name = metadata.get("name")
    if not isinstance(name, str) or not (name or metadata.get("generateName")):
        yield "metadata.name: Required value: name or generateName is required"
    elif not _NAME.fullmatch(name) or len(name) > 253:
        yield f'metadata.name: Invalid value: "{name}": a lowercase RFC 1123 subdomain is required'
    for key in ("labels", "annotations"):
        if not isinstance(metadata.get(key), dict | None):
            yield f"metadata.{key}: must be a map of texts"
        for label, value in as_map(metadata.get(key)).items():
            if not isinstance(value, str):
                yield f"metadata.{key}.{label}: must be a text"
            elif key == "labels" and not LABEL_VALUE.fullmatch(value):
                yield f"metadata.labels.{label}: Invalid value: at most 63 letters, digits, '-', '_' or '.'"
    known = {
        *(
            "annotations",
            "creationTimestamp",
            "deletionGracePeriodSeconds",
            "deletionTimestamp",
            "finalizers",
            "labels",
        ),
        *(
            "generateName",
            "generation",
            "managedFields",
            "name",
            "namespace",
            "ownerReferences",
            "resourceVersion",
        ),
        *("selfLink", "uid"),
    }
    for key in metadata.keys() - known:
        yield f'strict decoding error: unknown field "metadata.{key}"'
    if not isinstance(policy.get("spec"), dict):
        yield "spec: Required value"


def _twice(spec: dict[str, Any]) -> Iterator[str]:
    """Entries of lists that the API server keeps as sets, or by their names."""
    actions = as_list(spec.get("validationActions"))
    if any(each in actions[:index] for index, each in enumerate(actions)):
        yield "spec.validationActions: Duplicate value"
    for key in ("matchConditions", "variables"):
        names = [str(as_map(each).get("name")) for each in as_list(spec.get(key))]
        yield from (f'spec.{key}: Duplicate value: "{name}"' for name in set(names) if names.count(name) > 1)


def _cel_errors(spec: dict[str, Any], kind: str) -> Iterator[str]:
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


def _native_errors(spec: dict[str, Any], kind: str) -> Iterator[str]:
    """What the API server refuses in a ValidatingAdmissionPolicy or its binding: wrong parts of it."""
    if kind == "ValidatingAdmissionPolicy":
        if not (spec.get("validations") or spec.get("auditAnnotations")):
            yield "spec.validations: Required value: validations or auditAnnotations must contain an item"
        if not as_map(spec.get("matchConstraints")).get("resourceRules"):
            yield "spec.matchConstraints.resourceRules: Required value"
    yield from _expression_errors(spec, "native with params" if spec.get("paramKind") else "native")
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
