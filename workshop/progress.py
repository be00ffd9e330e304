"""What a student has done so far: attempts, hints, time and settings, in `.workshop/progress.sqlite3`.

SQLite's journal makes every write survive a kill at any moment. A store that cannot be used never
stops the work: a damaged one is kept aside and begun anew, an unwritable one is replaced by memory,
and `problem` says so. Verdicts are always re-derived from the files.
"""

from __future__ import annotations

import json
import sqlite3
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from workshop.texts import Message, Text
from workshop.verdicts import ExerciseResult, Mode, Report, Verdict

FOLDER: Final = ".workshop"
_FILE: Final = "progress.sqlite3"
_SCHEMA_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY, exercise TEXT NOT NULL, first_at REAL NOT NULL, last_at REAL NOT NULL,
    runs INTEGER NOT NULL, mode TEXT NOT NULL, verdict TEXT NOT NULL, unmet TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS attempts_by_exercise ON attempts (exercise, id);
CREATE TABLE IF NOT EXISTS hints (exercise TEXT PRIMARY KEY, revealed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS seconds (exercise TEXT PRIMARY KEY, block TEXT NOT NULL, spent REAL NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Attempt(NamedTuple):
    """A state of the work that was judged. Times are seconds since the epoch.

    Judging the same state again adds to `runs` instead of a new attempt.
    """

    exercise: str
    first_at: float
    last_at: float
    runs: int
    mode: Mode
    verdict: Verdict
    unmet: tuple[str, ...]


class Progress:
    """The store of one workspace. Use `Progress.open`; one object per thread."""

    def __init__(self, connection: sqlite3.Connection, problem: Message | None) -> None:
        self._db = connection
        self.problem = problem

    @classmethod
    def open(cls, root: Path) -> Progress:
        """Open the store of the workspace `root`, creating it. Never raises for a bad store."""
        folder = root / FOLDER
        path = folder / _FILE
        try:
            folder.mkdir(exist_ok=True)
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise NotADirectoryError(20, "not a folder of its own", str(folder))
            try:
                return cls(_connect(path), None)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise  # locked, full or read-only: not damaged
                aside = _set_aside(path)
                problem = Text(
                    "The progress store was damaged: it is kept as {name}, a new one is begun",
                    name=aside.name,
                )
                return cls(_connect(path), problem)
        except (OSError, sqlite3.Error) as error:
            problem = Text(
                "Progress is not kept: {path} cannot be written ({problem})",
                path=f"{FOLDER}/{_FILE}",
                problem=getattr(error, "strerror", None) or error,
            )
            return cls(_connect(":memory:"), problem)

    def close(self) -> None:
        """Close the store; nothing is lost without it."""
        self._db.close()

    def record(self, results: Iterable[ExerciseResult], mode: Mode) -> None:
        """Keep what was judged. A failing disk is noted in `problem` and otherwise ignored."""
        with self._writing():
            for result in results:
                self._record(result, mode)

    def _record(self, result: ExerciseResult, mode: Mode) -> None:
        now = time.time()
        unmet = json.dumps(
            sorted({f"{check.id}/{fact.id}" for check in result.checks for fact in check.unmet})
        )
        last = self._db.execute(
            "SELECT id, mode, verdict, unmet FROM attempts WHERE exercise = ? ORDER BY id DESC LIMIT 1",
            (result.id,),
        ).fetchone()
        if last is not None and tuple(last[1:]) == (mode.value, result.verdict.value, unmet):
            self._db.execute("UPDATE attempts SET last_at = ?, runs = runs + 1 WHERE id = ?", (now, last[0]))
        else:
            self._db.execute(
                "INSERT INTO attempts (exercise, first_at, last_at, runs, mode, verdict, unmet) "
                "VALUES (?, ?, ?, 1, ?, ?, ?)",
                (result.id, now, now, mode.value, result.verdict.value, unmet),
            )

    def attempts(self, exercise: str) -> list[Attempt]:
        """Return the attempts at an exercise, oldest first."""
        rows = self._db.execute(
            "SELECT exercise, first_at, last_at, runs, mode, verdict, unmet FROM attempts "
            "WHERE exercise = ? ORDER BY id",
            (exercise,),
        )
        return [_attempt(row) for row in rows]

    def latest(self) -> dict[str, Attempt]:
        """Return the newest attempt by exercise id."""
        rows = self._db.execute(
            "SELECT exercise, first_at, last_at, runs, mode, verdict, unmet FROM attempts "
            "WHERE id IN (SELECT max(id) FROM attempts GROUP BY exercise)"
        )
        return {row[0]: _attempt(row) for row in rows}

    def verdicts(self) -> dict[str, Verdict]:
        """Return the newest verdict by exercise id."""
        return {exercise: attempt.verdict for exercise, attempt in self.latest().items()}

    def forget(self, exercise: str) -> None:
        """Forget attempts and hints of an exercise; the time spent stays."""
        with self._writing():
            self._db.execute("DELETE FROM attempts WHERE exercise = ?", (exercise,))
            self._db.execute("DELETE FROM hints WHERE exercise = ?", (exercise,))

    def hints(self, exercise: str) -> int:
        """Return how many hint tiers of an exercise have been shown."""
        row = self._db.execute("SELECT revealed FROM hints WHERE exercise = ?", (exercise,)).fetchone()
        return int(row[0]) if row else 0

    def reveal_hint(self, exercise: str, total: int) -> int:
        """Show one more tier, `total` at most; return how many are shown now."""
        revealed = min(self.hints(exercise) + 1, total)
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO hints VALUES (?, ?)", (exercise, revealed))
        return revealed

    def add_time(self, block: str, exercise: str, seconds: float) -> None:
        """Add to the time spent on an exercise, in seconds."""
        with self._writing():
            self._db.execute(
                "INSERT INTO seconds VALUES (?, ?, ?) "
                "ON CONFLICT (exercise) DO UPDATE SET spent = spent + excluded.spent",
                (exercise, block, seconds),
            )

    def time_spent(self) -> dict[str, float]:
        """Return the seconds spent by exercise id."""
        return {row[0]: float(row[1]) for row in self._db.execute("SELECT exercise, spent FROM seconds")}

    def setting(self, name: str) -> str | None:
        """Return a remembered choice, or None."""
        row = self._db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    def set_setting(self, name: str, value: str) -> None:
        """Remember a choice."""
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def _writing(self) -> _Writing:
        return _Writing(self)


class _Writing:
    """A transaction whose failure (full disk, locked store) is remembered instead of raised."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __enter__(self) -> None:
        with suppress(sqlite3.Error):
            self._progress._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        if isinstance(error, sqlite3.Error):
            self._progress.problem = Text("Progress could not be kept: {problem}", problem=error)
            with suppress(sqlite3.Error):
                self._progress._db.execute("ROLLBACK")
            return True
        try:
            if self._progress._db.in_transaction:
                self._progress._db.execute("COMMIT" if kind is None else "ROLLBACK")
        except sqlite3.Error as failure:
            self._progress.problem = Text("Progress could not be kept: {problem}", problem=failure)
            with suppress(sqlite3.Error):
                self._progress._db.execute("ROLLBACK")
        return False


def record_if_kept(root: Path, report: Report) -> Message | None:
    """Record a report where `.workshop/` already exists; return the problem of the store, if any."""
    if not (root / FOLDER).is_dir():
        return None
    progress = Progress.open(root)
    try:
        progress.record(report.exercises, report.mode)
        return progress.problem
    finally:
        progress.close()


def _connect(path: Path | str) -> sqlite3.Connection:
    # Autocommit: transactions are begun explicitly. Another process (a check beside the TUI) is waited for.
    connection = sqlite3.connect(path, timeout=3.0, isolation_level=None)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _SCHEMA_VERSION):
            raise sqlite3.DatabaseError(f"schema {version} is of another version of the workshop")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version == 0:
            connection.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;"
            )
        connection.execute("SELECT count(*) FROM attempts, hints, seconds, settings LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _set_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    path.rename(aside)
    for suffix in ("-journal", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def _attempt(row: tuple[str, float, float, int, str, str, str]) -> Attempt:
    exercise, first_at, last_at, runs, mode, verdict, unmet = row
    return Attempt(exercise, first_at, last_at, runs, Mode(mode), Verdict(verdict), tuple(json.loads(unmet)))
