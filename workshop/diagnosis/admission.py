"""Pods that were never made: what their ReplicaSet, Job or StatefulSet was told when it asked for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from workshop.cluster.port import Object
from workshop.diagnosis.look import MAKERS, Look, conditions, group_of, when
from workshop.diagnosis.refusals import sign_of
from workshop.diagnosis.symptom import Sign, Symptom, one_line, shown

# What the controller-manager puts before the API server's words.
_PREFIX: Final = re.compile(r"^(?:\(combined from similar events\): )?(?:Error creating: )?")
_KINDS: Final = {kind.partition(".")[0]: kind for kind in MAKERS}


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield what refuses the Pods that the exercise's workloads ask for by now."""
    seen: set[str] = set()
    for kind, maker, message, since in (*_events(look), *_conditions(look)):
        name = shown(kind, maker)
        if name not in seen:
            seen.add(name)
            sign = sign_of(message) or Sign.POD_REFUSED
            yield Symptom(sign, name, one_line(_PREFIX.sub("", message)), since or None, group_of(maker))


def _events(look: Look) -> Iterator[tuple[str, Object, str, str]]:
    for namespace in look.homes:
        for event in look.warnings(namespace):
            about = event.get("involvedObject", {})
            kind = _KINDS.get(str(about.get("kind")))
            if event.get("reason") != "FailedCreate" or kind is None:
                continue
            maker = look.get(kind, str(about.get("name")), namespace)
            # An event outlives its object, and a trouble that is over by now.
            if maker is None or maker["metadata"].get("uid") != about.get("uid") or _is_content(maker):
                continue
            if look.is_own(kind, maker):
                yield kind, maker, str(event.get("message", "")), when(event)


def _conditions(look: Look) -> Iterator[tuple[str, Object, str, str]]:
    """Yield what a ReplicaSet remembers after its events, which are kept for an hour, are gone."""
    kind = MAKERS[0]
    for maker in look.among(kind):
        failure = conditions(maker).get("ReplicaFailure", {})
        if failure.get("status") == "True" and not _is_content(maker):
            yield kind, maker, str(failure.get("message", "")), str(failure.get("lastTransitionTime", ""))


def _is_content(maker: Object) -> bool:
    """Whether all Pods it wants are there, whatever was refused before."""
    spec, status = maker.get("spec", {}), maker.get("status", {})
    if "completions" in spec or "parallelism" in spec:  # a Job
        return bool(status.get("active") or status.get("succeeded"))
    wanted = spec.get("replicas", status.get("desiredNumberScheduled", 1))
    there = status.get("replicas", status.get("currentNumberScheduled", 0))
    return int(there) >= int(wanted)
