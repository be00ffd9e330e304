"""When a CEL policy applies and what its expressions see: constraints, conditions, autogen, variables.

Sources: pkg/cel/{matching,autogen,compiler} (Kyverno), k8s.io/apiserver's webhook rules.
"""

from __future__ import annotations

import json
import re
from typing import Any

from workshop.kyverno.cel.evaluation import Scope, evaluate
from workshop.kyverno.cel.library import CelError
from workshop.kyverno.images import POD_SPEC
from workshop.kyverno.kinds import CLUSTER_KINDS
from workshop.kyverno.match import Request, as_list, as_map, matches_selector
from workshop.kyverno.outcome import Beyond, KyvernoError

_PLURALS = {"Endpoints": "endpoints", "Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}
_AUTOGEN = {
    **dict.fromkeys(("daemonsets", "deployments", "replicasets", "statefulsets"), "apps"),
    **dict.fromkeys(("jobs", "cronjobs"), "batch"),
}


def plural(kind: str) -> str:
    """The resource name of a kind: Pod → pods, NetworkPolicy → networkpolicies."""
    if kind in _PLURALS:
        return _PLURALS[kind]
    lower = kind.lower()
    if lower.endswith(("s", "x", "ch", "sh")):
        return f"{lower}es"
    return f"{lower[:-1]}ies" if re.search(r"[^aeiou]y$", lower) else f"{lower}s"


def scope_of(request: Request, variables: object, *, deleting: bool, native: bool = True) -> Scope:
    """`object`, `oldObject`, `request`, `namespaceObject` and `variables`.

    What is not there is null to the API server, an empty map to Kyverno's own kinds (not `native`).
    """
    new = None if deleting else request.resource
    group, _, version = str(request.resource.get("apiVersion") or "").rpartition("/")
    gvk = {"group": group, "version": version, "kind": request.kind}
    gvr = {"group": group, "version": version, "resource": plural(request.kind)}
    facts = {
        "operation": request.operation,
        "kind": gvk,
        "requestKind": gvk,
        "resource": gvr,
        "requestResource": gvr,
        "object": new,
        "oldObject": request.old,
    }
    # What is empty is left out of an AdmissionReview.
    named = {"name": str(request.metadata.get("name") or ""), "namespace": request.namespace}
    facts |= {key: text for key, text in named.items() if text}
    unknown: dict[tuple[str, ...], str] = {
        ("request", name): "needs-user" for name in ("userInfo", "uid", "options", "dryRun")
    }
    namespace: Any = None
    if request.kind not in CLUSTER_KINDS:
        namespace = {"metadata": {"name": request.namespace}}
        of_cluster: list[tuple[str, ...]] = [("metadata", "annotations"), ("spec",), ("status",)]
        if request.namespace_labels is None:
            of_cluster.append(("metadata", "labels"))
        else:
            name = {"kubernetes.io/metadata.name": request.namespace}
            namespace["metadata"]["labels"] = {**name, **request.namespace_labels}
        unknown |= {("namespaceObject", *path): "needs-cluster" for path in of_cluster}
    values = {
        "object": new if new is not None or native else {},
        "oldObject": request.old if request.old is not None or native else {},
        "request": facts,
        "namespaceObject": namespace,
        "exceptions": {"allowedImages": [], "allowedValues": []},
    }
    found = [item for item in as_list(variables) if isinstance(as_map(item).get("name"), str)]
    return Scope(values, unknown, {item["name"]: str(item.get("expression")) for item in found})


def conditions_hold(wanted: object, request: Request, *, deleting: bool = False) -> bool:
    """Are all matchConditions true? Raises KyvernoError when one fails and none is false."""
    return conditions(wanted, scope_of(request, [], deleting=deleting))


def conditions(wanted: object, scope: Scope) -> bool:
    """Are all conditions true in this scope? One that is false outweighs one that fails."""
    failure: Exception | None = None
    for condition in as_list(wanted):
        try:
            held = evaluate(str(as_map(condition).get("expression")), scope)
            if held is False:
                return False
            if held is not True:
                raise CelError("a match condition must be true or false")
        except (KyvernoError, Beyond) as error:
            failure = failure if isinstance(failure, Beyond) else error
    if failure is not None:
        raise failure
    return True


def matches_constraints(constraints: object, request: Request, *, deleting: bool = False) -> bool:
    """``matchConstraints``: selectors, rules, excluded rules. Beyond when a namespace's labels decide."""
    wanted = as_map(constraints)
    if any(_matches_rule(rule, request) for rule in as_list(wanted.get("excludeResourceRules"))):
        return False
    rules = as_list(wanted.get("resourceRules"))
    if rules and not any(_matches_rule(rule, request) for rule in rules):
        return False
    try:
        return _selected(wanted, request, {} if deleting else as_map(wanted.get("objectSelector")))
    except KyvernoError as error:
        # Kyverno accepts it, but cannot set up the webhook that would ask for the policy.
        raise Beyond("needs-cluster", f"the policy's webhook cannot be configured: {error}") from error


def _selected(wanted: dict[str, Any], request: Request, objects: dict[str, Any]) -> bool:
    labels = request.texts("labels")
    try:
        if not _matches_namespace(wanted, request):
            return False
    except Beyond:
        if objects and not matches_selector(objects, labels, wildcards=False):
            return False
        raise
    return not objects or matches_selector(objects, labels, wildcards=False)


def _matches_namespace(wanted: dict[str, Any], request: Request) -> bool:
    selector = as_map(wanted.get("namespaceSelector"))
    if not selector or (request.kind in CLUSTER_KINDS and request.kind != "Namespace"):
        return True
    if request.kind == "Namespace":
        labels = {"kubernetes.io/metadata.name": request.name, **request.texts("labels")}
        return matches_selector(selector, labels, wildcards=False)
    return request.namespace_selected(selector, wildcards=False)


def _matches_rule(rule: object, request: Request) -> bool:
    rule = as_map(rule)
    group, _, version = str(request.resource.get("apiVersion") or "").rpartition("/")
    resource = plural(request.kind)

    def listed(key: str, value: str) -> bool:
        return any(item in ("*", value) for item in as_list(rule.get(key)))

    if not (
        listed("operations", request.operation)
        and listed("apiGroups", group)
        and listed("apiVersions", version)
    ):
        return False
    named = [str(item).partition("/") for item in as_list(rule.get("resources"))]
    if not any(main in ("*", resource) and sub in ("", "*") for main, _, sub in named):
        return False
    cluster = request.kind in CLUSTER_KINDS
    if rule.get("scope") not in (None, "", "*", "Cluster" if cluster else "Namespaced"):
        return False
    names = as_list(rule.get("resourceNames"))
    return not names or request.metadata.get("name") in names


def autogen(spec: dict[str, Any], kind: str) -> tuple[dict[str, Any], str] | None:
    """The constraints generated for a Pod controller and where its template is; None if there are none."""
    wanted = as_map(spec.get("matchConstraints"))
    rules = as_list(wanted.get("resourceRules"))
    selector = as_map(wanted.get("objectSelector"))
    rule = as_map(rules[0]) if len(rules) == 1 else {}
    pods_only = (rule.get("apiGroups"), rule.get("apiVersions"), rule.get("resources")) == (
        [""],
        ["v1"],
        ["pods"],
    )
    if selector.get("matchLabels") or selector.get("matchExpressions") or wanted.get("excludeResourceRules"):
        return None
    if not pods_only or rule.get("resourceNames"):
        return None
    chosen = as_map(as_map(spec.get("autogen")).get("podControllers")).get("controllers")
    resource = plural(kind)
    if resource not in _AUTOGEN or (chosen is not None and resource not in as_list(chosen)):
        return None
    generated = {
        "resourceRules": [
            {
                "apiGroups": [_AUTOGEN[resource]],
                "apiVersions": ["v1"],
                "resources": [resource],
                "operations": rule.get("operations"),
            }
        ],
        "namespaceSelector": wanted.get("namespaceSelector"),
    }
    return generated, ".".join(POD_SPEC[kind][:-1])


def generated_spec(spec: dict[str, Any], kind: str) -> dict[str, Any]:
    """The spec in force for a kind: the policy's own, or the one generated for Pod controllers."""
    found = autogen(spec, kind)
    if found is None:
        return spec
    constraints, template = found
    text = json.dumps({key: value for key, value in spec.items() if key != "matchConstraints"})
    for part in ("spec", "metadata"):
        for name in ("object", "oldObject"):
            text = re.sub(
                rf"{name}\.{part}(?!\.namespace(?![A-Za-z0-9_]))", f"{name}.{template}.{part}", text
            )
    generated: dict[str, Any] = json.loads(text)
    return {**generated, "matchConstraints": constraints}
