"""MutatingPolicies: expressions that build an object to merge (ApplyConfiguration) or a JSON patch.

Sources: pkg/cel/policies/mpol (Kyverno), k8s.io/apiserver/pkg/admission/plugin/policy/mutating.
"""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from workshop.kyverno import jsonpatch
from workshop.kyverno.cel.evaluation import evaluate
from workshop.kyverno.cel.fields import check_fields
from workshop.kyverno.cel.library import CelError, Optional
from workshop.kyverno.cel.match import scope_of
from workshop.kyverno.cel.source import MAP, PLAIN, TYPE_KEY
from workshop.kyverno.match import Request, as_list, as_map
from workshop.kyverno.outcome import Beyond, KyvernoError, spend
from workshop.kyverno.structured import structured_merge


def shifted(spec: dict[str, Any], constraints: dict[str, Any], template: str) -> dict[str, Any]:
    """ApplyConfiguration expressions moved into the Pod template; JSON patches are left as they are."""
    spec = copy.deepcopy(spec)
    for item in [*as_list(spec.get("matchConditions")), *as_list(spec.get("mutations"))]:
        holder = as_map(as_map(item).get("applyConfiguration")) or as_map(item)
        if not isinstance(holder.get("expression"), str):
            continue
        source = re.sub(r"\b(object|oldObject|Object)\.spec", rf"\1.{template}.spec", holder["expression"])
        for field in ("labels", "annotations"):
            source = re.sub(
                rf"\b(object|oldObject|Object)\.metadata\.{field}", rf"\1.{template}.metadata.{field}", source
            )
        if opening := re.match(r"\s*Object\s*\{", source):
            source = _wrapped(source[opening.end() :], template)
        holder["expression"] = source
    return {**spec, "matchConstraints": constraints}


def _wrapped(content: str, template: str) -> str:
    depth, end = 1, 0
    for position, character in enumerate(content):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            end = position
            break
    head, names = "Object{", template.split(".")
    for count in range(1, len(names) + 1):
        head += f"{names[count - 1]}: Object.{'.'.join(names[:count])}{{"
    return head + content[:end] + "}" * (len(names) + 1) + content[end + 1 :]


def mutated(spec: dict[str, Any], request: Request, *, native: bool = True) -> dict[str, Any]:
    """The resource after every mutation of a policy; raises KyvernoError or Beyond."""
    for item in as_list(spec.get("mutations")):
        spend()
        mutation = as_map(item)
        scope = scope_of(request, spec.get("variables"), deleting=False, native=native)
        scope.eager = not native
        if mutation.get("patchType") == "JSONPatch":
            source = str(as_map(mutation.get("jsonPatch")).get("expression"))
            resource = _json_patch(evaluate(source, scope), request.resource)
        elif mutation.get("patchType") == "ApplyConfiguration":
            source = str(as_map(mutation.get("applyConfiguration")).get("expression"))
            found = evaluate(source, scope)
            if as_map(found).get(TYPE_KEY) != "Object":
                raise CelError("an ApplyConfiguration expression must return Object")
            applied = _built(found, "Object")
            _check_metadata(applied)
            check_fields(applied, request)
            resource = structured_merge(request.resource, applied)
        else:
            raise KyvernoError(f"unknown patchType {mutation.get('patchType')}")
        request = replace(request, resource=resource)
    return request.resource


def _check_metadata(node: object) -> None:
    """Labels and annotations are texts, wherever there is metadata: the object applied is a typed one."""
    for key, value in as_map(node).items():
        for field in ("labels", "annotations") if key == "metadata" else ():
            for name, text in as_map(as_map(value).get(field)).items():
                if not isinstance(text, str):
                    raise KyvernoError(f"error applying patch: .metadata.{field}.{name}: expected string")
        _check_metadata(value)


def _built(value: Any, name: str) -> Any:
    """What an expression built, as JSON; ``Object.spec{…}`` may only stand where the field ``spec`` is."""
    if isinstance(value, dict):
        written = value.get(TYPE_KEY)
        if written == PLAIN:
            raise KyvernoError("error applying patch: a map or list inside another must be an Object's")
        is_object = written not in (None, MAP)
        if is_object and name.startswith("Object") and written != name:
            raise CelError(f"type mismatch: {written} where {name} is expected")
        fields = {key: item for key, item in value.items() if key != TYPE_KEY}
        built = {key: _built(item, f"{name}.{key}" if is_object else name) for key, item in fields.items()}
        for key, item in fields.items():
            if written == MAP and isinstance(item, dict | list):
                raise Beyond("beyond-evaluator", f"where the map or list {key} comes from")
        return built
    if isinstance(value, list):
        return [_built(item, name) for item in value]
    if isinstance(value, bytes | Optional | datetime | timedelta) or (value is None and name[0] == "O"):
        raise CelError("a value that JSON does not have")
    return value


def _json_patch(found: object, resource: dict[str, Any]) -> dict[str, Any]:
    items = found if isinstance(found, list) else [None]
    if not all(as_map(item).get(TYPE_KEY) == "JSONPatch" for item in items):
        raise CelError("a JSONPatch expression must return a list of JSONPatch")
    operations = [_built(item, "JSONPatch") for item in items]
    try:
        patched = jsonpatch.apply_patch(resource, operations, lenient=False)
    except KyvernoError as error:
        if "testing value" in str(error):
            return resource
        raise
    if not isinstance(patched, dict):
        raise KyvernoError("the patch leaves no object")
    return patched
