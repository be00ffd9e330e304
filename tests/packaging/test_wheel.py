"""The wheel: built, installed into a fresh environment, and run from there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = "import hatchling.build as build, sys; print(build.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    environment = tmp_path_factory.mktemp("installed")
    venv.create(environment)
    python = environment / "bin" / "python"
    for arguments in (
        ["--require-hashes", "-r", str(ROOT / "requirements/runtime.txt")],
        ["--no-deps", str(wheel)],
    ):
        command = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", str(python), *arguments]
        subprocess.run(command, check=True)
    return environment


def test_the_wheel_brings_its_content_and_no_generic_names(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"workshop"}
    for wanted in (
        "workshop/_content/exercises/techmarket/lab.yaml",
        "workshop/_content/checks/techmarket/software_catalog.py",
        "workshop/_content/solutions/techmarket/td/backstage/catalog-info-payment.yaml",
        "workshop/_content/exercises/techmarket/materials/microservice/server.js",
    ):
        assert wanted in names
    assert not [name for name in names if "node_modules" in name or name.endswith(".pyc")]


def test_it_runs_from_a_fresh_environment(installed: Path, tmp_path: Path) -> None:
    workshop = str(installed / "bin" / "workshop")
    # An empty PYTHONPATH and another folder: nothing of the checkout is in reach.
    environment = {**os.environ, "PYTHONPATH": "", "WORKSHOP_LANG": "en"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [workshop, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    assert run("init", "lab").returncode == 0
    applied = run("solution", "1.2", "--apply", "--instructor", "--workspace", "lab")
    assert applied.returncode == 0, applied.stderr
    done = run("check", "1.2", "2.2", "--offline", "--format", "json", "--workspace", "lab")
    assert done.returncode == 1, done.stderr
    verdicts = {each["id"]: each["verdict"] for each in json.loads(done.stdout)["exercises"]}
    assert verdicts == {"1.2": "passed", "2.2": "unfinished"}
    assert "Traceback" not in done.stderr
    french = run("check", "1.2", "--offline", "--lang", "fr", "--workspace", "lab")
    assert "points" in french.stdout
    assert (installed / "bin" / "kubectl-workshop").exists()
