"""What Kyverno's policy webhook refuses in a ClusterPolicy or Policy whose fields are all known.

Source: pkg/validation/policy/validate.go and the Validate methods of api/kyverno/v1. Texts follow the
engine's.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from workshop.kyverno.autogen import ANNOTATION as AUTOGEN
from workshop.kyverno.autogen import compute_rules
from workshop.kyverno.kinds import CLUSTER_KIND_NAMES
from workshop.kyverno.match import as_list, as_map, matches_selector, parse_kind
from workshop.kyverno.outcome import Beyond, KyvernoError, NotFoundError
from workshop.kyverno.refusal.actions import conditions_errors, images_errors, mutate_errors, validate_errors
from workshop.kyverno.values import has_wildcard, same, wildcard
from workshop.kyverno.variables import VARIABLE, substitute

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
_CALL = r"([a-z_0-9]+\()[^{}]"
_BACKGROUND = re.compile(rf"request\.|element|elementIndex|@|images|images\.|image\.|{_CALL}")
_ADMISSION = re.compile(
    rf"request|serviceAccountName|serviceAccountNamespace|element|elementIndex|@|images|image|{_CALL}"
)
_USER = re.compile(
    r"[^.](serviceAccountName|serviceAccountNamespace|request.userInfo|request.roles|request.clusterRoles)\b"
)
_PLAIN_VARIABLE = re.compile(r"\{\{[^{}]*\}\}")


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
    yield from _variable_errors(policy, own, background=background)


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
    yield from _selection_errors(rule, background=background, namespaced=namespaced)
    yield from _context_errors(rule)
    yield from conditions_errors(rule.get("preconditions"), "preconditions")
    if rule.get("celPreconditions") and not as_map(rule.get("validate")).get("cel"):
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


def _filters(block: object) -> list[dict[str, Any]]:
    """The filters of a match or exclude that count: any, else all, else the older single one."""
    wanted = as_map(block)
    found = as_list(wanted.get("any")) or as_list(wanted.get("all")) or [wanted]
    return [as_map(item) for item in found]


def _selection_errors(rule: dict[str, Any], *, background: bool, namespaced: bool) -> Iterator[str]:
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


def _variable_errors(policy: dict[str, Any], own: list[dict[str, Any]], *, background: bool) -> Iterator[str]:
    if background and not any(as_map(rule.get("mutate")).get("targets") for rule in own):
        for found in VARIABLE.findall(str(policy.get("spec"))):
            if user := _USER.search(found[found.index("{{") :]):
                yield f"only select variables are allowed in background mode: {user[1]} (background: false)"
    for rule in compute_rules(policy, ""):
        yield from _stray_elements(rule, "")
        yield from _stray_targets(rule)
        allowed = _Names(rule, background=background)
        try:
            substitute({key: value for key, value in rule.items() if key != "verifyImages"}, allowed)  # type: ignore[arg-type]
        except NotFoundError:
            pass
        except Beyond:
            continue
        except KyvernoError as error:
            yield f"variable substitution failed for rule {rule.get('name')}: {error}"


def _stray_elements(node: object, path: str) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _stray_elements(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _stray_elements(item, f"{path}/{index}")
    elif isinstance(node, str) and "/foreach/" not in path:
        for found in VARIABLE.findall(node):
            name = (
                found[found.index("{{") :]
                .replace("{{", "")
                .replace("}}", "")
                .strip()
                .removeprefix("-")
                .strip()
            )
            if name.startswith("element"):
                yield f"variable '{name}' present outside of foreach at path {path}"


def _stray_targets(rule: dict[str, Any]) -> Iterator[str]:
    """`target` is known once the targets are found: to their conditions and contexts, and to the patch."""
    mutate = as_map(rule.get("mutate"))
    found_by = [
        {key: value for key, value in as_map(target).items() if key not in ("context", "preconditions")}
        for target in as_list(mutate.get("targets"))
    ]
    before = {key: value for key, value in rule.items() if key != "mutate"}
    for variable in VARIABLE.findall(str([before, *found_by])) if found_by else ():
        name = variable[variable.index("{{") :].strip("{}- ")
        if name.startswith("target."):
            yield f"variable '{name}' is known in the target section of a rule only"


class _Names:
    """Stands for the context while a policy is checked: knows which variables exist, not their values."""

    operation = ""
    data: dict[str, Any] = {}  # noqa: RUF012  (read only: there is never a target)

    def __init__(self, rule: dict[str, Any], *, background: bool) -> None:
        targets = as_list(as_map(rule.get("mutate")).get("targets"))
        self.allowed = _BACKGROUND if background else _ADMISSION
        self.patterns = ["target.*"] if targets else []
        loops = [
            loop
            for action in ("validate", "mutate", "generate")
            for loop in as_list(as_map(rule.get(action)).get("foreach"))
        ]
        entries = [
            entry for holder in [rule, *loops, *targets] for entry in as_list(as_map(holder).get("context"))
        ]
        for entry in map(as_map, entries):
            name = str(entry.get("name"))
            tails = (
                (".data", ".metadata", ".data.*", ".metadata.*")
                if entry.get("configMap") is not None
                else ("*",)
            )
            self.patterns += [name + tail for tail in tails]

    def query(self, expression: str) -> None:
        """None for a variable that may be used; raises KyvernoError for the others."""
        from workshop.kyverno.jmes import check_syntax

        check_syntax(expression)
        bare = expression.replace('"', "")
        if self.allowed.search(bare) or any(wildcard(pattern, bare) for pattern in self.patterns):
            return
        raise KyvernoError(f"variable {bare} must match the variables that are defined here")
