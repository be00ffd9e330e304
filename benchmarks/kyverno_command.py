"""`workshop policy test` beside Kyverno's own command line: the same policy and Pod, the same machine.

`kubectl-kyverno` is built into the user's cache like the sandbox's programs; no verdict ever needs it.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from benchmarks.measuring import against
from workshop.sandbox.building import build
from workshop.sandbox.components.kyverno import VERSION
from workshop.sandbox.errors import SandboxError
from workshop.sandbox.manifest import FamilyFolder
from workshop.sandbox.model import Family, Program
from workshop.sandbox.places import Cache

ROOT: Final = Path(__file__).resolve().parent.parent
_PROGRAM: Final = "kubectl-kyverno"
FAMILY: Final = Family(
    name="kyverno-cli",
    module="github.com/kyverno/kyverno",
    version=VERSION,
    programs=(Program(_PROGRAM, "cmd/cli/kubectl-kyverno", ("version",), VERSION, (_PROGRAM,)),),
    stamps={"github.com/kyverno/kyverno/pkg/version.BuildVersion": VERSION},
)
_POD: Final = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default, labels: {app: web}}
spec: {containers: [{name: web, image: "nginx:1.27.5"}]}
"""
_CONFORMANCE: Final = (
    "import json, os, sys, time\n"
    "from pathlib import Path\n"
    "from tests.kyverno.conformance import run\n"
    "started = time.perf_counter()\n"
    "done = sum(1 for file in sorted(Path(sys.argv[1]).glob('*.jsonl')) for _ in run(file))\n"
    "print(done / (time.perf_counter() - started))\n"
)


def figures() -> Iterator[str]:
    """Yield rows of a table; one row that says why, where the program is not to be had."""
    try:
        program = _program()
    except SandboxError as error:
        yield f"| not measured | {error.text} | | | | |"
        return
    with tempfile.TemporaryDirectory() as folder:
        pod = Path(folder) / "pod.yaml"
        pod.write_text(_POD, encoding="utf-8")
        policy = ROOT / "solutions/techmarket/td/kyverno/policy-deny-latest.yaml"
        ours = [sys.executable, "-m", "workshop", "policy", "test", str(policy), "--resource", str(pod)]
        theirs = [program, "apply", str(policy), "--resource", str(pod)]
        yield against("`workshop policy test` / `kubectl-kyverno apply`", ours, theirs, runs=15).row()


def throughput() -> Iterator[str]:
    """Yield how many conformance cases a second each gets through, all of them the same kind of case."""
    cases = Path(os.environ.get("WORKSHOP_CONFORMANCE", ROOT.parent / "shared/conformance")) / "kyverno"
    if not cases.is_dir():
        yield "| conformance cases a second | no cases: see docs/conformance.md | |"
        return
    try:
        program = _program()
    except SandboxError as error:
        yield f"| not measured | {error.text} | |"
        return
    ours = statistics.median(_ours(cases) for _ in range(3))
    with tempfile.TemporaryDirectory() as folder:
        count = _as_tests(cases / "cli_core.jsonl", Path(folder))
        theirs = statistics.median(_theirs(program, Path(folder), count) for _ in range(3))
    name = "conformance cases a second / `kubectl-kyverno test`"
    yield f"| {name} | {ours:.0f} / {theirs:.0f} | {ours / theirs:.1f} |"


def _program() -> str:
    """The program, from PATH or built into the user's cache."""
    found = shutil.which(_PROGRAM)
    if found:
        return found
    cache = Cache.of_user()
    build((FAMILY,), cache, lambda message: print(message, file=sys.stderr))
    return str(FamilyFolder.of(FAMILY, cache.programs).program(_PROGRAM))


def _ours(cases: Path) -> float:
    command = [sys.executable, "-c", _CONFORMANCE, str(cases)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return float(done.stdout)


def _as_tests(file: Path, folder: Path) -> int:
    """Write the cases as test files of Kyverno's command line; return how many results they ask for."""
    import json

    count = 0
    for index, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        case = json.loads(line)
        results = [
            {
                "policy": case["policy_name"],
                "rule": expected["rule"],
                "kind": case["resource_kind"],
                "resources": [case["resource_name"]],
                "result": expected["result"],
            }
            for expected in case["expect"]
            if "patched" not in expected
        ]
        if not results:
            continue
        count += len(results)
        place = folder / f"{index:04}"
        place.mkdir()
        (place / "policy.yaml").write_text(yaml.safe_dump(case["policy"]), encoding="utf-8")
        (place / "resource.yaml").write_text(yaml.safe_dump(case["resource"]), encoding="utf-8")
        test = {
            "apiVersion": "cli.kyverno.io/v1alpha1",
            "kind": "Test",
            "metadata": {"name": f"case-{index}"},
            "policies": ["policy.yaml"],
            "resources": ["resource.yaml"],
            "results": results,
        }
        (place / "kyverno-test.yaml").write_text(yaml.safe_dump(test), encoding="utf-8")
    return count


def _theirs(program: str, folder: Path, count: int) -> float:
    started = time.perf_counter()
    done = subprocess.run([program, "test", str(folder)], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    said = re.search(r"(\d+) tests? passed", done.stdout)
    if said is None or int(said[1]) < count * 0.9:
        raise RuntimeError(f"kubectl-kyverno test: {done.stdout[-300:]} {done.stderr[-300:]}")
    return count / seconds
