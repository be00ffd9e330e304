"""A connection to an API server: the Kubernetes client's credentials and transport, failures with reasons.

Every request has a time-out, and whatever can happen on the way to the server and back is Unreachable.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from workshop.cluster.port import Object, Unreachable
from workshop.texts import Text
from workshop.verdicts import Reason

SECONDS: Final = 10.0
JSON: Final = "application/json"
# On whatever comes from an API server, be it another's answer that it hands on.
_HANDED_ON: Final = "Audit-Id"


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: where to, with which query, in which form the answer is wanted, how long it may take."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    method: Literal["GET", "POST"] = "GET"
    body: Object | None = None
    accept: str = JSON
    seconds: float | None = None


class Connection:
    """A context of a kubeconfig. Making it reads files only; the first request connects."""

    def __init__(self, context: str, kubeconfig: Path | None, seconds: float) -> None:
        """Raise Unreachable (no-cluster) when the context cannot be used."""
        from kubernetes import config
        from kubernetes.config import ConfigException

        self._seconds = seconds
        try:
            self._client: Any = config.new_client_from_config(  # type: ignore[no-untyped-call]
                config_file=str(kubeconfig) if kubeconfig else None, context=context, persist_config=False
            )
        except (ConfigException, OSError, ValueError, TypeError, KeyError) as error:
            text = Text("the context {context} cannot be used: {problem}", context=context, problem=error)
            raise Unreachable(Reason.NO_CLUSTER, text) from error
        # urllib3 would ask a server that hangs four times over.
        self._client.rest_client.pool_manager.connection_pool_kw["retries"] = False

    def answer(self, request: Request) -> Object:
        """Return the object that answers a request. Raises Unreachable with the reason where none does."""
        return checked(*self.ask(request))

    def ask(self, request: Request) -> tuple[int, Object]:
        """Return status and object of an answer; a failure that is no object is one with a message."""
        status, content = self.read(request)
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            if status in (401, 403, 404, 429) or status >= 500:
                return status, {"message": content[:300]}
            raise no_kubernetes()
        return status, answer

    def read(self, request: Request) -> tuple[int, str]:
        """Return status and text of an answer."""
        with self._answering():
            response = self._open(request)
            return int(response.status), (response.read() or b"").decode(errors="replace")

    def hand_on(self, request: Request, service: str) -> tuple[int, str]:
        """Return status and text of what a Service behind the API server's proxy answers.

        Raises Unreachable where it does not answer, or somebody else than an API server does.
        """
        try:
            with self._answering():
                response = self._open(request)
        except Unreachable as unreachable:
            # That the API server takes requests shows elsewhere: here it may be the Service that hangs.
            if unreachable.reason is Reason.TIMEOUT:
                raise self._silent(request, service) from unreachable
            raise
        if _HANDED_ON not in response.getheaders():
            raise no_kubernetes()
        try:
            with self._answering():
                return int(response.status), (response.read() or b"").decode(errors="replace")
        except Unreachable as unreachable:
            raise self._silent(request, service) from unreachable

    def events(self, request: Request) -> Generator[Object]:
        """Yield the events of a watch as they come."""
        with self._answering():
            response = self._open(request)
            try:
                if response.status >= 300:
                    checked(int(response.status), {"message": str(response.reason)})
                for line in response.response:
                    event = json.loads(line)
                    if not isinstance(event, dict):
                        raise no_kubernetes()
                    yield event
            finally:
                response.response.close()

    def _open(self, request: Request) -> Any:
        """Send a request and return the response, its body not read yet."""
        headers = {"Accept": request.accept}
        if request.body is not None:
            headers["Content-Type"] = JSON
        sent = self._client.param_serialize(
            request.method,
            request.path,
            query_params=list(request.query.items()),
            header_params=headers,
            body=request.body,
            auth_settings=["BearerToken"],
        )
        seconds = request.seconds or self._seconds
        return self._client.call_api(*sent, _request_timeout=(self._seconds, seconds))

    @property
    def origin(self) -> tuple[str | None, ...]:
        """Address, authority and credentials: those in a kubeconfig are files by their content."""
        known = self._client.configuration
        token = known.api_key.get("BearerToken") or known.api_key.get("authorization")
        return (known.host, known.ssl_ca_cert, known.cert_file, known.key_file, token)

    def _silent(self, request: Request, service: str) -> Unreachable:
        text = Text(
            "the Service {service} does not answer within {seconds} s, or breaks off",
            service=service,
            seconds=f"{self._seconds:g}",
        )
        advice = Text("Ask it yourself: kubectl get --raw {path}", path=request.path)
        return Unreachable(Reason.UNAVAILABLE, text, next=advice)

    def _no_answer(self, error: Exception) -> Unreachable:
        server = self._client.configuration.host
        text = Text("no answer from {address}: {problem}", address=server, problem=_words(error))
        return Unreachable(Reason.NO_CLUSTER, text)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError, NewConnectionError
        from urllib3.exceptions import TimeoutError as RequestTimeout

        try:
            yield
        except NewConnectionError as error:  # a kind of time-out to urllib3: nobody listens
            raise self._no_answer(error) from error
        except RequestTimeout as error:
            text = Text("no answer within {seconds} s", seconds=f"{self._seconds:g}")
            raise Unreachable(Reason.TIMEOUT, text) from error
        except (ApiException, HTTPError, OSError) as error:
            raise self._no_answer(error) from error
        except (ValueError, RecursionError) as error:  # what a watch sent was cut off, or never was JSON
            raise no_kubernetes() from error


def checked(status: int, answer: Object) -> Object:
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


def no_kubernetes() -> Unreachable:
    """Return the failure that something else than an API server answered."""
    return Unreachable(Reason.UNAVAILABLE, Text("what answered is no Kubernetes API server"))


def _words(error: BaseException) -> str:
    """Return what went wrong at the bottom of it, without the words of the libraries in between."""
    while (below := error.__cause__ or error.__context__) is not None:
        error = below
    said = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)
    return str(said)[:200]
