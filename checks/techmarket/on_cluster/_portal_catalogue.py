"""What Backstage's catalogue holds, read through its API.

The catalogue asks for a token, and the API server's proxy takes the header away that would carry it. So a
token is read where the portal hands one to guests, through the API server, and shown at a door of the cluster
that this machine reaches: only the Backstage that issued it takes it, so no other one can be read by mistake.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlencode

from workshop.checking import Exam, Text
from workshop.cluster.doors import TOKEN
from workshop.cluster.port import Object, Unreachable
from workshop.cluster.reading import name_of, part
from workshop.verdicts import Reason

from ._portal import Portal
from ._portal_doors import Ways, answered_address, ways_in

GUEST: Final = "/api/auth/guest/refresh"
_ENTITIES: Final = "/api/catalog/entities"


def entities_named(exam: Exam, portal: Portal, kind: str, *names: str) -> dict[str, Object]:
    """Return the entities of a kind that the catalogue has under these names, in whatever namespace.

    Raises Unreachable when the catalogue cannot be read.
    """
    query = urlencode([("filter", f"kind={kind},metadata.name={name}") for name in names])
    return {name_of(each): each for each in _read(exam, portal, f"{_ENTITIES}?{query}")}


def guest_token(exam: Exam, portal: Portal) -> tuple[int, str | None]:
    """Ask for a guest's token; return the status and the token, None where there is none."""
    answer = portal.ask(exam, GUEST)
    token = part(answer.data, "backstageIdentity", "token")
    return answer.status, token if isinstance(token, str) else None


def _read(exam: Exam, portal: Portal, path: str) -> list[Object]:
    answer = portal.ask(exam, path)
    if answer.status not in (401, 403):
        return _entities(answer.status, answer.body)
    token = exam.doors.token or guest_token(exam, portal)[1]
    if token is None:
        text = Text(
            "the catalogue asks for a token ({status}) and lets no guest in; put one into {variable}",
            status=answer.status,
            variable=TOKEN,
        )
        raise Unreachable(Reason.UNAUTHORIZED, text)
    return _read_at_a_door(exam, ways_in(exam, portal), path, token)


def _read_at_a_door(exam: Exam, ways: Ways, path: str, token: str) -> list[Object]:
    answered = answered_address(exam)
    refused: list[str] = []
    for address in dict.fromkeys([*([answered] if answered else []), *ways.addresses()]):
        try:
            status, body = exam.doors.get(address, path, named=ways.named, token=token)
        except Unreachable:
            continue  # no door, or none of this cluster's
        if status == 200 and isinstance(_json(body), list):
            return _entities(status, body)
        # Another program, or another Backstage, for which this token is nothing.
        refused.append(f"{address} ({status})")
    if refused:
        text = Text("no Backstage of this cluster answers at {addresses}", addresses=", ".join(refused))
        raise Unreachable(Reason.UNAUTHORIZED, text)
    text = Text(
        "Backstage does not answer this machine, and its catalogue cannot be read through the API server; "
        "open a way in: kubectl port-forward, with its address as your answer to 1.1"
    )
    raise Unreachable(Reason.UNAVAILABLE, text)


def _entities(status: int, body: str) -> list[Object]:
    found: Any = _json(body)
    if status == 200 and isinstance(found, list) and all(part(each, "metadata", "name") for each in found):
        return found
    raise Unreachable(Reason.UNAVAILABLE, Text("the catalogue answers {status}", status=status))


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
