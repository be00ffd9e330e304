"""The rules of ClusterPolicy and Policy: validate, mutate and verifyImages, evaluated as the engine does.

Source: pkg/engine/{validation,mutation}.go and pkg/engine/handlers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from workshop.kyverno import jsonpatch, strategic
from workshop.kyverno.anchors import match_pattern
from workshop.kyverno.conditions import compare
from workshop.kyverno.context import Context
from workshop.kyverno.images import images_of
from workshop.kyverno.match import as_list
from workshop.kyverno.outcome import Beyond, KyvernoError, NotFoundError, Result
from workshop.kyverno.values import same, wildcard
from workshop.kyverno.variables import substitute


@dataclass(frozen=True)
class Status:
    """What one rule says: like a RuleResult, before it is known whose it is."""

    result: Result
    message: str = ""
    path: str = ""
    resource: dict[str, Any] | None = None


def check_conditions(conditions: object, context: Context) -> tuple[bool, str]:
    """Do `any`/`all` conditions (or the older plain list) hold, and the messages of those that decided."""
    if conditions is None:
        return True, ""
    if isinstance(conditions, list):
        for condition in conditions:
            held, message = _holds(condition, context)
            if not held:
                return False, message
        return True, ""
    if not isinstance(conditions, dict):
        raise KyvernoError("failed to parse preconditions: invalid preconditions")
    true_messages: list[str] = []
    false_messages: list[str] = []
    any_held = True
    if conditions.get("any") is not None:
        any_held = False
        for condition in as_list(conditions["any"]):
            held, message = _holds(condition, context)
            (true_messages if held else false_messages).append(message)
            if held:
                any_held = True
                break
    all_held = True
    for condition in as_list(conditions.get("all")):
        held, message = _holds(condition, context)
        (true_messages if held else false_messages).append(message)
        if not held:
            all_held = False
            break
    held = any_held and all_held
    return held, "; ".join(filter(None, true_messages if held else false_messages))


def _holds(condition: object, context: Context) -> tuple[bool, str]:
    if not isinstance(condition, dict):
        raise KyvernoError("invalid condition")
    key = substitute(condition.get("key"), context)
    value = substitute(condition.get("value"), context)
    return compare(key, condition.get("operator"), value), str(condition.get("message") or "")


def validate_resource(rule: dict[str, Any], context: Context, resource: object) -> Status | None:
    """A ``validate`` rule whose preconditions hold; None when nothing was evaluated (an empty foreach)."""
    beyond = {"podSecurity", "manifests", "assert"} & rule["validate"].keys()
    if beyond:
        raise Beyond("beyond-evaluator", f"validate.{beyond.pop()}")
    return _validate(rule, rule["validate"], context, resource, 0)


def _validate(
    rule: dict[str, Any], checks: dict[str, Any], context: Context, resource: object, nesting: int
) -> Status | None:
    if checks.get("deny") is not None:
        return _deny(rule, checks["deny"], context)
    if checks.get("pattern") is not None or checks.get("anyPattern") is not None:
        form = "pattern" if checks.get("pattern") is not None else "anyPattern"
        try:
            wanted = substitute(checks[form], context)
        except KyvernoError as error:
            return Status("error", f"variable substitution failed: {error}")
        if resource is None:
            return None
        return _pattern(rule, wanted, context, resource, several=form == "anyPattern")
    if checks.get("foreach") is not None:
        return _foreach(rule, checks["foreach"], context, resource, nesting)
    return None


def _message(rule: dict[str, Any], context: Context) -> str | None:
    """The rule's message with its variables, None when they cannot be resolved."""
    try:
        text = substitute(rule["validate"].get("message") or "", context)
    except (KyvernoError, Beyond):
        return None
    return text if isinstance(text, str) else None


def _deny(rule: dict[str, Any], deny: object, context: Context) -> Status:
    try:
        denied, reason = check_conditions(deny.get("conditions") if isinstance(deny, dict) else None, context)
    except KyvernoError as error:
        return Status("error", f"failed to check deny conditions: {error}")
    if not denied:
        return Status("pass", f"validation rule '{rule.get('name')}' passed.")
    message = _message(rule, context)
    text = "; ".join(filter(None, [message, reason]))
    return Status("fail", text or f"validation error: rule {rule.get('name')} failed")


def _pattern(
    rule: dict[str, Any], wanted: object, context: Context, resource: object, *, several: bool
) -> Status:
    patterns = wanted if several else [wanted]
    if not isinstance(patterns, list):
        return Status("error", "failed to deserialize anyPattern, expected type array")
    verdicts = [match_pattern(resource, pattern) for pattern in patterns]
    if not verdicts or any(verdict.status == "pass" for verdict in verdicts):
        return Status("pass", f"validation rule '{rule.get('name')}' passed.")
    decided = [verdict for verdict in verdicts if verdict.status != "skip"]
    if not decided:
        return Status("skip", " ".join(verdict.message for verdict in verdicts), verdicts[0].path)
    message = _message(rule, context)
    head = "validation error: " + (f"{message.rstrip('.')}. " if message else "")
    where = " ".join(
        f"rule {rule.get('name')}{f'[{i}]' if several else ''} "
        + (f"failed at path {verdict.path}" if verdict.path else f"execution error: {verdict.message}")
        for i, verdict in enumerate(decided)
    )
    result: Result = "error" if not several and decided[0].status == "error" else "fail"
    return Status(result, head + where, decided[0].path)


def _foreach(
    rule: dict[str, Any], loops: object, context: Context, resource: object, nesting: int
) -> Status | None:
    applied, failure = 0, None
    for loop in as_list(loops):
        if not isinstance(loop, dict):
            raise KyvernoError("invalid foreach")
        try:
            elements = elements_of(loop, context)
        except NotFoundError:
            continue
        except KyvernoError as error:
            failure = failure if "Unknown key" in str(error) else error
            continue
        for index, element in enumerate(elements):
            if element is None:
                continue
            inner = context.child()
            inner.add_element(element, index, nesting)
            scope = loop.get("elementScope")
            if scope is True and not isinstance(element, dict):
                return Status("error", "failed to process foreach: elementScope needs elements that are maps")
            scoped = isinstance(element, dict) if scope is None else bool(scope)
            inner.add_entries(loop.get("context"))
            try:
                if not check_conditions(loop.get("preconditions"), inner)[0]:
                    continue
            except KyvernoError:
                # Kyverno leaves out an element whose preconditions cannot be evaluated.
                continue
            status = _validate(rule, loop, inner, element if scoped else resource, nesting + 1)
            if status is None or status.result == "skip":
                continue
            if status.result != "pass":
                path = f"/{loop.get('list')}/{index}{status.path}" if scoped else status.path
                return replace(status, message=f"validation failure: {status.message}", path=path)
            applied += 1
    if applied:
        return Status("pass", "rule passed")
    return Status("error", f"failed to evaluate list: {failure}") if failure else None


def elements_of(loop: dict[str, Any], context: Context) -> list[Any]:
    """The elements a foreach runs over; a single value counts as one."""
    found = context.query(str(loop.get("list") or ""))
    return found if isinstance(found, list) else [found]


def mutate(rule: dict[str, Any], context: Context, resource: dict[str, Any]) -> Status:
    """A ``mutate`` rule of the resource itself (`targets` concern other objects and are not ours)."""
    body = rule["mutate"]
    try:
        if body.get("foreach") is not None:
            return _mutate_foreach(body["foreach"], context, resource, 0)
        # The whole rule, as Kyverno does: a variable nobody uses has to resolve, `{{@}}` counts from its top.
        return _patch(substitute(rule, context)["mutate"], resource)
    except KyvernoError as error:
        return Status("error", str(error))


def _patch(body: dict[str, Any], resource: dict[str, Any]) -> Status:
    if body.get("patchStrategicMerge") is not None:
        patched = strategic.strategic_merge(resource, body["patchStrategicMerge"])
    elif body.get("patchesJson6902"):
        patched = jsonpatch.apply_patch(resource, jsonpatch.parse_patch(body["patchesJson6902"]))
    else:
        raise KyvernoError("empty mutate rule")
    if not isinstance(patched, dict) or not patched.get("kind"):
        raise KyvernoError("failed to unmarshal patched resource")
    if same(resource, patched):
        return Status("skip", "no patches applied")
    return Status("pass", "resource patched", resource=patched)


def _mutate_foreach(loops: object, context: Context, resource: dict[str, Any], nesting: int) -> Status:
    original = resource
    context = context.child()
    for loop in as_list(loops):
        if not isinstance(loop, dict):
            raise KyvernoError("invalid foreach")
        patched = _mutate_elements(loop, context, resource, nesting)
        if patched is not resource:
            resource = patched
            context.put("request.object", resource)
    if same(original, resource):
        return Status("skip", "0 elements processed")
    return Status("pass", "resource patched", resource=resource)


def _mutate_elements(
    loop: dict[str, Any], context: Context, resource: dict[str, Any], nesting: int
) -> dict[str, Any]:
    elements = list(enumerate(elements_of(loop, context)))
    order = loop.get("order")
    backwards = loop.get("patchStrategicMerge") is not None if order is None else order == "Descending"
    for index, element in reversed(elements) if backwards else elements:
        if element is None:
            continue
        inner = context.child()
        inner.add_element(element, index, nesting)
        inner.add_entries(loop.get("context"))
        if not check_conditions(loop.get("preconditions"), inner)[0]:
            continue
        if loop.get("foreach"):
            status = _mutate_foreach(loop["foreach"], inner, resource, nesting + 1)
        else:
            patches = {key: loop.get(key) for key in ("patchStrategicMerge", "patchesJson6902")}
            status = _patch(substitute(patches, inner), resource)
        resource = status.resource or resource
    return resource


def verify_images(rule: dict[str, Any], resource: dict[str, Any]) -> Status | None:
    """Which images a ``verifyImages`` rule asks to verify; whether they are signed, a registry knows.

    One that `skipImageReferences` leaves out counts too: Kyverno still asks the registry for its digest.
    """
    asked = [
        image.reference
        for images in images_of(resource, rule.get("imageExtractors")).values()
        for image in images.values()
        if any(
            isinstance(item, dict) and _refers_to(item, image.reference)
            for item in as_list(rule["verifyImages"])
        )
    ]
    if asked:
        raise Beyond("needs-registry", "signatures to verify: " + ", ".join(sorted(set(asked))))
    return Status("skip", "no image matches imageReferences")


def _refers_to(item: dict[str, Any], reference: str) -> bool:
    wanted = [*as_list(item.get("imageReferences")), *([item["image"]] if item.get("image") else [])]
    return any(wildcard(str(pattern), reference) for pattern in wanted)
