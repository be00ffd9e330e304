"""The archive an instructor hands to the class, and what a stranger could make of one."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workshop.sandbox.archive import export, take
from workshop.sandbox.errors import SandboxError
from workshop.sandbox.manifest import FamilyFolder
from workshop.sandbox.model import Family
from workshop.sandbox.places import Cache, target
from workshop.texts import Message

from .conftest import script

Built = Callable[[Cache], FamilyFolder]
_INDEX = "techmarket-sandbox.json"


def _quiet(_message: Message) -> None:
    return


@pytest.fixture
def student(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "student")


def test_what_was_packed_is_there_and_works(
    built: Built, cache: Cache, student: Cache, family: Family, tmp_path: Path
) -> None:
    built(cache)
    checksum = export([family], cache, tmp_path / "class.tar.gz", _quiet)
    assert checksum == hashlib.sha256((tmp_path / "class.tar.gz").read_bytes()).hexdigest()
    take(tmp_path / "class.tar.gz", [family], student, _quiet)
    folder = FamilyFolder.of(family, student.programs)
    assert folder.missing(thoroughly=True) == []
    assert folder.program("tool").read_bytes() == script()
    assert [path.read_bytes() for path in folder.recorded_files()] == [b"kind: One\n"]


def test_the_same_content_makes_the_same_members(
    built: Built, cache: Cache, family: Family, tmp_path: Path
) -> None:
    built(cache)
    for name in ("one", "two"):
        export([family], cache, tmp_path / name, _quiet)
    first, second = (_members(tmp_path / name) for name in ("one", "two"))
    assert first == second
    assert {(mtime, user) for _, _, mtime, user in first} == {(0, "")}


def _members(path: Path) -> list[tuple[str, int, float, str]]:
    with tarfile.open(path) as archive:
        return [(one.name, one.size, one.mtime, one.uname) for one in archive]


class Forger:
    """Packs an archive as a stranger could."""

    def __init__(self, goal: Path, folder: FamilyFolder) -> None:
        self.goal = goal
        self.name = folder.root.name
        self.contents: dict[str, dict[str, Any]] = folder.contents()
        self.members = [(f"{self.name}/{path}", (folder.root / path).read_bytes()) for path in self.contents]
        self.target = target()
        self.special: list[tarfile.TarInfo] = []

    def announce(self, name: str, content: bytes) -> None:
        self.contents[name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        self.members.append((f"{self.name}/{name}", content))

    def pack(self) -> Path:
        index = {
            "schema": "workshop.sandbox.archive/v1",
            "target": self.target,
            "families": {self.name: self.contents},
        }
        with tarfile.open(self.goal, "w:gz") as archive:
            for name, content in [(_INDEX, json.dumps(index).encode()), *self.members]:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            for member in self.special:
                archive.addfile(member)
        return self.goal


@pytest.fixture
def forger(built: Built, cache: Cache, tmp_path: Path) -> Forger:
    return Forger(tmp_path / "forged.tar.gz", built(cache))


def _refused(forged: Path, family: Family, student: Cache, match: str) -> None:
    with pytest.raises(SandboxError, match=match):
        take(forged, [family], student, _quiet)
    assert FamilyFolder.of(family, student.programs).missing() == ["tool", "files"]
    assert not (student.root / "landing").exists()


def test_an_honest_forgery_is_taken(forger: Forger, family: Family, student: Cache) -> None:
    # Shows that the cases below fail for their own reason.
    take(forger.pack(), [family], student, _quiet)
    assert FamilyFolder.of(family, student.programs).missing() == []


@pytest.mark.parametrize(
    "name", ["../../escaped", "/escaped", "bin/../../../escaped", "./escaped", "bin//escaped", "a\\b"]
)
def test_a_path_that_leads_elsewhere(
    forger: Forger, family: Family, student: Cache, name: str, tmp_path: Path
) -> None:
    forger.announce(name, b"escaped")
    _refused(forger.pack(), family, student, "damaged")
    assert not list(tmp_path.rglob("escaped"))


def test_a_member_nobody_announced(forger: Forger, family: Family, student: Cache) -> None:
    forger.members.append((f"{forger.name}/bin/more", b"more"))
    _refused(forger.pack(), family, student, "unexpected")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_member_that_is_no_file(forger: Forger, family: Family, student: Cache, kind: bytes) -> None:
    forger.contents["bin/link"] = {"sha256": "0", "size": 0}
    member = tarfile.TarInfo(f"{forger.name}/bin/link")
    member.type, member.linkname = kind, "/etc/passwd"
    forger.special.append(member)
    _refused(forger.pack(), family, student, "unexpected")


def test_another_content_than_announced(forger: Forger, family: Family, student: Cache) -> None:
    forger.members = [(name, content.replace(b"1.2.3", b"6.6.6")) for name, content in forger.members]
    _refused(forger.pack(), family, student, "not what it should be")


def test_another_size_than_announced(forger: Forger, family: Family, student: Cache) -> None:
    forger.members = [(name, content + b"#") for name, content in forger.members]
    _refused(forger.pack(), family, student, "unexpected")


def test_a_file_that_is_missing(forger: Forger, family: Family, student: Cache) -> None:
    forger.members.pop()
    _refused(forger.pack(), family, student, "is missing")


def test_a_program_that_does_not_work(forger: Forger, family: Family, student: Cache) -> None:
    wrong = script(version="9.9.9")
    forger.members = [
        (name, wrong if name.endswith("/tool") else content) for name, content in forger.members
    ]
    forger.contents["bin/tool"] = {"sha256": hashlib.sha256(wrong).hexdigest(), "size": len(wrong)}
    _refused(forger.pack(), family, student, "does not work here")


def test_another_platform(forger: Forger, family: Family, student: Cache) -> None:
    forger.target = "plan9-mips"
    _refused(forger.pack(), family, student, "plan9-mips")


def test_another_version(forger: Forger, student: Cache) -> None:
    newer = Family("tools", "example.org/tools", "v2.0.0")
    with pytest.raises(SandboxError, match="another version"):
        take(forger.pack(), [newer], student, _quiet)


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5])
def test_a_file_cut_short(forger: Forger, family: Family, student: Cache, kept: float) -> None:
    content = forger.pack().read_bytes()
    forger.goal.write_bytes(content[: int(len(content) * kept)])
    _refused(forger.goal, family, student, "damaged")


@pytest.mark.parametrize("content", [b"hello", b"\x1f\x8b" + b"\0" * 100, b"PK\x03\x04"])
def test_a_file_that_is_something_else(
    family: Family, student: Cache, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    _refused(path, family, student, "damaged")


def test_what_was_there_stays_when_the_archive_is_refused(
    forger: Forger, built: Built, family: Family, student: Cache
) -> None:
    built(student)
    forger.members.pop()
    with pytest.raises(SandboxError):
        take(forger.pack(), [family], student, _quiet)
    assert FamilyFolder.of(family, student.programs).missing(thoroughly=True) == []
