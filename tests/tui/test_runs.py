"""Threads: stale runs are dropped, a check that hangs freezes nothing, saved files are noticed."""

from __future__ import annotations

import os
import queue
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workshop.content import Lab
from workshop.tui import watching
from workshop.tui.app import WorkshopApp
from workshop.tui.judging import Judge
from workshop.tui.messages import Judged, RunEnded
from workshop.tui.screens.exercise import ExerciseScreen
from workshop.tui.screens.map import MapScreen
from workshop.verdicts import ExerciseResult, Mode, Verdict


def _result(lab: Lab, exercise_id: str, verdict: Verdict) -> ExerciseResult:
    exercise = lab.exercise(exercise_id)
    assert exercise is not None
    return ExerciseResult(exercise.id, exercise.slug, exercise.title, verdict, exercise.points)


def test_what_a_stale_run_says_is_dropped(drive: Any, lab: Lab, welcomed: Path) -> None:
    async def script(hands: Any) -> None:
        await hands.judged()
        app = hands.app
        old = app._run_id
        app.post_message(Judged(old, _result(lab, "2.2", Verdict.FAILED)))
        await hands.until(lambda: app.state.verdict("2.2") is Verdict.FAILED, "a result of the current run")
        await hands.press("escape", "r")
        await hands.until(lambda: app._run_id == old + 1, "the next run")
        await hands.judged()
        app.post_message(Judged(old, _result(lab, "2.2", Verdict.PASSED)))
        app.post_message(RunEnded(old, files_readable=False))
        await hands.pilot.pause()
        assert app.state.verdict("2.2") is Verdict.UNFINISHED
        assert app.state.files_readable is True
        assert "2.3" not in app.state.unlocked

    drive(script, welcomed)


class _Stuck(Judge):
    """A judge whose first run hangs on its first exercise until it is let go."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.entered, self.let_go = threading.Event(), threading.Event()

    def run(self, run_id: int, mode: Mode, exercises: Any, stale: Any) -> None:
        if run_id == 1:
            self.entered.set()
            assert self.let_go.wait(60)
        super().run(run_id, mode, exercises, stale)


def test_a_check_that_hangs_freezes_nothing(drive: Any, lab: Lab, welcomed: Path) -> None:
    app = WorkshopApp(lab, welcomed, language="fr")
    judge = _Stuck(lab, welcomed, app.post_message)
    app._judge = judge

    async def script(hands: Any) -> None:
        try:
            await hands.until(judge.entered.is_set, "the run that hangs")
            assert app.state.results == {}
            await hands.open("2.1")
            await hands.press("h")
            await hands.until(lambda: app.state.hints["2.1"] == 1, "a hint, while the check hangs")
            await hands.press("r")
            await hands.judged()
            assert app.state.verdict("2.2") is Verdict.UNFINISHED
        finally:
            judge.let_go.set()

    drive(script, welcomed, app=app)


def test_the_open_exercise_is_judged_first(drive: Any, lab: Lab, welcomed: Path) -> None:
    app = WorkshopApp(lab, welcomed, language="fr")
    order: list[list[str]] = []

    class Noting(Judge):
        def run(self, run_id: int, mode: Mode, exercises: Any, stale: Any) -> None:
            order.append([each.id for each in exercises])
            super().run(run_id, mode, exercises, stale)

    app._judge = Noting(lab, welcomed, app.post_message)

    async def script(hands: Any) -> None:
        await hands.judged()
        await hands.open("3.1")
        await hands.press("r")
        await hands.until(lambda: len(order) == 2, "the second run")
        await hands.judged()

    drive(script, welcomed, app=app)
    assert order[0] == [each.id for each in lab.exercises]
    assert order[1][0] == "3.1"
    assert sorted(order[1]) == sorted(order[0])


def test_a_folder_that_loses_its_td_says_so_and_goes_on(drive: Any, lab: Lab, welcomed: Path) -> None:
    shutil.rmtree(welcomed / "td")
    (welcomed / "td").mkdir()

    async def script(hands: Any) -> None:
        await hands.judged()
        await hands.at(MapScreen)
        (welcomed / "td").rmdir()
        await hands.press("r")
        await hands.judged()
        assert hands.app.state.verdict("2.2") is Verdict.UNFINISHED
        shutil.copytree(lab.solutions / "td", welcomed / "td")
        await hands.until(lambda: hands.app.state.verdict("2.2") is Verdict.PASSED, "the folder come back")

    drive(script, welcomed)


def test_a_save_is_noticed_where_no_events_arrive(drive: Any, lab: Lab, welcomed: Path) -> None:
    async def script(hands: Any) -> None:
        await hands.judged()
        screen = await hands.open("2.2")
        path = screen.exercise.deliverables[0]
        shutil.copy(lab.solutions / path, welcomed / path)
        await hands.until(lambda: hands.app.state.verdict("2.2") is Verdict.PASSED, "the verdict")
        assert isinstance(hands.app.screen, ExerciseScreen)

    drive(script, welcomed, polling=True)


def test_a_covered_screen_is_drawn_when_it_comes_back(
    drive: Any, lab: Lab, welcomed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[MapScreen] = []
    draw = MapScreen.draw

    def noted(screen: MapScreen) -> None:
        drawn.append(screen)
        draw(screen)

    monkeypatch.setattr(MapScreen, "draw", noted)

    async def script(hands: Any) -> None:
        await hands.judged()
        screen = await hands.open("2.2")
        drawn.clear()
        path = screen.exercise.deliverables[0]
        shutil.copy(lab.solutions / path, welcomed / path)
        await hands.until(lambda: hands.app.state.verdict("2.2") is Verdict.PASSED, "the verdict")
        await hands.judged()
        assert not drawn
        await hands.press("escape")
        await hands.at(MapScreen)
        line = next(each for each in hands.text("LabList").splitlines() if " 2.2 " in each)
        assert "✓" in line
        assert hands.app.progress.verdicts()["2.2"] is Verdict.PASSED

    drive(script, welcomed)


def test_no_style_sheet_is_read_after_the_start(drive: Any, welcomed: Path) -> None:
    async def script(hands: Any) -> None:
        await hands.at(MapScreen)
        sheets = {path for path, _ in hands.app.stylesheet.source if path.endswith(".tcss")}
        await hands.open("2.2")
        assert {path for path, _ in hands.app.stylesheet.source if path.endswith(".tcss")} == sheets
        assert hands.app.stylesheet._variables["background"] == "#11161D"

    drive(script, welcomed)


def test_nothing_begins_before_the_first_frame(drive: Any, lab: Lab, welcomed: Path) -> None:
    order: list[str] = []

    class Noting(WorkshopApp):
        def _display(self, screen: Any, renderable: Any) -> None:
            if renderable is not None and not self._batch_count and isinstance(screen, MapScreen):
                order.append("frame")
            super()._display(screen, renderable)

        def begin(self) -> None:
            order.append("begin")
            super().begin()

    async def script(hands: Any) -> None:
        await hands.judged()
        assert order[0] == "frame"
        assert order.count("begin") == 1

    drive(script, welcomed, app=Noting(lab, welcomed, language="en"))


# --- the watcher by itself -------------------------------------------------------------------------


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Any]:
    """Start watchers on `tmp_path`; each hands its changes over in a queue."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def start(**options: Any) -> queue.Queue[frozenset[str]]:
        found: queue.Queue[frozenset[str]] = queue.Queue()
        looked = threading.Event()
        real_look = watching.look

        def run() -> None:
            for paths in watching.changes(tmp_path, stop, **options):
                found.put(paths)

        def first_look(root: Path) -> watching.Snapshot:
            try:
                return real_look(root)
            finally:
                looked.set()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(watching, "look", first_look)
            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            threads.append(thread)
            assert looked.wait(30)
        return found

    yield start
    stop.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "a watcher does not stop"


@pytest.mark.parametrize("polling", [True, False, None])
def test_changes_are_named(watch: Any, tmp_path: Path, polling: bool | None) -> None:
    (tmp_path / "td/tekton").mkdir(parents=True)
    (tmp_path / "td/gone.yaml").write_text("a: 1")
    found = watch(polling=polling)
    (tmp_path / "td/tekton/task.yaml").write_text("a: 1")
    assert found.get(timeout=30) == {"td/tekton/task.yaml"}
    (tmp_path / "td/gone.yaml").unlink()
    assert found.get(timeout=30) == {"td/gone.yaml"}


def test_editors_leavings_and_reads_are_no_changes(watch: Any, tmp_path: Path) -> None:
    (tmp_path / "td").mkdir()
    (tmp_path / "td/x.yaml").write_text("a: 1")
    found = watch()
    (tmp_path / "td/.x.yaml.swp").write_text("swap")
    (tmp_path / "td/x.yaml~").write_text("backup")
    (tmp_path / "td/x.yaml").read_text()
    replacement = tmp_path / "td/.x.yaml.new"
    replacement.write_text("a: 2")
    replacement.replace(tmp_path / "td/x.yaml")
    assert found.get(timeout=30) == {"td/x.yaml"}
    assert found.empty()


def test_a_td_that_comes_later_and_is_replaced(watch: Any, tmp_path: Path) -> None:
    found = watch()
    (tmp_path / "td").mkdir()
    (tmp_path / "td/a.yaml").write_text("a: 1")
    assert found.get(timeout=30) == {"td/a.yaml"}
    (tmp_path / "td").rename(tmp_path / "old")
    assert found.get(timeout=30) == {"td/a.yaml"}
    (tmp_path / "td").mkdir()
    (tmp_path / "td/b.yaml").write_text("a: 1")
    assert found.get(timeout=30) == {"td/b.yaml"}


def test_changes_without_events_are_found_by_looking(
    watch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listened = []

    def deaf(folder: Path, stop: threading.Event) -> Iterator[bool]:
        listened.append(folder)
        while not stop.wait(0.05):
            yield False

    monkeypatch.setattr(watching, "_events", deaf)
    (tmp_path / "td").mkdir()
    found = watch()
    for name in ("a", "b", "c"):
        (tmp_path / f"td/{name}.yaml").write_text("a: 1")
        assert found.get(timeout=30) == {f"td/{name}.yaml"}
    assert len(listened) == 2, "after the second miss nobody listens any more"


def test_links_are_noticed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "td").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.yaml").write_text("a: 1")
    (tmp_path / "td/link").symlink_to(tmp_path / "outside", target_is_directory=True)
    (tmp_path / "td/loop").symlink_to(tmp_path / "td", target_is_directory=True)
    os.mkfifo(tmp_path / "td/pipe")
    assert set(watching.look(tmp_path)) == {"td/link", "td/loop", "td/pipe"}


@pytest.mark.parametrize(
    ("kind", "silent"),
    [("ext4", False), ("overlay", False), ("9p", True), ("nfs4", True), ("fuse.sshfs", True)],
)
def test_file_systems_that_send_no_events(
    tmp_path: Path, kind: str, silent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATCHFILES_FORCE_POLLING", raising=False)
    folder = tmp_path / "my work"
    folder.mkdir()
    point = str(folder.resolve()).replace(" ", "\\040")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        f"40 22 0:44 / {point} rw,relatime - {kind} C:\\134 rw\n"
        f"41 22 0:45 / {point}-more rw - nfs host:/x rw\n"
    )
    assert watching.sends_no_events(folder, mounts) is silent
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "1")
    assert watching.sends_no_events(folder, mounts)
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "false")
    assert not watching.sends_no_events(folder, mounts)


def test_without_a_mount_table_events_are_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHFILES_FORCE_POLLING", raising=False)
    assert not watching.sends_no_events(tmp_path, tmp_path / "none")
