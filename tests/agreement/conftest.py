"""A sandbox with Kyverno for the agreement tests, had or skipped as the sandbox's own tests do."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from workshop.sandbox.api import Sandbox
from workshop.sandbox.components import POLICIES, selected
from workshop.sandbox.finding import take_stock
from workshop.sandbox.places import Cache

from .probes import Field


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "judge" in getattr(item, "fixturenames", ()):
            # Heavy like the sandbox's tests: with `--dist loadgroup` the same worker runs both.
            item.add_marker(pytest.mark.xdist_group("sandbox"))


@pytest.fixture(scope="module")
def judge() -> Iterator[Field]:
    """The real Kyverno. Skip where its programs cannot be had; fail where CI should have built them."""
    missing = take_stock(selected(POLICIES), Cache.of_user()).missing
    if missing:
        told = f"not built: {', '.join(family.name for family in missing)} (workshop sandbox build)"
        if os.environ.get("CI") and shutil.which("go"):
            pytest.fail(told)
        pytest.skip(told)
    before = os.environ.get("WORKSHOP_STATE")
    folder = Path(tempfile.mkdtemp(prefix="wa-", dir="/tmp"))
    os.environ["WORKSHOP_STATE"] = str(folder)
    sandbox = Sandbox("agreement")
    try:
        Sandbox.up("agreement", core=POLICIES, build_missing=False)
        field = Field(sandbox)
        field.prepare()
        yield field
    finally:
        sandbox.down()
        if before is None:
            del os.environ["WORKSHOP_STATE"]
        else:
            os.environ["WORKSHOP_STATE"] = before
        shutil.rmtree(folder, ignore_errors=True)
