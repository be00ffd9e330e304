"""Start-up is a feature: what must not be imported before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from workshop.content import Lab
from workshop.engine import Run, judge
from workshop.verdicts import Mode
from workshop.workspace import Workspace

_HEAVY = {"textual", "kubernetes", "rich", "sh", "aiohttp", "pydantic", "watchfiles"}
_PROBE = """
import json, sys
from workshop.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def _modules_of(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, *arguments], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def _imported_by(*arguments: str) -> set[str]:
    return {name.partition(".")[0] for name in _modules_of(*arguments)}


def test_help_imports_nothing_heavy() -> None:
    assert (
        _imported_by("--help") & (_HEAVY | {"yaml", "jmespath", "cel", "promql_parser", "sqlite3"}) == set()
    )


@pytest.mark.parametrize("format", ["text", "json", "junit", "markdown", "github"])
def test_an_offline_check_imports_no_screen_and_no_cluster_client(solved: Path, format: str) -> None:
    assert (
        _imported_by("check", "--offline", "--format", format, "--workspace", str(solved)) & _HEAVY == set()
    )


def test_an_offline_check_sets_no_stage_and_opens_no_log(solved: Path) -> None:
    imported = _modules_of("check", "--offline", "--workspace", str(solved))
    assert (
        imported & {"workshop.cluster.stage", "workshop.cluster.live", "workshop.diagnosis", "logging"}
        == set()
    )


def test_the_guide_is_read_only_for_what_is_wrong(lab: Lab, solved: Path) -> None:
    from workshop.guide import load_guide

    load_guide.cache_clear()
    report = judge(Run.of(lab, Workspace(solved), Mode.OFFLINE))
    assert all(exercise.hint is None for exercise in report.exercises)
    assert load_guide.cache_info().misses == 0


def test_the_version_is_the_installed_one_and_costs_nothing_else() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workshop", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"techmarket-workshop {version('techmarket-workshop')}\n"
    assert "importlib.metadata" not in _modules_of("--help")


def test_the_first_paint_waits_for_neither_the_engine_nor_a_reader_of_files() -> None:
    code = "import json, sys, workshop.tui.app, workshop.content; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    later = {"workshop.engine", "workshop.workspace", "workshop.kyverno", "kubernetes", "watchfiles", "sh"}
    assert set(json.loads(done.stdout)) & later == set()
