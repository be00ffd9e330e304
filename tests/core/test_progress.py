"""The progress store survives what happens to laptops."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from workshop.progress import FOLDER, Progress
from workshop.texts import Text
from workshop.verdicts import CheckResult, ExerciseResult, Fact, Half, Level, Mode, Verdict


def _result(verdict: Verdict, *unmet: str) -> ExerciseResult:
    facts = tuple(Fact(each, Text("x"), met=False) for each in unmet)
    check = CheckResult("2.2.c", Text("c"), Level.MUST, Half.FILES, verdict, facts=facts)
    return ExerciseResult("2.2", "disallow-latest-tag", Text("t"), verdict, 5.0, (check,))


def test_judging_the_same_state_again_is_the_same_attempt(tmp_path: Path) -> None:
    progress = Progress.open(tmp_path)
    for result in (_result(Verdict.FAILED, "a"), _result(Verdict.FAILED, "a"), _result(Verdict.FAILED, "b")):
        progress.record([result], Mode.OFFLINE)
    attempts = progress.attempts("2.2")
    assert [(attempt.runs, attempt.unmet) for attempt in attempts] == [(2, ("2.2.c/a",)), (1, ("2.2.c/b",))]
    assert progress.verdicts() == {"2.2": Verdict.FAILED}


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    first = Progress.open(tmp_path)
    first.record([_result(Verdict.PASSED)], Mode.OFFLINE)
    assert first.reveal_hint("2.2", 3) == 1
    first.add_time("2", "2.2", 12.5)
    first.add_time("2", "2.2", 2.5)
    first.set_setting("language", "fr")
    again = Progress.open(tmp_path)
    assert again.problem is None
    assert again.verdicts() == {"2.2": Verdict.PASSED}
    assert again.hints("2.2") == 1
    assert again.time_spent() == {"2.2": 15.0}
    assert again.setting("language") == "fr"


def test_hints_end_with_the_last_tier(tmp_path: Path) -> None:
    progress = Progress.open(tmp_path)
    assert [progress.reveal_hint("1.2", 2) for _ in range(4)] == [1, 2, 2, 2]


@pytest.mark.parametrize("rubbish", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_store_is_kept_aside(tmp_path: Path, rubbish: bytes) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "progress.sqlite3").write_bytes(rubbish)
    progress = Progress.open(tmp_path)
    assert progress.problem is not None
    progress.record([_result(Verdict.PASSED)], Mode.OFFLINE)
    assert progress.verdicts() == {"2.2": Verdict.PASSED}
    kept = [path for path in folder.iterdir() if "damaged" in path.name]
    assert [path.read_bytes() for path in kept] == [rubbish]


def test_a_store_of_another_version_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    with sqlite3.connect(tmp_path / FOLDER / "progress.sqlite3") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    assert Progress.open(tmp_path).problem is not None


def test_a_file_in_place_of_the_folder_costs_only_the_memory_of_it(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("in the way")
    progress = Progress.open(tmp_path)
    assert progress.problem is not None
    progress.record([_result(Verdict.PASSED)], Mode.OFFLINE)
    assert progress.verdicts() == {"2.2": Verdict.PASSED}
    assert (tmp_path / FOLDER).read_text() == "in the way"


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    elsewhere, root = tmp_path / "elsewhere", tmp_path / "root"
    elsewhere.mkdir()
    root.mkdir()
    (root / FOLDER).symlink_to(elsewhere)
    assert Progress.open(root).problem is not None
    assert list(elsewhere.iterdir()) == []


def test_a_locked_store_is_noticed_and_not_taken_for_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress.open(tmp_path)
    progress._db.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(tmp_path / FOLDER / "progress.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    progress.record([_result(Verdict.PASSED)], Mode.OFFLINE)
    assert progress.problem is not None
    other.execute("ROLLBACK")
    assert [path.name for path in (tmp_path / FOLDER).iterdir() if "damaged" in path.name] == []


def test_a_kill_in_the_middle_loses_nothing_that_was_recorded(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import itertools, sys
        from pathlib import Path
        from workshop.progress import Progress
        progress = Progress.open(Path(sys.argv[1]))
        for count in itertools.count(1):
            progress.set_setting("count", str(count))
            print(count, flush=True)
        """
    )
    child = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) >= 20:
            break
    child.send_signal(signal.SIGKILL)
    told = [int(line) for line in child.stdout.read().split()]
    child.wait()
    progress = Progress.open(tmp_path)
    assert progress.problem is None
    assert int(progress.setting("count") or 0) >= max(told, default=20)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes into read-only folders")
def test_a_read_only_folder_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert Progress.open(tmp_path).problem is not None
    finally:
        tmp_path.chmod(0o700)
