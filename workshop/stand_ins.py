"""What an exercise takes for granted on a cluster, for a sandbox: a Task that clones, a class for volumes.

An exercise says it in `sandbox.yaml`. Every check has it; a student's own sandbox is given what Tekton takes
for granted, as nobody can fetch it there.
"""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, Any, Final

from workshop.cluster.submission import RUNS
from workshop.content import Exercise, Lab
from workshop.workspace import parse_documents

if TYPE_CHECKING:
    from workshop.sandbox.api import Sandbox
    from workshop.sandbox.client import Api

Object = dict[str, Any]
_GIVEN_WITH: Final = "tekton"


def stand_ins(exercise: Exercise, namespace: str = "default") -> list[Object]:
    """Return what the exercise takes for granted; Tasks and runs are made in that namespace."""
    path = exercise.folder / "sandbox.yaml"
    if not path.is_file():
        return []
    found = [each.data for each in parse_documents(path.read_text(encoding="utf-8"), file=path.name)]
    for each in found:
        if each["kind"] in ("Task", *RUNS):
            each["metadata"] = {**each["metadata"], "namespace": namespace}
    return found


def give(sandbox: Sandbox, lab: Lab) -> None:
    """Put into a student's sandbox what cannot be got there. Raises ApiError."""
    if _GIVEN_WITH not in sandbox.status().parts:
        return
    api = sandbox.api()
    for exercise in lab.exercises:
        if _GIVEN_WITH in exercise.sandbox.parts:
            for each in stand_ins(exercise):
                if each["kind"] not in RUNS:
                    ensure(api, each)


def ensure(api: Api, resource: Object) -> None:
    """Create an object unless it is there already. Raises ApiError."""
    from workshop.sandbox.client import ApiError

    try:
        api.create(resource)
    except ApiError as error:
        if error.status != http.client.CONFLICT:
            raise
