"""What is in the cache is noticed when it is not what was put there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from workshop.sandbox.manifest import FILES, FamilyFolder, proves_itself, recipe
from workshop.sandbox.model import Amendment, Family, Program
from workshop.sandbox.places import Cache

Built = Callable[[Cache], FamilyFolder]


def _again(folder: FamilyFolder, cache: Cache) -> FamilyFolder:
    return FamilyFolder.of(folder.family, cache.programs)


def test_a_finished_family_lacks_nothing(built: Built, cache: Cache) -> None:
    folder = built(cache)
    assert _again(folder, cache).missing(thoroughly=True) == []


def test_an_empty_cache_lacks_everything(family: Family, cache: Cache) -> None:
    assert FamilyFolder.of(family, cache.programs).missing() == ["tool", FILES]


def test_a_half_written_program_is_noticed(built: Built, cache: Cache) -> None:
    folder = built(cache)
    with folder.program("tool").open("r+b") as file:
        file.truncate(10)
    assert _again(folder, cache).missing() == ["tool"]


def test_a_program_of_the_same_size_is_noticed(built: Built, cache: Cache) -> None:
    folder = built(cache)
    path = folder.program("tool")
    path.write_bytes(path.read_bytes().replace(b"1.2.3", b"6.6.6"))
    assert _again(folder, cache).missing() == ["tool"]


def test_a_program_changed_behind_its_time_is_noticed_when_looked_at_thoroughly(
    built: Built, cache: Cache
) -> None:
    folder = built(cache)
    path = folder.program("tool")
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b"1.2.3", b"6.6.6"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert _again(folder, cache).missing() == []
    assert _again(folder, cache).missing(thoroughly=True) == ["tool"]


def test_a_program_that_was_only_touched_is_good(built: Built, cache: Cache) -> None:
    folder = built(cache)
    os.utime(folder.program("tool"), (1, 1))
    assert _again(folder, cache).missing() == []


def test_a_missing_document_is_noticed(built: Built, cache: Cache) -> None:
    folder = built(cache)
    next(folder.recorded_files()).unlink()
    assert _again(folder, cache).missing() == [FILES]


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b"null", b'{"schema": "another", "entries": {}}'])
def test_a_broken_manifest_means_nothing_was_finished(built: Built, cache: Cache, broken: bytes) -> None:
    folder = built(cache)
    folder.manifest.write_bytes(broken)
    assert _again(folder, cache).missing() == ["tool", FILES]


def test_another_recipe_is_another_folder() -> None:
    plain = Family("tools", "example.org/tools", "v1.2.3")
    others = [
        Family("tools", "example.org/tools", "v1.2.4"),
        Family("tools", "example.org/tools", "v1.2.3", stamps={"main.version": "1"}),
        Family("tools", "example.org/tools", "v1.2.3", amendments=(Amendment("m", "f.go", "a", "b"),)),
    ]
    assert len({recipe(family) for family in (plain, *others)}) == 4


def _program(expects: str) -> Program:
    return Program("tool", "", (), expects)


def test_a_program_proves_itself_by_what_it_prints(tmp_path: Path) -> None:
    path = tmp_path / "tool"
    path.write_text("#!/bin/sh\necho 'tool version 1.2.3' >&2\nexit 2\n")
    path.chmod(0o755)
    assert proves_itself(_program("version 1.2.3"), path) is None
    complaint = proves_itself(_program("version 1.2.4"), path)
    assert complaint == "tool version 1.2.3"


def test_what_cannot_be_executed_proves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tool"
    path.write_bytes(b"\x7fELF broken")
    path.chmod(0o755)
    complaint = proves_itself(_program("version"), path)
    assert complaint is not None
    assert "Exec format" in complaint
