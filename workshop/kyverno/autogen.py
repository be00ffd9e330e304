"""Rules generated from Pod rules for Deployments, CronJobs… (``autogen-NAME``, ``autogen-cronjob-NAME``).

Source: pkg/autogen/v1. The decision is policy-wide: one rule that selects by name, label or annotation,
mixes Pods with other kinds, generates, or mutates by JSON patch, stops generation for all.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from workshop.kyverno.match import as_list, parse_kind

ANNOTATION = "pod-policies.kyverno.io/autogen-controllers"
CONTROLLERS = (
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Job",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
)
_KINDS = {
    **dict.fromkeys(("DaemonSet", "Deployment", "StatefulSet", "ReplicaSet"), "apps/*/"),
    **dict.fromkeys(("Job", "CronJob"), "batch/*/"),
    **dict.fromkeys(("ReplicationController", "Pod"), "v1/"),
}
_VALIDATE_FORMS = ("pattern", "deny", "podSecurity", "anyPattern", "foreach", "cel")
_ACTIONS = ("message", "failureAction", "failureActionOverrides", "allowExistingViolations")


def can_autogen(spec: dict[str, Any]) -> bool:
    """May rules be generated for this policy at all?"""
    needed = False
    for rule in _rules(spec):
        if rule.get("generate"):
            return False
        mutate = rule.get("mutate")
        if isinstance(mutate, dict) and any(
            item.get("patchesJson6902")
            for item in [mutate, *as_list(mutate.get("foreach"))]
            if isinstance(item, dict)
        ):
            return False
        for part in ("match", "exclude"):
            for resources in _descriptions(rule.get(part)):
                kinds = [str(kind) for kind in as_list(resources.get("kinds"))]
                if (
                    resources.get("name")
                    or resources.get("names")
                    or resources.get("selector") is not None
                    or resources.get("annotations") is not None
                    or (len(kinds) > 1 and has_pod(kinds))
                ):
                    return False
                needed = needed or any(kind in {*CONTROLLERS, "Pod"} for kind in kinds)
    return needed


def has_pod(kinds: list[str]) -> bool:
    """Is Pod, in any spelling, among the kinds?"""
    return any(parse_kind(kind)[2] == "Pod" for kind in kinds)


def compute_rules(policy: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The rules in force for resources of `kind`: those of the policy, then the generated ones.

    With kind "" all that could be generated are.
    """
    spec = policy.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    rules = _rules(spec)
    metadata = policy.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    wanted = annotations.get(ANNOTATION) if isinstance(annotations, dict) else None
    if not can_autogen(spec):
        return rules
    controllers = set(CONTROLLERS) if wanted is None else set(str(wanted).split(","))
    if kind:
        if kind not in controllers:
            return rules
        controllers = {kind}
    generated = []
    for rule in rules:
        if str(rule.get("name")).startswith("autogen-") or not _selects_pods(rule):
            continue
        known = sorted(set(CONTROLLERS) if "all" in controllers else controllers & set(CONTROLLERS))
        others = [name for name in known if name != "CronJob"] or sorted(controllers & {"Pod"})
        for_controllers = _generate(rule, "autogen", "template", others) if others else None
        if for_controllers:
            generated.append(_shift(for_controllers, "spec.template"))
        if "CronJob" in controllers or "all" in controllers:
            inner = _generate(rule, "autogen", "template", others or ["CronJob"])
            cronjob = _generate(inner, "autogen-cronjob", "jobTemplate", ["CronJob"]) if inner else None
            if cronjob:
                cronjob["name"] = _name("autogen-cronjob", rule.get("name"))
                generated.append(_shift(cronjob, "spec.jobTemplate.spec.template"))
    if not generated:
        return rules
    return [rule for rule in rules if not str(rule.get("name")).startswith("autogen-")] + generated


def _rules(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for rule in as_list(spec.get("rules")) if isinstance(rule, dict)]


def _name(prefix: str, name: object) -> str:
    return f"{prefix}-{name}"[:63]


def _descriptions(block: object) -> list[dict[str, Any]]:
    if not isinstance(block, dict):
        return []
    filters = [block, *as_list(block.get("any")), *as_list(block.get("all"))]
    found = [item.get("resources") for item in filters if isinstance(item, dict)]
    return [item for item in found if isinstance(item, dict)]


def _selects_pods(rule: dict[str, Any]) -> bool:
    matched, excluded = (
        [str(kind) for item in _descriptions(rule.get(part)) for kind in as_list(item.get("kinds"))]
        for part in ("match", "exclude")
    )
    return has_pod(matched) and (not excluded or has_pod(excluded))


def _generate(rule: dict[str, Any], prefix: str, template: str, kinds: list[str]) -> dict[str, Any] | None:
    rule = copy.deepcopy(rule)
    rule["name"] = _name(prefix, rule.get("name"))
    for part in ("match", "exclude"):
        _retarget(
            rule.get(part), [f"{_KINDS[kind]}{kind}" for kind in kinds], always=part == "match", cron=prefix
        )
    mutate, validate = rule.get("mutate"), rule.get("validate")
    if isinstance(mutate, dict):
        if mutate.get("patchStrategicMerge") is not None:
            rule["mutate"] = {"patchStrategicMerge": _wrapped(mutate["patchStrategicMerge"], template)}
            return rule
        if mutate.get("foreach"):
            rule["mutate"] = {
                "foreach": [
                    {key: item[key] for key in ("list", "context", "preconditions") if key in item}
                    | {"patchStrategicMerge": _wrapped(item.get("patchStrategicMerge"), template)}
                    for item in as_list(mutate["foreach"])
                    if isinstance(item, dict)
                ]
            }
            return rule
    if isinstance(validate, dict):
        form = next((form for form in _VALIDATE_FORMS if validate.get(form) is not None), None)
        if form is None:
            return None
        value = validate[form]
        if form == "pattern":
            value = _wrapped(value, template)
        elif form == "anyPattern":
            value = [_wrapped(item, template) for item in as_list(value)]
        rule["validate"] = {key: validate[key] for key in _ACTIONS if key in validate} | {form: value}
        return rule
    return rule if rule.get("verifyImages") else None


def _wrapped(pattern: object, template: str) -> dict[str, Any]:
    return {"spec": {template: pattern}}


def _retarget(block: object, kinds: list[str], *, always: bool, cron: str) -> None:
    """Replace Pod kinds by the controllers'; a CronJob rule takes every filter."""
    if not isinstance(block, dict):
        return
    for group in ("any", "all"):
        if filters := as_list(block.get(group)):
            for item in filters:
                if not isinstance(item, dict):
                    continue
                resources = item.get("resources") or {}
                if isinstance(resources, dict) and (
                    cron == "autogen-cronjob" or has_pod(list(map(str, as_list(resources.get("kinds")))))
                ):
                    item["resources"] = {**resources, "kinds": kinds}
            return
    resources = block.get("resources")
    if isinstance(resources, dict) and (always or resources.get("kinds")):
        resources["kinds"] = kinds


def _shift(rule: dict[str, Any], template: str) -> dict[str, Any]:
    """Point variables (or CEL paths) at the Pod template, textually as Kyverno does."""
    text = json.dumps(rule)
    validate = rule.get("validate")
    root = "" if isinstance(validate, dict) and validate.get("cel") else "request."
    for part in ("spec", "metadata"):
        for name in ("object", "oldObject"):
            text = text.replace(f"{root}{name}.{part}", f"{root}{name}.{template}.{part}")
    shifted: dict[str, Any] = json.loads(text)
    return shifted
