"""Policies Kyverno does not accept, with the engine's reason."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from workshop.kyverno import refusals

from .test_admit import ADD_LABELS, LIMITS, NO_LATEST, VERIFY, policy


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one field set; the path's parts are keys and list indices."""
    document = copy.deepcopy(document)
    *outer, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    target: Any = document
    for key in outer:
        target = target[key]
    target[last] = value
    return document


@pytest.mark.parametrize("form", [*NO_LATEST, *ADD_LABELS])
def test_right_answers_are_accepted(form: str) -> None:
    assert refusals({**NO_LATEST, **ADD_LABELS}[form]) == []


def test_limits_and_signatures_are_accepted() -> None:
    assert refusals(LIMITS) == []
    assert refusals(VERIFY) == []


FOREACH = NO_LATEST["foreach deny"]
IMAGES = "spec/rules/0/verifyImages/0"
KEYLESS = f"{IMAGES}/attestors/0/entries/0/keyless"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (
            changed(FOREACH, "spec/rules/0/validate/message", "{{ element.image }} is latest"),
            "variable 'element.image' present outside of foreach at path /validate/message",
        ),
        (
            changed(
                changed(LIMITS, "spec/rules/0/match", {"resources": {"kinds": ["Pod"]}}),
                "spec/rules/0/exclude",
                {"any": [{"resources": {"namespaces": ["kube-system"]}}]},
            ),
            "Rule is matching an empty set",
        ),
        (
            changed(VERIFY, "spec/validationFailureAction", "Audit"),
            "mutateDigest must be set to false for ‘Audit’",
        ),
        (changed(VERIFY, KEYLESS, {"subject": "s", "issuer": "i"}), "Either Rekor URL or roots are required"),
        (changed(VERIFY, KEYLESS, ["subject"]), "must be of type object"),
        (changed(VERIFY, f"{IMAGES}/subject", "s"), "Either Rekor URL or roots are required"),
        (changed(VERIFY, f"{IMAGES}/type", "Notary"), "Keyless field is not allowed for type notary"),
        (changed(VERIFY, KEYLESS, None), "keys, certificates, keyless, or a nested attestor is required"),
        (changed(VERIFY, "spec/rules/0/attestors", []), 'unknown field "spec.rules[0].attestors"'),
        (changed(LIMITS, "spec/validationFailureAction", "TODO"), 'Unsupported value: "TODO"'),
        (changed(LIMITS, "spec/rules/0/validationFailureAction", "Enforce"), "unknown field"),
        (changed(LIMITS, "apiVersion", "kyverno.io/v3"), "no matches for kind"),
        (
            changed(LIMITS, "spec/rules/0/match", {"any": [{"resources": {}}]}),
            "match resources not specified",
        ),
        (changed(LIMITS, "spec/rules/0/validate/deny", {}), "only one of pattern"),
        (changed(LIMITS, "spec/rules/0/mutate", {"patchStrategicMerge": {"a": 1}}), "exactly one operation"),
        (changed(LIMITS, "spec/rules/0/match/any/0/resources/kinds", ["*"]), "background mode"),
        (changed(FOREACH, "spec/rules/0/validate/foreach/0/list", ""), "foreach.list is required"),
        (changed(LIMITS, "spec/rules/0/validate/pattern", {"+(a)": "b"}), "unsupported anchor"),
        (changed(LIMITS, "spec/rules/0/validate/message", "{{ nowhere.x }}"), "must match the variables"),
        (changed(LIMITS, "spec/rules/0/validate/message", "{{ request.object. }}"), "invalid JMESPath query"),
        (changed(LIMITS, "spec/rules/0/validate/message", "{{ request.userInfo }}"), "background mode"),
        (
            changed(LIMITS, "spec/rules/0/validate/pattern", {"metadata": {"labels": {"a": 1}}}),
            "only string values",
        ),
        (
            changed(
                ADD_LABELS["json patch"],
                "spec/rules/0/mutate/patchesJson6902",
                "- {op: add, path: a, value: b}",
            ),
            "slash",
        ),
        (changed(NO_LATEST["ValidatingPolicy"], "spec/matchConstraints", {}), "at least one resource rule"),
        (
            changed(
                NO_LATEST["ValidatingPolicy"],
                "spec/validations/0/expression",
                "object.spec.containers.all(c, d)",
            ),
            "undeclared reference to 'd'",
        ),
        (changed(NO_LATEST["ValidatingPolicy"], "spec/validations/0/expression", "object.spec ="), "ERROR"),
        (
            changed(NO_LATEST["ValidatingPolicy"], "spec/validations/0/expression", "variables.x == 1"),
            "undefined field 'x'",
        ),
        (
            changed(LIMITS, "spec/rules/0/match/any/0/resources/kinds", ["Pod/exec"]),
            "background scan enabled with subresource Pod/exec",
        ),
        (
            changed(LIMITS, "spec/rules/0/match/any/0/subjects", [{"kind": "Robot", "name": "r"}]),
            "kind must be 'User', 'Group', or 'ServiceAccount'",
        ),
        (
            changed(
                LIMITS,
                "spec/webhookConfiguration",
                {"matchConditions": [{"name": "m", "expression": "x == 1"}]},
            ),
            "match conditions compilation errors",
        ),
        *(
            (changed(NO_LATEST["ValidatingPolicy"], "spec/validations/0/expression", source), "of type bool")
            for source in ("object.spec.hostNetwork", "object.spec.containers.size()", "'true'", "[true]")
        ),
        (
            changed(NO_LATEST["ValidatingPolicy"], "spec/validationActions", ["Block"]),
            'Unsupported value: "Block"',
        ),
    ],
)
def test_wrong_policies_are_refused(document: dict[str, Any], reason: str) -> None:
    found = refusals(document)
    assert any(reason in refusal for refusal in found), found


def test_legacy_match_with_legacy_exclude_is_accepted() -> None:
    rule = """
    match: {resources: {kinds: [Pod]}}
    exclude: {resources: {namespaces: [kube-system]}}
    validate: {pattern: {metadata: {name: "?*"}}}
    """
    assert refusals(policy(rule)) == []


def test_other_kinds_are_no_business_of_kyverno() -> None:
    assert refusals(yaml.safe_load("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {x: 1}}")) == []
