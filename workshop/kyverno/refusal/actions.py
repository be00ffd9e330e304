"""What the webhook refuses in the bodies of rules: validate, mutate and verifyImages, and in conditions.

Sources: pkg/policy/{validate,mutate,common}, api/kyverno/v1. Texts follow the engine's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workshop.kyverno import jsonpatch
from workshop.kyverno.anchors import parse_anchor
from workshop.kyverno.conditions import OPERATORS
from workshop.kyverno.match import as_list, as_map
from workshop.kyverno.outcome import KyvernoError
from workshop.kyverno.variables import VARIABLE

_FORMS = ("pattern", "anyPattern", "deny", "foreach", "podSecurity", "cel", "manifests", "assert")
_EACH_FORMS = ("pattern", "anyPattern", "deny", "foreach")
_REQUESTS = {"CREATE", "UPDATE", "DELETE", "CONNECT"}


def conditions_errors(conditions: object, path: str) -> Iterator[str]:
    """Malformed `any`/`all` conditions, or the older plain list."""
    blocks = conditions if isinstance(conditions, list) else []
    if isinstance(conditions, dict):
        unknown = conditions.keys() - {"any", "all"}
        if unknown:
            yield f"{path}: unknown field {min(unknown)}: conditions stand under any or all"
        blocks = [*as_list(conditions.get("any")), *as_list(conditions.get("all"))]
        for key in ("any", "all"):
            if not isinstance(conditions.get(key), list | None):
                yield f"{path}: failed to unmarshal Conditions: {key} is a list"
    elif conditions is not None and not isinstance(conditions, list):
        yield f"{path}: conditions stand under any or all"
    for condition in map(as_map, blocks):
        if condition.get("key") is None or condition.get("value") is None or not condition.get("operator"):
            yield f"{path}: entered value of `key`, `value` or `operator` is missing or misspelled"
        if condition.get("operator") and condition["operator"] not in OPERATORS:
            yield f"{path}: entered value of `operator` is invalid: {condition['operator']}"
        if str(condition.get("key")).replace(" ", "") == "{{request.operation}}":
            value = condition.get("value")
            listed = value if isinstance(value, list) else [value]
            templated = isinstance(value, str) and value.startswith("{{") and value.endswith("}}")
            if not templated and not all(item in _REQUESTS for item in listed if isinstance(item, str)):
                yield f"{path}: unknown value {value}; only CREATE, UPDATE, DELETE, CONNECT are allowed"


def validate_errors(validate: dict[str, Any]) -> Iterator[str]:
    """Objections to a ``validate`` body."""
    forms = [form for form in _FORMS if validate.get(form) is not None]
    if len(forms) != 1:
        word = "only one" if forms else "one"
        yield f"{word} of pattern, anyPattern, deny, foreach, cel must be specified"
    any_pattern = validate.get("anyPattern")
    if any_pattern is not None and not isinstance(any_pattern, list):
        yield "anyPattern: failed to deserialize anyPattern, expect array"
    for pattern in [validate.get("pattern"), *as_list(any_pattern)]:
        yield from _pattern_errors(pattern, "pattern:/")
    yield from conditions_errors(as_map(validate.get("deny")).get("conditions"), "validate.deny.conditions")
    yield from _each_errors(validate.get("foreach"))
    for check in map(as_map, as_list(as_map(validate.get("cel")).get("expressions"))):
        if not check.get("expression"):
            yield "cel.expressions.expression is required"


def _each_errors(loops: object, depth: int = 0) -> Iterator[str]:
    for loop in map(as_map, as_list(loops)):
        forms = [form for form in _EACH_FORMS if loop.get(form) not in (None, [])]
        if depth == 0 and not loop.get("list"):
            yield "foreach.list is required"
        if depth == 0 and len(forms) != 1:
            word = "only one" if forms else "one"
            yield f"{word} of pattern, anyPattern, deny, or a nested foreach must be specified"
        for part in (loop.get("preconditions"), as_map(loop.get("deny")).get("conditions")):
            blocks = [*as_list(as_map(part).get("any")), *as_list(as_map(part).get("all"))] or as_list(part)
            for condition in map(as_map, blocks):
                if condition.get("operator") not in OPERATORS:
                    yield f"foreach: entered value of `operator` is invalid: {condition.get('operator')}"
        yield from _each_errors(loop.get("foreach"), depth + 1)


def _pattern_errors(pattern: object, path: str) -> Iterator[str]:
    if isinstance(pattern, dict):
        for key, value in pattern.items():
            anchor = parse_anchor(key)
            if anchor and anchor[0] == "+":
                yield f"{path}/{key}: unsupported anchor {key}"
            if anchor and anchor[0] == "^" and not (isinstance(value, list) and value):
                yield f"{path}/{key}: existence anchor should have a list with at least one value"
            yield from _pattern_errors(value, f"{path}/{key}")
    elif isinstance(pattern, list):
        for index, item in enumerate(pattern):
            yield from _pattern_errors(item, f"{path}/{index}")


def mutate_errors(mutate: dict[str, Any], spec: dict[str, Any]) -> Iterator[str]:
    """Objections to a ``mutate`` body."""
    patches = [key for key in ("patchStrategicMerge", "patchesJson6902") if mutate.get(key)]
    if len(patches) + bool(mutate.get("foreach")) > 1:
        yield "only one of `foreach`, `patchStrategicMerge`, or `patchesJson6902` is allowed"
    yield from _mutated_each_errors(mutate.get("foreach"))
    existing = mutate.get("mutateExistingOnPolicyUpdate")
    if (existing or spec.get("mutateExistingOnPolicyUpdate")) and not mutate.get("targets"):
        yield "mutate.targets has to be specified when mutateExistingOnPolicyUpdate is set"
    text = mutate.get("patchesJson6902")
    if isinstance(text, str) and text:
        yield from _json_patch_errors(text)


def _mutated_each_errors(loops: object) -> Iterator[str]:
    for loop in map(as_map, as_list(loops)):
        own = [key for key in ("patchStrategicMerge", "patchesJson6902") if loop.get(key)]
        if loop.get("foreach"):
            if own or loop.get("context") is not None or loop.get("preconditions") is not None:
                yield "a nested foreach cannot contain other declarations"
            yield from _mutated_each_errors(loop["foreach"])
            # Kyverno looks at no loop behind one that holds others.
            return
        if len(own) != 1:
            yield "foreach: only one of `patchStrategicMerge` or `patchesJson6902` is allowed"


def _json_patch_errors(text: str) -> Iterator[str]:
    try:
        written = jsonpatch.parse_patch(text)
    except KyvernoError:
        # Only its variables make it YAML: Kyverno does not look for them in the paths then.
        written = []
    if any(VARIABLE.search(str(operation.get("path", ""))) for operation in written):
        yield "variables are forbidden in the path of a JSONPatch"
        return
    try:
        operations = jsonpatch.parse_patch(
            VARIABLE.sub(lambda found: found[0][: found[0].index("{{")] + "value", text)
        )
    except KyvernoError as error:
        yield f"mutate.patchesJson6902: {error}"
        return
    for operation in operations:
        if not str(operation.get("path", "")).startswith("/"):
            yield f"path must begin with a forward slash: {operation.get('path')}"
        if operation.get("op") not in jsonpatch.OPERATIONS:
            yield f"unexpected kind: {operation.get('op')}"
        elif operation["op"] in {"add", "replace", "test"} and "value" not in operation:
            yield f"invalid value: {operation['op']} operation without a value"


def images_errors(items: list[Any], spec: dict[str, Any]) -> Iterator[str]:
    """Objections to ``verifyImages``: the default action is Audit, which forbids changing digests."""
    audit = str(spec.get("validationFailureAction") or "Audit").lower() == "audit"
    for index, item in enumerate(map(as_map, items)):
        if item.get("failureAction") is not None:
            audit = str(item["failureAction"]).lower() == "audit"
        here = f"verifyImages[{index}]"
        if audit and item.get("mutateDigest") is not False:
            yield f"{here}: mutateDigest must be set to false for ‘Audit’ failure action"
        references = [*as_list(item.get("imageReferences")), *([item["image"]] if item.get("image") else [])]
        if not references:
            yield f"{here}: An image reference is required"
        if any(VARIABLE.search(str(reference)) for reference in references):
            yield "variables are not allowed in image reference section"
        for group in [*as_list(item.get("attestors")), *_legacy_attestors(item), *_nested_attestors(item)]:
            yield from _attestor_errors(as_map(group), f"{here}.attestors")
        if item.get("type") == "Notary":
            yield from _notary_errors(item, f"{here}.attestors")


def _legacy_attestors(item: dict[str, Any]) -> list[Any]:
    """The attestor that Kyverno makes of an entry's own fields; its keyless form never has a Rekor."""
    if item.get("key"):
        return [{"entries": [{"keys": {"publicKeys": item["key"]}}]}]
    keyless = {key: item[key] for key in ("issuer", "subject", "roots") if item.get(key)}
    return [{"entries": [{"keyless": keyless}]}] if keyless else []


def _notary_errors(item: dict[str, Any], path: str) -> Iterator[str]:
    for group in as_list(item.get("attestors")):
        for entry in as_list(as_map(group).get("entries")):
            for key in ("keys", "keyless"):
                if as_map(entry).get(key) is not None:
                    yield f"{path}: {key.capitalize()} field is not allowed for type notary"


def _nested_attestors(item: dict[str, Any]) -> list[Any]:
    return [
        group
        for part in as_list(item.get("attestations"))
        for group in as_list(as_map(part).get("attestors"))
    ]


def _attestor_errors(group: dict[str, Any], path: str) -> Iterator[str]:
    entries = [as_map(entry) for entry in as_list(group.get("entries"))]
    if not entries:
        yield f"{path}: An entry is required"
    if isinstance(group.get("count"), int) and group["count"] > len(entries):
        yield f"{path}: Count cannot exceed length of entries"
    for entry in entries:
        given = [key for key in ("keys", "certificates", "keyless", "attestor") if entry.get(key) is not None]
        if len(given) != 1:
            yield f"{path}: keys, certificates, keyless, or a nested attestor is required"
        keyless = entry.get("keyless")
        if isinstance(keyless, dict):
            if keyless.get("rekor") is None and not keyless.get("roots"):
                yield f"{path}: Either Rekor URL or roots are required"
            elif isinstance(keyless.get("rekor"), dict) and not keyless["rekor"].get("url"):
                yield f"{path}: An URL is required"
        keys = entry.get("keys")
        if isinstance(keys, dict) and not (keys.get("publicKeys") or keys.get("kms") or keys.get("secret")):
            yield f"{path}: A public key, kms key or secret is required"
        certificates = entry.get("certificates")
        if isinstance(certificates, dict) and not (certificates.get("cert") or certificates.get("certChain")):
            yield f"{path}: cert or certChain required"
        if isinstance(entry.get("attestor"), dict):
            yield from _attestor_errors(entry["attestor"], path)
