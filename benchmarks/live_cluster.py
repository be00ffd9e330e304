"""Figures of a look at the whole lab: what it asks, how long it takes beside the server, how it grows."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn

from tests.rig.cluster import Rig, running
from tests.rig.looking import Counting, apply_lab
from workshop.cluster.stage import LiveStages
from workshop.content import load_lab
from workshop.engine import Run, judge
from workshop.network import Image, NoRegistry
from workshop.sandbox.errors import SandboxError
from workshop.texts import Text
from workshop.verdicts import Mode, Reason
from workshop.workspace import Workspace

_PODS: Final = 5_000
_CROWD: Final = "crowd"


class Unplugged:
    """No network: registries would be timed instead of the cluster."""

    def image(self, reference: str) -> NoReturn:
        """Answer nothing."""
        raise NoRegistry(Reason.NO_NETWORK, Text("{image}: no network is asked", image=reference))

    def signatures(self, image: Image) -> NoReturn:
        """Answer nothing."""
        self.image(image.reference)

    def verify(self, image: Image, **_: str) -> NoReturn:
        """Answer nothing."""
        self.image(image.reference)


def figures() -> Iterator[str]:
    """Yield rows of a table; one row that says why, where the programs are not there."""
    with tempfile.TemporaryDirectory(prefix="wb-", dir="/tmp") as state:
        try:
            with running(Path(state), "bench") as rig:
                yield from _looks(rig)
        except SandboxError as error:
            yield f"| not measured | {error.text} | |"


def _looks(rig: Rig) -> Iterator[str]:
    apply_lab(rig, Workspace(load_lab().solutions))
    # A namespace alone means more probes: it is there both times, and only its Pods make the difference.
    rig.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "first", "namespace": _CROWD}})
    wall, server, cluster = _look(rig)
    asked = f"{cluster.requests} requests, {cluster.counted['probes']} probes"
    yield f"| a look at the whole lab / waiting for the API server | {wall:.2f} s | {wall / server:.2f} |"
    yield f"| … of which ours | {wall - server:.2f} s | |"
    yield f"| … asks | {asked}, {cluster.counted['discovery']} for discovery | |"
    _crowd(rig)
    crowded, _, cluster = _look(rig)
    asked = f"{cluster.requests} requests"
    yield f"| the same with {_PODS:,} Pods more / without | {crowded:.2f} s, {asked} | {crowded / wall:.2f} |"


def _look(rig: Rig, runs: int = 5) -> tuple[float, float, Counting]:
    """Return the medians of the whole and of the server's time, and what the last look asked."""
    lab = load_lab()
    walls, servers = [], []
    for _ in range(runs + 1):
        cluster = Counting(rig)
        run = Run.of(lab, Workspace(lab.solutions), Mode.CLUSTER, LiveStages(cluster))
        started = time.perf_counter()
        judge(replace(run, network=Unplugged()))
        walls.append(time.perf_counter() - started)
        servers.append(cluster.seconds)
    return statistics.median(walls[1:]), statistics.median(servers[1:]), cluster


def _crowd(rig: Rig) -> None:
    """Make many Pods of the usual size, which nobody schedules."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(rig.api.create, (_pod(number) for number in range(_PODS))))


def _pod(number: int) -> dict[str, Any]:
    limits = {"cpu": "100m", "memory": "64Mi"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"one-{number}",
            "namespace": _CROWD,
            "labels": {"app": "crowd"},
            "annotations": {"example.org/notes": "as much as others have in their status. " * 100},
        },
        "spec": {
            "schedulerName": "nobody",
            "containers": [
                {
                    "name": "main",
                    "image": "nginx:1.27.5",
                    "resources": {"limits": limits, "requests": limits},
                }
            ],
        },
    }
