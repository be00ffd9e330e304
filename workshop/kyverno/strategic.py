"""``patchStrategicMerge``: anchors are resolved against the resource, the rest merges as in Kubernetes.

Sources: pkg/engine/mutate/patch/strategicPreprocessing.go and kustomize's merge2 with lists prepended:
items of the patch come first, in its order, the others follow.
"""

from __future__ import annotations

import copy
from typing import Any

from workshop.kyverno.anchors import match_pattern, parse_anchor
from workshop.kyverno.images import POD_SPEC
from workshop.kyverno.outcome import Beyond, KyvernoError, spend
from workshop.kyverno.values import go_json

Keys = tuple[str, ...]
_POD_LISTS: dict[str, Keys] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
_CONTAINER_LISTS: dict[str, Keys] = {
    "env": ("name",),
    "ports": ("containerPort", "protocol"),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
}
_OTHER_LISTS: dict[tuple[str, str], Keys] = {
    ("Service", "spec/ports"): ("port", "protocol"),
    ("ServiceAccount", "secrets"): ("name",),
    ("ServiceAccount", "imagePullSecrets"): ("name",),
    ("MutatingWebhookConfiguration", "webhooks"): ("name",),
    ("ValidatingWebhookConfiguration", "webhooks"): ("name",),
}
_TWICE = "\0"
_BUILT_IN_GROUPS = ("", "apps", "batch", "policy", "autoscaling", "extensions")


class _Condition(Exception):
    def __init__(self, *, everywhere: bool) -> None:
        super().__init__()
        self.everywhere = everywhere


def strategic_merge(resource: dict[str, Any], patch: object) -> dict[str, Any]:
    """The resource after the patch; unchanged where a condition of the patch does not hold."""
    pattern = preprocess(patch, resource)
    merged = _merge_maps(copy.deepcopy(resource), pattern, Schema(resource), "") if pattern else resource
    return merged if isinstance(merged, dict) else {}


def preprocess(patch: object, resource: object) -> dict[str, Any]:
    """The patch without its anchors, {} when a condition of it does not hold for this resource."""
    if not isinstance(patch, dict):
        raise KyvernoError("failed to preProcess rule: the patch is no map")
    pattern: dict[str, Any] = copy.deepcopy(patch)
    try:
        _resolve(pattern, resource)
    except _Condition:
        return {}
    for key in list(pattern):
        anchor = parse_anchor(key)
        if _strip(pattern[key], delete_scalar=bool(anchor and anchor[0] in {"", "<"})):
            del pattern[key]
    _refuse_twins(pattern)
    return pattern


def _refuse_twins(node: object) -> None:
    """A key that stands twice once the anchors are gone: whether that is an error, the merge decides."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key.endswith(_TWICE):
                raise Beyond("beyond-evaluator", f"{key[:-1]} stands twice once its anchor is off")
            _refuse_twins(value)
    elif isinstance(node, list):
        for item in node:
            _refuse_twins(item)


def _resolve(pattern: object, resource: object) -> None:
    spend()
    if isinstance(pattern, dict):
        _add_if_absent(pattern, resource)
        _check_conditions(pattern, resource)
        for key in list(pattern):
            anchor = parse_anchor(key)
            if anchor is None or anchor[0] not in {"", "<", "+"}:
                _resolve(pattern[key], resource.get(key) if isinstance(resource, dict) else None)
    elif isinstance(pattern, list) and pattern and isinstance(pattern[0], dict):
        _resolve_elements(pattern, resource)


def _resolve_elements(pattern: list[Any], resource: object) -> None:
    """An element with anchors is a template: it becomes one patch per matching element of the resource."""
    if resource is not None and not isinstance(resource, list):
        raise KyvernoError("failed to preProcess rule: wrong node kind: a list is expected in the resource")
    elements = resource if isinstance(resource, list) else []
    for template in list(pattern):
        if not _has_anchor(template, {"", "<", "+"}):
            continue
        everywhere = _has_anchor(template, {"<"})
        work = copy.deepcopy(template)
        passed, failed = False, None
        for element in elements if resource is not None else [None]:
            try:
                _resolve(work, element)
            except _Condition as condition:
                failed = condition if condition.everywhere else failed
                continue
            if everywhere:
                passed = True
            elif isinstance(element, dict) and element.get("name") not in (None, ""):
                fresh = copy.deepcopy(work)
                if not _strip(fresh, delete_scalar=True):
                    fresh["name"] = element["name"]
                    pattern.append(fresh)
        if failed is not None and not passed:
            raise failed


def _add_if_absent(pattern: dict[str, Any], resource: object) -> int:
    """``+(key)`` stays where the resource lacks the key, goes where it has it. Returns their number."""
    count = 0
    for key in list(pattern):
        anchor = parse_anchor(key)
        if anchor and anchor[0] == "+":
            count += 1
            present = isinstance(resource, dict) and anchor[1] in resource
            _rename(pattern, key, None if present else anchor[1])
    return count


def _rename(mapping: dict[str, Any], old: str, new: str | None) -> None:
    if new in mapping and new != old:
        new = f"{new}{_TWICE}"
    items = [
        (new if key == old else key, value) for key, value in mapping.items() if key != old or new is not None
    ]
    mapping.clear()
    mapping.update({key: value for key, value in items if key is not None})


def _check_conditions(pattern: dict[str, Any], resource: object) -> None:
    for modifier in ("<", ""):
        for key in list(pattern):
            anchor = parse_anchor(key)
            if not anchor or anchor[0] != modifier:
                continue
            if not isinstance(resource, dict) or anchor[1] not in resource:
                raise _Condition(everywhere=modifier == "<")
            wanted, actual = pattern[key], resource[anchor[1]]
            if isinstance(wanted, dict) and _add_if_absent(wanted, actual):
                continue
            if match_pattern(_scalar_text(actual), _scalar_text(wanted)).status != "pass":
                raise _Condition(everywhere=modifier == "<")


def _scalar_text(value: object) -> object:
    """Conditions on scalars compare them as text, the way they are written in YAML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    return str(value) if isinstance(value, int | float) else value


def _has_anchor(pattern: object, modifiers: set[str]) -> bool:
    if isinstance(pattern, dict):
        return any(
            ((anchor := parse_anchor(key)) and anchor[0] in modifiers)
            or (value and _has_anchor(value, modifiers))
            for key, value in pattern.items()
        )
    if isinstance(pattern, list):
        return any(_has_anchor(item, modifiers) for item in pattern)
    anchor = parse_anchor(pattern) if isinstance(pattern, str) else None
    return bool(anchor and anchor[0] in {"", "<"})


def _strip(node: object, *, delete_scalar: bool) -> bool:
    """Remove anchors below `node`; True when nothing but anchors was there, so that it must go itself."""
    if isinstance(node, dict):
        return _strip_map(node)
    if isinstance(node, list):
        was_empty = not node
        for index, item in enumerate(list(node)):
            if _has_anchor(item, {"", "<", "+"}) or _strip(item, delete_scalar=False):
                # Kyverno counts as if nothing had been taken away yet: of several items others go.
                if index >= len(node):
                    raise KyvernoError("several items of a list go, and Kyverno breaks off")
                del node[index]
        return not node and not was_empty
    return delete_scalar


def _strip_map(node: dict[str, Any]) -> bool:
    kept = []
    for key in list(node):
        anchor = parse_anchor(key)
        if anchor and anchor[0] in {"", "<"}:
            if _strip(node[key], delete_scalar=True):
                del node[key]
            else:
                kept.append((key, anchor[1]))
    for key, name in kept:
        _rename(node, key, name)
    empty = True
    for key in list(node):
        if _strip(node[key], delete_scalar=False):
            del node[key]
        else:
            empty = False
    return empty


class Schema:
    """Which lists of a built-in kind are merged, and by which keys; lists of other kinds are replaced."""

    def __init__(self, resource: dict[str, Any]) -> None:
        self.kind = str(resource.get("kind"))
        group = str(resource.get("apiVersion", "")).rpartition("/")[0]
        self.known = group in _BUILT_IN_GROUPS or group.endswith(".k8s.io")
        self.pod = (
            "/".join(POD_SPEC.get(self.kind, ("?",))) if self.kind != "PodTemplate" else "template/spec"
        )

    def merge_keys(self, path: str) -> Keys | None:
        """The merge keys of the list at `path`, () for a set of scalars, None for a list that is replaced."""
        if not self.known:
            return None
        head, _, field = path.rpartition("/")
        if head.endswith("metadata") and field in {"finalizers", "ownerReferences"}:
            return ("uid",) if field == "ownerReferences" else ()
        if head == self.pod and field in _POD_LISTS:
            return _POD_LISTS[field]
        parent, _, star = head.rpartition("/")
        if star == "*" and parent.removeprefix(f"{self.pod}/") in {
            "containers",
            "initContainers",
            "ephemeralContainers",
        }:
            return _CONTAINER_LISTS.get(field)
        return _OTHER_LISTS.get((self.kind, path))


def _merge(target: Any, patch: Any, schema: Schema, path: str) -> Any:
    spend()
    if isinstance(patch, dict) and (target is None or isinstance(target, dict)):
        return _merge_maps(target, patch, schema, path)
    if isinstance(patch, list) and (target is None or isinstance(target, list)):
        keys = schema.merge_keys(path)
        if keys and target is None and any(isinstance(i, dict) and not (i.keys() & set(keys)) for i in patch):
            raise Beyond("beyond-evaluator", f"an item of {path} does not say which it is")
        if keys is None or target is None:
            return [
                _merge(None, item, schema, f"{path}/*") if isinstance(item, dict) else item for item in patch
            ]
        return _merge_lists(target, patch, keys, schema, path)
    if target is not None and (isinstance(patch, dict | list) or isinstance(target, dict | list)):
        raise KyvernoError(f"failed to merge: different kinds of value at {path}")
    if isinstance(target, str) and not isinstance(patch, str):
        # What replaces a text is written in its quotes, hence a text.
        return go_json(patch)
    return patch


def _merge_maps(target: dict[str, Any] | None, patch: dict[str, Any], schema: Schema, path: str) -> Any:
    directive = patch.get("$patch")
    if directive == "delete":
        return None
    patch = {key: value for key, value in patch.items() if key != "$patch"}
    if directive == "replace":
        return patch
    target = {} if target is None else target
    for key, value in patch.items():
        if (anchor := parse_anchor(key)) and anchor[0] in {"", "<", "+"}:
            raise Beyond("beyond-evaluator", f"{key} stays in the patch: its list has several such items")
        merged = (
            None
            if value is None
            else _merge(target.get(key), value, schema, f"{path}/{key}" if path else key)
        )
        if merged is None:
            target.pop(key, None)
        else:
            target[key] = merged
    return target


def _merge_lists(target: list[Any], patch: list[Any], keys: Keys, schema: Schema, path: str) -> Any:
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if not (isinstance(item, dict) and "$patch" in item)]
    if not keys:
        return [*patch, *(item for item in target if item not in patch)]
    if not all(isinstance(item, dict) for item in [*patch, *target]):
        raise KyvernoError(f"failed to merge: a list of maps is expected at {path}")
    keys = tuple(key for key in keys if any(key in item for item in [*patch, *target])) or keys[:1]
    left = list(target)
    result: list[Any] = []
    seen: list[list[str]] = []
    for item in patch:
        spend(len(left))
        mine = [str(item.get(key, "")) for key in keys]
        if mine in seen:
            # Of several items for one element the first counts.
            continue
        seen.append(mine)
        if not any(mine):
            # An item that names no element stands for all that are named, and takes them away.
            left = [old for old in left if not all(key in old for key in keys)]
            continue
        found = next((old for old in left if _same_keys(mine, [str(old.get(key, "")) for key in keys])), None)
        if found is not None:
            left.remove(found)
        merged = _merge_maps(found, item, schema, f"{path}/*")
        if merged:
            result.append(merged)
    return result + left or None


def _same_keys(mine: list[str], other: list[str]) -> bool:
    """Equal keys; with several, one side may leave some out (a port without protocol)."""
    if mine == other:
        return True
    pairs = list(zip(mine, other, strict=True))
    return any(a == b for a, b in pairs) and all(a == b or not a or not b for a, b in pairs)
