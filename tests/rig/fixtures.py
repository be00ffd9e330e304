"""The rig's fixtures, for every test: a plugin, so that each exists once a session."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.cluster import Rig, running
from workshop.sandbox.components import CORE, ON_DEMAND, selected
from workshop.sandbox.finding import take_stock
from workshop.sandbox.places import Cache


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker run what looks at the rig (`--dist loadgroup`): one control plane, not one a worker."""
    for item in items:
        if "rig" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.sandbox)
            item.add_marker(pytest.mark.xdist_group("rig"))


def must_be_had(missing: str, remedy: str) -> None:
    """Skip where a real component cannot be had; fail where continuous integration should have it."""
    told = f"not here: {missing} ({remedy})"
    if os.environ.get("CI"):
        pytest.fail(told)
    pytest.skip(told)


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    """The control plane of the session. Tests keep to namespaces of their own, or take `pristine_rig`."""
    missing = take_stock(selected((*CORE, *ON_DEMAND)), Cache.of_user()).missing
    if missing:
        names = ", ".join(family.name for family in missing)
        must_be_had(names, "workshop sandbox build --with tekton,rollouts")
    folder = Path(tempfile.mkdtemp(prefix="wr-", dir="/tmp"))  # a short path, as sockets want it
    try:
        with running(folder) as made:
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def pristine_rig(rig: Rig) -> Rig:
    """The same, with nothing of other tests on it."""
    rig.reset()
    return rig
