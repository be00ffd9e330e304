"""The command line is a contract: exit codes, streams, JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from workshop.cli import main
from workshop.content import Lab

DENY = "td/kyverno/policy-deny-latest.yaml"


def _run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "WORKSHOP_LANG": "en", **(env or {})}
    return subprocess.run(
        [sys.executable, "-m", "workshop", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def test_solutions_pass_offline_and_the_report_keeps_the_contract(solved: Path, lab: Lab) -> None:
    done = _run("check", "--offline", "--format", "json", "--workspace", str(solved))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["schema"] == "workshop.report/v1"
    assert report["lab"]["id"] == "techmarket"
    assert report["mode"] == "offline"
    assert report["exit_code"] == 0
    assert report["score"]["max_points"] == 100
    assert [exercise["id"] for exercise in report["exercises"]] == [exercise.id for exercise in lab.exercises]
    for exercise in report["exercises"]:
        assert {"id", "slug", "title", "verdict", "points", "max_points", "checks", "hint"} <= set(exercise)
        for check in exercise["checks"]:
            assert {"id", "title", "level", "half", "verdict", "reason", "why", "seconds", "facts"} <= set(
                check
            )
            assert check["id"].startswith(exercise["id"] + ".")
            for fact in check["facts"]:
                assert {"id", "claim", "expected", "observed", "met", "next", "source"} <= set(fact)


def test_a_wrong_file_is_exit_code_1_with_its_line(solved: Path) -> None:
    path = solved / DENY
    text = path.read_text()
    assert "Enforce" in text
    path.write_text(text.replace("Enforce", "Audit"))
    done = _run("check", "2.2", "--offline", "--format", "json", "--workspace", str(solved))
    assert done.returncode == 1
    (exercise,) = json.loads(done.stdout)["exercises"]
    assert exercise["verdict"] == "failed"
    sources = [
        fact["source"] for check in exercise["checks"] for fact in check["facts"] if fact["met"] is False
    ]
    assert any(source and source["file"] == DENY and source["line"] > 1 for source in sources)


def test_what_offline_cannot_judge_is_3_when_asked_and_not_asked_for_otherwise(solved: Path) -> None:
    assert _run("check", "2.1", "--offline", "--workspace", str(solved)).returncode == 3
    assert _run("check", "--offline", "--workspace", str(solved)).returncode == 0


def test_an_exercise_named_by_id_and_by_slug_counts_once(solved: Path) -> None:
    names = ("3.2", "error-budget", "3.2")
    done = _run("check", *names, "--offline", "--format", "json", "--workspace", str(solved))
    report = json.loads(done.stdout)
    assert [exercise["id"] for exercise in report["exercises"]] == ["3.2"]
    assert report["score"]["points"] == report["score"]["judged_points"] == 4


def test_without_a_cluster_the_cluster_half_is_unknown_not_wrong(solved: Path) -> None:
    done = _run(
        "check", "2.2", "--format", "json", "--workspace", str(solved), env={"KUBECONFIG": os.devnull}
    )
    assert done.returncode == 3
    (exercise,) = json.loads(done.stdout)["exercises"]
    assert exercise["verdict"] == "unknown"
    halves = {check["half"]: check["verdict"] for check in exercise["checks"] if check["level"] == "must"}
    assert halves == {"files": "passed", "cluster": "unknown"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "9.9", "--offline"),
        ("check", "--offline", "--sandbox"),
        ("check", "--offline", "--context", "kind-techmarket"),
        ("check", "--sandbox", "--context", "kind-techmarket"),
        ("check", "--no-such-option"),
        ("--lab", "no-such-lab", "check"),
        ("solution", "2.2"),
    ],
)
def test_usage_is_exit_code_2_and_says_nothing_on_stdout(started: Path, arguments: tuple[str, ...]) -> None:
    done = _run("--workspace", str(started), *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_a_folder_without_td_is_exit_code_2_and_names_init(tmp_path: Path) -> None:
    done = _run("check", "--offline", "--workspace", str(tmp_path))
    assert done.returncode == 2
    assert "workshop init" in done.stderr


def test_every_format_says_the_same_exit_code_and_writes_to_a_file(started: Path, tmp_path: Path) -> None:
    for name in ("text", "json", "junit", "markdown", "github"):
        target = tmp_path / f"report.{name}"
        done = _run(
            "check", "--offline", "--format", name, "--output", str(target), "--workspace", str(started)
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert target.stat().st_size > 100
    suites = ET.parse(tmp_path / "report.junit").getroot()
    assert suites.tag == "testsuites"
    assert sum(int(suite.get("failures", "0")) for suite in suites) > 0
    assert "::error " in (tmp_path / "report.github").read_text()


def test_text_fits_80_columns_in_both_languages(started: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for language in ("en", "fr"):
        done = _run(
            "check", "--offline", "--lang", language, "--workspace", str(started), env={"COLUMNS": "80"}
        )
        assert [line for line in done.stdout.splitlines() if len(line) > 100] == []
        assert "\x1b[" not in done.stdout


def test_init_adds_what_is_missing_and_overwrites_nothing(tmp_path: Path) -> None:
    mine = tmp_path / DENY
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    assert (
        _run("init", str(tmp_path), "--github-user", "lea-devops", "--email", "lea@example.org").returncode
        == 0
    )
    assert mine.read_text() == "mine"
    assert "lea-devops" in (tmp_path / "td/answers.yaml").read_text()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert _run("init", str(tmp_path)).returncode == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_check_writes_progress_only_where_it_is_kept(solved: Path, started: Path) -> None:
    _run("check", "--offline", "--workspace", str(solved))
    if solved != started:
        assert not (solved / ".workshop").exists() or (solved / ".workshop/progress.sqlite3").exists()


def test_hints_come_one_tier_at_a_time(started: Path, lab: Lab) -> None:
    exercise = lab.exercise("2.2")
    assert exercise is not None
    first = _run("hint", "2.2", "--workspace", str(started)).stdout
    second = _run("hint", "2.2", "--next", "--workspace", str(started)).stdout
    assert exercise.hints[0].en in first
    assert exercise.hints[1].en not in first
    assert exercise.hints[1].en in second


def test_reset_keeps_a_backup(started: Path) -> None:
    path = started / DENY
    starter = path.read_text()
    path.write_text("my work")
    assert _run("reset", "2.2", "--yes", "--workspace", str(started)).returncode == 0
    assert path.read_text() == starter
    assert [copy.read_text() for copy in (started / ".workshop/backup").rglob(Path(DENY).name)] == ["my work"]


def test_the_solution_opens_for_instructors_and_is_applied_with_a_backup(started: Path) -> None:
    path = started / DENY
    path.write_text("my work")
    assert "my work" in _run("solution", "2.2", "--diff", "--instructor", "--workspace", str(started)).stdout
    assert _run("solution", "2.2", "--apply", "--instructor", "--workspace", str(started)).returncode == 0
    assert [copy.read_text() for copy in (started / ".workshop/backup").rglob(path.name)] == ["my work"]
    assert _run("check", "2.2", "--offline", "--workspace", str(started)).returncode == 0
    assert _run("solution", "2.2", "--workspace", str(started)).returncode == 0


def test_a_broken_pipe_is_no_traceback(solved: Path) -> None:
    command = f"{sys.executable} -m workshop check --offline --format json --workspace {solved} | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_main_can_be_called_in_process(solved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "1.2", "--offline", "--format", "json", "--workspace", str(solved)]) == 0
    assert json.loads(capsys.readouterr().out)["exercises"][0]["id"] == "1.2"
