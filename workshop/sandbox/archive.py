"""Programs in one file: an instructor builds once and hands the archive to the class.

The archive is a compressed tar whose first member says what follows: platform, families, and the size and
SHA-256 of every file. On the way in nothing else is read: a member that is not announced, or is not what was
announced, ends it, and nothing is in place before all of a family has been checked.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any, Final

from workshop.sandbox.errors import SandboxError
from workshop.sandbox.locking import Lock
from workshop.sandbox.manifest import FamilyFolder, digest, proves_itself
from workshop.sandbox.model import Family
from workshop.sandbox.places import Cache, target
from workshop.texts import Message, Text

Progress = Callable[[Message], None]
_SCHEMA: Final = "workshop.sandbox.archive/v1"
_INDEX: Final = "techmarket-sandbox.json"
_INDEX_BYTES: Final = 4_000_000
_CHUNK: Final = 1 << 20


def export(families: Iterable[Family], cache: Cache, goal: Path, progress: Progress) -> str:
    """Write the families into one file and return its SHA-256. Everything must have been built.

    Raises SandboxError when the file cannot be written.
    """
    folders = [FamilyFolder.of(family, cache.programs) for family in families]
    index = {
        "schema": _SCHEMA,
        "target": target(),
        "families": {folder.root.name: folder.contents() for folder in folders},
    }
    draft = goal.with_name(f".{goal.name}.{os.getpid()}")
    try:
        with tarfile.open(draft, "w:gz", compresslevel=6) as archive:
            _add(archive, _INDEX, json.dumps(index).encode())
            for folder in folders:
                progress(Text("Packing {family}", family=folder.family.name))
                for name in folder.contents():
                    archive.add(folder.root / name, f"{folder.root.name}/{name}", filter=_anonymous)
        draft.replace(goal)
    except OSError as error:
        raise SandboxError(
            Text("{file} cannot be written: {error}", file=str(goal), error=str(error)),
            Text("Choose another place with enough room."),
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return digest(goal)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    # Who built it, and when, is nobody's business, and the same content makes the same archive.
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def take(source: Path, families: Iterable[Family], cache: Cache, progress: Progress) -> None:
    """Put the programs of an archive in place, those of the given families; what it lacks stays missing.

    Raises SandboxError when it is damaged, not an archive, or made for another platform or version.
    """
    known = {
        folder.root.name: folder for folder in (FamilyFolder.of(one, cache.programs) for one in families)
    }
    landing = cache.root / "landing"
    with Lock(cache.root / "build.lock", on_wait=lambda: progress(Text("A build is running; waiting."))):
        shutil.rmtree(landing, ignore_errors=True)
        try:
            index = _unpack(source, landing, set(known))
            for name in index:
                progress(Text("Checking {family}", family=known[name].family.name))
                _put_in_place(known[name], landing / name)
        except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(source, str(error)) from error
        finally:
            shutil.rmtree(landing, ignore_errors=True)


def _unpack(source: Path, landing: Path, known: set[str]) -> list[str]:
    with tarfile.open(source, "r|gz") as archive:
        index = _read_index(source, archive)
        if index["target"] != target():
            raise SandboxError(
                Text(
                    "This archive is for {theirs}; this machine is {ours}.",
                    theirs=index["target"],
                    ours=target(),
                ),
                Text("Ask for an archive made on a machine like this one, or build with Go."),
            )
        announced: dict[str, dict[str, Any]] = {
            f"{family}/{name}": entry
            for family, names in index["families"].items()
            for name, entry in names.items()
        }
        wanted = known & set(index["families"])
        if not wanted:
            raise SandboxError(
                Text("This archive was made by another version of the workshop."),
                Text("Ask for one made with yours, or build with Go."),
            )
        while (member := archive.next()) is not None:
            entry = announced.pop(member.name, None)
            content = archive.extractfile(member) if member.isfile() and entry is not None else None
            if entry is None or content is None or member.size != entry["size"]:
                raise _damaged(source, f"unexpected {member.name!r}")
            if member.name.split("/")[0] in wanted:
                _write_checked(source, content, landing, member.name, str(entry["sha256"]))
        if announced:
            raise _damaged(source, f"{min(announced)} is missing")
    return sorted(wanted)


def _read_index(source: Path, archive: tarfile.TarFile) -> dict[str, Any]:
    first = archive.next()
    content = archive.extractfile(first) if first is not None and first.isfile() else None
    if first is None or content is None or first.name != _INDEX or first.size > _INDEX_BYTES:
        raise _damaged(source, "its first member is not the index")
    index: dict[str, Any] = json.loads(content.read())
    if index["schema"] != _SCHEMA:
        raise _damaged(source, f"schema {index['schema']!r}")
    for family, names in index["families"].items():
        for name in (family, *names):
            # Announced by the same stranger who packed it: a name that leads elsewhere is no name.
            if name.startswith("/") or "\\" in name or not {"", ".", ".."}.isdisjoint(name.split("/")):
                raise _damaged(source, f"unexpected {name!r}")
    return index


def _write_checked(source: Path, content: IO[bytes], landing: Path, name: str, expected: str) -> None:
    path = landing / name
    path.parent.mkdir(parents=True, exist_ok=True)
    found = hashlib.sha256()
    with path.open("xb") as file:
        while chunk := content.read(_CHUNK):
            found.update(chunk)
            file.write(chunk)
    if found.hexdigest() != expected:
        raise _damaged(source, f"{name} is not what it should be")


def _put_in_place(folder: FamilyFolder, landed: Path) -> None:
    for program in folder.family.programs:
        path = landed / "bin" / program.name
        path.chmod(0o755)
        complaint = proves_itself(program, path)
        if complaint is not None:
            raise SandboxError(
                Text("{program} of this archive does not work here.", program=program.name),
                Text("Ask for an archive made on a machine like this one, or build with Go."),
                tuple(complaint.splitlines()),
            )
    shutil.rmtree(folder.root, ignore_errors=True)
    folder.root.parent.mkdir(parents=True, exist_ok=True)
    landed.rename(folder.root)
    folder.record(*(folder.program(program.name) for program in folder.family.programs))
    folder.record_files(sorted(path for path in folder.files.rglob("*") if path.is_file()))


def _damaged(source: Path, detail: str) -> SandboxError:
    return SandboxError(
        Text(
            "{file} is no archive of the sandbox, or is damaged ({detail}).", file=source.name, detail=detail
        ),
        Text("Fetch it again and compare its SHA-256 with the one your instructor has."),
    )
