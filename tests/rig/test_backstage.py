"""The backend of the rig behaves as the one of the project's demo image."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rig.backstage import Backstage, app_config, entity_files, node_port, running
from workshop.content import Lab

pytestmark = pytest.mark.xdist_group("rig")  # where the others run that share the fixture


def test_the_catalogue_asks_for_a_token_and_guests_get_one(backstage: Backstage) -> None:
    path = "/api/catalog/entities/by-name/component/default/payment-service"
    assert backstage.get(path)[0] == 401
    status, entity = backstage.get(path, backstage.guest())
    assert status == 200
    assert entity["spec"]["owner"] == "team-payments"


def test_it_serves_its_app(backstage: Backstage) -> None:
    status, page = backstage.get("/")
    assert status == 200
    assert "<html" in page


def test_guests_are_refused_in_production_unless_allowed(lab: Lab, tmp_path: Path) -> None:
    config = app_config(tmp_path, node_port(), entity_files(lab, "payment"), providers={"guest": {}})
    with running(tmp_path, config) as closed:
        assert closed.get("/api/auth/guest/refresh")[0] == 403
        assert closed.guest() is None
