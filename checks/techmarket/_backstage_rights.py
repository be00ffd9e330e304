"""What Backstage's service account may read, as far as the roles kept in td/ say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from workshop.checking import Document, Exam, Text

from ._backstage import FOLDER, listed, shown
from ._backstage_config import objects, waiting

NAMESPACE: Final = "backstage"
NEEDED: Final = (
    ("", "pods"),
    ("", "services"),
    ("", "configmaps"),
    ("", "limitranges"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("autoscaling", "horizontalpodautoscalers"),
    ("networking.k8s.io", "ingresses"),
)
NEEDED_FOR_TEKTON: Final = (("tekton.dev", "pipelineruns"), ("tekton.dev", "taskruns"), ("", "pods/log"))
# Roles of every cluster that read the workloads; Tekton adds its kinds to none of them by default.
_BUILT_IN: Final = frozenset({"view", "edit", "admin", "cluster-admin"})
# The same account as a User, and the groups it is in.
_AS_ACCOUNT: Final = re.compile(
    rf"system:(?:serviceaccount:{NAMESPACE}:.+|serviceaccounts(?::{NAMESPACE})?|authenticated)"
)
_VERBS: Final = {"pods/log": "get"}


def judge_rights(exam: Exam, needed: Iterable[tuple[str, str]]) -> None:
    """Record whether a role kept in td/ lets Backstage read these (API group, resource).

    The check waits where td/ holds no role for Backstage: none is asked for.
    """
    roles = {_name(each): each for each in objects(exam, _RBAC.format("ClusterRole"))}
    own = [each for each in roles.values() if each.file.startswith(f"{FOLDER}/")]
    bindings = list(objects(exam, _RBAC.format("ClusterRoleBinding"), _RBAC.format("RoleBinding")))
    bound = [each for each in bindings if _to_backstage(each)]
    if not own and not bound:
        waiting(exam, Text("A ClusterRole for Backstage is in td/"))
    exam.fact(
        "rights-not-bound",
        Text("A binding gives the role to Backstage's service account"),
        bool(bound),
        expected=Text(
            "a ClusterRoleBinding to a ServiceAccount of the namespace {namespace}", namespace=NAMESPACE
        ),
        observed=Text(
            "bindings: {names}", names=listed(str(each.get("metadata", "name")) for each in bindings)
        ),
        next=Text("A role nobody is bound to gives nothing."),
        where=(bound or own)[0],
    )
    everywhere = [each for each in bound if each.get("kind") == "ClusterRoleBinding"]
    if bound:
        exam.fact(
            "rights-in-one-namespace",
            Text("The rights hold in every namespace"),
            bool(everywhere),
            expected="kind: ClusterRoleBinding",
            observed=f"kind: {shown(bound[0].get('kind'))}",
            next=Text("A RoleBinding reaches its own namespace only; the services are in others."),
            where=bound[0].at("kind"),
        )
    named = [str(each.get("roleRef", "name")) for each in everywhere] or [_name(each) for each in own]
    rules = [rule for name in named if name in roles for rule in _rules(roles[name])]
    built_in = _BUILT_IN & set(named)
    missing = [
        f"{resource}.{group}" if group else resource
        for group, resource in needed
        if not _allowed(rules, group, resource) and not _in_built_in(built_in, group)
    ]
    exam.fact(
        "rights-incomplete",
        Text("It may list everything the tab shows"),
        not missing,
        expected=Text("the verbs get, list and watch on each of them"),
        observed=Text("left out: {names}", names=listed(missing)),
        next=Text("Add the resources to a rule, with the API group each of them belongs to."),
        where=next((roles[name] for name in named if name in roles), (bound or own)[0]),
    )


_RBAC: Final = "{}.rbac.authorization.k8s.io"


def _name(document: Document) -> str:
    return str(document.get("metadata", "name"))


def _in_built_in(names: Iterable[str], group: str) -> bool:
    return "cluster-admin" in names or (bool(set(names)) and group != "tekton.dev")


def _to_backstage(binding: Document) -> bool:
    subjects = binding.get("subjects")
    for subject in subjects if isinstance(subjects, list) else ():
        if isinstance(subject, dict) and subject.get("kind") == "ServiceAccount":
            if subject.get("namespace") == NAMESPACE or NAMESPACE in str(subject.get("name")):
                return True
        elif isinstance(subject, dict) and _AS_ACCOUNT.fullmatch(str(subject.get("name"))):
            return True
    return False


def _rules(role: Document) -> list[dict[str, Any]]:
    rules = role.get("rules")
    return [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []


def _allowed(rules: list[dict[str, Any]], group: str, resource: str) -> bool:
    verb = _VERBS.get(resource, "list")
    wild = f"{resource.partition('/')[0]}/*"
    return any(
        _names(rule.get("apiGroups")) & {group, "*"}
        and _names(rule.get("resources")) & {resource, wild, "*"}
        and _names(rule.get("verbs")) & {verb, "*"}
        and not rule.get("resourceNames")
        for rule in rules
    )


def _names(value: object) -> set[str]:
    return {each for each in value if isinstance(each, str)} if isinstance(value, list) else set()
