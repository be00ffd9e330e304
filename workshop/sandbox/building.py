"""Building the components from their pinned Go modules, into the user's cache.

Each family is built in a Go module of its own, generated here: it requires the pinned module, repeats its
replacements (a Go module's `replace` holds for that module alone) and starts from its go.sum, so that what
gets compiled is what the authors released. An interrupted build goes on with the next program. Two families
are built side by side where there is memory for it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workshop.sandbox.errors import SandboxError
from workshop.sandbox.golang import Go, lanes
from workshop.sandbox.locking import Lock
from workshop.sandbox.manifest import FILES, FamilyFolder, proves_itself
from workshop.sandbox.model import Family, Program
from workshop.sandbox.places import Cache
from workshop.sandbox.writing import write_atomically
from workshop.texts import Message, Text

Progress = Callable[[Message], None]
_REPLACE = re.compile(r"^\s*(?:replace\s+)?(\S+)(?:\s+v\S+)?\s+=>\s+(\S+)(?:\s+(v\S+))?", re.MULTILINE)
_GO = re.compile(r"^go (\d+(?:\.\d+)*)", re.MULTILINE)
_GODEBUG = re.compile(r"^godebug .*$", re.MULTILINE)
_FREE_GIGABYTES: Final = 10


@dataclass(frozen=True, slots=True)
class Module:
    """A downloaded Go module: its folder and the text of its go.mod."""

    folder: Path
    go_mod: str
    go_sum: str

    @property
    def go(self) -> str:
        """The Go version the module asks for, such as 1.26.6."""
        found = _GO.search(self.go_mod)
        return found[1] if found else "1.22"


def build(families: Iterable[Family], cache: Cache, progress: Progress) -> None:
    """Make whatever is missing or damaged of those families; return when all of it proved to work.

    Raises SandboxError with a remedy when Go is missing or too old, the disk is full, or a build fails.
    """
    wanted = tuple(families)
    with Lock(
        cache.root / "build.lock", on_wait=lambda: progress(Text("Another build is running; waiting."))
    ):
        folders = [FamilyFolder.of(family, cache.programs) for family in wanted]
        todo = [(folder, missing) for folder in folders if (missing := folder.missing(thoroughly=True))]
        if not todo:
            return
        go = Go.found()
        if any(set(missing) - {FILES} for _, missing in todo):
            _room_for_it(cache)
        _side_by_side(go, todo, cache, _one_at_a_time(progress))


def _side_by_side(
    go: Go, todo: list[tuple[FamilyFolder, list[str]]], cache: Cache, progress: Progress
) -> None:
    with ThreadPoolExecutor(lanes(), "build") as pool:
        families = [pool.submit(_build_family, go, *one, cache, progress) for one in todo]
        try:
            for family in as_completed(families):
                family.result()
        except BaseException:  # interrupted, or one has failed: the others would only make it wait
            for family in families:
                family.cancel()
            go.stop()
            raise


def _one_at_a_time(progress: Progress) -> Progress:
    guard = threading.Lock()

    def say(message: Message) -> None:
        with guard:
            progress(message)

    return say


def _build_family(go: Go, folder: FamilyFolder, missing: list[str], cache: Cache, progress: Progress) -> None:
    family = folder.family
    progress(Text("{module} {version}: fetching", module=family.module, version=family.version))
    module = _download(go, family, cache)
    go.require(module.go, family.module)
    if FILES in missing:
        _take_files(folder, module)
    programs = [program for program in family.programs if program.name in missing]
    if not programs:
        return
    workplace = cache.work / family.name
    workplace.mkdir(parents=True, exist_ok=True)
    write_atomically(workplace / "go.mod", go_mod(family, module).encode())
    write_atomically(workplace / "go.sum", module.go_sum.encode())
    _amend(go, family, workplace)
    for program in programs:
        _build_program(go, folder, program, workplace, progress)


def go_mod(family: Family, module: Module) -> str:
    """Return the go.mod in which a family is built.

    A replacement by a folder inside the module's repository (Kubernetes' staging modules) becomes the version
    published with it; folders outside are the authors' own arrangement and mean nothing here.
    """
    lines = [f"module techmarket-workshop/{family.name}", "", f"go {module.go}"]
    if godebug := _GODEBUG.search(module.go_mod):
        lines.append(godebug[0])
    lines += ["", f"require {family.module} {family.version}", ""]
    lines += [f"tool {'/'.join(filter(None, (family.module, p.package)))}" for p in family.programs]
    published = re.sub(r"^v\d+", "v0", family.version)
    for name, place, version in _REPLACE.findall(module.go_mod):
        if version:
            lines.append(f"replace {name} => {place} {version}")
        elif place.startswith("./staging/"):
            lines.append(f"replace {name} => {name} {published}")
    return "\n".join(lines) + "\n"


def _amend(go: Go, family: Family, workplace: Path) -> None:
    """Copy the modules in which lines are to be changed, change them, and have the copies compiled."""
    copies: dict[str, Path] = {}
    for one in family.amendments:
        if one.module not in copies:
            copies[one.module] = _copy_of(go, one.module, workplace)
        path = copies[one.module] / one.file
        source = path.read_text(encoding="utf-8")
        if source.count(one.written) != 1:
            raise SandboxError(
                Text("{file} of {module} is not what we know.", file=one.file, module=one.module),
                Text(
                    "This version of the workshop does not fit that version of {module}.", module=one.module
                ),
            )
        write_atomically(path, source.replace(one.written, one.instead).encode())
    lines = [f"replace {module} => ./{copy.relative_to(workplace)}" for module, copy in copies.items()]
    go_mod = workplace / "go.mod"
    write_atomically(go_mod, "\n".join([go_mod.read_text(encoding="utf-8"), *lines, ""]).encode())


def _copy_of(go: Go, module: str, workplace: Path) -> Path:
    problem = Text("{module} could not be fetched.", module=module)
    go.run(["mod", "download", module], workplace, problem)
    folder = go.run(["list", "-mod=mod", "-m", "-f", "{{.Dir}}", module], workplace, problem).strip()
    copy = workplace / "amended" / module.replace("/", "_")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    for path in (copy, *copy.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)  # the module cache is read-only, and so is a copy of it
    return copy


def _build_program(
    go: Go, folder: FamilyFolder, program: Program, workplace: Path, progress: Progress
) -> None:
    family = folder.family
    begin = time.monotonic()
    progress(Text("{program}: compiling", program=program.name))
    goal = folder.program(program.name)
    goal.parent.mkdir(parents=True, exist_ok=True)
    draft = goal.with_name(f".{goal.name}.{os.getpid()}")
    stamps = " ".join(f"-X {name}={value}" for name, value in family.stamps.items())
    package = "/".join(filter(None, (family.module, program.package)))
    try:
        go.run(
            ["build", "-mod=mod", "-trimpath", f"-ldflags=-s -w {stamps}", "-o", str(draft), package],
            workplace,
            Text("{program} could not be compiled.", program=program.name),
        )
        complaint = proves_itself(program, draft)
        if complaint is not None:
            raise SandboxError(
                Text("{program} was compiled but does not work here.", program=program.name),
                Text("Run “workshop sandbox build” again; if that does not help, use another version of Go."),
                tuple(complaint.splitlines()),
            )
        draft.replace(goal)
    finally:
        draft.unlink(missing_ok=True)
    folder.record(goal)
    seconds = round(time.monotonic() - begin)
    megabytes = goal.stat().st_size // 1_000_000
    progress(Text("{program}: done ({mb} MB, {s} s)", program=program.name, mb=megabytes, s=seconds))


def _take_files(folder: FamilyFolder, module: Module) -> None:
    shutil.rmtree(folder.files, ignore_errors=True)
    taken: list[Path] = []
    for goal, origin in folder.family.files.items():
        source = module.folder / origin
        documents = sorted(source.rglob("*.yaml")) if source.is_dir() else [source]
        for document in documents:
            below = document.relative_to(source) if source.is_dir() else Path(document.name)
            taken.append(folder.files / goal / below)
            write_atomically(taken[-1], document.read_bytes())
    folder.record_files(taken)


def _download(go: Go, family: Family, cache: Cache) -> Module:
    cache.work.mkdir(parents=True, exist_ok=True)
    printed = go.run(
        ["mod", "download", "-json", f"{family.module}@{family.version}"],
        cache.work,
        Text("{module} {version} could not be fetched.", module=family.module, version=family.version),
    )
    folder = Path(json.loads(printed)["Dir"])
    go_sum = folder / "go.sum"
    return Module(
        folder,
        (folder / "go.mod").read_text(encoding="utf-8"),
        go_sum.read_text(encoding="utf-8") if go_sum.exists() else "",
    )


def _room_for_it(cache: Cache) -> None:
    cache.root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache.root).free / 1e9
    if free < _FREE_GIGABYTES:
        raise SandboxError(
            Text(
                "Only {free} GB are free at {folder}; compiling everything takes up to {need} GB.",
                free=f"{free:.1f}",
                folder=str(cache.root),
                need=_FREE_GIGABYTES,
            ),
            Text("Make room, set WORKSHOP_CACHE to a folder on another disk, or use “--from FILE”."),
        )
