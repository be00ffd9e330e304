"""Waiting until the real controllers are done with what was applied, and no longer.

What none of them reports on is settled at once. The kubelet's part is kwok's, the part of Tekton's remote
resolvers is played with what is at hand.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from workshop.cluster.witnesses import NATIVE
from workshop.sandbox.client import Api
from workshop.sandbox.resolving import resolve

Object = dict[str, Any]
_CONTROLLER_SECONDS: Final = 20.0
_RUN_SECONDS: Final = 12.0
_SECOND_LOOK: Final = 1.0
_POLL_SECONDS: Final = 0.02


def settle(api: Api, objects: Sequence[Object], at_hand: Sequence[Object]) -> None:
    """Return when every object is settled, or when that takes too long: then it is judged as it stands.

    `at_hand` are Tasks and Pipelines for references that only a resolver could follow. Raises ApiError.
    """
    began = time.monotonic()
    waiting = [each for each in objects if _reports(each)]
    while waiting:
        if any(each.get("kind") in ("PipelineRun", "TaskRun") for each in waiting):
            resolve(api, lambda: at_hand)
        waited = time.monotonic() - began
        waiting = [each for each in waiting if not _settled(api.get(api.path(each)), waited)]
        runs = all(each.get("kind") in ("PipelineRun", "TaskRun") for each in waiting)
        patience = _RUN_SECONDS if runs else _CONTROLLER_SECONDS
        if not waiting or waited > patience:
            return
        time.sleep(_POLL_SECONDS)


def _reports(current: Object) -> bool:
    """Whether a controller reports on such an object in its status."""
    kind, version = str(current.get("kind")), str(current.get("apiVersion", ""))
    return kind in ("PipelineRun", "TaskRun", "Rollout", "Policy") or (
        kind.endswith("Policy") and not version.startswith(f"{NATIVE}/")
    )


def _settled(current: Object | None, waited: float) -> bool:
    """Whether the controllers are done with an object, `waited` seconds after it was made."""
    if current is None:
        return True
    kind, status = str(current.get("kind")), current.get("status")
    status = status if isinstance(status, dict) else {}
    conditions = {
        str(each.get("type")): str(each.get("status"))
        for each in status.get("conditions", [])
        if isinstance(each, dict)
    }
    if kind in ("ClusterPolicy", "Policy"):
        return conditions.get("Ready") == "True"
    if kind in ("PipelineRun", "TaskRun"):
        return conditions.get("Succeeded") in ("True", "False")
    if kind == "Rollout":
        # What is wrong is said before anything progresses; Degraded at first sight may only mean that a
        # template has not been noticed yet.
        phase = status.get("phase")
        return phase in ("Healthy", "Paused") or (
            phase in ("Degraded", "Progressing") and waited > _SECOND_LOOK
        )
    return bool(status.get("conditionStatus", {}).get("ready"))
