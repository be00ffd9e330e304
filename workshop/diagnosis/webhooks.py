"""Webhooks that fail closed while nobody answers for them: then nothing they watch can be created."""

from __future__ import annotations

from collections.abc import Iterator

from workshop.cluster.port import Object
from workshop.diagnosis.look import Look
from workshop.diagnosis.refusals import dead_webhook
from workshop.diagnosis.symptom import Symptom, shown
from workshop.texts import Text

_KINDS = (
    "ValidatingWebhookConfiguration.admissionregistration.k8s.io",
    "MutatingWebhookConfiguration.admissionregistration.k8s.io",
)
_PODS = frozenset({"pods", "*", "*/*", "pods/*"})


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield webhooks in the exercise's way whose Service has nobody behind it."""
    for kind in _KINDS:
        for configuration in look.every(kind):
            for webhook in configuration.get("webhooks") or ():
                service = webhook.get("clientConfig", {}).get("service")
                if service and webhook.get("failurePolicy", "Fail") == "Fail" and _concerns(look, webhook):
                    yield from _judged(look, shown(kind, configuration), str(webhook.get("name")), service)


def _concerns(look: Look, webhook: Object) -> bool:
    """Whether it is part of the exercise, or stands before every Pod of the cluster."""
    namespace = webhook["clientConfig"]["service"].get("namespace")
    watched = {name for rule in webhook.get("rules") or () for name in rule.get("resources") or ()}
    return namespace in look.scope.namespaces or bool(watched & _PODS)


def _judged(look: Look, configuration: str, webhook: str, service: Object) -> Iterator[Symptom]:
    name, namespace = str(service.get("name")), str(service.get("namespace"))
    found = look.get("Service", name, namespace)
    if found is None:
        if not look.is_absent("Service", name, namespace):
            return
        what = Text("there is no Service “{service}” to answer it", service=f"{namespace}/{name}")
    elif not found.get("spec", {}).get("selector"):
        return  # an ExternalName, or endpoints that somebody else writes
    else:
        slices = look.every(
            "EndpointSlice.discovery.k8s.io", namespace=namespace, labels=f"kubernetes.io/service-name={name}"
        )
        if "EndpointSlice.discovery.k8s.io" in look.unseen or any(map(_is_serving, slices)):
            return
        what = Text("no endpoints available for service “{service}”", service=f"{namespace}/{name}")
    message = Text("{webhook}: {problem}", webhook=webhook, problem=what)
    yield Symptom(dead_webhook(webhook), configuration, message, group=f"{namespace}/{name}")


def _is_serving(found: Object) -> bool:
    # Absent means unknown, which clients take for ready.
    return any(
        (each.get("conditions") or {}).get("ready") is not False for each in found.get("endpoints") or ()
    )
