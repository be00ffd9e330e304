"""What the screens look like.

After a change that is meant: `pytest tests/tui/test_pictures.py --snapshot-update`, then look at them.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.small_lab import Still
from workshop.tui.connecting import ClusterView
from workshop.tui.widgets.lab_list import LabList
from workshop.verdicts import Mode

SMALL, LARGE = (80, 24), (160, 45)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_map(snap_compare: Any, size: tuple[int, int]) -> None:
    assert snap_compare(Still(), terminal_size=size)


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("key", ["b", "c", "h"])
def test_exercise(snap_compare: Any, size: tuple[int, int], key: str) -> None:
    async def open_it(pilot: Pilot[int]) -> None:
        await pilot.app._press_keys(["enter"])
        while not pilot.app.screen.query("MarkdownFence"):
            await pilot.pause()
        await pilot.app._press_keys([key])
        await pilot.pause()

    assert snap_compare(Still(), terminal_size=size, run_before=open_it)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_diagnosis(snap_compare: Any, size: tuple[int, int]) -> None:
    async def open_it(pilot: Pilot[int]) -> None:
        pilot.app.screen.query_one(LabList).select("2.2")
        await pilot.app._press_keys(["enter"])
        while not pilot.app.screen.query("Markdown"):
            await pilot.pause()
        await pilot.app._press_keys(["i"])
        await pilot.pause()

    app = Still()
    app.state = replace(app.state, mode=Mode.CLUSTER, instructor=True)
    assert snap_compare(app, terminal_size=size, run_before=open_it)


def test_board_in_the_light_theme(snap_compare: Any) -> None:
    assert snap_compare(Still(), terminal_size=SMALL, press=["g", "d"])


def test_map_with_a_cluster(snap_compare: Any) -> None:
    app = Still()
    seen = ClusterView("techmarket-sandbox", frozenset({"Kyverno", "Tekton"}))
    app.state = replace(app.state, mode=Mode.SANDBOX, cluster=seen)
    assert snap_compare(app, terminal_size=SMALL)


def test_first_screen(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool == "kind" else f"/usr/bin/{tool}")
    assert snap_compare(Still(fresh=True), terminal_size=SMALL)


def test_help(snap_compare: Any) -> None:
    assert snap_compare(Still(), terminal_size=LARGE, press=["question_mark"])
