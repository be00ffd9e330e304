"""1.1 against a real API server, with Backstage's own backend behind the Service. kwok plays the kubelet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live.judging import check, look, unmet, untold
from tests.live.portal import (
    answers,
    config_map,
    deployment,
    postgres,
    release,
    service,
    settle,
)
from tests.rig.backstage import Backstage
from tests.rig.cluster import Rig
from workshop.content import Lab
from workshop.verdicts import ExerciseResult, Level, Verdict

EXERCISE = "1.1"
POSTGRES = {"backend": {"database": {"client": "pg", "connection": {"host": "${POSTGRES_HOST}"}}}}
Object = dict[str, Any]


def ingress(name: str, host: str, target: str) -> Object:
    backend = {"service": {"name": target, "port": {"number": 7007}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "backstage"},
        "spec": {
            "rules": [
                {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
            ]
        },
    }


def reasons(result: ExerciseResult) -> dict[str, Verdict]:
    """Return the verdict of each must that has not passed."""
    return {
        each.id.partition(".")[2].partition(".")[2]: each.verdict
        for each in result.checks
        if each.level is Level.MUST and each.verdict is not Verdict.PASSED
    }


def test_the_chart_with_a_node_port_passes(
    lab: Lab, pristine_rig: Rig, backstage: Backstage, tmp_path: Path
) -> None:
    pristine_rig.apply(*release(node_port=backstage.port, config=POSTGRES), postgres())
    settle(pristine_rig)
    pristine_rig.carry("backstage", "backstage", backstage.port)
    given = answers(f"http://localhost:{backstage.port}", 2)
    result = look(lab, pristine_rig, tmp_path, EXERCISE, given)
    assert result.verdict is Verdict.PASSED, reasons(result)
    for advice in ("database_is_used", "guests_get_in", "opens_on_this_machine"):
        assert check(result, advice).verdict is Verdict.PASSED, advice
    # The same cluster, from a machine that knows it by another name, and with other answers.
    away = look(
        lab, pristine_rig, tmp_path, EXERCISE, answers(f"http://lab-7.example.org:{backstage.port}/", 2)
    )
    assert away.verdict is Verdict.PASSED
    wrong = look(lab, pristine_rig, tmp_path, EXERCISE, answers("http://localhost:30999", 5))
    assert unmet(wrong, "address_leads_there") == ["url-leads-elsewhere"]
    assert unmet(wrong, "pods_are_as_many") == ["pods-miscounted"]
    assert wrong.verdict is Verdict.FAILED
    silent = look(lab, pristine_rig, tmp_path, EXERCISE, answers())
    assert silent.verdict is Verdict.UNFINISHED, reasons(silent)


def test_another_release_an_ingress_and_a_database_of_an_operator_pass(
    lab: Lab, pristine_rig: Rig, backstage: Backstage, tmp_path: Path
) -> None:
    database = postgres("portal-db", "ghcr.io/cloudnative-pg/postgresql:17.2")
    pristine_rig.apply(
        *release("portal", config=POSTGRES, replicas=2),
        database,
        ingress("front", "portal.localhost", "portal-backstage"),
    )
    settle(pristine_rig)
    pristine_rig.carry("backstage", "portal-backstage", backstage.port)
    result = look(lab, pristine_rig, tmp_path, EXERCISE, answers("http://portal.localhost", "3 Pods"))
    assert result.verdict is Verdict.PASSED, reasons(result)


def test_an_image_of_ones_own_and_a_port_forward_pass(
    lab: Lab, pristine_rig: Rig, backstage: Backstage, tmp_path: Path
) -> None:
    own = deployment(
        "idp", image="registry.example.org/lea/idp:3", container={"ports": [{"containerPort": 7007}]}
    )
    cache = deployment("cache", image="valkey:8")
    pristine_rig.apply(own, cache, service("idp", "idp"), postgres("db", "postgres:17"))
    settle(pristine_rig)
    pristine_rig.carry("backstage", "idp", backstage.port)
    # Nobody can say what an image of one's own does with a database.
    result = look(lab, pristine_rig, tmp_path, EXERCISE, answers("http://localhost:7007", 3))
    assert result.verdict is Verdict.PASSED, reasons(result)
    assert untold(result, "database_is_used") == ["database-in-memory"]
    # Port 30000 is a node's, and no Service has it.
    closed = look(lab, pristine_rig, tmp_path, EXERCISE, answers("http://localhost:30000", 3))
    assert unmet(closed, "opens_to_the_outside") == ["not-exposed"]
    assert closed.verdict is Verdict.FAILED


def test_a_stateful_set_of_ones_own_passes(
    lab: Lab, pristine_rig: Rig, backstage: Backstage, tmp_path: Path
) -> None:
    """The chart makes a Deployment; what somebody writes themselves runs Backstage just as well."""
    objects = release(node_port=backstage.port)
    for each in objects:
        if each["kind"] == "Deployment":
            each["kind"] = "StatefulSet"
            each["spec"]["serviceName"] = "backstage"
    pristine_rig.apply(*objects, postgres())
    settle(pristine_rig)
    pristine_rig.carry("backstage", "backstage", backstage.port)
    given = answers(f"http://localhost:{backstage.port}", 2)
    result = look(lab, pristine_rig, tmp_path, EXERCISE, given)
    assert result.verdict is Verdict.PASSED, reasons(result)


def test_nothing_is_unfinished_and_elsewhere_is_wrong(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert result.verdict is Verdict.UNFINISHED
    assert unmet(result, "backstage_is_available") == ["not-installed"]
    pristine_rig.apply(*release(namespace="default", node_port=30000))
    settle(pristine_rig, "default")
    elsewhere = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert elsewhere.verdict is Verdict.FAILED
    assert unmet(elsewhere, "backstage_is_available") == ["wrong-namespace"]


def test_without_a_database(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    pristine_rig.apply(*release(node_port=30000))
    settle(pristine_rig)
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert unmet(result, "database_is_ready") == ["postgresql-missing"]
    assert result.verdict is Verdict.UNFINISHED
    # A host that is written out stands somewhere this check does not look: that is no fault.
    outside = {"backend": {"database": {"client": "pg", "connection": {"host": "db.example.org"}}}}
    pristine_rig.apply(*release(node_port=30000, config=outside))
    settle(pristine_rig)
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert untold(result, "database_is_ready") == ["postgresql-elsewhere"]


def test_pods_that_do_not_get_ready(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    *_, made, before = release(node_port=30000)
    database = postgres()
    for each in (made, database):
        each["spec"]["template"]["spec"]["nodeSelector"] = {"nowhere": "here"}
    pristine_rig.apply(made, before, database)
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert unmet(result, "backstage_is_available") == ["not-available"]
    assert unmet(result, "database_is_ready") == ["postgresql-not-ready"]
    assert result.verdict is Verdict.FAILED
    assert check(result, "answers").verdict is Verdict.BLOCKED


def test_a_pod_that_the_api_server_cannot_reach_is_unknown(
    lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    pristine_rig.apply(*release(node_port=30000), postgres())
    settle(pristine_rig)
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert check(result, "answers").verdict is Verdict.UNKNOWN
    assert result.verdict is not Verdict.FAILED


def test_a_service_that_selects_nothing(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    made, _ = release()
    pristine_rig.apply(made, service("backstage", "something-else", node_port=30000), postgres())
    settle(pristine_rig)
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert unmet(result, "answers") == ["no-service"]
    assert unmet(result, "opens_to_the_outside") == ["not-exposed"]


MEMORY = {"backend": {"database": {"client": "better-sqlite3", "connection": ":memory:"}}}


@pytest.mark.parametrize(
    ("objects", "used"),
    [
        (release(), True),
        (release(args=()), False),
        (release(args=(), command=()), True),
        (release(args=(), config=POSTGRES), True),
        (release(args=(), config=MEMORY), False),
        (release(config=MEMORY), False),
        (release(image="registry.example.org/lea/portal:2"), None),
        (release(image="registry.example.org/lea/portal:2", args=(), config=POSTGRES), True),
        ([config_map("stray", {"app-config.yaml": POSTGRES}), *release(args=())], False),
    ],
    ids=[
        "production",
        "base",
        "own-command",
        "map",
        "map-memory",
        "last-wins",
        "own-image",
        "own-map",
        "stray",
    ],
)
def test_whether_the_database_is_used(
    objects: list[Object], used: bool | None, lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    pristine_rig.apply(*objects, postgres())
    settle(pristine_rig)
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    facts = check(result, "database_is_used").facts
    assert [fact.met for fact in facts] == [used]
