"""Claims that get no volume. Waiting for the first consumer is normal and no symptom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from workshop.cluster.port import Object
from workshop.diagnosis.look import EVENT, Look, when
from workshop.diagnosis.symptom import Sign, Symptom, one_line, shown

_CLAIM: Final = "PersistentVolumeClaim"
_FAILED: Final = ("ProvisioningFailed", "FailedBinding")
_ACCESS_MODE: Final = re.compile(r"access mode|ReadWriteOnce|ReadWriteMany")


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield the exercise's claims for which no volume is made, and why."""
    used = {
        (str(pod["metadata"].get("namespace")), str(volume["persistentVolumeClaim"].get("claimName")))
        for pod in look.pods
        for volume in pod.get("spec", {}).get("volumes") or ()
        if isinstance(volume.get("persistentVolumeClaim"), dict)
    }
    for namespace in dict.fromkeys((*look.scope.namespaces, *(place for place, _ in used), *look.homes)):
        for claim in look.every(_CLAIM, namespace=namespace):
            name = str(claim["metadata"].get("name"))
            if claim.get("status", {}).get("phase") != "Pending":
                continue
            if (namespace, name) in used or look.is_own(_CLAIM, claim):
                yield from _judged(look, namespace, claim)


def _judged(look: Look, namespace: str, claim: Object) -> Iterator[Symptom]:
    events = sorted(
        (
            event
            for event in look.every(
                EVENT, namespace=namespace, fields="involvedObject.kind=PersistentVolumeClaim"
            )
            if event.get("involvedObject", {}).get("uid") == claim["metadata"].get("uid")
        ),
        key=when,
    )
    # Only the newest counts: a class that came later, say, has made an earlier failure pass.
    said = [each for each in events if each.get("reason") in (*_FAILED, "WaitForFirstConsumer")]
    if not said or said[-1].get("reason") not in _FAILED:
        return
    message = str(said[-1].get("message", ""))
    sign = Sign.CLAIM_ACCESS_MODE if _ACCESS_MODE.search(message) else Sign.CLAIM_NOT_PROVISIONED
    yield Symptom(sign, shown(_CLAIM, claim), one_line(message), when(said[-1]) or None, shown(_CLAIM, claim))
