"""The clean slate of `check --sandbox`: a control plane of its own, and one exercise's files applied to it.

What a submission may do here is bounded: only the kinds its exercise asks for, only the namespace
`default`, at most fifty objects, no calls to anywhere. Every exercise begins from pristine.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import yaml

from workshop.cluster.denials import is_refusal, policies_of, proves_nothing, webhook_of
from workshop.cluster.live import LiveCluster
from workshop.cluster.port import Decision, Object, Unreachable
from workshop.cluster.stage import Applied, Stage
from workshop.content import Exercise
from workshop.sandbox.api import Sandbox
from workshop.sandbox.client import Api, ApiError
from workshop.sandbox.errors import SandboxError
from workshop.sandbox.locking import Lock
from workshop.texts import Message, Text
from workshop.verdicts import Reason
from workshop.workspace import Document, Unreadable, Workspace, parse_documents

_NAMES: Final = ("check", "check-2", "check-3", "check-4")
_IDLE_SECONDS: Final = 300.0
_MOST_OBJECTS: Final = 50
_READY_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.02
# Where a policy would make the engine call somebody: refused here, whatever the address.
_CALLS: Final = frozenset({"apiCall", "imageRegistry", "globalReference"})


class Slate:
    """The sandbox of one check run. Entered once; `stage` resets it for every exercise."""

    def __init__(self, exercises: Iterable[Exercise], progress: Callable[[Message], None]) -> None:
        self._parts = sorted({part for exercise in exercises for part in exercise.sandbox.parts})
        self._progress = progress
        self._sandbox: Sandbox | None = None
        self._lock: Lock | None = None

    def close(self) -> None:
        """Leave a pristine sandbox behind, warm for the next check; it ends itself when idle."""
        if self._sandbox is not None:
            self._sandbox.reset()
        if self._lock is not None:
            self._lock.release()

    @contextmanager
    def stage(self, exercise: Exercise, workspace: Workspace) -> Iterator[Stage]:
        """Apply an exercise's files to a pristine cluster. Raises Unreachable when there is no sandbox."""
        try:
            sandbox = self._up()
            sandbox.reset()
            api = _api_of(sandbox)
        except SandboxError as error:
            raise Unreachable(Reason.NO_SANDBOX, error.text) from error
        for document in _stand_ins(exercise):
            api.create(document.data)
        applied = tuple(_apply(api, exercise, workspace))
        _wait_until_ready(api, [each for each in applied if each.decision and each.decision.admitted])
        yield Stage(LiveCluster("techmarket-sandbox", sandbox.kubeconfig), applied)

    def _up(self) -> Sandbox:
        if self._sandbox is None:
            name = self._free_name()
            self._sandbox = Sandbox.up(
                name,
                core=self._parts,
                idle_seconds=_IDLE_SECONDS,
                build_missing=False,
                progress=self._progress,
            )
        return self._sandbox

    def _free_name(self) -> str:
        for name in _NAMES:
            lock = Lock(Sandbox(name).home.root / "in-use.lock")
            if lock.try_acquire():
                self._lock = lock
                return name
        raise SandboxError(Text("{count} checks are running in sandboxes already", count=len(_NAMES)))


def _api_of(sandbox: Sandbox) -> Api:
    """Return a client that may write: the sandbox is ours, unlike any other cluster."""
    config = yaml.safe_load(sandbox.kubeconfig.read_text(encoding="utf-8"))
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"])
    return Api(int(cluster["server"].rpartition(":")[2]), authority, user["token"])


def _stand_ins(exercise: Exercise) -> list[Document]:
    """Return what the exercise takes for granted on a cluster, such as a Task to clone a repository."""
    path = exercise.folder / "sandbox.yaml"
    return parse_documents(path.read_text(encoding="utf-8"), file=path.name) if path.is_file() else []


def _apply(api: Api, exercise: Exercise, workspace: Workspace) -> Iterator[Applied]:
    for count, document in enumerate(_documents(exercise, workspace)):
        if not _may_be_applied(document, exercise) or count >= _MOST_OBJECTS:
            yield Applied(document, None)
        else:
            yield Applied(document, _create(api, document.data))


def _documents(exercise: Exercise, workspace: Workspace) -> Iterator[Document]:
    for path in exercise.sandbox.files or exercise.deliverables:
        twin = path.removesuffix(".yaml") + ".yml"
        try:
            yield from workspace.documents(path if workspace.exists(path) else twin)
        except Unreadable:
            continue  # the file half says so


def _may_be_applied(document: Document, exercise: Exercise) -> bool:
    from workshop.exam import kind_of

    namespace = document.get("metadata", "namespace", default="default")
    return (
        kind_of(document) in exercise.sandbox.kinds and namespace == "default" and not _calls(document.data)
    )


def _calls(data: object) -> bool:
    pending = [data]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if _CALLS & set(value):
                return True
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return False


def _create(api: Api, resource: Object) -> Decision:
    """Create an object as `kubectl apply` would: with strict validation of its fields."""
    metadata = resource.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    # Finalizers would outlive the check; nothing here is there to take them away.
    body = {**resource, "metadata": {key: value for key, value in named.items() if key != "finalizers"}}
    probe: Object = {**body, "metadata": {"name": "x", **named}}
    try:
        path = api.path(probe).rpartition("/")[0]
        answer = api.request(
            "POST", path, body, query={"fieldValidation": "Strict", "fieldManager": "kubectl"}
        )
    except ApiError as error:
        if error.status == 0:
            text = Text("the sandbox does not answer: {problem}", problem=error)
            raise Unreachable(Reason.UNAVAILABLE, text) from error
        nothing = proves_nothing(error.message) and not is_refusal(error.message)
        return Decision(
            None if nothing else False,
            error.message,
            policies=policies_of(error.message),
            webhook=webhook_of(error.message),
        )
    return Decision(True, object=answer)


def _wait_until_ready(api: Api, applied: list[Applied]) -> None:
    """Wait until every policy among the objects is enforced, and what is being carried out has ended."""
    deadline = time.monotonic() + _READY_SECONDS
    for each in applied:
        assert each.decision is not None  # noqa: S101 (narrows the type; the caller selected them)
        created = each.decision.object or {}
        while not _settled(api.get(api.path(created))) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _settled(current: dict[str, Any] | None) -> bool:
    """Tell whether the controllers are done with an object; what none of them reports on is so at once."""
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
        return status.get("phase") in ("Healthy", "Degraded", "Paused")
    if kind.endswith("Policy") and str(current.get("apiVersion", "")).startswith("policies.kyverno.io/"):
        return bool(status.get("conditionStatus", {}).get("ready"))
    return True
