"""What a check may ask of a cluster. There is no word here for changing one.

Kinds are written as kubectl writes them: `ClusterPolicy.kyverno.io`, `Pod` for the core group; the
version is the server's preferred one unless the object itself names one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from workshop.texts import Message, Text
from workshop.verdicts import Reason

Object = dict[str, Any]


class Unreachable(Exception):
    """The cluster could not answer: says nothing about the student's work.

    `text` is for people; `next` says what they can try, where the reason alone does not tell.
    """

    claim: ClassVar[Message] = Text("The cluster can be asked")
    remedies: ClassVar[Mapping[Reason, Message]] = {
        Reason.NO_CLUSTER: Text(
            "Does it run, and at the address of your kubeconfig? kubectl cluster-info has to answer first; "
            "workshop doctor looks at the rest."
        ),
        Reason.NO_SANDBOX: Text("Start it: workshop sandbox up"),
        Reason.UNAUTHORIZED: Text(
            "Fetch the kubeconfig again: the cluster was made anew, or the token has run out. For kind: "
            "kind export kubeconfig --name techmarket"
        ),
        Reason.FORBIDDEN: Text(
            "kubectl auth can-i --list says what you may. Whoever made the cluster can grant the rights of "
            "materials/grader/rbac.yaml."
        ),
        Reason.TIMEOUT: Text(
            "Wait a moment and check again. If it stays so, the cluster has too much to do: kubectl top nodes"
        ),
        Reason.UNAVAILABLE: Text(
            "Check again in a moment. If it stays so: is it the API server that answers at the address of "
            "your kubeconfig? kubectl get --raw /readyz tells."
        ),
        Reason.MISSING_CRD: Text(
            "Install first what brings this kind: kubectl api-resources lists those that are known."
        ),
    }

    def __init__(self, reason: Reason, text: Message, next: Message | None = None) -> None:
        super().__init__(str(text))
        self.reason = reason
        self.text = text
        self.next = next or self.remedies.get(reason)


class Decision(NamedTuple):
    """What admission said of an object that was sent as a dry run.

    `admitted` is None when the refusal says nothing about the object (a dead webhook, a registry that
    could not be asked). `object` is the object as it would be stored, after mutation. `policies` are
    the names of the policies that refused, as far as the message tells.
    """

    admitted: bool | None
    message: str = ""
    object: Object | None = None
    policies: tuple[str, ...] = ()
    webhook: str | None = None
    warnings: tuple[str, ...] = ()


class Place(NamedTuple):
    """Where objects of a kind are looked at: in one namespace, or (None) in all."""

    kind: str
    namespace: str | None = None

    def meets(self, other: Place) -> bool:
        """Whether an object may be in both."""
        same = self.namespace == other.namespace or None in (self.namespace, other.namespace)
        return same and self.kind == other.kind


class Cluster(Protocol):
    """A cluster to look at. Every method raises Unreachable when the cluster does not answer properly."""

    @property
    def context(self) -> str:
        """The name of the kubeconfig context."""

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return an object, None when it does not exist. An unknown kind is Unreachable, missing-crd."""

    def list(
        self, kind: str, *, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[Object]:
        """Return the objects of a kind; `labels` and `fields` are selectors the server applies."""

    def everything(self, kind: str, *, fields: str | None = None) -> Sequence[Object] | None:
        """Return all objects of a kind, None when there are too many for one answer."""

    def changes(self, kind: str, *, namespace: str, since: str) -> Sequence[Object] | None:
        """Return the states that objects have gone through after a resource version, in their order.

        None when the server does not remember that far back, or has no such version.
        """

    def follow(self, place: Place, *, seconds: int) -> Iterator[Place]:
        """Yield where objects change, whenever they do after the first look; end after so many seconds."""

    def serves(self, kind: str) -> bool:
        """Tell whether the server knows the kind."""

    def resources(self, group: str) -> Sequence[str]:
        """Return what a group and the groups below it serve: `clusterpolicies.kyverno.io`, one a resource."""

    def version(self) -> str:
        """Return the version of the server, as `v1.35.4`."""

    def try_create(self, resource: Object) -> Decision:
        """Send an object through admission as a server-side dry run; nothing is stored."""

    def allowed(self, verb: str, kind: str, *, namespace: str | None = None, user: str | None = None) -> bool:
        """Tell whether somebody (default: whoever asks) may do that, by an access review."""

    def service_get(self, namespace: str, service: str, path: str) -> tuple[int, str]:
        """GET a path of a Service (`name:port`) through the API server; return status and body."""
