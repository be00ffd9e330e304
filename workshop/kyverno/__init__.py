"""Kyverno policies evaluated without a cluster: plain data in, plain data out.

`admit` says what a set of policies does to a resource, `refusals` why Kyverno would refuse a policy itself.
Kyverno's sources are the reference; what needs a cluster, a registry or an unknown construct is said to be
unknown. No input makes either function raise. Expressions load their libraries on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workshop.kyverno.outcome import Admission, RuleResult

if TYPE_CHECKING:
    from workshop.kyverno.image_policies import Verification

__all__ = ["Admission", "RuleResult", "admit", "refusals", "verifications"]


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
    MutatingAdmissionPolicy.
    `resource` is the object as the API server hands it over, so with its namespace; `old` the object before
    an UPDATE or DELETE; `namespace_labels` the labels of its namespace, None when they are not known.
    """
    from workshop.kyverno import engine

    return engine.admit(policies, resource, operation=operation, old=old, namespace_labels=namespace_labels)


def refusals(policy: dict[str, Any]) -> list[str]:
    """Why Kyverno's webhook or its CRD, strictly decoded, would refuse a policy; [] if neither would."""
    from workshop.kyverno.refusal import documents

    return documents.refusals(policy)


def verifications(policy: dict[str, Any], *, namespace: str = "default") -> list[Verification]:
    """Which images a policy asks to verify in a namespace, from whom, and whether it refuses the others.

    Reads ``verifyImages`` rules and ImageValidatingPolicies; `Verification.asks_for(image)` tells whether
    one image is concerned. Whether an image is signed only a registry knows.
    """
    from workshop.kyverno import image_policies

    return image_policies.verifications(policy, namespace=namespace)
