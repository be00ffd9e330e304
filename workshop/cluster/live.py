"""A real API server behind the port: what is asked becomes a request, and what answers becomes objects.

The only verbs sent are GET, access reviews and creations with `dryRun=All`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from workshop.cluster.connection import SECONDS, Connection, Request, checked, no_kubernetes
from workshop.cluster.denials import is_refusal, is_spoilt, policies_of, proves_nothing, webhook_of
from workshop.cluster.discovery import Discovery, root
from workshop.cluster.port import Decision, Object, Place, Unreachable
from workshop.cluster.shapes import sound
from workshop.texts import Text
from workshop.verdicts import Reason

_PAGE: Final = 500
_MOST_PAGES: Final = 40
# So many objects cost little even where one of them is enough.
_FEW: Final = 100
_WATCH_SECONDS: Final = 3
# Of objects that are only followed, names and versions are enough.
_METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class LiveCluster:
    """One context of a kubeconfig. Making it reads files only; the first question connects."""

    def __init__(self, context: str, kubeconfig: Path | None = None, *, seconds: float = SECONDS) -> None:
        """Raise Unreachable (no-cluster) when the context cannot be used."""
        self._context, self._seconds = context, seconds
        self._connection = Connection(context, kubeconfig, seconds)
        self._discovery = Discovery(self._discover)
        self._known_until: dict[Place, str] = {}

    def __eq__(self, other: object) -> bool:
        """Whether it is the same cluster asked by the same user, not one made anew under the same name."""
        return isinstance(other, LiveCluster) and self._origin == other._origin

    def __hash__(self) -> int:
        return hash(self._origin)

    @property
    def _origin(self) -> tuple[str | None, ...]:
        return (self._context, *self._connection.origin)

    @property
    def context(self) -> str:
        """The name of the kubeconfig context."""
        return self._context

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return an object, None when it does not exist."""
        path = f"{self._collection(kind, namespace)}/{quote(name, safe='')}"
        status, answer = self._connection.ask(Request(path))
        if status == 404 and _is_about(answer, name):
            return None
        return sound([checked(status, answer)])[0]

    def list(
        self, kind: str, *, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[Object]:
        """Return the objects of a kind, page by page."""
        query = _selecting(labels, fields, limit=_PAGE)
        request = Request(self._collection(kind, namespace), query)
        found: list[Object] = []
        for _ in range(_MOST_PAGES):
            answer = self._connection.answer(request)
            self._known_until.setdefault(Place(kind, namespace), _version(answer))
            found += _items(answer)
            following = answer["metadata"].get("continue")
            if not following:
                return found
            request = replace(request, query={**query, "continue": following})
        raise Unreachable(Reason.TIMEOUT, Text("too many objects of kind {kind} to look through", kind=kind))

    def everything(self, kind: str, *, fields: str | None = None) -> Sequence[Object] | None:
        """Return all objects of a kind, None when there are too many for one answer."""
        request = Request(self._collection(kind, None), _selecting(None, fields, limit=_FEW))
        answer = self._connection.answer(request)
        self._known_until.setdefault(Place(kind), _version(answer))
        items = _items(answer)
        return None if answer["metadata"].get("continue") else items

    def changes(self, kind: str, *, namespace: str, since: str) -> Sequence[Object] | None:
        """Return what happened to a kind's objects since a resource version, by a watch that is soon over."""
        newest = {
            each.get("metadata", {}).get("resourceVersion") for each in self.list(kind, namespace=namespace)
        }
        if not since or not newest:
            return None
        request = _watching(self._collection(kind, namespace), since, seconds=_WATCH_SECONDS)
        seen: list[Object] = []
        with closing(self._connection.events(request)) as events:
            for event in events:
                if event.get("type") == "ERROR":
                    return None  # such as 410: too long ago
                if event.get("type") == "BOOKMARK":
                    continue
                [current] = sound([event.get("object")])
                seen.append(current)
                newest.discard(current["metadata"].get("resourceVersion"))
                if not newest:
                    return seen
        return None

    def follow(self, place: Place, *, seconds: int) -> Iterator[Place]:
        """Yield where objects change after the first look at them, at each change; end after so many seconds.

        Called again it goes on where it ended. Yields at once where what came between cannot be told.
        """
        path = self._collection(place.kind, place.namespace)
        # What was seen of all namespaces was seen of this one too.
        since = self._known_until.pop(place, "") or self._known_until.get(Place(place.kind), "")
        if not since:
            since = _version(self._connection.answer(Request(path, {"limit": "1"}, accept=_METADATA_LIST)))
            yield place
        request = replace(
            _watching(path, since, seconds=seconds), accept=_METADATA, seconds=seconds + self._seconds
        )
        with closing(self._connection.events(request)) as events:
            for event in events:
                if event.get("type") == "ERROR":  # such as 410: too long ago
                    self._known_until.pop(Place(place.kind), None)
                    return
                since = _version(event.get("object")) or since
                if event.get("type") != "BOOKMARK":
                    yield place._replace(namespace=_namespace(event.get("object")) or place.namespace)
        self._known_until[place] = since

    def serves(self, kind: str) -> bool:
        """Tell whether the server knows the kind."""
        return self._discovery.version_of(kind) is not None

    def resources(self, group: str) -> Sequence[str]:
        """Return the names of a group's resources and of those of the groups below it, as CRDs are named."""
        return sorted(
            {
                f"{resource.plural}.{name}"
                for name, versions in self._discovery.groups().items()
                if f".{name}".endswith(f".{group}")
                for version in versions
                for resource in self._discovery.resources(version).values()
            }
        )

    def version(self) -> str:
        """Return the version of the server, as `v1.35.4`."""
        said = self._connection.answer(Request("/version")).get("gitVersion")
        if not isinstance(said, str):
            raise no_kubernetes()
        return said

    def try_create(self, resource: Object) -> Decision:
        """Send an object through admission as a dry run, fields validated as strictly as kubectl asks."""
        version, kind = str(resource.get("apiVersion", "")), str(resource.get("kind", ""))
        metadata = resource.get("metadata")
        namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
        path = self._collection_of(version, kind, namespace if isinstance(namespace, str) else "default")
        query = {"dryRun": "All", "fieldValidation": "Strict", "fieldManager": "techmarket-workshop"}
        status, answer = self._connection.ask(Request(path, query, "POST", resource))
        message = str(answer.get("message", ""))
        if status < 300:
            return Decision(admitted=True, object=sound([answer])[0])
        if proves_nothing(message):
            return Decision(None, message, policies=policies_of(message), webhook=webhook_of(message))
        if is_refusal(message) or is_spoilt(message) or status in (400, 422):
            return Decision(False, message, policies=policies_of(message), webhook=webhook_of(message))
        checked(status, answer)
        return Decision(None, message)

    def allowed(self, verb: str, kind: str, *, namespace: str | None = None, user: str | None = None) -> bool:
        """Tell whether somebody may do that, by an access review."""
        name, _, group = kind.partition(".")
        version = self._discovery.version_of(kind)
        if version is None:
            raise _missing(kind)
        plural = self._discovery.resources(version)[name].plural
        attributes = {"verb": verb, "group": group, "resource": plural}
        if namespace:
            attributes["namespace"] = namespace
        which = "SubjectAccessReview" if user else "SelfSubjectAccessReview"
        spec: Object = {"resourceAttributes": attributes}
        if user:
            spec |= {"user": user, "groups": _groups_of(user)}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": which, "spec": spec}
        path = f"/apis/authorization.k8s.io/v1/{which.lower()}s"
        status = self._connection.answer(Request(path, method="POST", body=body)).get("status")
        allowed = status.get("allowed") if isinstance(status, dict) else None
        if not isinstance(allowed, bool):
            raise no_kubernetes()
        return allowed

    def service_get(self, namespace: str, service: str, path: str) -> tuple[int, str]:
        """GET a path of a Service through the API server's proxy; return status and body.

        Raises Unreachable where it is not the API server that hands the answer on, but a gateway before it.
        """
        target = f"/api/v1/namespaces/{quote(namespace)}/services/{quote(service)}/proxy/{path.lstrip('/')}"
        return self._connection.hand_on(Request(target), service)

    # --- paths -----------------------------------------------------------------------------------

    def _collection(self, kind: str, namespace: str | None) -> str:
        version = self._discovery.version_of(kind)
        if version is None:
            raise _missing(kind)
        return self._collection_of(version, kind.partition(".")[0], namespace)

    def _collection_of(self, version: str, kind: str, namespace: str | None) -> str:
        resource = self._discovery.resources(version).get(kind)
        if resource is None:
            raise _missing(f"{kind} ({version})")
        where = f"/namespaces/{quote(namespace)}" if namespace and resource.namespaced else ""
        return f"{root(version)}{where}/{resource.plural}"

    def _discover(self, path: str, accept: str) -> Object | None:
        status, answer = self._connection.ask(Request(path, accept=accept))
        return None if status == 404 else checked(status, answer)


def _selecting(labels: str | None, fields: str | None, *, limit: int) -> dict[str, str]:
    query = {"limit": str(limit)}
    if labels:
        query["labelSelector"] = labels
    if fields:
        query["fieldSelector"] = fields
    return query


def _watching(path: str, since: str, *, seconds: int) -> Request:
    query = {
        "watch": "true",
        "resourceVersion": since,
        "timeoutSeconds": str(seconds),
        "allowWatchBookmarks": "true",
    }
    return Request(path, query)


def _items(answer: Object) -> list[Object]:
    items = answer.get("items")
    if not isinstance(items, list) or not isinstance(answer.get("metadata"), dict):
        raise no_kubernetes()
    # Built-in kinds say what they are once, at the head of the list.
    kind = {"apiVersion": answer.get("apiVersion"), "kind": str(answer.get("kind")).removesuffix("List")}
    return [{**kind, **each} for each in sound(items)]


def _version(answer: Any) -> str:
    metadata = answer.get("metadata") if isinstance(answer, dict) else None
    return str(metadata.get("resourceVersion") or "") if isinstance(metadata, dict) else ""


def _namespace(answer: Any) -> str | None:
    metadata = answer.get("metadata") if isinstance(answer, dict) else None
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    return namespace if isinstance(namespace, str) else None


def _groups_of(user: str) -> list[str]:
    """Return the groups a token of that account has: rights are often bound to them."""
    account = user.removeprefix("system:serviceaccount:")
    service = [] if account == user else ["serviceaccounts", f"serviceaccounts:{account.partition(':')[0]}"]
    return [f"system:{group}" for group in (*service, "authenticated")]


def _is_about(answer: Object, name: str) -> bool:
    """Whether a 404 speaks of the object itself: others come from gateways, or of what is not served."""
    details = answer.get("details")
    return isinstance(details, dict) and details.get("name") == name


def _missing(kind: str) -> Unreachable:
    return Unreachable(Reason.MISSING_CRD, Text("the cluster does not know the kind {kind}", kind=kind))
