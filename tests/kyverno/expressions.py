"""The policies around the expressions of `expressions.yaml`, by the place in which they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

RECORDED: Final[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("expressions.yaml").read_text(encoding="utf-8")
)
_RULES: Final = {
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["pods"],
}
_KYVERNOS: Final = "policies.kyverno.io/v1"
_NATIVE: Final = "admissionregistration.k8s.io/v1"
_X: Final = {"name": "x", "expression": "1"}
_PEM: Final = "-----BEGIN CERTIFICATE-----\na\n-----END CERTIFICATE-----"


def policy(place: str, expression: str) -> dict[str, Any]:
    """A policy with an expression in its place; its variable `x` is 1."""
    kind, _, part = place.partition(" ")
    true = [{"expression": "true"}]
    variables = [_X]
    if part.startswith("variable"):
        variables = [_X, {"name": "y", "expression": expression}]
    spec: dict[str, Any] = {"variables": variables, "matchConstraints": {"resourceRules": [_RULES]}}
    if kind == "ClusterPolicy":
        return _rule(expression)
    if kind == "MutatingPolicy":
        patch = {"apply": "applyConfiguration", "json": "jsonPatch", "condition": "applyConfiguration"}[part]
        written = expression if part != "condition" else "Object{}"
        kinds = {"applyConfiguration": "ApplyConfiguration", "jsonPatch": "JSONPatch"}
        spec["mutations"] = [{"patchType": kinds[patch], patch: {"expression": written}}]
    elif part == "message":
        spec["validations"] = [{"expression": "false", "messageExpression": expression}]
    elif part.startswith("variable used as"):
        spec["validations"] = [{"expression": f"variables.y == {part.removeprefix('variable used as ')}"}]
    else:
        spec["validations"] = [{"expression": expression}] if not part else true
    if part == "condition":
        spec["matchConditions"] = [{"name": "c", "expression": expression}]
    if part == "annotation":
        spec["auditAnnotations"] = [{"key": "a", "valueExpression": expression}]
    if kind == "ImageValidatingPolicy":
        del spec["variables"]
        spec["attestors"] = [{"name": "notary", "notary": {"certs": {"value": _PEM}}}]
        spec["attestations"] = [{"name": "sbom", "referrer": {"type": "a"}}]
    version = _NATIVE if kind == "ValidatingAdmissionPolicy" else _KYVERNOS
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "generated"}, "spec": spec}


def _rule(expression: str) -> dict[str, Any]:
    cel = {"expressions": [{"expression": expression}], "variables": [_X]}
    rule = {
        "name": "r",
        "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
        "validate": {"failureAction": "Enforce", "cel": cel},
    }
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": "generated"},
        "spec": {"background": False, "rules": [rule]},
    }


def in_force(place: str, expression: str) -> list[dict[str, Any]]:
    """The policy with what puts it in force."""
    found = [policy(place, expression)]
    if found[0]["kind"] == "ValidatingAdmissionPolicy":
        spec = {"policyName": "generated", "validationActions": ["Deny"]}
        kind = "ValidatingAdmissionPolicyBinding"
        found.append({"apiVersion": _NATIVE, "kind": kind, "metadata": {"name": "generated"}, "spec": spec})
    return found
