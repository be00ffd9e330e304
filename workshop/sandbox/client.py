"""A small client of the API server, for what the sandbox itself does: apply, read, delete, ask for readiness.

The standard library is enough for that, and starts forty times faster than the Kubernetes client.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import quote, urlencode

Document = dict[str, Any]
_MANAGER: Final = "techmarket-workshop"
_SECONDS: Final = 30.0
# How long somebody waits who will ask again.
_PATIENCE: Final = 3.0
_AT_ONCE: Final = 8
# What has to be there before what: namespaces and definitions first, webhooks last.
_ORDER: Final = (
    "Namespace",
    "CustomResourceDefinition",
    "ServiceAccount",
    "ClusterRole",
    "Role",
    "ConfigMap",
    "Secret",
)
_LAST: Final = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


# How it shows that the server has closed a connection that was idle, or was started again meanwhile.
_GONE: Final = (
    http.client.RemoteDisconnected,
    BrokenPipeError,
    ConnectionResetError,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
)


class ApiError(Exception):
    """The API server refused or did not answer. `status` is the HTTP status, 0 when there was no answer."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(f"{status} {reason}: {message}" if status else message)
        self.status = status
        self.reason = reason
        self.message = message


class Api:
    """Requests to one API server with one token; safe to use from several threads."""

    def __init__(self, port: int, authority: bytes, token: str) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._tls = ssl.create_default_context(cadata=authority.decode())
        self._local = threading.local()
        self._plurals: dict[str, dict[str, tuple[str, bool]]] = {}

    def request(
        self,
        method: str,
        path: str,
        body: Document | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        seconds: float = _SECONDS,
    ) -> Document:
        """Send one request and return the JSON object of the answer. Raises ApiError."""
        status, content = self.raw(
            method, path, body, query=query, content_type=content_type, seconds=seconds
        )
        try:
            answer = json.loads(content) if content else {}
        except ValueError:
            answer = {"message": content.decode(errors="replace")}
        if status >= http.client.BAD_REQUEST:
            raise ApiError(status, str(answer.get("message", "")), str(answer.get("reason", "")))
        return answer if isinstance(answer, dict) else {"items": answer}

    def raw(
        self,
        method: str,
        path: str,
        body: Document | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        seconds: float = _SECONDS,
    ) -> tuple[int, bytes]:
        """Send one request and return status and content. Raises ApiError when there is no answer."""
        target = f"{path}?{urlencode(query)}" if query else path
        content = None if body is None else json.dumps(body).encode()
        headers = self._headers if body is None else {**self._headers, "Content-Type": content_type}
        for fresh in (False, True):
            connection = self._connection(seconds, fresh=fresh)
            try:
                connection.request(method, target, content, headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except _GONE as error:
                # An idle connection the server has closed meanwhile: once more on a new one.
                if fresh:
                    raise ApiError(0, str(error) or type(error).__name__) from error
            except (OSError, http.client.HTTPException) as error:
                self._local.connection = None
                raise ApiError(0, str(error) or type(error).__name__) from error
        raise AssertionError("unreachable")

    def _connection(self, seconds: float, *, fresh: bool) -> http.client.HTTPSConnection:
        connection: http.client.HTTPSConnection | None = getattr(self._local, "connection", None)
        if connection is None or fresh:
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self._port, timeout=seconds, context=self._tls
            )
            self._local.connection = connection
        connection.timeout = seconds
        if connection.sock is not None:
            connection.sock.settimeout(seconds)
        return connection

    def answers(self, path: str, *, seconds: float = _PATIENCE) -> bool:
        """Tell whether a GET of that path succeeds."""
        try:
            return self.raw("GET", path, seconds=seconds)[0] == http.client.OK
        except ApiError:
            return False

    def get(self, path: str, *, seconds: float = _SECONDS) -> Document | None:
        """Return an object, None when it does not exist. Raises ApiError."""
        try:
            return self.request("GET", path, seconds=seconds)
        except ApiError as error:
            if error.status == http.client.NOT_FOUND:
                return None
            raise

    def delete(self, path: str) -> None:
        """Delete an object or a collection; one that does not exist is deleted already. Raises ApiError."""
        try:
            self.request("DELETE", path)
        except ApiError as error:
            if error.status != http.client.NOT_FOUND:
                raise

    def apply(self, document: Document, *, dry_run: bool = False) -> Document:
        """Apply one object from the server's side, taking over fields of others. Raises ApiError."""
        query = {"fieldManager": _MANAGER, "force": "true", **({"dryRun": "All"} if dry_run else {})}
        path = self.path(document)
        return self.request("PATCH", path, document, query=query, content_type="application/apply-patch+yaml")

    def merge(self, path: str, patch: Document) -> Document:
        """Change some fields of an object; None removes one. Raises ApiError."""
        return self.request("PATCH", path, patch, content_type="application/merge-patch+json")

    def apply_all(self, documents: Iterable[Document]) -> None:
        """Apply objects, what others stand on first, eight at a time where order does not matter."""
        waves: dict[int, list[Document]] = {}
        for document in documents:
            waves.setdefault(_wave(str(document.get("kind"))), []).append(document)
        for _, wave in sorted(waves.items()):
            for document in {self._group_path(document): document for document in wave}.values():
                self.path(document)  # learn the plural names before the threads need them
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(self.apply, wave))

    def create(self, document: Document, *, dry_run: bool = False, seconds: float = _SECONDS) -> Document:
        """Create one object. Raises ApiError."""
        path, _, _ = self.path(document).rpartition("/")
        query = {"dryRun": "All"} if dry_run else None
        return self.request("POST", path, document, query=query, seconds=seconds)

    def refuses(self, document: Document, by: str) -> bool:
        """Tell whether an object is refused by the webhook whose name begins so: that it is at work."""
        try:
            self.create(document, dry_run=True, seconds=_PATIENCE)
        except ApiError as error:
            return error.status == http.client.BAD_REQUEST and f'admission webhook "{by}' in error.message
        return False

    def path(self, document: Document) -> str:
        """Return the path of an object. Raises ApiError when the server does not know its kind."""
        group_path, kind = self._group_path(document), str(document["kind"])
        kinds = self._plurals.get(group_path)
        if kinds is None or kind not in kinds:
            found = self.request("GET", group_path).get("resources", [])
            kinds = self._plurals[group_path] = {
                str(one["kind"]): (str(one["name"]), bool(one["namespaced"]))
                for one in found
                if "/" not in one["name"]
            }
        if kind not in kinds:
            raise ApiError(http.client.NOT_FOUND, f"no kind {kind} in {document['apiVersion']}")
        plural, namespaced = kinds[kind]
        metadata = document["metadata"]
        where = f"/namespaces/{quote(metadata.get('namespace', 'default'))}" if namespaced else ""
        return f"{group_path}{where}/{plural}/{quote(metadata['name'])}"

    @staticmethod
    def _group_path(document: Document) -> str:
        version = str(document["apiVersion"])
        return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _wave(kind: str) -> int:
    if kind in _ORDER:
        return _ORDER.index(kind)
    return len(_ORDER) + (kind in _LAST)
