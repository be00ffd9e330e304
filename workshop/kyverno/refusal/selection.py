"""What Kyverno's policy webhook refuses in the match and exclude of a rule.

Source: pkg/validation/policy/validate.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from workshop.kyverno.kinds import CLUSTER_KIND_NAMES
from workshop.kyverno.match import as_list, as_map, matches_selector, parse_kind
from workshop.kyverno.outcome import KyvernoError
from workshop.kyverno.values import has_wildcard, same, wildcard

_PLAIN_VARIABLE = re.compile(r"\{\{[^{}]*\}\}")


def _filters(block: object) -> list[dict[str, Any]]:
    """The filters of a match or exclude that count: any, else all, else the older single one."""
    wanted = as_map(block)
    found = as_list(wanted.get("any")) or as_list(wanted.get("all")) or [wanted]
    return [as_map(item) for item in found]


def selection_errors(rule: dict[str, Any], *, background: bool, namespaced: bool) -> Iterator[str]:
    """Every objection to what a rule selects."""
    if _empty_set(rule):
        yield "Rule is matching an empty set"
    for part in ("match", "exclude"):
        block = as_map(rule.get(part))
        if block.get("any") and block.get("all"):
            yield f"{part}: Can't specify any and all together"
        if (block.get("any") or block.get("all")) and block.get("resources"):
            yield f"{part}: can't specify any/all together with {part} resources"
        if _PLAIN_VARIABLE.search(str(block)):
            yield f'rule "{rule.get("name")}" should not have variables in {part} section'
        for item in _filters(block):
            yield from _filter_errors(item, part, rule, background=background, namespaced=namespaced)


def ambiguous_kinds(rules: list[dict[str, Any]]) -> Iterator[str]:
    """The webhook translates a single CEL rule for the API server, kind by kind: each must be one.

    Only rules that select by kinds alone are sure to be translated.
    """
    if len(rules) != 1 or not as_map(rules[0].get("validate")).get("cel") or rules[0].get("exclude"):
        return
    for item in as_list(as_map(rules[0].get("match")).get("any")):
        resources = as_map(as_map(item).get("resources"))
        if set(as_map(item)) != {"resources"} or not resources.keys() <= {"kinds", "operations"}:
            return
        for kind in map(str, as_list(resources.get("kinds"))):
            if kind != "*" and parse_kind(kind)[2:] == ("*", ""):
                yield "no unique match for kind *"


def _filter_errors(
    item: dict[str, Any], part: str, rule: dict[str, Any], *, background: bool, namespaced: bool
) -> Iterator[str]:
    resources = as_map(item.get("resources"))
    kinds = [str(kind) for kind in as_list(resources.get("kinds"))]
    if part == "match" and not resources:
        yield "match: match resources not specified"
    elif part == "match" and not kinds:
        yield "at least one element must be specified in a kind block"
    if resources.get("name") and resources.get("names"):
        yield f"{part}: Both name and names can not be specified together"
    if background and any(item.get(key) for key in ("roles", "clusterRoles", "subjects")):
        yield f"{part}: roles, clusterRoles, subjects are not allowed in background mode (background: false)"
    if background and rule.get("validate"):
        # Of other groups only the cluster knows whether the subresource exists.
        parsed = ((kind, parse_kind(kind)) for kind in kinds)
        known = (kind for kind, (group, _, _, sub) in parsed if sub and group in {"*", "", "apps", "batch"})
        yield from (f"background scan enabled with subresource {kind}" for kind in known)
    for subject in map(as_map, as_list(item.get("subjects"))):
        if subject.get("kind") not in {"User", "Group", "ServiceAccount"}:
            yield f"{part}.subjects: kind must be 'User', 'Group', or 'ServiceAccount'"
        elif subject["kind"] == "ServiceAccount" and not subject.get("namespace"):
            yield f"{part}.subjects: namespace is required when Kind is ServiceAccount"
        if subject.get("name") == "":
            yield f"{part}.subjects: Required value: a name"
    for role in map(str, as_list(item.get("roles"))):
        if role.count(":") != 1:
            yield f"{part}.roles: Invalid value: {role}: Role is expected to be in namespace:name format"
    if namespaced and resources.get("namespaces"):
        yield f"{part}: Filtering namespaces not allowed in namespaced policies"
    for kind in kinds:
        if namespaced and kind in CLUSTER_KIND_NAMES:
            yield f"{part}: Cluster wide resource '{kind}' not allowed in namespaced policy"
    selector = resources.get("selector")
    if isinstance(selector, dict) and not has_wildcard(str(selector)):
        try:
            matches_selector(selector, {})
        except KyvernoError as error:
            yield f"{part}.selector: {error}"
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            yield f"{part}.selector: The requirements are not specified in selector"
    if "*" in kinds:
        yield from _wildcard_errors(kinds, rule, background=background)


def _wildcard_errors(kinds: list[str], rule: dict[str, Any], *, background: bool) -> Iterator[str]:
    if background:
        yield "wildcard policy not allowed in background mode. Set spec.background=false"
    if len(kinds) > 1:
        yield "wildcard policy can not deal with more than one kind"
    validate, mutate = as_map(rule.get("validate")), as_map(rule.get("mutate"))
    if rule.get("generate") or rule.get("verifyImages") or validate.get("foreach") is not None:
        yield "wildcard policy does not support rule type"
    patterns = [
        validate.get("pattern"),
        mutate.get("patchStrategicMerge"),
        *as_list(validate.get("anyPattern")),
    ]
    if any(key != "metadata" for pattern in patterns for key in as_map(pattern)):
        yield "policy can only deal with the metadata field if the rule does not match any kind"


def _empty_set(rule: dict[str, Any]) -> bool:
    """Does the exclude block take away everything that match selects, as Kyverno reckons it?"""
    match = as_map(rule.get("match"))
    exclude = {key: value for key, value in as_map(rule.get("exclude")).items() if value not in (None, {})}
    if not exclude or exclude.get("all") or match.get("all"):
        return False
    if match.get("any") and exclude.get("any"):
        return any(same(mine, other) for mine in as_list(match["any"]) for other in as_list(exclude["any"]))
    mine, other = as_map(match.get("resources")), as_map(exclude.get("resources"))
    for holder, counter, keys in (
        (exclude, match, ("roles", "clusterRoles", "subjects")),
        (other, mine, ("namespaces", "kinds")),
    ):
        for key in keys:
            taken, kept = as_list(holder.get(key)), as_list(counter.get(key))
            if taken and not (kept and all(item in taken for item in kept)):
                return False
    if other.get("name") and not wildcard(str(other["name"]), str(mine.get("name") or "")):
        return False
    if names := as_list(other.get("names")):
        return any(wildcard(str(name), str(own)) for name in names for own in as_list(mine.get("names")))
    for key in ("selector", "namespaceSelector"):
        if (mine.get(key) is None) != (other.get(key) is None):
            return False
        wanted, taken_labels = as_map(mine.get(key)), as_map(other.get(key))
        for inner in ("matchExpressions", "matchLabels"):
            if taken_labels.get(inner) and not (
                wanted.get(inner)
                and all(_within(entry, taken_labels[inner]) for entry in _entries(wanted[inner]))
            ):
                return False
    return same(mine.get("annotations"), other.get("annotations"))


def _entries(value: Any) -> list[Any]:
    return list(value.items()) if isinstance(value, dict) else as_list(value)


def _within(entry: Any, container: Any) -> bool:
    return entry in _entries(container)
