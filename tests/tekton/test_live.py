"""The record is still true: the real webhook is asked again."""

from __future__ import annotations

import http.client

import pytest
import yaml

from workshop.content import Lab
from workshop.sandbox.api import Sandbox
from workshop.sandbox.client import Api, ApiError

from .recorded import Recorded, recorded

pytestmark = [pytest.mark.sandbox, pytest.mark.xdist_group("sandbox")]


@pytest.fixture(scope="module")
def webhook(everything: Sandbox) -> Api:
    return everything.api()


def refused(api: Api, data: dict[str, object]) -> str | None:
    """Return what the server answers to the creation of an object, None when it takes it."""
    named = {**data, "metadata": {"name": "x"}}
    try:
        path, _, _ = api.path(named).rpartition("/")
        api.request("POST", path, data, query={"dryRun": "All", "fieldValidation": "Strict"})
    except ApiError as error:
        # A name that is taken is found out last: admission had nothing against the object.
        return None if error.status == http.client.CONFLICT else error.message
    return None


def test_the_record_is_what_the_webhook_says(webhook: Api) -> None:
    wrong: list[tuple[Recorded, str | None]] = []
    for entry in recorded():
        answer = refused(webhook, entry.object)
        if (answer is not None) is not entry.refused:
            wrong.append((entry, answer))
    assert wrong == []


def test_the_webhook_takes_the_reference_solution(webhook: Api, lab: Lab) -> None:
    for path in sorted((lab.solutions / "td" / "tekton").glob("*.yaml")):
        for data in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            assert refused(webhook, data) is None, path.name
