"""Containers that do not run: killed, crashing, without their configuration, or never started."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from workshop.cluster.port import Object
from workshop.diagnosis.look import POD, Look, group_of, when
from workshop.diagnosis.symptom import Sign, Symptom, one_line, shown
from workshop.texts import Text

_CONFIG: Final = frozenset({"CreateContainerConfigError", "CreateContainerError"})
_START: Final = frozenset({"StartError", "ContainerCannotRun", "RunContainerError"})
_ROOT: Final = re.compile(r"runAsNonRoot|run as root")
_NOT_FOUND: Final = re.compile(r"not found|no such file|permission denied|executable file")
_NEVER_RAN: Final = (126, 127, 128)


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield what keeps containers of the exercise's Pods from running."""
    for pod in look.pods:
        for status in _statuses(pod):
            found = _waits(status) or _ended(status)
            if found is not None:
                sign, message, since = found
                yield Symptom(sign, shown(POD, pod), message, since, group_of(pod))
        yield from _events(look, pod)


def waiting(pod: Object) -> Iterator[tuple[Object, Object]]:
    """Yield the containers of a Pod that wait, with their state of waiting."""
    for status in _statuses(pod):
        state = (status.get("state") or {}).get("waiting")
        if isinstance(state, dict):
            yield status, state


def _statuses(pod: Object) -> Iterator[Object]:
    status = pod.get("status", {})
    for key in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(key) or ()


def _waits(status: Object) -> tuple[Sign, Text | str, str | None] | None:
    state = (status.get("state") or {}).get("waiting") or {}
    reason, message = state.get("reason"), str(state.get("message") or "")
    if reason in _CONFIG:
        sign = Sign.RUNS_AS_ROOT if _ROOT.search(message) else Sign.CONTAINER_CONFIG
        return sign, _named(status, message or reason), None
    if reason in _START:
        return Sign.START_ERROR, _named(status, message or reason), None
    if reason == "CrashLoopBackOff":
        return _died(status, (status.get("lastState") or {}).get("terminated") or {})
    return None


def _ended(status: Object) -> tuple[Sign, Text | str, str | None] | None:
    """Return what a container died of that is about to be started again, or never will be."""
    state = (status.get("state") or {}).get("terminated")
    if not isinstance(state, dict) or not state.get("exitCode"):
        return None
    started = state.get("reason") not in _START and not _never_ran(state)
    if started and state.get("reason") != "OOMKilled" and not status.get("restartCount"):
        return None  # a step that ran and failed: whoever made the Pod says so in its own words
    return _died(status, state)


def _died(status: Object, ended: Object) -> tuple[Sign, Text | str, str | None]:
    since = str(ended.get("finishedAt") or "") or None
    reason, code = str(ended.get("reason") or "?"), ended.get("exitCode", "?")
    if reason in _START or _never_ran(ended):
        return Sign.START_ERROR, _named(status, ended.get("message") or reason), since
    said = Text(
        "{container}: ended with {reason}, exit code {code}, started {count} times again",
        container=status.get("name", "?"),
        reason=reason,
        code=code,
        count=status.get("restartCount", 0),
    )
    return (Sign.OUT_OF_MEMORY if reason == "OOMKilled" else Sign.CRASH_LOOP), said, since


def _never_ran(ended: Object) -> bool:
    message = str(ended.get("message") or "")
    return ended.get("exitCode") in _NEVER_RAN and bool(_NOT_FOUND.search(message))


def _events(look: Look, pod: Object) -> Iterator[Symptom]:
    """Yield what only the kubelet's events say: volumes that cannot be mounted, probes that fail."""
    phase = pod.get("status", {}).get("phase")
    mount = look.warning_of(POD, pod, "FailedMount") if phase == "Pending" else None
    if mount is not None:
        message = one_line(mount.get("message"))
        yield Symptom(Sign.CONTAINER_CONFIG, shown(POD, pod), message, when(mount), group_of(pod))
    running = [each for each in _statuses(pod) if "running" in (each.get("state") or {})]
    probe = look.warning_of(POD, pod, "Unhealthy") if phase == "Running" and running else None
    if probe is not None:
        message = one_line(probe.get("message"))
        yield Symptom(Sign.PROBE_FAILS, shown(POD, pod), message, when(probe), group_of(pod))


def _named(status: Object, message: object) -> str:
    return f"{status.get('name', '?')}: {one_line(message)}"
