"""What a look at the whole lab costs the API server: counted in requests, not in seconds."""

from __future__ import annotations

import pytest

from tests.rig.cluster import Rig
from tests.rig.looking import apply_lab, look
from workshop.content import Lab
from workshop.workspace import Workspace

MOST_REQUESTS = 60


@pytest.fixture
def worked_on(pristine_rig: Rig, lab: Lab) -> Rig:
    apply_lab(pristine_rig, Workspace(lab.solutions))
    return pristine_rig


def test_the_whole_lab_takes_few_requests(worked_on: Rig, lab: Lab) -> None:
    report, cluster = look(worked_on, lab, lab.solutions)
    assert any(each.verdict == "passed" for each in report.exercises if each.id == "2.2")
    assert cluster.requests <= MOST_REQUESTS, cluster.counted.most_common()
    assert cluster.counted["discovery"] <= 5
