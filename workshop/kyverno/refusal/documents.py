"""Why a policy itself is refused: by its CRD under strict decoding, by Kyverno's webhook, by the API server.

Sources: pkg/validation/policy, pkg/policy, api/kyverno/v1 (Validate methods),
pkg/cel/policies/*/validate.go. What only a cluster decides (permissions, whether a kind exists) is not
asked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from workshop.kyverno.match import LABEL_VALUE, as_map
from workshop.kyverno.outcome import Beyond, plain, work
from workshop.kyverno.refusal.cel_policies import cel_errors, native_errors
from workshop.kyverno.refusal.schema import schema_errors

_VERSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "kyverno.io": {"ClusterPolicy": ("v1", "v2beta1"), "Policy": ("v1", "v2beta1")},
    "policies.kyverno.io": {
        f"{prefix}{kind}": ("v1", "v1beta1", "v1alpha1")
        for kind in ("ValidatingPolicy", "MutatingPolicy", "ImageValidatingPolicy")
        for prefix in ("", "Namespaced")
    },
}
_NATIVE = tuple(
    f"{word}AdmissionPolicy{end}" for word in ("Validating", "Mutating") for end in ("", "Binding")
)
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*", re.ASCII)


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
    if group == "admissionregistration.k8s.io" and kind in _NATIVE:
        yield from _envelope(policy)
        errors = schema_errors(policy.get("spec"), kind)
        yield from errors or native_errors(as_map(policy.get("spec")), kind)
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
        from workshop.kyverno.refusal.rules import webhook_errors

        yield from webhook_errors(policy)
    else:
        yield from cel_errors(as_map(policy.get("spec")), schema)


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
