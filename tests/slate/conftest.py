"""One slate a session, over a control plane with all parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.conftest import programs, state_folder
from workshop.content import Lab
from workshop.sandbox.api import Sandbox
from workshop.slate import Slate

__all__ = ["programs", "state_folder"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sandbox: runs real control-plane components")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.sandbox)
            # With `--dist loadgroup` one worker runs them: one control plane, not one a worker.
            item.add_marker(pytest.mark.xdist_group("slate"))


@pytest.fixture(scope="session")
def slate(programs: None, state_folder: Path, lab: Lab) -> Iterator[Slate]:
    made = Slate(lab.exercises, lambda _message: None)
    yield made
    made.close()
    for folder in (state_folder / "sandbox").iterdir():
        Sandbox(folder.name).down()
