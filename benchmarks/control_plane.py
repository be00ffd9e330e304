"""Figures of the sandbox: start, memory, reset, a probe, a check, many submissions one after the other."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from workshop.content import Exercise, load_lab
from workshop.engine import Run, judge_exercise
from workshop.sandbox.api import Sandbox
from workshop.sandbox.client import Api, ApiError
from workshop.sandbox.components import CORE, POLICIES
from workshop.sandbox.errors import SandboxError
from workshop.slate import Slate
from workshop.verdicts import Mode
from workshop.workspace import Workspace

_SUBMISSIONS = 20


def figures() -> Iterator[str]:
    """Yield rows of a table; one row that says why, where the programs are not there."""
    with tempfile.TemporaryDirectory(prefix="wb-", dir="/tmp") as state:
        os.environ["WORKSHOP_STATE"] = state
        try:
            yield from _start()
            yield from _memory_of_all()
            yield from _submissions()
        except SandboxError as error:
            yield f"| not measured | {error.text} | |"


def _start(runs: int = 5) -> Iterator[str]:
    for name, core in (("bench", POLICIES), ("bench-floor", ("server",))):
        Sandbox.up(name, core=core, build_missing=False).down()  # prepares the data once
    ratios, totals = [], []
    for _ in range(runs):
        started = time.perf_counter()
        floor = Sandbox.up("bench-floor", core=("server",), build_missing=False)
        alone = time.perf_counter() - started
        floor.down()
        started = time.perf_counter()
        sandbox = Sandbox.up("bench", core=POLICIES, build_missing=False)
        _until_denied(sandbox.api())
        totals.append(time.perf_counter() - started)
        ratios.append(totals[-1] / alone)
        resident = sandbox.status().resident
        if len(totals) < runs:
            sandbox.reset()  # what was applied would be there again at the next start
            sandbox.down()
    wall, ratio = statistics.median(totals), statistics.median(ratios)
    yield f"| up, to the first policy denying a Pod / API server alone ready | {wall:.1f} s | {ratio:.2f} |"
    yield f"| resident, etcd, API server and Kyverno | {resident / 2**20:.0f} MiB | |"
    bare = _median(lambda: _sent(sandbox.api(), "nginx:1.27.5", "kyverno"))
    probe = _median(lambda: _denied(sandbox.api()))
    what = "a probe (server-side dry-run through Kyverno) / one that no policy sees"
    yield f"| {what} | {probe * 1000:.0f} ms | {probe / bare:.1f} |"
    yield f"| reset | {_median(sandbox.reset, 5):.2f} s | |"
    sandbox.down()


def _memory_of_all() -> Iterator[str]:
    sandbox = Sandbox.up("bench-core", core=CORE, build_missing=False)
    yield f"| resident, whole core | {sandbox.status().resident / 2**20:.0f} MiB | |"
    sandbox.down()


def _submissions() -> Iterator[str]:
    lab = load_lab()
    block = [each for each in lab.exercises if each.id in ("2.2", "2.3", "2.4", "2.6")]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(lab.solutions / "td", Path(folder) / "td")
        workspace = Workspace(Path(folder))
        slate = Slate(block, lambda _: None)
        try:
            run = Run.of(lab, workspace, Mode.SANDBOX, slate)
            judge_exercise(run, block[0])

            def one(exercise: Exercise = block[0]) -> None:
                judge_exercise(run, exercise)

            yield f"| `check --sandbox 2.2`, warm | {_median(one, 7):.2f} s | |"
            started = time.perf_counter()
            for _ in range(_SUBMISSIONS):
                for exercise in block:
                    judge_exercise(run, exercise)
            each = (time.perf_counter() - started) / _SUBMISSIONS
            yield f"| a submission of block 2 (four policies), {_SUBMISSIONS} in a row | {each:.2f} s | |"
        finally:
            slate.close()


def _median(action: Callable[[], object], runs: int = 50) -> float:
    samples = []
    for _ in range(runs):
        started = time.perf_counter()
        action()
        samples.append(time.perf_counter() - started)
    return statistics.median(samples)


def _until_denied(api: Api) -> None:
    api.create(
        {
            "apiVersion": "kyverno.io/v1",
            "kind": "ClusterPolicy",
            "metadata": {"name": "bench"},
            "spec": {
                "validationFailureAction": "Enforce",
                "rules": [
                    {
                        "name": "no-latest",
                        "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
                        "validate": {"pattern": {"spec": {"containers": [{"image": "!*:latest"}]}}},
                    }
                ],
            },
        }
    )
    while not _denied(api):
        time.sleep(0.01)


def _denied(api: Api) -> bool:
    return "bench" in _sent(api, "nginx:latest")


def _sent(api: Api, image: str, namespace: str = "default") -> str:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "namespace": namespace},
        "spec": {"containers": [{"name": "c", "image": image}]},
    }
    try:
        api.create(pod, dry_run=True)
    except ApiError as error:
        return error.message
    return ""
