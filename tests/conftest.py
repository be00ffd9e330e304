"""What every test may use."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from workshop.content import Lab, load_lab

_RIG = ("fixtures", "backstage", "payment", "prometheus", "registry")
pytest_plugins = [f"tests.rig.{each}" for each in _RIG]


@pytest.fixture(scope="session")
def lab() -> Lab:
    return load_lab("techmarket")


@pytest.fixture
def solved(tmp_path: Path, lab: Lab) -> Path:
    """A workspace that holds the reference solutions."""
    shutil.copytree(lab.solutions / "td", tmp_path / "td")
    return tmp_path


@pytest.fixture
def started(tmp_path: Path, lab: Lab) -> Path:
    """A workspace as `workshop init` leaves it."""
    from workshop.accounts import Account
    from workshop.starting import start_workspace

    start_workspace(lab, tmp_path, Account())
    return tmp_path
