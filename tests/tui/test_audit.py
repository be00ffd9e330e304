"""What the API server wrote down of a check and of a session: nobody was harmed, and no Secret was read."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.faults import lab_state
from tests.rig.cluster import Rig
from workshop.cluster.live import LiveCluster
from workshop.cluster.stage import LiveStages
from workshop.content import Lab
from workshop.engine import Run, judge
from workshop.progress import Progress
from workshop.tui.app import WorkshopApp
from workshop.tui.screens.map import MapScreen
from workshop.verdicts import Mode, Verdict
from workshop.workspace import Workspace

_NAME = "audited"
_REVIEWS = {"selfsubjectaccessreviews", "subjectaccessreviews"}
Object = dict[str, Any]


@pytest.fixture(scope="module")
def kubeconfig(rig: Rig, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A student's own kubeconfig: whoever holds it may do anything on the cluster where the lab was done."""
    lab_state.install(rig, lab)
    metadata = {"name": _NAME, "namespace": "default"}
    rig.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": _NAME},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "cluster-admin",
            },
            "subjects": [{"kind": "ServiceAccount", **metadata}],
        },
    )
    body: Object = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    answer = rig.api.request("POST", f"/api/v1/namespaces/default/serviceaccounts/{_NAME}/token", body)
    config = yaml.safe_load(rig.sandbox.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": answer["status"]["token"]}
    path = tmp_path_factory.mktemp("audit") / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    yield path
    rig.sandbox.reset()


def _cluster(kubeconfig: Path) -> LiveCluster:
    return LiveCluster("techmarket-sandbox", kubeconfig)


def _written(rig: Rig, begin: int) -> list[Object]:
    """Return what was written down of the student since the log was so long."""
    lines = rig.sandbox.home.audit.read_text().splitlines()[begin:]
    events = [json.loads(line) for line in lines]
    return [each for each in events if each["user"]["username"] == f"system:serviceaccount:default:{_NAME}"]


def _harmless(event: Object) -> bool:
    what = event.get("objectRef", {})
    if event["verb"] in ("get", "list", "watch"):
        return bool(what.get("resource") != "secrets")
    dry = parse_qs(urlsplit(event["requestURI"]).query).get("dryRun") == ["All"]
    return bool(event["verb"] == "create" and (what.get("resource") in _REVIEWS or dry))


def _length(rig: Rig) -> int:
    return len(rig.sandbox.home.audit.read_text().splitlines())


def test_a_check_of_the_whole_lab(rig: Rig, lab: Lab, kubeconfig: Path) -> None:
    begin = _length(rig)
    report = judge(Run.of(lab, Workspace(lab.solutions), Mode.CLUSTER, LiveStages(_cluster(kubeconfig))))
    events = _written(rig, begin)
    assert report.exercises
    verbs = Counter(each["verb"] for each in events)
    assert verbs["list"] > 10, verbs
    assert verbs["create"] > 10, verbs
    assert [each for each in events if not _harmless(each)] == []


def test_a_session_of_the_tui(rig: Rig, lab: Lab, kubeconfig: Path, drive: Any, welcomed: Path) -> None:
    """The student opens the exercises one after the other and judges them; policies come and go meanwhile."""
    begin = _length(rig)
    shutil.copytree(lab.solutions / "td", welcomed / "td", dirs_exist_ok=True)
    progress = Progress.open(welcomed)
    progress.set_setting("mode", Mode.CLUSTER.value)
    progress.close()

    async def script(hands: Any) -> None:
        await hands.judged()
        await hands.at(MapScreen)
        await hands.until(lambda: hands.app.state.verdict("2.2") is Verdict.PASSED, "2.2 on the cluster")
        policy = "/apis/kyverno.io/v1/clusterpolicies/disallow-latest-tag"
        rig.api.delete(policy)
        await hands.until(lambda: hands.app.state.verdict("2.2") is Verdict.UNFINISHED, "the loss is seen")

    app = WorkshopApp(lab, welcomed, language="en", connect=lambda _mode, _lab: _cluster(kubeconfig))
    drive(script, welcomed, app=app)
    events = _written(rig, begin)
    verbs = Counter(each["verb"] for each in events)
    assert verbs["watch"] > 0, verbs
    assert verbs["create"] > 10, verbs
    assert [each for each in events if not _harmless(each)] == []


def test_harm_would_be_seen(rig: Rig, kubeconfig: Path) -> None:
    """A Secret that is read is found in the log: its silence means something."""
    begin = _length(rig)
    cluster = _cluster(kubeconfig)
    cluster.list("Secret", namespace="default")
    events = _written(rig, begin)
    assert [each["verb"] for each in events if not _harmless(each)] == ["list"]
