"""Does a rule apply to a resource: `match` and `exclude` of legacy policies.

Source: pkg/engine/utils/match.go, pkg/utils/match, pkg/utils/kube/kind.go. Conditions of one block are all
required; inside a list any one will do. Who sends the request is not known here: rules about users are
`Beyond` (needs-user) when nothing else decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from workshop.kyverno.outcome import Beyond, KyvernoError
from workshop.kyverno.values import has_wildcard, wildcard

OPERATIONS = ("CREATE", "UPDATE", "DELETE", "CONNECT")
_VERSION = re.compile(r"v\d+((alpha|beta)\d+)?|\*", re.ASCII)
_LABEL_KEY = re.compile(
    r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", re.ASCII
)
LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", re.ASCII)


@dataclass(frozen=True)
class Request:
    """What is being admitted. `resource` is the new object, or the old one when it is being deleted."""

    resource: dict[str, Any]
    operation: str = "CREATE"
    old: dict[str, Any] | None = None
    namespace_labels: dict[str, Any] | None = None

    @property
    def kind(self) -> str:
        """The kind, "" when missing."""
        return str(self.resource.get("kind") or "")

    @property
    def metadata(self) -> dict[str, Any]:
        """The resource's metadata, {} when there is none."""
        metadata = self.resource.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    @property
    def namespace(self) -> str:
        """Its namespace; "" for cluster-wide objects."""
        return str(self.metadata.get("namespace") or "")

    def namespace_selected(self, selector: dict[str, Any], *, wildcards: bool = True) -> bool:
        """Does a selector take the namespace? Its name label is always known; others may be Beyond."""
        labels = {"kubernetes.io/metadata.name": self.namespace or "default"}
        if self.namespace_labels is not None:
            labels |= {key: str(value) for key, value in self.namespace_labels.items()}
            return matches_selector(selector, labels, wildcards=wildcards)
        wanted = selector.get("matchLabels")
        parts: list[dict[str, Any]] = [{"matchLabels": {key: value}} for key, value in (wanted or {}).items()]
        parts += [
            {"matchExpressions": [expression]} for expression in as_list(selector.get("matchExpressions"))
        ]
        known = [part for part in parts if "kubernetes.io/metadata.name" in str(part)]
        if not all(matches_selector(part, labels, wildcards=wildcards) for part in known):
            return False
        if len(known) < len(parts):
            raise Beyond("needs-cluster", "the labels of the namespace decide")
        return True

    @property
    def name(self) -> str:
        """Its name, or the prefix of the generated one."""
        return str(self.metadata.get("name") or self.metadata.get("generateName") or "")

    def texts(self, key: str) -> dict[str, str]:
        """Its labels or annotations."""
        found = self.metadata.get(key)
        return {k: str(v) for k, v in found.items() if v is not None} if isinstance(found, dict) else {}


def as_list(value: object) -> list[Any]:
    """A list as it is, nothing for null or anything else."""
    return value if isinstance(value, list) else []


def as_map(value: object) -> dict[str, Any]:
    """A mapping as it is, {} for anything else."""
    return value if isinstance(value, dict) else {}


def parse_kind(selector: str) -> tuple[str, str, str, str]:
    """(group, version, kind, subresource) of ``Pod``, ``v1/Pod``, ``apps/v1/Deployment``, ``Pod/exec``…"""
    *head, last = selector.split("/")
    parts = [*head, *last.split(".")]
    if len(parts) == 1:
        return "*", "*", parts[0], ""
    if len(parts) == 2:
        if parts == ["*", "*"]:
            return "*", "*", "*", "*"
        if parts[0] == "*" and parts[1] == parts[1].lower():
            return "*", "*", parts[0], parts[1]
        if _VERSION.fullmatch(parts[0]):
            return "*", parts[0], parts[1], ""
        return "*", "*", parts[0], parts[1]
    if len(parts) == 3:
        if _VERSION.fullmatch(parts[0]):
            return "*", parts[0], parts[1], parts[2]
        return parts[0], parts[1], parts[2], ""
    return (parts[0], parts[1], parts[2], parts[3]) if len(parts) == 4 else ("", "", "", "")


def matches_kind(kinds: list[Any], request: Request) -> bool:
    """Does any kind selector name the resource's kind (never a subresource here)?"""
    group, _, version = str(request.resource.get("apiVersion") or "").rpartition("/")
    for selector in kinds:
        wanted_group, wanted_version, kind, sub = parse_kind(str(selector))
        if (
            wildcard(wanted_group, group)
            and wildcard(wanted_version, version)
            and wildcard(kind, request.kind)
            and wildcard(sub, "")
        ):
            return True
    return False


def matches_selector(
    selector: object, labels: dict[str, str], *, wildcards: bool = True, strict: bool = False
) -> bool:
    """A Kubernetes label selector; Kyverno also allows wildcards in `matchLabels`.

    Raises KyvernoError for a malformed one, when `strict` even where an earlier part does not hold.
    """
    if not isinstance(selector, dict):
        raise KyvernoError("failed to parse selector")
    wanted = selector.get("matchLabels")
    if strict:
        written = [as_map(one).get("key") for one in as_list(selector.get("matchExpressions"))]
        for key in [*as_map(wanted), *written]:
            if not _LABEL_KEY.fullmatch(str(key)):
                raise KyvernoError(f"failed to parse selector: invalid key {key}")
    for key, value in (wanted if isinstance(wanted, dict) else {}).items():
        value = str(value)
        if wildcards and (has_wildcard(key) or has_wildcard(value)):
            if not any(wildcard(key, k) and wildcard(value, v) for k, v in labels.items()):
                return False
        elif not LABEL_VALUE.fullmatch(value):
            raise KyvernoError(f"failed to parse selector: invalid value {value}")
        elif labels.get(key) != value and not strict:
            return False
    held = (_matches_expression(one, labels) for one in as_list(selector.get("matchExpressions")))
    return all(list(held) if strict else held)


def _matches_expression(expression: object, labels: dict[str, str]) -> bool:
    if not isinstance(expression, dict):
        raise KyvernoError("failed to parse selector")
    key, operator = str(expression.get("key")), str(expression.get("operator"))
    listed = [str(value) for value in as_list(expression.get("values"))]
    if operator in {"In", "NotIn"} and listed:
        return (labels.get(key) in listed) == (operator == "In")
    if operator in {"Exists", "DoesNotExist"} and not listed:
        return (key in labels) == (operator == "Exists")
    raise KyvernoError(f"failed to parse selector: {operator} with {len(listed)} values")


def applies(rule: dict[str, Any], request: Request, policy_namespace: str | None) -> bool:
    """Does the rule's match take the resource and its exclude leave it? Raises Beyond (needs-user)."""
    if policy_namespace is not None and policy_namespace != request.namespace:
        return False
    match = rule.get("match")
    match = match if isinstance(match, dict) else {}
    any_of, all_of = as_list(match.get("any")), as_list(match.get("all"))
    if any_of:
        matched = _any(_block(item, request) for item in any_of)
    elif all_of:
        matched = _all(_block(item, request) for item in all_of)
    else:
        matched = _block(match, request)
    if matched is False:
        return False
    excluded = _excluded(rule.get("exclude"), request)
    if excluded is True:
        return False
    if matched is None or excluded is None:
        raise Beyond("needs-user", "the rule selects on who sends the request")
    return True


def _excluded(exclude: object, request: Request) -> bool | None:
    if not isinstance(exclude, dict):
        return False
    any_of, all_of = as_list(exclude.get("any")), as_list(exclude.get("all"))
    if any_of:
        return _any(_block(item, request) for item in any_of)
    if all_of:
        return _all(_block(item, request) for item in all_of)
    return _block(exclude, request)


def _any(answers: Iterable[bool | None]) -> bool | None:
    seen = set(answers)
    return True if True in seen else None if None in seen else False


def _all(answers: Iterable[bool | None]) -> bool | None:
    seen = set(answers)
    return False if False in seen else None if None in seen else True


def _block(block: object, request: Request) -> bool | None:
    """One filter: True, False, or None when only the user could decide. An empty one matches nothing."""
    if not isinstance(block, dict):
        return False
    resources = block.get("resources")
    resources = resources if isinstance(resources, dict) else {}
    users = any(block.get(key) for key in ("roles", "clusterRoles", "subjects"))
    # A selector that is there but empty is a filter too: it takes everything.
    selectors = any(isinstance(resources.get(key), dict) for key in ("selector", "namespaceSelector"))
    if not (users or selectors or any(value not in (None, "", [], {}) for value in resources.values())):
        return False
    if not _describes(resources, request):
        return False
    return None if users else True


def _describes(resources: dict[str, Any], request: Request) -> bool:
    operations = as_list(resources.get("operations"))
    if operations and request.operation not in operations:
        return False
    kinds = as_list(resources.get("kinds"))
    if kinds and not matches_kind(kinds, request):
        return False
    if (name := resources.get("name")) and not wildcard(str(name), request.name):
        return False
    names = as_list(resources.get("names"))
    if names and not any(wildcard(str(item), request.name) for item in names):
        return False
    namespaces = as_list(resources.get("namespaces"))
    here = request.name if request.kind == "Namespace" else request.namespace
    if namespaces and not any(wildcard(str(item), here) for item in namespaces):
        return False
    annotations = resources.get("annotations")
    actual = request.texts("annotations")
    for key, value in (annotations if isinstance(annotations, dict) else {}).items():
        if not any(wildcard(key, k) and wildcard(str(value), v) for k, v in actual.items()):
            return False
    return _selected(resources, request)


def _selected(resources: dict[str, Any], request: Request) -> bool:
    try:
        selector = resources.get("selector")
        if selector is not None and not matches_selector(selector, request.texts("labels")):
            return False
        selector = resources.get("namespaceSelector")
        if selector is None:
            return True
        if request.kind == "Namespace":
            return False
        return isinstance(selector, dict) and request.namespace_selected(selector)
    except KyvernoError:
        return False


def webhook_operations(rule: dict[str, Any], request: Request, default: tuple[str, ...]) -> set[str]:
    """The operations on the request's kind that Kyverno asks the API server to be told of for this rule.

    An `exclude.any` that names kinds or operations and nothing else takes them away again – an empty one all.
    Source: pkg/controllers/webhook/utils.go.
    """
    match, exclude = as_map(rule.get("match")), as_map(rule.get("exclude"))
    told: dict[str, set[str]] = {}
    for block in [match, *as_list(match.get("all")), *as_list(match.get("any"))]:
        resources = as_map(as_map(block).get("resources"))
        for kind in as_list(resources.get("kinds")):
            told.setdefault(str(kind), set()).update(as_list(resources.get("operations")) or default)
    for block in map(as_map, as_list(exclude.get("any"))):
        resources = as_map(block.get("resources"))
        if any(block.get(key) for key in ("roles", "clusterRoles", "subjects")) or any(
            resources.get(key) for key in ("name", "names", "namespaces", "annotations")
        ):
            continue
        if resources.get("selector") is not None or resources.get("namespaceSelector") is not None:
            continue
        for kind in map(str, as_list(resources.get("kinds")) or list(told)):
            if kind in told:
                told[kind] -= set(as_list(resources.get("operations")) or OPERATIONS)
    return {
        operation
        for kind, operations in told.items()
        if matches_kind([kind], request)
        for operation in operations
    }
