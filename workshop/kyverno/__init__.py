"""Kyverno policies evaluated without a cluster: plain data in, plain data out.

`admit` says what a set of policies does to a resource, `refusals` why Kyverno would refuse a policy itself.
Kyverno's sources are the reference; what needs a cluster, a registry or an unknown construct is said to be
unknown. No input makes either function raise. Expressions load their libraries on first use.
"""

from __future__ import annotations

from typing import Any

from workshop.kyverno.outcome import Admission, RuleResult

__all__ = ["Admission", "RuleResult", "admit", "refusals"]


def admit(
    policies: list[dict[str, Any]],
    resource: dict[str, Any],
    *,
    operation: str = "CREATE",
    old: dict[str, Any] | None = None,
    namespace_labels: dict[str, Any] | None = None,
) -> Admission:
    """Would the API server admit `resource` under `policies`, and as what?

    Policies: ClusterPolicy and Policy (kyverno.io), ValidatingPolicy, MutatingPolicy, ImageValidatingPolicy
    and their Namespaced forms (policies.kyverno.io), ValidatingAdmissionPolicy with its bindings,
    MutatingAdmissionPolicy. `old` is the object before an UPDATE or DELETE; `namespace_labels` the labels
    of the resource's namespace, None when they are not known.
    """
    from workshop.kyverno import engine

    return engine.admit(policies, resource, operation=operation, old=old, namespace_labels=namespace_labels)


def refusals(policy: dict[str, Any]) -> list[str]:
    """Why Kyverno's webhook or its CRD, strictly decoded, would refuse a policy; [] if neither would."""
    from workshop.kyverno import refusal

    return refusal.refusals(policy)
