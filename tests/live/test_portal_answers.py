"""What comes back through the API server: Backstage's own word, nobody's, or the API server's."""

from __future__ import annotations

import json

import pytest

from checks.techmarket.on_cluster._portal import READINESS, Portal
from tests.live.held import Held
from tests.live.portal import deployment, service
from workshop.answers import read_answers
from workshop.checking import Exam
from workshop.cluster.doors import Doors
from workshop.cluster.port import Unreachable
from workshop.cluster.stage import Stage
from workshop.content import load_lab
from workshop.verdicts import Reason
from workshop.workspace import Workspace

PORTAL = Portal(deployment("backstage"), (service("backstage", "backstage"),))


def exam(status: int, body: str) -> Exam:
    lab = load_lab("techmarket")
    exercise, workspace = lab.exercise("1.1"), Workspace(lab.solutions)
    assert exercise is not None
    stage = Stage(Held({}, {READINESS: (status, body)}))
    return Exam(exercise, workspace, read_answers(workspace), stage)


def said(message: str) -> str:
    return json.dumps({"kind": "Status", "apiVersion": "v1", "message": message})


def test_backstage_speaks_for_itself() -> None:
    answer = PORTAL.ask(exam(503, '{"status": "error", "message": "Backend has not started yet"}'), READINESS)
    assert (answer.status, answer.silent) == (503, None)


@pytest.mark.parametrize(
    "message",
    [
        "error trying to reach service: dial tcp 10.244.0.7:7007: connect: connection refused",
        'no endpoints available for service "backstage:7007"',
    ],
)
def test_nobody_there(message: str) -> None:
    assert PORTAL.ask(exam(503, said(message)), READINESS).silent == message


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        (401, "Unauthorized", Reason.UNAUTHORIZED),
        (
            403,
            'services "backstage:7007" is forbidden: cannot get resource "services/proxy"',
            Reason.FORBIDDEN,
        ),
        (429, "too many requests", Reason.TIMEOUT),
        (504, "error trying to reach service: context deadline exceeded", Reason.TIMEOUT),
        (503, "error trying to reach service: dial tcp 10.244.0.7:7007: i/o timeout", Reason.UNAVAILABLE),
        (500, "etcdserver: leader changed", Reason.UNAVAILABLE),
    ],
)
def test_the_api_server_could_not_ask(status: int, message: str, reason: Reason) -> None:
    with pytest.raises(Unreachable) as error:
        PORTAL.ask(exam(status, said(message)), READINESS)
    assert error.value.reason is reason


@pytest.mark.parametrize(
    "address",
    [
        "http://192.0.2.1:30000",
        "http://internal.example.org/",
        "http://localhost.example.org",
        "http://localhost:x",
    ],
)
def test_addresses_that_are_nobodys_own_are_not_asked(address: str) -> None:
    with pytest.raises(Unreachable):
        Doors(seconds=0.2).get(address, "/", named={"10.0.0.5"})
