"""Finding the programs: KUBEBUILDER_ASSETS, PATH, the user's cache – in this order."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from workshop.sandbox.manifest import FILES, FamilyFolder, proves_itself
from workshop.sandbox.model import Family, Part, Program
from workshop.sandbox.places import Cache
from workshop.sandbox.writing import write_atomically


class Origin(StrEnum):
    """Where a program was found."""

    ASSETS = "KUBEBUILDER_ASSETS"
    PATH = "PATH"
    CACHE = "cache"


@dataclass(frozen=True, slots=True)
class Found:
    """A program, and where it was found."""

    name: str
    path: Path
    origin: Origin


@dataclass(frozen=True, slots=True)
class Inventory:
    """What there is of some parts: programs by name, and the families something is missing of."""

    programs: dict[str, Found]
    missing: tuple[Family, ...]


def take_stock(parts: Iterable[Part], cache: Cache) -> Inventory:
    """Look for the programs and files those parts cannot do without."""
    chosen = tuple(parts)
    wanted = {name for part in chosen for name in part.programs}
    programs: dict[str, Found] = {}
    missing: list[Family] = []
    proofs = _Proofs(cache)
    for family in dict.fromkeys(family for part in chosen for family in part.families):
        folder = FamilyFolder.of(family, cache.programs)
        absent = set(folder.missing()) & {*wanted, FILES}
        for program in family.programs:
            brought = next(_brought(program, proofs), None)
            if brought is not None:
                programs[program.name] = brought
                absent.discard(program.name)
            elif program.name in wanted - absent:
                programs[program.name] = Found(program.name, folder.program(program.name), Origin.CACHE)
        if absent:
            missing.append(family)
    proofs.save()
    return Inventory(programs, tuple(missing))


def _brought(program: Program, proofs: _Proofs) -> Iterator[Found]:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    for name in program.also_named:
        if assets and proofs.holds(program, path := Path(assets, name)):
            yield Found(program.name, path, Origin.ASSETS)
    for name in program.also_named:
        on_path = shutil.which(name)
        if on_path and proofs.holds(program, Path(on_path)):
            yield Found(program.name, Path(on_path), Origin.PATH)


class _Proofs:
    """Remembers which of the programs people brought proved to be what we need, until they change."""

    def __init__(self, cache: Cache) -> None:
        self._path = cache.root / "proofs.json"
        self._changed = False
        try:
            known = json.loads(self._path.read_bytes())
            self._known: dict[str, bool] = known if isinstance(known, dict) else {}
        except (OSError, ValueError):
            self._known = {}

    def holds(self, program: Program, path: Path) -> bool:
        """Tell whether that file is the program we want, in a version we want."""
        try:
            status = path.stat()
        except OSError:
            return False
        if not os.access(path, os.X_OK):
            return False
        key = f"{path}|{status.st_size}|{status.st_mtime_ns}|{program.expects}"
        if key not in self._known:
            self._known[key] = proves_itself(program, path) is None
            self._changed = True
        return self._known[key]

    def save(self) -> None:
        """Write down what was learnt; a cache that cannot be written costs time only."""
        if not self._changed:
            return
        try:
            write_atomically(self._path, json.dumps(self._known).encode())
        except OSError:
            return
