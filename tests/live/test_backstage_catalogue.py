"""1.2 and 1.3 against Backstage's own catalogue, read at a door of the cluster."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.live.judging import check, look, unmet
from tests.live.portal import answers, release, settle
from tests.rig.backstage import (
    GUESTS,
    USUAL,
    Backstage,
    app_config,
    entity_files,
    node_port,
    running,
)
from tests.rig.cluster import Rig
from workshop.cluster.doors import TOKEN
from workshop.content import Lab
from workshop.verdicts import Reason, Verdict

CATALOGUE, TEMPLATE = "1.2", "1.3"
HAS, OFFERS = "catalogue_has_them", "catalogue_offers_it"


def config(*kinds: str) -> dict[str, Any]:
    """Return an app-config that registers the template, and lets some kinds in."""
    locations = [{"type": "url", "target": "https://example.org/td/backstage/template-nodejs-service.yaml"}]
    return {"catalog": {"rules": [{"allow": list(kinds)}], "locations": locations}}


def stand_in(rig: Rig, backstage: Backstage, *, door: bool = True, **more: Any) -> None:
    """Put a Backstage behind the Service of a release, reached at the port where it listens or not at all."""
    rig.apply(*release(node_port=backstage.port if door else None, **more))
    settle(rig)
    rig.carry("backstage", "backstage", backstage.port)


@pytest.fixture(scope="module")
def half_full(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backstage]:
    """A Backstage that asks nobody for a token, with two services and rules that let no template in."""
    folder = tmp_path_factory.mktemp("half-full")
    files = entity_files(lab, "backend", "payment", template=True)
    with running(folder, app_config(folder, node_port(), files, open_to_all=True)) as made:
        made.until(lambda: {"backend-api", "payment-service"} <= made.names(), "the catalogue filled")
        yield made


@pytest.fixture(scope="module")
def closed(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backstage]:
    """A Backstage that lets no guest in, but knows a token."""
    folder = tmp_path_factory.mktemp("closed")
    made = app_config(folder, node_port(), entity_files(lab, "backend", "frontend", "payment"), providers={})
    access = {"type": "static", "options": {"token": "a-token-of-the-tests", "subject": "workshop"}}
    made["backend"]["auth"] = {"externalAccess": [access]}
    with running(folder, made) as backstage:
        path = "/api/catalog/entities?fields=metadata.name"
        backstage.until(
            lambda: "payment-service" in str(backstage.get(path, "a-token-of-the-tests")[1]),
            "the catalogue filled",
        )
        yield backstage


def test_a_full_catalogue_passes(lab: Lab, pristine_rig: Rig, backstage: Backstage, tmp_path: Path) -> None:
    stand_in(pristine_rig, backstage)
    result = look(lab, pristine_rig, tmp_path, CATALOGUE)
    assert result.verdict is Verdict.PASSED, [each for each in result.checks if each.facts]
    assert check(result, "catalogue_is_current").verdict is Verdict.PASSED
    assert look(lab, pristine_rig, tmp_path, TEMPLATE).verdict is Verdict.PASSED


def test_the_api_server_lets_no_token_through(pristine_rig: Rig, backstage: Backstage) -> None:
    """Why the catalogue is read at a door: with the header of its own user, the catalogue still sees none."""
    stand_in(pristine_rig, backstage, door=False)
    path = "api/catalog/entities"
    assert pristine_rig.cluster().service_get("backstage", "backstage:7007", path)[0] == 401
    assert backstage.get(f"/{path}", backstage.guest())[0] == 200


def test_without_a_door_it_is_unknown_and_a_port_forward_is_one(
    lab: Lab, pristine_rig: Rig, backstage: Backstage, tmp_path: Path
) -> None:
    stand_in(pristine_rig, backstage, door=False)
    nothing = look(lab, pristine_rig, tmp_path, CATALOGUE, answers())
    assert check(nothing, HAS).verdict is Verdict.UNKNOWN
    assert check(nothing, HAS).reason is Reason.UNAVAILABLE
    assert nothing.verdict is Verdict.UNKNOWN
    forwarded = look(lab, pristine_rig, tmp_path, CATALOGUE, answers(f"http://127.0.0.1:{backstage.port}"))
    assert check(forwarded, HAS).verdict is Verdict.PASSED


def test_another_backstage_on_this_machine_is_not_read_by_mistake(
    lab: Lab,
    pristine_rig: Rig,
    backstage: Backstage,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("other")
    other = app_config(folder, node_port(), [], providers=GUESTS)
    with running(folder, other) as empty:
        stand_in(pristine_rig, empty, door=False)
        result = look(lab, pristine_rig, tmp_path, CATALOGUE, answers(f"http://localhost:{backstage.port}"))
    assert check(result, HAS).verdict is Verdict.UNKNOWN
    assert check(result, HAS).reason is Reason.UNAUTHORIZED


def test_a_missing_entity_is_unfinished(
    lab: Lab, pristine_rig: Rig, half_full: Backstage, tmp_path: Path
) -> None:
    stand_in(pristine_rig, half_full, door=False, config=config(*USUAL))
    result = look(lab, pristine_rig, tmp_path, CATALOGUE)
    assert unmet(result, HAS) == ["entity-not-registered"]
    assert result.verdict is Verdict.UNFINISHED
    assert [fact.met for fact in check(result, HAS).facts].count(True) == 2


def test_a_template_that_the_rules_refuse_fails(
    lab: Lab, pristine_rig: Rig, half_full: Backstage, tmp_path: Path
) -> None:
    stand_in(pristine_rig, half_full, door=False, config=config(*USUAL))
    result = look(lab, pristine_rig, tmp_path, TEMPLATE)
    assert unmet(result, OFFERS) == ["template-refused"]
    assert result.verdict is Verdict.FAILED
    assert result.hint is not None


def test_a_template_that_is_allowed_and_not_there_is_unfinished(
    lab: Lab, pristine_rig: Rig, half_full: Backstage, tmp_path: Path
) -> None:
    stand_in(pristine_rig, half_full, door=False, config=config(*USUAL, "Template"))
    result = look(lab, pristine_rig, tmp_path, TEMPLATE)
    assert unmet(result, OFFERS) == ["entity-not-registered"]
    assert result.verdict is Verdict.UNFINISHED


def test_where_guests_are_refused_it_is_unknown_until_there_is_a_token(
    lab: Lab, pristine_rig: Rig, closed: Backstage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(pristine_rig, closed)
    result = look(lab, pristine_rig, tmp_path, CATALOGUE)
    assert check(result, HAS).verdict is Verdict.UNKNOWN
    assert check(result, HAS).reason is Reason.UNAUTHORIZED
    monkeypatch.setenv(TOKEN, "a-token-of-the-tests")
    with_token = look(lab, pristine_rig, tmp_path, CATALOGUE)
    assert with_token.verdict is Verdict.PASSED
    assert "a-token-of-the-tests" not in str(with_token)


def test_without_backstage_it_waits(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    for exercise, name in ((CATALOGUE, HAS), (TEMPLATE, OFFERS)):
        result = look(lab, pristine_rig, tmp_path, exercise)
        assert check(result, name).verdict is Verdict.BLOCKED
        assert result.verdict is Verdict.BLOCKED


def test_a_page_at_the_answered_address_is_no_catalogue(
    lab: Lab, pristine_rig: Rig, backstage: Backstage, tmp_path: Path
) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>every path is this page</html>")

        def log_message(self, *_: Any) -> None:
            return

    stand_in(pristine_rig, backstage)
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        given = answers(f"http://localhost:{server.server_address[1]}")
        result = look(lab, pristine_rig, tmp_path, CATALOGUE, given)
        server.shutdown()
    assert check(result, HAS).verdict is Verdict.PASSED
