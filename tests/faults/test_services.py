"""What a Service itself says is evidence about the Service; what stands before it is none.

Backstage, Prometheus and the payment-service are real programs with a proxy before each. A Service that
answers wrongly may fail a check that is about its answer, by the fact that names it: Backstage that says it
is not ready, or serves no page; a payment-service without metrics. Every other check cannot look: what is no
catalogue says nothing of entities, what is no Prometheus nothing of rules. Words of a gateway or of the API
server are no verdict on anybody (`test_faults.py` has them said of every resource, `services/proxy` too).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.faults import faults
from tests.faults.conftest import Student
from tests.faults.proxy import Answer, Request, Spoilt
from tests.faults.verdicts import verdicts
from workshop.content import Exercise
from workshop.verdicts import CheckResult, Half, Reason, Verdict

APPLICATIONS: Final = ("backstage", "prometheus", "payment-service")
# What each application is asked for by whom, and the facts that its own wrong answer establishes.
EVIDENCE: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "backstage": {
        "1.1.answers": ("not-ready-yet",),
        "1.1.shows_its_page": ("no-page",),
        "1.1.guests_get_in": ("guest-refused",),
    },
    "prometheus": {},
    "payment-service": {"0.3.metrics_are_served": ("no-metrics",)},
}
_ASKING: Final = {
    "backstage": ("1.1", "1.2", "1.3", "bonus-3"),
    "prometheus": ("0.4", "3.1", "3.4"),
    "payment-service": ("0.3",),
}
_JSON: Final = "application/json"
ANSWERS: Final = {
    "401": Answer(401, b'{"error": {"name": "AuthenticationError"}}'),
    "403": Answer(403, b'{"error": {"name": "NotAllowedError"}}'),
    "404": Answer(404, b'{"error": {"name": "NotFoundError"}}'),
    "404-page": Answer(404, b"<html>404 page not found</html>", media_type="text/html"),
    "429": Answer(429, b"slow down", media_type="text/plain"),
    "500": Answer(500, b'{"error": {"name": "Error", "message": "out of order"}}'),
    "503": Answer(503, b"Service Unavailable", media_type="text/plain"),
    "html": Answer(200, b"<html><body>Sign in with your account</body></html>", media_type="text/html"),
    "empty": Answer(200, b""),
    "null": Answer(200, b"null"),
    "half-json": Answer(200, b'{"status": "success", "data": {'),
    "list-of-numbers": Answer(200, b"[1, 2]"),
    "list-of-null": Answer(200, b"[null, {}]"),
    "another-service": Answer(200, b'{"status": "ok", "version": "1.2.3"}'),
    "error": Answer(400, b'{"status": "error", "errorType": "bad_data", "error": "1:1: parse error"}'),
    "success-of-nothing": Answer(200, b'{"status": "success"}'),
    "success-of-null": Answer(200, b'{"status": "success", "data": {"groups": null, "activeTargets": null}}'),
    "success-of-nulls": Answer(200, b'{"status": "success", "data": {"groups": [null], "result": [null]}}'),
    "deep": Answer(200, b"[" * 100_000),
    "cut-off": Answer(200, b'{"status": "success", "data"', length=5_000),
}


def everything(_request: Request) -> bool:
    return True


def _asking(student: Student, application: str) -> list[Exercise]:
    found = [each for each in student.lab.exercises if each.id in _ASKING[application]]
    assert len(found) == len(_ASKING[application])
    return found


def _under(student: Student, application: str, fault: Spoilt, seconds: float = 10.0) -> list[str]:
    found = student.under(
        fault,
        _asking(student, application),
        front=student.fronts[application],
        seconds=seconds,
        evidence=EVIDENCE[application],
    )
    return [f"{application} {each}" for each in found]


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("application", APPLICATIONS)
def test_a_service_that_answers_wrongly(student: Student, application: str, name: str) -> None:
    assert _under(student, application, faults.answering(name, everything, ANSWERS[name])) == []


@pytest.mark.parametrize("application", APPLICATIONS)
def test_a_service_that_hangs(student: Student, application: str) -> None:
    """It is asked once; everything else on the cluster is judged all the same."""
    fault = faults.hanging(everything)
    assert _under(student, application, fault, seconds=0.5) == []
    fault, stages = faults.hanging(everything), student.stages(0.5)
    elsewhere = [each for each in student.on_cluster if each.id in ("2.2", "4.7")]
    with student.fronts[application].spoiling(fault):
        for exercise in (*_asking(student, application), *elsewhere):
            checks = student.look(exercise, stages)
            assert {each.reason for each in checks} & {Reason.NO_CLUSTER, Reason.TIMEOUT} == set()
            if exercise in elsewhere:
                truth = verdicts(student.truth[exercise.id].checks, Half.CLUSTER)
                assert verdicts(checks, Half.CLUSTER) == truth
    doors = 4 if application == "backstage" else 0  # these are asked from this machine as well
    assert fault.bitten <= 1 + doors


def test_what_is_evidence_is_told(student: Student) -> None:
    """Nobody is let off because a page came back: what the application says of itself fails its own check."""
    for application, name, check_id in (
        ("backstage", "503", "1.1.answers"),
        ("backstage", "404-page", "1.1.answers"),
        ("payment-service", "404-page", "0.3.metrics_are_served"),
        ("payment-service", "another-service", "0.3.metrics_are_served"),
    ):
        found = _spoilt(student, application, faults.answering(name, everything, ANSWERS[name]))
        assert found[check_id].verdict is Verdict.FAILED, (name, check_id, found[check_id].facts)


def test_an_empty_answer_of_the_right_shape_is_an_answer(student: Student) -> None:
    """A catalogue without entities, a Prometheus without targets or rules: they exist, and have nothing."""
    nothing = {"result": [{"metric": {}, "value": [0, "1"]}], "activeTargets": [], "groups": []}
    success = Answer(200, json.dumps({"status": "success", "data": nothing}).encode())
    found = _spoilt(student, "prometheus", faults.answering("nothing", everything, success))
    assert found["0.4.payment_service_is_scraped"].verdict is Verdict.FAILED
    assert found["3.1.prometheus_has_loaded_them"].verdict in (Verdict.FAILED, Verdict.UNFINISHED)
    empty = faults.answering("nothing", lambda each: "entities" in each.path, Answer(200, b"[]"))
    found = _spoilt(student, "backstage", empty)
    assert found["1.2.catalogue_has_them"].verdict is Verdict.UNFINISHED


def test_a_page_of_a_gateway_is_not_the_portals(student: Student) -> None:
    """Backstage serves no page; the login page of a network before the API server is not taken for it."""
    no_page = faults.answering("no page", lambda each: each.path == "/", Answer(404, b"{}"))
    with student.fronts["backstage"].spoiling(no_page):
        (exercise, *_) = _asking(student, "backstage")
        truth = {each.id: each for each in student.look(exercise, student.stages())}
        assert truth["1.1.shows_its_page"].verdict is Verdict.FAILED
        gateway = faults.answering("login page", lambda each: each.path.endswith("/proxy/"), ANSWERS["html"])
        with student.proxy.spoiling(gateway):
            found = {each.id: each for each in student.look(exercise, student.stages())}
    assert gateway.bitten
    assert found["1.1.shows_its_page"].verdict is Verdict.UNKNOWN


def _spoilt(student: Student, application: str, fault: Spoilt) -> dict[str, CheckResult]:
    found: dict[str, Any] = {}
    stages = student.stages()
    with student.fronts[application].spoiling(fault):
        for exercise in _asking(student, application):
            found |= {check.id: check for check in student.look(exercise, stages)}
    assert fault.bitten
    return found
