"""The clean slate of `check --sandbox`: a control plane of its own, and one exercise's files applied to it.

What a submission may do here is bounded (`workshop.cluster.submission`); every exercise begins from pristine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from workshop.cluster import settling, submission, witnesses
from workshop.cluster.denials import is_refusal, policies_of, proves_nothing, webhook_of
from workshop.cluster.live import LiveCluster
from workshop.cluster.port import Decision, Object, Unreachable
from workshop.cluster.stage import Applied, Stage
from workshop.cluster.view import View
from workshop.content import Exercise
from workshop.sandbox.api import Sandbox
from workshop.sandbox.client import Api, ApiError
from workshop.sandbox.errors import SandboxError
from workshop.sandbox.locking import Lock
from workshop.stand_ins import ensure, stand_ins
from workshop.texts import Message, Text
from workshop.verdicts import Reason
from workshop.workspace import Workspace

_NAMES: Final = ("check", "check-2", "check-3", "check-4")
_IDLE_SECONDS: Final = 300.0
_NOT_FOUND: Final = 404


class Slate:
    """The sandbox of one check run. Entered once; `stage` resets it for every exercise."""

    def __init__(self, exercises: Iterable[Exercise], progress: Callable[[Message], None]) -> None:
        self._parts = sorted({part for exercise in exercises for part in exercise.sandbox.parts})
        self._progress = progress
        self._sandbox: Sandbox | None = None
        self._name = ""
        self._lock: Lock | None = None
        self._cluster: tuple[bytes, LiveCluster] | None = None

    def close(self) -> None:
        """Leave a pristine sandbox behind, warm for the next check; it ends itself when idle."""
        if self._sandbox is not None:
            with suppress(SandboxError, ApiError):  # it was idle for long, and has ended itself
                self._sandbox.reset()
                witnesses.becomes_clean(self._sandbox.api())
        if self._lock is not None:
            self._lock.release()

    @contextmanager
    def stage(self, exercise: Exercise, workspace: Workspace) -> Iterator[Stage]:
        """Apply an exercise's files to a pristine cluster. Raises Unreachable when there is no sandbox."""
        try:
            sandbox = self._clean()
            applied = self._set(sandbox.api(), exercise, workspace)
        except SandboxError as error:
            raise Unreachable(Reason.NO_SANDBOX, error.text) from error
        except ApiError as error:
            text = Text("the sandbox does not answer: {problem}", problem=error)
            raise Unreachable(Reason.UNAVAILABLE, text) from error
        yield Stage(View(self._look(sandbox)), applied)

    def _look(self, sandbox: Sandbox) -> LiveCluster:
        """Return the cluster as checks see it; it remembers kinds only, and nothing here adds any."""
        kubeconfig = sandbox.kubeconfig.read_bytes()
        if self._cluster is None or self._cluster[0] != kubeconfig:
            self._cluster = (kubeconfig, LiveCluster("techmarket-sandbox", sandbox.kubeconfig))
        return self._cluster[1]

    def _set(self, api: Api, exercise: Exercise, workspace: Workspace) -> tuple[Applied, ...]:
        chosen = list(submission.candidates(exercise, workspace))
        taken = [document for document, allowed in chosen if allowed]
        taken_for_granted = stand_ins(exercise, submission.home_of(taken))
        theirs = {(each.get("kind"), str(each.get("metadata", "name"))) for each in taken}
        # What the student brings along needs no stand-in.
        given = [
            each
            for each in (*taken_for_granted, *submission.granted(taken))
            if (each["kind"], str(each["metadata"].get("name"))) not in theirs
        ]
        for each in sorted(given, key=lambda each: each["kind"] != "Namespace"):
            if each["kind"] not in submission.RUNS:
                ensure(api, each)
        applied = tuple(
            Applied(document, _create(api, document.data) if allowed else None)
            for document, allowed in chosen
        )
        stored = [each.decision.object for each in applied if each.decision and each.decision.object]
        witnesses.await_native(api, stored)
        stored += [api.create(each) for each in given if each["kind"] in submission.RUNS]
        at_hand = [*taken_for_granted, *(each.data for each in taken)]
        settling.settle(api, stored, [each for each in at_hand if each["kind"] in ("Task", "Pipeline")])
        return applied

    def _clean(self) -> Sandbox:
        """Return a sandbox with nothing of the last exercise on it; one that stays dirty begins anew."""
        for _ in range(2):
            sandbox = self._up()
            sandbox.reset()
            if witnesses.becomes_clean(sandbox.api()):
                return sandbox
            sandbox.down()
            self._sandbox = None
        raise SandboxError(Text("the sandbox cannot be cleaned of what was applied to it"))

    def _up(self) -> Sandbox:
        if self._sandbox is None:
            self._name = self._name or self._free_name()
            self._sandbox = Sandbox.up(
                self._name,
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


def _create(api: Api, resource: Object) -> Decision:
    """Create an object as `kubectl apply` would: with strict validation of its fields."""
    metadata = resource["metadata"]
    # Finalizers would outlive the check; nothing here is there to take them away.
    kept = {key: value for key, value in metadata.items() if key != "finalizers" and value is not None}
    body = {**resource, "metadata": kept}
    try:
        collection = api.path({**body, "metadata": {**kept, "name": "x"}}).rpartition("/")[0]
    except ApiError as error:
        if error.status != _NOT_FOUND:
            raise
        return _not_served(api, resource)
    try:
        query = {"fieldValidation": "Strict", "fieldManager": "kubectl"}
        answer = api.request("POST", collection, body, query=query)
    except ApiError as error:
        if error.status == 0:
            raise
        nothing = proves_nothing(error.message) and not is_refusal(error.message)
        return Decision(
            None if nothing else False,
            error.message,
            policies=policies_of(error.message),
            webhook=webhook_of(error.message),
        )
    return Decision(True, object=answer)


def _not_served(api: Api, resource: Object) -> Decision:
    """Tell a version that does not exist from a kind that this cluster does not have."""
    version, kind = str(resource["apiVersion"]), str(resource["kind"])
    message = f'no matches for kind "{kind}" in version "{version}"'
    group = api.get(f"/apis/{version.rpartition('/')[0]}") or {}
    versions = [str(each.get("groupVersion")) for each in group.get("versions", [])]
    served = any(
        kind in [each.get("kind") for each in (api.get(f"/apis/{one}") or {}).get("resources", [])]
        for one in versions
    )
    return Decision(False if served else None, message)
