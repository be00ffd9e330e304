"""Images that cannot be pulled, and why: gone, private, or too many were asked for."""

from __future__ import annotations

from collections.abc import Iterator

from workshop.diagnosis.containers import waiting
from workshop.diagnosis.look import POD, Look, group_of, when
from workshop.diagnosis.refusals import image_sign
from workshop.diagnosis.symptom import Symptom, one_line, shown

_REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
    }
)


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield containers that wait for their image."""
    for pod in look.pods:
        for container, state in waiting(pod):
            if state.get("reason") not in _REASONS:
                continue
            # The back-off of older kubelets does not repeat the registry's answer; an event has it.
            event = look.warning_of(POD, pod, "Failed") or {}
            told = str(event.get("message", ""))
            words = told if "ailed to pull image" in told else str(state.get("message") or state["reason"])
            image = str(container.get("image", ""))
            sign = image_sign(image, f"{state.get('message', '')} {told}")
            yield Symptom(sign, shown(POD, pod), one_line(words), when(event) or None, group_of(pod))
