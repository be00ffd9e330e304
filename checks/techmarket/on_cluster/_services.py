"""Asking a Service through the API server, and telling the two voices apart.

What the Service says is evidence about the Service, be it a page where JSON belongs: the checks judge it.
What the API server says in its place is none, except that it found nobody to take the connection. What a
gateway before the API server says never gets here: `LiveCluster.service_get` takes it for no answer.
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from workshop.checking import Text
from workshop.cluster.port import Cluster, Unreachable
from workshop.verdicts import Reason

# What the API server says where nobody takes the connection: it has the address, and is turned away there.
_NOBODY: Final = ("connection refused", "no endpoints available")
_REASONS: Final = {
    401: Reason.UNAUTHORIZED,
    403: Reason.FORBIDDEN,
    429: Reason.TIMEOUT,
    504: Reason.TIMEOUT,
}


class Answer(NamedTuple):
    """What came back for a path. `silent` is the API server's word for an application that says nothing."""

    status: int
    body: str
    silent: str | None = None

    @property
    def data(self) -> Any:
        """The body as JSON, None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def words(self) -> str:
        """What was said, on one line."""
        return " ".join((self.silent or self.body).split())


def ask(cluster: Cluster, namespace: str, service: str, path: str) -> Answer:
    """GET a path of a Service, given as `name:port`.

    Raises Unreachable where the API server itself refuses, or cannot tell.
    """
    answer = Answer(*cluster.service_get(namespace, service, path))
    said = _said_by_the_server(answer) if answer.status >= 400 else None
    if said is None:
        return answer
    if any(word in said for word in _NOBODY):
        return Answer(answer.status, "", silent=said)
    text = Text(
        "{service} cannot be asked ({status}): {message}",
        service=service.partition(":")[0],
        status=answer.status,
        message=said[:300],
    )
    raise Unreachable(
        _REASONS.get(answer.status, Reason.UNAVAILABLE), text, next=yourself(namespace, service, path)
    )


def yourself(namespace: str, service: str, path: str) -> Text:
    """Return how a person asks a Service the same."""
    return Text(
        "Ask it yourself: kubectl get --raw {path}",
        path=f"/api/v1/namespaces/{namespace}/services/{service}/proxy/{path.lstrip('/')}",
    )


def _said_by_the_server(answer: Answer) -> str | None:
    """Return the message of the API server itself, None when the application behind it has answered."""
    data = answer.data
    if not isinstance(data, dict) or data.get("kind") != "Status" or data.get("apiVersion") != "v1":
        return None
    return str(data.get("message", ""))
