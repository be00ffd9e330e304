"""Wards of the rig, and what the live tests say they show."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.diagnosis.ward import Ward
from tests.rig.cluster import Rig
from workshop.content import Lab

_NUMBERS = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "shows(*signs): brings these symptoms about on a real API server")


@pytest.fixture
def ward(pristine_rig: Rig, lab: Lab, tmp_path: Path) -> Ward:
    """A namespace of the test's own, on a cluster where nobody else has left anything."""
    made = Ward(pristine_rig, lab, tmp_path, f"ward-{next(_NUMBERS)}")
    pristine_rig.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": made.namespace}})
    return made


@pytest.fixture
def other_ward(rig: Rig, lab: Lab, tmp_path: Path) -> Callable[[], Ward]:
    """Another namespace, for somebody else's trouble."""
    return lambda: Ward(rig, lab, tmp_path, f"ward-{next(_NUMBERS)}")
