"""A real API server behind the port: the Kubernetes client for credentials and transport, REST for the rest.

Every request has a time-out. The only verbs sent are GET, access reviews and creations with `dryRun=All`.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from workshop.cluster.denials import is_refusal, is_spoilt, policies_of, proves_nothing, webhook_of
from workshop.cluster.discovery import Discovery, root
from workshop.cluster.port import Decision, Object, Unreachable
from workshop.cluster.shapes import sound
from workshop.texts import Text
from workshop.verdicts import Reason

SECONDS: Final = 10.0
_PAGE: Final = 500
_MOST_PAGES: Final = 40
# So many objects cost little even where one of them is enough.
_FEW: Final = "100"
_WATCH_SECONDS: Final = "3"
_JSON: Final = "application/json"
# Of objects that are only followed, names and versions are enough.
_METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class LiveCluster:
    """One context of a kubeconfig. Making it reads files only; the first question connects."""

    def __init__(self, context: str, kubeconfig: Path | None = None, *, seconds: float = SECONDS) -> None:
        """Raise Unreachable (no-cluster) when the context cannot be used."""
        from kubernetes import config
        from kubernetes.config import ConfigException

        self._context, self._seconds = context, seconds
        try:
            self._client: Any = config.new_client_from_config(  # type: ignore[no-untyped-call]
                config_file=str(kubeconfig) if kubeconfig else None, context=context, persist_config=False
            )
        except (ConfigException, OSError, ValueError, TypeError, KeyError) as error:
            text = Text("the context {context} cannot be used: {problem}", context=context, problem=error)
            raise Unreachable(Reason.NO_CLUSTER, text) from error
        # urllib3 would ask a server that hangs four times over.
        self._client.rest_client.pool_manager.connection_pool_kw["retries"] = False
        self._discovery = Discovery(self._discover)
        self._known_until: dict[str, str] = {}

    @property
    def context(self) -> str:
        """The name of the kubeconfig context."""
        return self._context

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return an object, None when it does not exist."""
        status, answer = self._ask("GET", f"{self._collection(kind, namespace)}/{quote(name, safe='')}")
        if status == 404 and _is_about(answer, name):
            return None
        return sound([self._checked(status, answer)])[0]

    def list(
        self, kind: str, *, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[Object]:
        """Return the objects of a kind, page by page."""
        path = self._collection(kind, namespace)
        query = {"limit": str(_PAGE)}
        if labels:
            query["labelSelector"] = labels
        if fields:
            query["fieldSelector"] = fields
        found: list[Object] = []
        for _ in range(_MOST_PAGES):
            answer = self._checked(*self._ask("GET", path, query=query))
            self._known_until.setdefault(kind, _version(answer))
            found += _items(answer)
            following = answer["metadata"].get("continue")
            if not following:
                return found
            query["continue"] = following
        raise Unreachable(Reason.TIMEOUT, Text("too many objects of kind {kind} to look through", kind=kind))

    def everything(self, kind: str, *, fields: str | None = None) -> Sequence[Object] | None:
        """Return all objects of a kind, None when there are too many for one answer."""
        query = {"limit": _FEW, **({"fieldSelector": fields} if fields else {})}
        answer = self._checked(*self._ask("GET", self._collection(kind, None), query=query))
        self._known_until.setdefault(kind, _version(answer))
        items = _items(answer)
        return None if answer["metadata"].get("continue") else items

    def changes(self, kind: str, *, namespace: str, since: str) -> Sequence[Object] | None:
        """Return what happened to a kind's objects since a resource version, by a watch that is soon over."""
        newest = {
            each.get("metadata", {}).get("resourceVersion") for each in self.list(kind, namespace=namespace)
        }
        if not since or not newest:
            return None
        query = {"watch": "true", "resourceVersion": since, "timeoutSeconds": _WATCH_SECONDS}
        seen: list[Object] = []
        with self._answering(), closing(self._watch(self._collection(kind, namespace), query)) as events:
            for event in events:
                if event.get("type") == "ERROR":
                    return None  # such as 410: too long ago
                [current] = sound([event.get("object")])
                seen.append(current)
                newest.discard(current["metadata"].get("resourceVersion"))
                if not newest:
                    return seen
        return None

    def follow(self, kind: str, *, seconds: int) -> Iterator[None]:
        """Yield whenever objects of a kind change after the first look at them; end after so many seconds.

        Called again it goes on where it ended. Yields at once where what came between cannot be told.
        """
        path = self._collection(kind, None)
        since = self._known_until.pop(kind, "")
        if not since:
            answer = self._ask("GET", path, query={"limit": "1"}, accept=_METADATA_LIST)
            since = _version(self._checked(*answer))
            yield
        query = {
            "watch": "true",
            "resourceVersion": since,
            "timeoutSeconds": str(seconds),
            "allowWatchBookmarks": "true",
        }
        watch = self._watch(path, query, accept=_METADATA, seconds=seconds + self._seconds)
        with self._answering(), closing(watch) as events:
            for event in events:
                if event.get("type") == "ERROR":  # such as 410: too long ago
                    return
                since = _version(event.get("object")) or since
                if event.get("type") != "BOOKMARK":
                    yield
        self._known_until[kind] = since

    def _watch(
        self, path: str, query: Mapping[str, str], *, accept: str = _JSON, seconds: float | None = None
    ) -> Generator[Object]:
        response = self._open("GET", path, query=query, accept=accept, seconds=seconds)
        try:
            if response.status >= 300:
                self._checked(int(response.status), {"message": str(response.reason)})
            for line in response.response:
                event = json.loads(line)
                if not isinstance(event, dict):
                    raise _no_kubernetes()
                yield event
        finally:
            response.response.close()

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
        said = self._checked(*self._ask("GET", "/version")).get("gitVersion")
        if not isinstance(said, str):
            raise _no_kubernetes()
        return said

    def try_create(self, resource: Object) -> Decision:
        """Send an object through admission as a dry run, fields validated as strictly as kubectl asks."""
        version, kind = str(resource.get("apiVersion", "")), str(resource.get("kind", ""))
        metadata = resource.get("metadata")
        namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
        path = self._collection_of(version, kind, namespace if isinstance(namespace, str) else "default")
        query = {"dryRun": "All", "fieldValidation": "Strict", "fieldManager": "techmarket-workshop"}
        status, answer = self._ask("POST", path, body=resource, query=query)
        message = str(answer.get("message", ""))
        if status < 300:
            return Decision(admitted=True, object=sound([answer])[0])
        if proves_nothing(message):
            return Decision(None, message, policies=policies_of(message), webhook=webhook_of(message))
        if is_refusal(message) or is_spoilt(message) or status in (400, 422):
            return Decision(False, message, policies=policies_of(message), webhook=webhook_of(message))
        self._checked(status, answer)
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
        status = self._checked(*self._ask("POST", path, body=body)).get("status")
        allowed = status.get("allowed") if isinstance(status, dict) else None
        if not isinstance(allowed, bool):
            raise _no_kubernetes()
        return allowed

    def service_get(self, namespace: str, service: str, path: str) -> tuple[int, str]:
        """GET a path of a Service through the API server's proxy; return status and body."""
        target = f"/api/v1/namespaces/{quote(namespace)}/services/{quote(service)}/proxy/{path.lstrip('/')}"
        return self._raw("GET", target)

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
        status, answer = self._ask("GET", path, accept=accept)
        return None if status == 404 else self._checked(status, answer)

    # --- transport -------------------------------------------------------------------------------

    def _ask(
        self,
        method: str,
        path: str,
        *,
        body: Object | None = None,
        query: Mapping[str, str] | None = None,
        accept: str = _JSON,
    ) -> tuple[int, Object]:
        status, content = self._raw(method, path, body=body, query=query, accept=accept)
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            if status in (401, 403, 404, 429) or status >= 500:
                return status, {"message": content[:300]}
            raise _no_kubernetes()
        return status, answer

    def _raw(
        self,
        method: str,
        path: str,
        *,
        body: Object | None = None,
        query: Mapping[str, str] | None = None,
        accept: str = _JSON,
    ) -> tuple[int, str]:
        with self._answering():
            response = self._open(method, path, body=body, query=query, accept=accept)
            return int(response.status), (response.read() or b"").decode(errors="replace")

    def _open(
        self,
        method: str,
        path: str,
        *,
        body: Object | None = None,
        query: Mapping[str, str] | None = None,
        accept: str = _JSON,
        seconds: float | None = None,
    ) -> Any:
        """Send a request and return the response, its body not read yet; `seconds` is how long to wait."""
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = _JSON
        request = self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        return self._client.call_api(*request, _request_timeout=(self._seconds, seconds or self._seconds))

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn whatever can happen on the way to the server and back into Unreachable, with the reason."""
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError, NewConnectionError
        from urllib3.exceptions import TimeoutError as RequestTimeout

        try:
            yield
        except NewConnectionError as error:  # a kind of time-out to urllib3: nobody listens
            raise _no_answer(error) from error
        except RequestTimeout as error:
            text = Text("no answer within {seconds} s", seconds=f"{self._seconds:g}")
            raise Unreachable(Reason.TIMEOUT, text) from error
        except (ApiException, HTTPError, OSError) as error:
            raise _no_answer(error) from error
        except ValueError as error:  # what a watch sent was cut off, or never was JSON
            raise _no_kubernetes() from error

    def _checked(self, status: int, answer: Object) -> Object:
        """Return the answer of a request that worked. Raises Unreachable with the reason it did not."""
        if status < 300:
            return answer
        message = str(answer.get("message", ""))[:300]
        if status == 401:
            raise Unreachable(Reason.UNAUTHORIZED, Text("the cluster does not know who asks (401)"))
        if status == 403:
            raise Unreachable(Reason.FORBIDDEN, Text("not allowed to look (403): {message}", message=message))
        if status == 404:
            text = Text("the cluster does not know this (404): {message}", message=message)
            raise Unreachable(Reason.MISSING_CRD, text)
        if status in (408, 429, 504):
            raise Unreachable(Reason.TIMEOUT, Text("the cluster is too busy ({status})", status=status))
        text = Text("the cluster answered {status}: {message}", status=status, message=message)
        raise Unreachable(Reason.UNAVAILABLE, text)


def _items(answer: Object) -> list[Object]:
    items = answer.get("items")
    if not isinstance(items, list) or not isinstance(answer.get("metadata"), dict):
        raise _no_kubernetes()
    # Built-in kinds say what they are once, at the head of the list.
    kind = {"apiVersion": answer.get("apiVersion"), "kind": str(answer.get("kind")).removesuffix("List")}
    return [{**kind, **each} for each in sound(items)]


def _version(answer: Any) -> str:
    metadata = answer.get("metadata") if isinstance(answer, dict) else None
    return str(metadata.get("resourceVersion") or "") if isinstance(metadata, dict) else ""


def _groups_of(user: str) -> list[str]:
    """Return the groups a token of that account has: rights are often bound to them."""
    account = user.removeprefix("system:serviceaccount:")
    service = [] if account == user else ["serviceaccounts", f"serviceaccounts:{account.partition(':')[0]}"]
    return [f"system:{group}" for group in (*service, "authenticated")]


def _is_about(answer: Object, name: str) -> bool:
    """Whether a 404 speaks of the object itself: others come from gateways, or of what is not served."""
    details = answer.get("details")
    return isinstance(details, dict) and details.get("name") == name


def _no_answer(error: Exception) -> Unreachable:
    return Unreachable(Reason.NO_CLUSTER, Text("no answer: {problem}", problem=str(error)[:200]))


def _missing(kind: str) -> Unreachable:
    return Unreachable(Reason.MISSING_CRD, Text("the cluster does not know the kind {kind}", kind=kind))


def _no_kubernetes() -> Unreachable:
    return Unreachable(Reason.UNAVAILABLE, Text("what answered is no Kubernetes API server"))
