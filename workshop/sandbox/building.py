"""Building the components from their pinned Go modules, into the user's cache.

Each family is built in a Go module of its own, generated here: it requires the pinned module, repeats its
replacements (a Go module's `replace` holds for that module alone) and starts from its go.sum, so that what
gets compiled is what the authors released. An interrupted build goes on with the next program.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workshop.sandbox.errors import SandboxError
from workshop.sandbox.locking import Lock
from workshop.sandbox.manifest import FILES, FamilyFolder, proves_itself, write_atomically
from workshop.sandbox.model import Family, Program
from workshop.sandbox.places import Cache
from workshop.texts import Message, Text

Progress = Callable[[Message], None]
_REPLACE = re.compile(r"^\s*(?:replace\s+)?(\S+)(?:\s+v\S+)?\s+=>\s+(\S+)(?:\s+(v\S+))?", re.MULTILINE)
_GO = re.compile(r"^go (\d+(?:\.\d+)*)", re.MULTILINE)
_GODEBUG = re.compile(r"^godebug .*$", re.MULTILINE)
_FREE_GIGABYTES: Final = 10
_LAST_LINES: Final = 12


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
        go = _go()
        _room_for_it(cache)
        for folder, missing in todo:
            _build_family(go, folder, missing, cache, progress)


def _build_family(
    go: str, folder: FamilyFolder, missing: list[str], cache: Cache, progress: Progress
) -> None:
    family = folder.family
    progress(Text("{module} {version}: fetching", module=family.module, version=family.version))
    module = _download(go, family, cache)
    _new_enough(go, module, family)
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


def _amend(go: str, family: Family, workplace: Path) -> None:
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


def _copy_of(go: str, module: str, workplace: Path) -> Path:
    problem = Text("{module} could not be fetched.", module=module)
    _run([go, "mod", "download", module], workplace, problem)
    folder = _run([go, "list", "-mod=mod", "-m", "-f", "{{.Dir}}", module], workplace, problem).strip()
    copy = workplace / "amended" / module.replace("/", "_")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    for path in (copy, *copy.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)  # the module cache is read-only, and so is a copy of it
    return copy


def _build_program(
    go: str, folder: FamilyFolder, program: Program, workplace: Path, progress: Progress
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
        _run(
            [go, "build", "-mod=mod", "-trimpath", f"-ldflags=-s -w {stamps}", "-o", str(draft), package],
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


def _download(go: str, family: Family, cache: Cache) -> Module:
    cache.work.mkdir(parents=True, exist_ok=True)
    printed = _run(
        [go, "mod", "download", "-json", f"{family.module}@{family.version}"],
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


def _go() -> str:
    go = shutil.which("go")
    if go is None:
        raise SandboxError(
            Text("The programs of the sandbox are not here, and neither is Go to build them with."),
            Text(
                "Ask your instructor for an archive and run “workshop sandbox build --from FILE”, "
                "or install Go (https://go.dev/doc/install) and run “workshop sandbox build”."
            ),
        )
    return go


def _new_enough(go: str, module: Module, family: Family) -> None:
    printed = _run([go, "env", "GOVERSION", "GOTOOLCHAIN"], Path("/"), Text("Go does not answer."))
    version, _, toolchain = printed.partition("\n")
    if toolchain.strip() != "local":
        return  # Go fetches the toolchain a module asks for by itself
    have = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    need = tuple(int(number) for number in module.go.split("."))
    if have < need:
        raise SandboxError(
            Text(
                "{module} needs Go {need} or newer; this is {have}.",
                module=family.module,
                need=module.go,
                have=version.removeprefix("go").strip(),
            ),
            Text(
                "Install a newer Go, allow it to fetch one itself (GOTOOLCHAIN=auto), or use an archive: "
                "“workshop sandbox build --from FILE”."
            ),
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


def _run(command: list[str], folder: Path, problem: Text) -> str:
    # Kindly: a build in the background must not make the machine unusable. GOFLAGS of the user would be
    # added to ours, so the ones that break a generated module are replaced.
    flags = os.environ.get("WORKSHOP_BUILD_GOFLAGS", "-p=2")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": f"{flags} -buildvcs=false"}
    nice = shutil.which("nice")
    kindly = [nice, "-n", "10"] if nice else []
    done = subprocess.run(  # noqa: S603 (the Go command, our own arguments)
        [*kindly, *command], cwd=folder, env=environment, capture_output=True, check=False
    )
    if done.returncode == 0:
        return done.stdout.decode(errors="replace")
    lines = tuple(done.stderr.decode(errors="replace").strip().splitlines()[-_LAST_LINES:])
    said = "\n".join(lines).lower()
    if "no space left" in said:
        remedy = Text("The disk is full: make room or set WORKSHOP_CACHE and GOCACHE to another disk.")
    elif any(sign in said for sign in ("dial tcp", "timeout", "no such host", "403", "connection refused")):
        remedy = Text(
            "Go could not reach its module proxy: check the network and GOPROXY, then run it again."
        )
    else:
        remedy = Text(
            "Run it again; what is finished is kept. An archive (“--from FILE”) needs no Go at all."
        )
    raise SandboxError(problem, remedy, lines)
