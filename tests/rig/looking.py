"""The whole lab applied to the rig, and looked at by a cluster that counts what it asks."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.rig.cluster import Rig
from workshop.cluster.connection import SECONDS, Connection, Request
from workshop.cluster.live import LiveCluster
from workshop.cluster.stage import LiveStages
from workshop.content import Lab
from workshop.engine import Run, judge
from workshop.sandbox.client import ApiError
from workshop.verdicts import Mode, Report
from workshop.workspace import Unreadable, Workspace


class CountedConnection(Connection):
    """Counts what is asked: `discovery`, `probes`, and everything else by method and path.

    `seconds` is how long it waited for answers.
    """

    def __init__(self, context: str, kubeconfig: Path, timeout: float = SECONDS) -> None:
        super().__init__(context, kubeconfig, timeout)
        self.counted: Counter[str] = Counter()
        self.seconds = 0.0

    def _open(self, request: Request) -> Any:
        path = request.path
        if "dryRun" in request.query:
            self.counted["probes"] += 1
        elif path in ("/api", "/apis", "/api/v1") or (path.startswith("/apis/") and path.count("/") == 3):
            self.counted["discovery"] += 1
        else:
            self.counted[f"{request.method} {path}"] += 1
        return super()._open(request)

    def read(self, request: Request) -> tuple[int, str]:
        started = time.perf_counter()
        try:
            return super().read(request)
        finally:
            self.seconds += time.perf_counter() - started


class Counting(LiveCluster):
    """The rig, judged as a student's own cluster, containers and all; its questions are counted."""

    context = "kind-techmarket"

    def __init__(self, rig: Rig) -> None:
        super().__init__("techmarket-sandbox", rig.sandbox.kubeconfig)
        self._connection = self.connection = CountedConnection("techmarket-sandbox", rig.sandbox.kubeconfig)

    @property
    def counted(self) -> Counter[str]:
        return self.connection.counted

    @property
    def seconds(self) -> float:
        return self.connection.seconds

    @property
    def requests(self) -> int:
        return sum(count for what, count in self.counted.items() if what not in ("discovery", "probes"))


def apply_lab(rig: Rig, workspace: Workspace) -> None:
    """Apply every object of a workspace that the API server takes, as a student would have by the end."""
    found = []
    for path in workspace.files("td", (".yaml", ".yml")):
        try:
            found += [each.data for each in workspace.documents(path) if "skeleton" not in path]
        except Unreadable:
            continue
    for each in sorted(found, key=lambda each: each.get("kind") in ("Pipeline", "PipelineRun")):
        if isinstance(each, dict) and isinstance(each.get("metadata"), dict) and "name" in each["metadata"]:
            try:
                rig.apply(each)
            except ApiError:
                continue  # entities of Backstage, answers, values: not for an API server


def look(rig: Rig, lab: Lab, folder: Path) -> tuple[Report, Counting]:
    """Judge a workspace against the rig as if it were a student's own cluster."""
    cluster = Counting(rig)
    return judge(Run.of(lab, Workspace(folder), Mode.CLUSTER, LiveStages(cluster))), cluster
