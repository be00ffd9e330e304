"""Policies that are stored and not in force: not ready, or listed by no webhook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workshop.cluster.port import Object
from workshop.diagnosis.look import Look, conditions, when
from workshop.diagnosis.symptom import Sign, Symptom, one_line, shown
from workshop.texts import Text

_LEGACY: Final = ("ClusterPolicy.kyverno.io", "Policy.kyverno.io")
_GROUP: Final = ".policies.kyverno.io"
_CONFIGURATIONS: Final = {
    "validate": (
        "ValidatingWebhookConfiguration.admissionregistration.k8s.io",
        "kyverno-resource-validating-webhook-cfg",
    ),
    # Kyverno verifies images while it mutates.
    "mutate": (
        "MutatingWebhookConfiguration.admissionregistration.k8s.io",
        "kyverno-resource-mutating-webhook-cfg",
    ),
}


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield the exercise's policies that are not in force, and why as far as Kyverno says."""
    for kind in dict.fromkeys(each.kind for each in look.scope.objects):
        if kind in _LEGACY or kind.endswith(_GROUP):
            for policy in look.own(kind):
                yield from _judged(look, kind, policy)


def _judged(look: Look, kind: str, policy: Object) -> Iterator[Symptom]:
    problem = _not_ready(policy)
    error = look.warning_of(kind, policy, "PolicyError")
    if problem or error:
        words = problem or one_line((error or {}).get("message"))
        yield Symptom(Sign.POLICY_NOT_READY, shown(kind, policy), words, when(error) if error else None)
    elif kind in _LEGACY:
        yield from _listed(look, kind, policy)


def _not_ready(policy: Object) -> str | None:
    """Return what a policy's status says is missing; None for one that is ready or says nothing yet."""
    known = conditions(policy)
    summary = (policy.get("status") or {}).get("conditionStatus")
    if isinstance(summary, dict):
        known = conditions({"status": summary})
        if summary.get("ready") is not False:
            return None
        bad = [each for each in known.values() if each.get("status") == "False"]
    else:
        bad = [each for each in (known.get("Ready"),) if each and each.get("status") == "False"]
    return "; ".join(one_line(f"{each.get('reason')}: {each.get('message', '')}") for each in bad) or None


def _listed(look: Look, kind: str, policy: Object) -> Iterator[Symptom]:
    """Yield a policy that is ready while the configuration its requests would go through is empty."""
    spec = policy.get("spec") or {}
    if conditions(policy).get("Ready", {}).get("status") != "True" or spec.get("admission") is False:
        return
    rules = spec.get("rules") or ()
    through = {"validate" if "validate" in rule else "mutate" for rule in rules if "generate" not in rule}
    for each in sorted(through):
        configuration = look.get(*_CONFIGURATIONS[each])
        if configuration is not None and not configuration.get("webhooks"):
            words = Text("{name} lists no webhook", name=_CONFIGURATIONS[each][1])
            yield Symptom(Sign.WEBHOOK_LISTS_NO_RULE, shown(kind, policy), words)
