"""Grading a class: one hostile submission costs itself only."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

import pytest

from workshop.cli import main
from workshop.content import Lab
from workshop.grading import find_submissions


@pytest.fixture
def school(tmp_path: Path, lab: Lab) -> Path:
    folder = tmp_path / "class"
    shutil.copytree(lab.solutions / "td", folder / "ana" / "td")
    shutil.copytree(lab.starters / "td", folder / "bea" / "td")
    (folder / "no-work").mkdir()
    hostile = folder / "=cmd()" / "td" / "kyverno"
    hostile.mkdir(parents=True)
    (hostile / "policy-deny-latest.yaml").write_text("[" * 20_000)
    os.mkfifo(hostile / "policy-require-limits.yaml")
    (hostile / "policy-add-labels.yaml").symlink_to("/etc/passwd")
    return folder


def test_every_submission_has_a_row(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grade", str(school), "--jobs", "2", "--format", "json"]) == 3
    data = json.loads(capsys.readouterr().out)
    rows = {each["name"]: each for each in data["submissions"]}
    assert set(rows) == {"=cmd()", "ana", "bea", "no-work"}
    assert rows["no-work"]["problem"]
    assert rows["no-work"]["report"] is None
    assert rows["bea"]["report"]["score"]["points"] == 0
    ana = rows["ana"]["report"]["score"]
    assert ana["points"] >= ana["judged_points"] > 0
    hostile = {each["id"]: each["verdict"] for each in rows["=cmd()"]["report"]["exercises"]}
    assert {hostile["2.2"], hostile["2.3"], hostile["2.4"]} == {"failed"}


def test_a_spreadsheet_takes_no_name_for_a_formula(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["grade", str(school), "--jobs", "1", "--format", "csv"])
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows[0][:2] == ["name", "points"]
    assert all(len(row) == len(rows[0]) for row in rows)
    assert "'=cmd()" in [row[0] for row in rows]


def test_the_page_escapes_what_students_wrote(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "<script>alert(1)</script>"
    path = school / "ana/td/backstage/catalog-info-payment.yaml"
    path.write_text(path.read_text().replace("team-payments", evil))
    (school / "<b>").mkdir()
    main(["grade", str(school), "--jobs", "1", "--format", "html"])
    page = capsys.readouterr().out
    assert evil not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page


def test_workspaces_are_found_in_a_folder_or_named_themselves(school: Path) -> None:
    assert [name for name, _ in find_submissions([school])] == ["=cmd()", "ana", "bea", "no-work"]
    assert find_submissions([school / "ana"]) == [("ana", school / "ana")]


def test_usage(tmp_path: Path) -> None:
    assert main(["grade", str(tmp_path / "nowhere")]) == 2
    assert main(["grade", str(tmp_path), "--jobs", "0"]) == 2
