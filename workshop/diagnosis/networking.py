"""Ingresses that nobody serves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workshop.diagnosis.look import Look
from workshop.diagnosis.symptom import Sign, Symptom, shown
from workshop.texts import Text

_INGRESS, _CLASS = "Ingress.networking.k8s.io", "IngressClass.networking.k8s.io"
_DEFAULT: Final = "ingressclass.kubernetes.io/is-default-class"
_OLD: Final = "kubernetes.io/ingress.class"


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield the exercise's Ingresses that have no address and no controller that would give them one."""
    for ingress in look.among(_INGRESS):
        if (ingress.get("status") or {}).get("loadBalancer", {}).get("ingress"):
            continue
        annotations = ingress["metadata"].get("annotations") or {}
        wanted = (ingress.get("spec") or {}).get("ingressClassName")
        if look.has_none(_CLASS):
            words = Text("no address, and the cluster has no IngressClass")
        elif wanted and look.is_absent(_CLASS, str(wanted)):
            words = Text("no address, and the cluster has no IngressClass “{name}”", name=wanted)
        elif not wanted and _OLD not in annotations and look.every(_CLASS) and not _has_default(look):
            words = Text("no address: it names no class, and no IngressClass is the default")
        else:
            continue
        yield Symptom(Sign.INGRESS_WITHOUT_CONTROLLER, shown(_INGRESS, ingress), words)


def _has_default(look: Look) -> bool:
    return any(
        (each["metadata"].get("annotations") or {}).get(_DEFAULT) == "true" for each in look.every(_CLASS)
    )
