"""A cluster in memory behind the port: as much of one as the live checks of policies ask for."""

# ruff: noqa: ARG002 (the port says what a method is given; this cluster does not need all of it)

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from workshop.cluster.port import Decision, Object, Place, Unreachable
from workshop.content import Lab
from workshop.texts import Text
from workshop.verdicts import Mode, Reason

CONTEXT = "kind-techmarket"
POLICY = "ClusterPolicy.kyverno.io"


class InMemory:
    """Has policies by name; one that is ready refuses Pods with a moving tag, unless `enforced` is off.

    `down` makes every question Unreachable; `asked` counts them. Who follows it is told of every policy that
    is put there, unless `followed` says that nobody may.
    """

    def __init__(
        self, kinds: Sequence[str] = (POLICY, "Pipeline.tekton.dev"), *, followed: bool = False
    ) -> None:
        self.followed = followed
        self._changed = threading.Condition()
        self._version = 0
        self.context = CONTEXT
        self.kinds = {"Namespace", "LimitRange", "ResourceQuota", "Pod", *kinds}
        self.policies: dict[str, Object] = {}
        self.pods: list[Object] = []
        self.enforced = True
        self.down: Reason | None = None
        self.asked = 0
        self.connections: list[Mode] = []

    def connect(self, mode: Mode, _lab: Lab) -> InMemory:
        """Find it, whatever the mode."""
        self.connections.append(mode)
        return self

    def put_policy(self, name: str, *, ready: bool = True) -> None:
        """Apply a policy that refuses what it should."""
        conditions = [{"type": "Ready", "status": str(ready)}]
        with self._changed:
            self._version += 1
            metadata = {"name": name, "uid": name, "resourceVersion": str(self._version)}
            self.policies[name] = {
                "apiVersion": "kyverno.io/v1",
                "kind": "ClusterPolicy",
                "metadata": metadata,
                "status": {"conditions": conditions},
            }
            self._changed.notify_all()

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        self._answer()
        return self.policies.get(name) if kind == POLICY else None

    def list(
        self, kind: str, *, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[Object]:
        self._answer()
        if kind not in self.kinds:
            raise Unreachable(
                Reason.MISSING_CRD, Text("the cluster does not know the kind {kind}", kind=kind)
            )
        if kind == POLICY:
            return list(self.policies.values())
        if kind == "Pod":
            return list(self.pods)
        names = ("default", "team-a") if kind == "Namespace" else ()
        return [{"metadata": {"name": name}} for name in names]

    def everything(self, kind: str, *, fields: str | None = None) -> Sequence[Object] | None:
        return self.list(kind)

    def changes(self, kind: str, *, namespace: str, since: str) -> Sequence[Object] | None:
        self._answer()
        return None

    def follow(self, place: Place, *, seconds: int) -> Iterator[Place]:
        if not self.followed:
            raise Unreachable(Reason.FORBIDDEN, Text("not allowed to look (403): {message}", message="watch"))
        seen = self._version
        while True:
            with self._changed:
                while self._version == seen:
                    self._changed.wait()
                seen = self._version
            if place.kind == POLICY:
                yield place

    def serves(self, kind: str) -> bool:
        self._answer()
        return kind in self.kinds

    def resources(self, group: str) -> Sequence[str]:
        self._answer()
        return [kind for kind in self.kinds if kind.endswith(group)]

    def version(self) -> str:
        self._answer()
        return "v1.35.4"

    def try_create(self, resource: Object) -> Decision:
        self._answer()
        template = resource["spec"].get("template", resource)
        spec = template["spec"]
        containers = [*spec.get("containers", ()), *spec.get("initContainers", ())]
        moving = any(each["image"].partition(":")[2] in ("", "latest") for each in containers)
        refusing = [name for name, policy in self.policies.items() if "True" in str(policy["status"])]
        if moving and refusing and self.enforced:
            return Decision(False, f"{refusing[0]}: no moving tag", policies=tuple(refusing))
        return Decision(admitted=True, object=resource)

    def allowed(self, verb: str, kind: str, *, namespace: str | None = None, user: str | None = None) -> bool:
        self._answer()
        return True

    def service_get(self, namespace: str, service: str, path: str) -> tuple[int, str]:
        self._answer()
        return 404, ""

    def _answer(self) -> None:
        self.asked += 1
        if self.down is not None:
            raise Unreachable(self.down, Text("no answer within {seconds} s", seconds="0"))
