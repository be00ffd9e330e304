"""Waiting until the real controllers are done with what was applied, and no longer.

What none of them reports on is settled at once. The kubelet's part is kwok's; the part of Tekton's remote
resolvers, which would fetch from the network, is played here with what is at hand.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from workshop.cluster.witnesses import NATIVE
from workshop.sandbox.client import Api

Object = dict[str, Any]
_CONTROLLER_SECONDS: Final = 20.0
_RUN_SECONDS: Final = 12.0
_SECOND_LOOK: Final = 1.0
_POLL_SECONDS: Final = 0.02
_REQUESTS: Final = "/apis/resolution.tekton.dev/v1beta1/resolutionrequests"


def settle(api: Api, objects: Sequence[Object], at_hand: Sequence[Object]) -> None:
    """Return when every object is settled, or when that takes too long: then it is judged as it stands.

    `at_hand` are Tasks and Pipelines for references that only a resolver could follow. Raises ApiError.
    """
    began = time.monotonic()
    waiting = [each for each in objects if _reports(each)]
    while waiting:
        if any(each.get("kind") in ("PipelineRun", "TaskRun") for each in waiting):
            _resolve(api, at_hand)
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


def _resolve(api: Api, at_hand: Sequence[Object]) -> None:
    """Answer requests for a remote object whose name is that of one at hand; others are left waiting."""
    for request in api.request("GET", _REQUESTS).get("items", []):
        if request.get("status", {}).get("data"):
            continue
        asked = json.dumps(request.get("spec", {}).get("params", []))
        found = next((each for each in at_hand if str(each["metadata"].get("name")) in asked), None)
        if found is None:
            continue
        done = {
            "type": "Succeeded",
            "status": "True",
            "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        data = base64.b64encode(json.dumps(found).encode()).decode()
        source = {"uri": "stand-in", "digest": {"sha256": "0" * 64}, "entryPoint": found["metadata"]["name"]}
        status = {"data": data, "refSource": source, "source": source, "conditions": [done]}
        metadata = request["metadata"]
        api.merge(
            f"/apis/resolution.tekton.dev/v1beta1/namespaces/{metadata['namespace']}"
            f"/resolutionrequests/{metadata['name']}/status",
            {"status": status},
        )
