"""The folder of a family: what is in it, and whether it still is what was put there."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workshop.sandbox.model import Family, Program
from workshop.sandbox.places import target
from workshop.sandbox.writing import write_atomically

SCHEMA = "workshop.sandbox.family/v1"
FILES = "files"  # what `missing` calls the YAML documents; no program has this name
_PROOF_SECONDS = 60


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recipe(family: Family) -> str:
    """Return a short digest of how the programs of a family are made: another recipe, another folder."""
    made_of = [family.module, family.version, sorted(family.stamps.items())]
    made_of += [[one.module, one.file, one.instead] for one in family.amendments]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:8]


@dataclass(slots=True)
class FamilyFolder:
    """A family in the cache: `bin/`, `files/` and the manifest that says what belongs there.

    The manifest maps each relative path to its SHA-256, size and modification time (ns). A file that is
    not in it, or differs from it, was not finished or has been damaged.
    """

    family: Family
    root: Path
    _entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    _origins: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, family: Family, programs: Path) -> FamilyFolder:
        """Open the folder of a family below `programs`; nothing need exist yet."""
        folder = cls(family, programs / f"{family.name}-{family.version}-{recipe(family)}")
        folder._read()
        return folder

    @property
    def manifest(self) -> Path:
        """The file that says what belongs here."""
        return self.root / "manifest.json"

    @property
    def files(self) -> Path:
        """The YAML documents taken from the module."""
        return self.root / "files"

    def program(self, name: str) -> Path:
        """Return where that program is, or would be."""
        return self.root / "bin" / name

    def _read(self) -> None:
        try:
            found = json.loads(self.manifest.read_bytes())
            entries = found["entries"]
            if found["schema"] == SCHEMA and isinstance(entries, dict):
                self._entries = entries
                self._origins = dict(found["origins"])
        except (OSError, ValueError, KeyError, TypeError):
            self._entries = {}  # never written, or broken: everything in the folder is made again

    def record(self, *paths: Path) -> None:
        """Note files as finished, and write the manifest."""
        for path in paths:
            status = path.stat()
            self._entries[path.relative_to(self.root).as_posix()] = {
                "sha256": digest(path),
                "size": status.st_size,
                "mtime_ns": status.st_mtime_ns,
            }
        document = {
            "schema": SCHEMA,
            "family": self.family.name,
            "module": self.family.module,
            "version": self.family.version,
            "target": target(),
            "origins": self._origins,
            "entries": self._entries,
        }
        write_atomically(self.manifest, json.dumps(document, indent=1, sort_keys=True).encode())

    def record_files(self, paths: list[Path]) -> None:
        """Note the YAML documents as taken, all of them, from where the family says."""
        self._entries = {
            name: entry for name, entry in self._entries.items() if not name.startswith("files/")
        }
        self._origins = dict(self.family.files)
        self.record(*paths)

    def contents(self) -> dict[str, dict[str, Any]]:
        """Return every recorded file with its SHA-256 and size, by path below the folder."""
        return {
            name: {"sha256": entry["sha256"], "size": entry["size"]}
            for name, entry in sorted(self._entries.items())
        }

    def holds(self, path: Path, *, thoroughly: bool = False) -> bool:
        """Tell whether a file is what was recorded: by size and time, or by its content."""
        entry = self._entries.get(path.relative_to(self.root).as_posix())
        if entry is None:
            return False
        try:
            status = path.stat()
            if status.st_size != entry["size"]:
                return False
            if status.st_mtime_ns == entry["mtime_ns"] and not thoroughly:
                return True
            return digest(path) == str(entry["sha256"])
        except (OSError, KeyError):
            return False

    def recorded_files(self) -> Iterator[Path]:
        """Yield the recorded YAML documents, in order."""
        for name in sorted(self._entries):
            if name.startswith("files/"):
                yield self.root / name

    def missing(self, *, thoroughly: bool = False) -> list[str]:
        """Return what has to be made: names of programs, and "files" where documents are missing."""
        wanted = [
            program.name
            for program in self.family.programs
            if not self.holds(self.program(program.name), thoroughly=thoroughly)
        ]
        documents = list(self.recorded_files())
        if self._origins != dict(self.family.files) or not all(
            self.holds(path, thoroughly=thoroughly) for path in documents
        ):
            wanted.append(FILES)
        return wanted


def proves_itself(program: Program, path: Path) -> str | None:
    """Run a program's proof; return None when it is what it should be, else the end of what it printed."""
    try:
        done = subprocess.run(  # noqa: S603 (a program we built, or one the user put on PATH)
            [path, *program.proof],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROOF_SECONDS,
            cwd="/",
            check=False,
        )
    except OSError as error:
        return str(error)
    except subprocess.TimeoutExpired:
        return f"{program.name} {' '.join(program.proof)}: no end after {_PROOF_SECONDS} s"
    printed = (done.stdout + done.stderr).decode(errors="replace")
    # Help of some programs ends with a failure's exit status: what counts is what it says.
    return None if program.expects in printed else printed[-400:].strip()
