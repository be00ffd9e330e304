"""What a look at the whole lab costs the API server: counted in requests, not in seconds."""

from __future__ import annotations

import pytest

from tests.rig.cluster import Rig
from tests.rig.looking import apply_lab, look
from workshop.content import Lab
from workshop.verdicts import Report, Verdict
from workshop.workspace import Workspace

MOST_REQUESTS = 60
RESOURCES = {kind: {"cpu": "100m", "memory": "64Mi"} for kind in ("limits", "requests")}
# More than are fetched as a whole.
CROWD = 120


@pytest.fixture
def worked_on(pristine_rig: Rig, lab: Lab) -> Rig:
    apply_lab(pristine_rig, Workspace(lab.solutions))
    return pristine_rig


def test_the_whole_lab_takes_few_requests(worked_on: Rig, lab: Lab) -> None:
    report, cluster = look(worked_on, lab, lab.solutions)
    assert any(each.verdict == "passed" for each in report.exercises if each.id == "2.2")
    assert cluster.requests <= MOST_REQUESTS, cluster.counted.most_common()
    assert cluster.counted["discovery"] <= 5


def test_many_pods_elsewhere_change_neither_verdicts_nor_the_number_of_requests(
    worked_on: Rig, lab: Lab
) -> None:
    namespace = {"namespace": "crowd"}
    worked_on.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "first", **namespace}})
    before = _verdicts(look(worked_on, lab, lab.solutions)[0])
    spec = {
        "schedulerName": "nobody",
        "containers": [{"name": "main", "image": "nginx:1.27.5", "resources": RESOURCES}],
    }
    for number in range(CROWD):
        metadata = {"name": f"one-{number}", "labels": {"app": "crowd"}, **namespace}
        worked_on.api.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    after, cluster = look(worked_on, lab, lab.solutions)
    assert _verdicts(after) == before
    assert cluster.requests <= MOST_REQUESTS, cluster.counted.most_common()
    # To find some of all Pods, a server may read every one: once is enough to learn that they are many.
    assert cluster.counted["GET /api/v1/pods"] == 1


def _verdicts(report: Report) -> dict[str, Verdict]:
    """Return the verdicts of what stands still: runs and canaries go on by themselves."""
    moving = ("4.6", "4.7", "bonus-1")
    return {each.id: each.verdict for each in report.exercises if each.id not in moving}
