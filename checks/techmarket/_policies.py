"""Finding the policy of an exercise, and putting probe resources before it.

A policy is judged by what it does to probes. So that every mistake fails for its own reason, the probes
meet a copy that is cluster-wide and refuses what it disapproves of (`Found.ask`); scope and action are
judged apart.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from workshop.checking import Document, Exam, Position, kind_of, same_object
from workshop.kyverno import Admission, admit
from workshop.workspace import Unreadable

CLUSTER_POLICY: Final = "ClusterPolicy.kyverno.io"
NATIVE: Final = "admissionregistration.k8s.io"
_TWINS: Final = {"Policy": "ClusterPolicy"}
_NAMESPACED: Final = "Namespaced"
_ALWAYS: Final = {"key": 1, "operator": "Equals", "value": 1}
_REACH: Final = ("matchConstraints", "matchConditions", "validationActions", "evaluation", "failurePolicy")
_RULE_REACH: Final = ("name", "match", "exclude", "preconditions", "context")
_BLUNT_KINDS: Final = {
    "ValidatingPolicy": "ValidatingPolicy",
    "MutatingPolicy": "ValidatingPolicy",
    "ImageValidatingPolicy": "ValidatingPolicy",
    "ValidatingAdmissionPolicy": "ValidatingAdmissionPolicy",
    "MutatingAdmissionPolicy": "ValidatingAdmissionPolicy",
}
_WITH_ACTIONS: Final = ("ValidatingPolicy", "ImageValidatingPolicy", "ValidatingAdmissionPolicyBinding")
# Where the platform itself runs: leaving these out is legitimate, and the later blocks even need it.
_PLATFORM: Final = (
    "kube-", "kyverno", "backstage", "litmus", "tekton", "monitoring", "prometheus", "argo", "crossplane",
    "cert-manager", "ingress", "istio", "linkerd", "flux", "local-path-storage", "gatekeeper", "logging",
    "observability", "grafana", "loki", "vault", "velero", "harbor", "metallb", "longhorn", "sigstore",
    "openshift",
)  # fmt: skip
# What an expression may compare a namespace with: a name, or the beginning of one.
_QUOTED: Final = re.compile(r"""['"`]([a-z0-9][-a-z0-9]{0,62})['"`]""")
_NAME_LABEL: Final = "kubernetes.io/metadata.name"
NAMESPACES: Final = ("default", "shop")


class Kinds(NamedTuple):
    """The kinds that answer an exercise, as kubectl writes them, and those that reach one namespace only."""

    wide: tuple[str, ...]
    narrow: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every kind, the right ones first."""
        return self.wide + self.narrow


VALIDATING: Final = Kinds(
    (CLUSTER_POLICY, "ValidatingPolicy.policies.kyverno.io", f"ValidatingAdmissionPolicy.{NATIVE}"),
    ("Policy.kyverno.io", "NamespacedValidatingPolicy.policies.kyverno.io"),
)
MUTATING: Final = Kinds(
    (CLUSTER_POLICY, "MutatingPolicy.policies.kyverno.io", f"MutatingAdmissionPolicy.{NATIVE}"),
    ("Policy.kyverno.io", "NamespacedMutatingPolicy.policies.kyverno.io"),
)
IMAGES: Final = Kinds(
    (CLUSTER_POLICY, "ImageValidatingPolicy.policies.kyverno.io"),
    ("Policy.kyverno.io", "NamespacedImageValidatingPolicy.policies.kyverno.io"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """The policy an exercise asks for, with what belongs to it.

    `written` holds its data and those of its bindings, made cluster-wide; `together` those of every policy
    of its file.
    """

    document: Document
    kinds: Kinds
    bindings: tuple[Document, ...]
    written: tuple[dict[str, Any], ...]
    together: tuple[dict[str, Any], ...]
    # Both as they are once they are enforced: copied once, asked many times.
    _strict: tuple[dict[str, Any], ...] = field(init=False, repr=False)
    _strict_together: tuple[dict[str, Any], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_strict", tuple(enforced(self.written)))
        object.__setattr__(self, "_strict_together", tuple(enforced(self.together)))

    @property
    def native(self) -> bool:
        """Whether it is Kubernetes' own kind, which does nothing without a binding."""
        return kind_of(self.document).endswith(NATIVE)

    def ask(
        self, resource: dict[str, Any], *, everything: bool = False, old: dict[str, Any] | None = None
    ) -> Admission:
        """Return what the policy (or everything in its file) does to a resource once it is enforced."""
        return put(self._strict_together if everything else self._strict, resource, old=old)

    def looks_at(self, resource: dict[str, Any], *, everything: bool = False) -> bool:
        """Return whether any rule would have a say about a resource at all (or might have)."""
        policies = self._strict_together if everything else self._strict
        return put([blunt(each) for each in policies], resource).admitted is not True

    def ask_as_written(self, resource: dict[str, Any]) -> Admission:
        """Return what the policy does to a resource with the action it was given."""
        return put(self.written, resource)

    def rule_at(self, answer: Admission) -> Position:
        """Return the place of the rule that decided, else of the rules."""
        part = "rules" if self.document.has("spec", "rules") else "validations"
        rules = self.document.get("spec", "rules")
        decisive = {each.rule for each in answer.results if each.result in ("fail", "error", "unknown")}
        for index, rule in enumerate(rules if isinstance(rules, list) else ()):
            name = rule.get("name") if isinstance(rule, dict) else None
            if isinstance(name, str) and any(each == name or each.endswith(f"-{name}") for each in decisive):
                return self.document.at("spec", "rules", index)
        only = self.document.get("spec", part)
        if isinstance(only, list) and len(only) == 1:
            return self.document.key_at("spec", part, 0, "validate")
        return self.document.key_at("spec", part)

    def namespaces(self) -> list[str]:
        """Return the namespaces to probe: two ordinary ones, and whatever ordinary one the policy names."""
        named = {word.replace("*", "x").replace("?", "x") for word in _namespaces_named(self.document.data)}
        ordinary = sorted(name for name in named if name and not is_platform(name))
        return list(dict.fromkeys([*NAMESPACES, *ordinary[:20]]))


def find(exam: Exam, path: str, kinds: Kinds, *, named: str | None = None) -> Found:
    """Return the policy of an exercise; the check ends here when there is none to judge."""
    document = exam.resource(path, kinds=kinds.all, named=named)
    return found_around(exam, document, kinds)


def found_around(exam: Exam, document: Document, kinds: Kinds) -> Found:
    """Gather what belongs to a policy: the bindings beside it and the other policies of its file."""
    beside = list(_beside(exam, document))
    bindings = tuple(each for each in beside if _binds(each, document))
    companions = [
        each
        for each in beside
        if each.file == document.file and kind_of(each) in (*VALIDATING.all, *MUTATING.all)
    ]
    # What is applied later under the same name replaces the earlier.
    companions = [
        each
        for index, each in enumerate(companions)
        if not any(same_object(each, later) for later in companions[index + 1 :])
    ]
    bound = [each for each in beside if any(_binds(each, companion) for companion in companions)]
    return Found(
        document=document,
        kinds=kinds,
        bindings=bindings,
        written=tuple(cluster_wide(each.data) for each in (document, *bindings)),
        together=tuple(cluster_wide(each.data) for each in (*companions, *bound)),
    )


def put(
    policies: Iterable[dict[str, Any]], resource: dict[str, Any], *, old: dict[str, Any] | None = None
) -> Admission:
    """Put a resource before policies, as if it were created (or changed, when `old` is given)."""
    namespace = str(resource.get("metadata", {}).get("namespace", "default"))
    return admit(
        list(policies),
        resource,
        operation="CREATE" if old is None else "UPDATE",
        old=old,
        namespace_labels={_NAME_LABEL: namespace},
    )


def cluster_wide(policy: dict[str, Any]) -> dict[str, Any]:
    """Return the policy as one that reaches every namespace; what it holds is still the student's own."""
    kind = str(policy.get("kind"))
    if kind not in _TWINS and not (kind.startswith(_NAMESPACED) and kind.endswith("Policy")):
        return policy
    wide = {**policy, "kind": _TWINS.get(kind, kind.removeprefix(_NAMESPACED))}
    metadata = policy.get("metadata")
    if isinstance(metadata, dict):
        wide["metadata"] = {key: value for key, value in metadata.items() if key != "namespace"}
    return wide


def enforced(policies: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return copies that refuse what they disapprove of, whatever action they were given."""
    copies = [copy.deepcopy(policy) for policy in policies]
    bound = {(str(each.get("kind")), _policy_name(each)) for each in copies}
    for policy in list(copies):
        spec = policy.get("spec")
        if not isinstance(spec, dict):
            continue
        kind = str(policy.get("kind"))
        if kind == "ClusterPolicy":
            _enforce_rules(spec)
        if kind in _WITH_ACTIONS:
            spec["validationActions"] = ["Deny"]
        if isinstance(spec.get("evaluation"), dict):
            spec["evaluation"].pop("admission", None)
        if kind.endswith("AdmissionPolicy") and (f"{kind}Binding", _name(policy)) not in bound:
            copies.append(_binding(kind, _name(policy)))
    return copies


def blunt(policy: dict[str, Any]) -> dict[str, Any]:
    """Return a copy that refuses whatever the policy looks at: same match, conditions and action, no mercy.

    It shows which resources a policy reaches, whatever it then does to them.
    """
    spec = policy.get("spec")
    if not isinstance(spec, dict):
        return policy
    if policy.get("kind") == "ClusterPolicy":
        return {**policy, "spec": {**spec, "rules": [_blunt_rule(rule) for rule in rules_of(policy)]}}
    if policy.get("kind") == "MutatingAdmissionPolicyBinding":
        kind, spec = "ValidatingAdmissionPolicyBinding", {**spec, "validationActions": ["Deny"]}
        return {**policy, "apiVersion": f"{NATIVE}/v1", "kind": kind, "spec": spec}
    kind = _BLUNT_KINDS.get(str(policy.get("kind")), "")
    if not kind:
        return policy
    kept = {key: spec[key] for key in _REACH if key in spec}
    version = {"apiVersion": f"{NATIVE}/v1"} if kind == "ValidatingAdmissionPolicy" else {}
    return {
        **policy,
        **version,
        "kind": kind,
        "spec": {**kept, "validations": [{"expression": "false", "message": "reached"}]},
    }


def _blunt_rule(rule: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {key: rule[key] for key in _RULE_REACH if key in rule}
    validate, images = rule.get("validate"), rule.get("verifyImages")
    stern: dict[str, Any] = {"message": "reached", "deny": {"conditions": {"all": [_ALWAYS]}}}
    if isinstance(validate, dict):
        stern |= {
            key: validate[key] for key in ("failureAction", "failureActionOverrides") if key in validate
        }
        if "cel" in validate:
            del stern["deny"]
            stern["cel"] = {"expressions": [{"expression": "false", "message": "reached"}]}
            kept["celPreconditions"] = rule.get("celPreconditions")
    first = images[0] if isinstance(images, list) and images else None
    if isinstance(first, dict) and first.get("failureAction"):
        stern["failureAction"] = first["failureAction"]
    return {**kept, "validate": stern}


def rules_of(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the well-formed rules of a legacy policy."""
    spec = policy.get("spec")
    rules = spec.get("rules") if isinstance(spec, dict) else None
    return [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []


def is_platform(namespace: str) -> bool:
    """Whether a namespace belongs to the platform rather than to applications."""
    return namespace.startswith(_PLATFORM) or namespace.endswith("-system") or f"{namespace}-" in _PLATFORM


def _enforce_rules(spec: dict[str, Any]) -> None:
    spec["validationFailureAction"] = "Enforce"
    spec.pop("validationFailureActionOverrides", None)
    spec.pop("admission", None)
    for rule in rules_of({"spec": spec}):
        validate, images = rule.get("validate"), rule.get("verifyImages")
        for part in (validate, *(images if isinstance(images, list) else ())):
            if isinstance(part, dict):
                part.pop("failureAction", None)
                part.pop("failureActionOverrides", None)


def _binding(kind: str, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"policyName": name}
    if f"{kind}Binding" in _WITH_ACTIONS:
        spec["validationActions"] = ["Deny"]
    return {
        "apiVersion": f"{NATIVE}/v1",
        "kind": f"{kind}Binding",
        "metadata": {"name": name},
        "spec": spec,
    }


def _name(policy: dict[str, Any]) -> str:
    metadata = policy.get("metadata")
    return str(metadata.get("name")) if isinstance(metadata, dict) else ""


def _policy_name(binding: dict[str, Any]) -> str:
    spec = binding.get("spec")
    return str(spec.get("policyName")) if isinstance(spec, dict) else ""


def _binds(binding: Document, policy: Document) -> bool:
    return kind_of(binding) == kind_of(policy).replace(f".{NATIVE}", f"Binding.{NATIVE}") and binding.get(
        "spec", "policyName"
    ) == policy.get("metadata", "name")


def _beside(exam: Exam, document: Document) -> Iterator[Document]:
    for path in exam.workspace.files(document.file.rpartition("/")[0]):
        try:
            yield from exam.workspace.documents(path)
        except Unreadable:
            continue  # said where that file is asked for


def _namespaces_named(data: object) -> Iterator[str]:
    """Yield what stands under `namespaces`, in a selector, condition or expression about it."""
    pending = [data]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            key = value.get("key")
            about_namespace = isinstance(key, str) and ("namespace" in key or key == _NAME_LABEL)
            for name, child in value.items():
                if isinstance(child, str) and "namespace" in child.lower():
                    yield from _QUOTED.findall(child)
                if name == "namespaces" or (about_namespace and name in ("value", "values")):
                    yield from texts(child)
                else:
                    pending.append(child)
        elif isinstance(value, list):
            pending.extend(value)


def texts(value: object) -> list[str]:
    """Return the texts of a list, or the one text."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]
