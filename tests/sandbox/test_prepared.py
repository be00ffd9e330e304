"""Prepared data: given as copies, and not kept for ever."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from workshop.sandbox.components import POLICIES, selected
from workshop.sandbox.places import Cache
from workshop.sandbox.prepared import Prepared, fingerprint


def _data(folder: Path, content: str) -> Path:
    (folder / "member").mkdir(parents=True)
    (folder / "member" / "db").write_text(content)
    return folder


def test_what_is_given_is_a_copy_in_place_of_what_was_there(cache: Cache, tmp_path: Path) -> None:
    prepared = Prepared(cache, "one")
    assert not prepared.exists()
    prepared.keep(_data(tmp_path / "made", "pristine"))
    assert prepared.exists()
    goal = _data(tmp_path / "goal", "used")
    (goal / "more").touch()
    prepared.give(goal)
    assert [path.relative_to(goal).as_posix() for path in sorted(goal.rglob("*"))] == ["member", "member/db"]
    (goal / "member" / "db").write_text("used")
    prepared.give(goal)
    assert (goal / "member" / "db").read_text() == "pristine"


def test_only_its_user_can_read_it(cache: Cache, tmp_path: Path) -> None:
    Prepared(cache, "one").keep(_data(tmp_path / "made", "secret"))
    assert stat.S_IMODE((cache.prepared / "one").stat().st_mode) == 0o700


def test_what_nobody_asks_for_any_more_is_removed(cache: Cache, tmp_path: Path) -> None:
    for name in ("old", "used"):
        Prepared(cache, name).keep(_data(tmp_path / name, name))
        os.utime(cache.prepared / name, (1, 1))
    Prepared(cache, "used").give(tmp_path / "goal")
    Prepared(cache, "new").keep(_data(tmp_path / "new", "new"))
    assert sorted(path.name for path in cache.prepared.iterdir()) == ["new", "used"]


def test_its_name_tells_what_went_into_it(tmp_path: Path) -> None:
    parts = selected(POLICIES)
    plain = fingerprint(parts, {"etcd": tmp_path / "etcd"})
    assert fingerprint(parts, {"etcd": tmp_path / "etcd"}) == plain
    assert fingerprint(parts[:-1], {"etcd": tmp_path / "etcd"}) != plain
    assert fingerprint(parts, {"etcd": tmp_path / "another"}) != plain
