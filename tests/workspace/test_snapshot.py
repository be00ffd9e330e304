"""A snapshot: one state of the work for all who ask, however often, and never an old one the next time."""

from __future__ import annotations

from pathlib import Path

import pytest

from workshop.workspace import Snapshot, Unreadable, Workspace

PATH = "td/x.yaml"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "td").mkdir()
    (tmp_path / PATH).write_text("kind: Before\n")
    return Workspace(tmp_path)


def test_what_is_saved_meanwhile_is_seen_by_the_next_snapshot(workspace: Workspace) -> None:
    snapshot = Snapshot.of(workspace)
    assert snapshot.documents(PATH)[0].get("kind") == "Before"
    assert snapshot.files("td") == [PATH]
    assert not snapshot.exists("td/y.yaml")
    (workspace.root / PATH).write_text("kind: Afterwards\n")
    (workspace.root / "td/y.yaml").write_text("kind: New\n")
    assert snapshot.documents(PATH)[0].get("kind") == "Before"
    assert (snapshot.files("td"), snapshot.exists("td/y.yaml")) == ([PATH], False)
    newer = Snapshot.of(workspace)
    assert newer.documents(PATH)[0].get("kind") == "Afterwards"
    assert (newer.files("td"), newer.exists("td/y.yaml")) == ([PATH, "td/y.yaml"], True)


def test_what_did_not_change_is_read_once(workspace: Workspace) -> None:
    assert Snapshot.of(workspace).documents(PATH)[0] is Snapshot.of(workspace).documents(PATH)[0]


def test_nobody_changes_what_the_others_see(workspace: Workspace) -> None:
    snapshot = Snapshot.of(workspace)
    snapshot.documents(PATH).clear()
    snapshot.files("td").clear()
    assert snapshot.documents(PATH)
    assert snapshot.files("td")


def test_what_cannot_be_read_stays_so(workspace: Workspace) -> None:
    snapshot = Snapshot.of(workspace)
    for _ in range(2):
        with pytest.raises(Unreadable) as unreadable:
            snapshot.text("td/none.md")
        assert unreadable.value.problem.kind == "missing"
        (workspace.root / "td/none.md").write_text("there by now")


def test_a_snapshot_of_a_snapshot_is_itself(workspace: Workspace) -> None:
    snapshot = Snapshot.of(workspace)
    assert Snapshot.of(snapshot) is snapshot
