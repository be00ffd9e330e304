"""The sandbox as others use it: the command line, the checker, the fixtures of the tests."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workshop.sandbox import journal, processes
from workshop.sandbox.building import build
from workshop.sandbox.components import CORE, selected
from workshop.sandbox.errors import SandboxError
from workshop.sandbox.finding import take_stock
from workshop.sandbox.locking import Lock
from workshop.sandbox.places import Cache, Home
from workshop.sandbox.records import SUPERVISOR, ProcessRecord, Record, read_processes
from workshop.texts import Message, Text

if TYPE_CHECKING:
    from workshop.sandbox.client import Api
    from workshop.sandbox.pristine import Pristine

Progress = Callable[[Message], None]
_POLL_SECONDS: Final = 0.03
_DOWN_SECONDS: Final = 15.0
# etcd sets 64 MB aside for its log at once; the rest is what a lab writes, several times over.
_ROOM_BYTES: Final = 300_000_000
DEFAULT_NAME: Final = "default"


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """A process: its id, whether it runs, its resident memory in bytes."""

    name: str
    pid: int
    alive: bool
    resident: int


@dataclass(frozen=True, slots=True)
class Status:
    """What a sandbox is doing. `deaths` are messages about components that ended since it came up."""

    name: str
    running: bool
    up: bool
    parts: tuple[str, ...]
    components: tuple[ComponentStatus, ...]
    kubeconfig: Path
    deaths: tuple[Message, ...]

    @property
    def resident(self) -> int:
        """Resident memory of all processes, in bytes."""
        return sum(one.resident for one in self.components)


def _silent(_message: Message) -> None:
    return


class Sandbox:
    """One control plane, by name. Making this object starts nothing."""

    def __init__(self, name: str = DEFAULT_NAME) -> None:
        self.home = Home.named(name)
        self._api: tuple[tuple[int, bytes, str], Api] | None = None
        self._pristine: tuple[int, Pristine] | None = None

    @property
    def name(self) -> str:
        """The name it was given."""
        return self.home.name

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of its owner; its one context is `techmarket-sandbox`."""
        return self.home.kubeconfig

    @classmethod
    def up(
        cls,
        name: str = DEFAULT_NAME,
        with_: Iterable[str] = (),
        *,
        core: Iterable[str] = CORE,
        idle_seconds: float = 0.0,
        build_missing: bool = True,
        progress: Progress = _silent,
    ) -> Sandbox:
        """Bring a sandbox up, or take it as it is when it is up already; return when it can judge.

        `core` and `with_` name parts. It ends itself when nobody used it for `idle_seconds` (0: never).
        Missing programs are built unless told otherwise. Raises SandboxError.
        """
        sandbox = cls(name)
        wanted = tuple(part.name for part in selected((*core, *with_)))
        sandbox.touch()
        with Lock(sandbox.home.root / "start.lock"):  # of two who start the same one, one does
            supervisor = sandbox._begin(wanted, idle_seconds, build_missing, progress)
        sandbox._follow(supervisor, progress)
        return sandbox

    def _begin(
        self, wanted: tuple[str, ...], idle_seconds: float, build_missing: bool, progress: Progress
    ) -> subprocess.Popen[bytes] | None:
        status = self.status()
        if status.running:
            complete = set(wanted) <= set(self._parts_running())
            if complete and not any(entry.kind == "lost" for entry in journal.read(self.home.journal)[0]):
                return None  # what has ended its supervisor starts again
            if not complete:
                progress(Text("The sandbox is up without all of these parts; starting it again."))
            self.down()
        _provide(wanted, build_missing=build_missing, progress=progress)
        _enough_memory(wanted)
        _enough_room(self.home.root)
        return self._start(wanted, idle_seconds)

    def _start(self, parts: tuple[str, ...], idle_seconds: float) -> subprocess.Popen[bytes]:
        """Start a supervisor; return once it has begun its journal, or has ended."""
        with contextlib.suppress(FileNotFoundError):
            self.home.journal.unlink()
        command = [sys.executable, "-P", "-m", "workshop.sandbox.supervisor", "--name", self.name]
        command += ["--parts", ",".join(parts), "--idle", str(idle_seconds)]
        errors = os.open(self.home.root / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        package = str(Path(__file__).resolve().parents[2])
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([package, os.environ.get("PYTHONPATH", "")]),
        }
        try:
            supervisor = subprocess.Popen(  # noqa: S603 (ourselves)
                command,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                cwd="/",
                env=environment,
                start_new_session=True,
            )
        finally:
            os.close(errors)
        while not self.home.journal.exists() and supervisor.poll() is None:
            time.sleep(_POLL_SECONDS)
        return supervisor

    def _follow(self, supervisor: subprocess.Popen[bytes] | None, progress: Progress) -> None:
        """Report what the journal says until everything is ready. Raises SandboxError."""
        try:
            self._read_along(supervisor, progress)
        except BaseException:
            if supervisor is not None:
                # Given up (Ctrl-C) or failed: nothing stays behind.
                with contextlib.suppress(OSError):
                    supervisor.terminate()
                supervisor.wait()
            raise

    def _read_along(self, supervisor: subprocess.Popen[bytes] | None, progress: Progress) -> None:
        offset, seen_up, unready = 0, False, set[str]()
        while True:
            entries, offset = journal.read(self.home.journal, offset)
            for entry in entries:
                if entry.kind in ("failed", "down"):
                    raise SandboxError(entry.text, entry.remedy, entry.details)
                if supervisor is not None:
                    progress(Text("{seconds} s  {text}", seconds=f"{entry.seconds:5.1f}", text=entry.text))
                seen_up = seen_up or entry.kind == "up"
                if entry.kind == "died":
                    unready.add(entry.component)
                if entry.kind == "ready":
                    unready.discard(entry.component)
            if entries:
                continue
            if seen_up and not unready and self._answers():
                return
            if supervisor.poll() is not None if supervisor else not self._held():
                if journal.read(self.home.journal, offset)[0]:
                    continue
                raise SandboxError(
                    Text("The sandbox's supervisor has ended without a word."),
                    Text("See {file}.", file=str(self.home.root / "supervisor.log")),
                    _tail(self.home.root / "supervisor.log"),
                )
            time.sleep(_POLL_SECONDS)

    def api(self) -> Api:
        """Return a client of its API server, as its owner. Raises SandboxError when it is not running."""
        from workshop.sandbox.client import Api
        from workshop.sandbox.credentials import ADMIN

        try:
            authority = (self.home.secrets / "apiserver" / "apiserver.crt").read_bytes()
            token = json.loads((self.home.secrets / "tokens.json").read_bytes())[ADMIN]
            port = Record.read(self.home).ports["kube-apiserver"]
        except (OSError, ValueError, KeyError) as error:
            raise SandboxError(
                Text("The sandbox “{name}” is not running.", name=self.name),
                Text("Bring it up: “workshop sandbox up”."),
            ) from error
        how = (port, authority, token)
        if self._api is None or self._api[0] != how:
            self._api = (how, Api(*how))  # a connection and what kinds there are outlive many questions
        return self._api[1]

    def _answers(self) -> bool:
        try:
            return self.api().answers("/readyz")
        except SandboxError:
            return False

    def touch(self) -> None:
        """Say that somebody uses the sandbox: idleness counts from now."""
        self.home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.home.used.touch(mode=0o600)

    def status(self) -> Status:
        """Look what it is doing. Nothing is started, nothing waits."""
        running = self._held()
        recorded = read_processes(self.home)
        components = tuple(_component_status(one) for one in recorded) if running else ()
        entries = journal.read(self.home.journal)[0] if running else []
        return Status(
            self.name,
            running,
            running and any(entry.kind == "up" for entry in entries),
            self._parts_running() if running else Record.read(self.home).installed,
            components,
            self.kubeconfig,
            tuple(entry.text for entry in entries if entry.kind in ("died", "lost")),
        )

    def _held(self) -> bool:
        if not self.home.lock.exists():
            return False
        lock = Lock(self.home.lock)
        if lock.try_acquire():
            lock.release()
            return False
        return True

    def _parts_running(self) -> tuple[str, ...]:
        return Record.read(self.home).installed

    def down(self) -> None:
        """End it. Returns when nothing of it runs; what is in etcd stays for the next start."""
        deadline = time.monotonic() + _DOWN_SECONDS
        while self._held() and not self._supervisor() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)  # it has only just begun and not said yet who it is
        # The supervisor stops the others in good order; whoever is left then is killed.
        processes.end(self._supervisor(), patience=_DOWN_SECONDS)
        processes.end((one.pid, one.start_time) for one in read_processes(self.home))

    def _supervisor(self) -> list[tuple[int, str]]:
        return [
            (one.pid, one.start_time)
            for one in read_processes(self.home)
            if one.component == SUPERVISOR and processes.start_time(one.pid) == one.start_time
        ]

    def reset(self, progress: Progress = _silent) -> None:
        """Bring it back to pristine: as it was when it came up for the first time. Raises SandboxError.

        A running sandbox keeps running; one that is down begins anew at its next start.
        """
        self.touch()
        if self.status().up and self.home.pristine.exists() and self._restore():
            return
        record = Record.read(self.home)
        was_running = self.status().running
        self.down()
        shutil.rmtree(self.home.data, ignore_errors=True)
        self.home.pristine.unlink(missing_ok=True)
        if was_running:
            with Lock(self.home.root / "start.lock"):
                supervisor = self._start(record.installed, record.idle_seconds)
            self._follow(supervisor, progress)

    def _restore(self) -> bool:
        from workshop.sandbox.pristine import Pristine
        from workshop.sandbox.store import Store, StoreError

        path = self.home.pristine
        try:
            if self._pristine is None or self._pristine[0] != path.stat().st_mtime_ns:
                owned = [begin for part in selected(self._parts_running()) for begin in part.owned]
                self._pristine = (path.stat().st_mtime_ns, Pristine(path, owned))
            _, pristine = self._pristine
            done = pristine.restore(Store(self.home.root / "run" / "etcd" / "g:0"))
            self._pristine = (path.stat().st_mtime_ns, pristine)  # it may have written what it has learnt
        except (StoreError, OSError, ValueError):
            return False
        return done

    def logs(self, component: str) -> Path:
        """Return the log file of a component. Raises SandboxError when there is none."""
        path = self.home.logs / f"{component}.log"
        if component not in self.log_names():
            names = ", ".join(self.log_names()) or "–"
            raise SandboxError(
                Text("There is no log of “{component}”.", component=component),
                Text("There are logs of: {names}.", names=names),
            )
        return path

    def program(self, name: str) -> Path | None:
        """Return where a program of the sandbox is, None when it is not there."""
        found = take_stock(selected(CORE), Cache.of_user()).programs.get(name)
        return None if found is None else found.path

    def log_names(self) -> list[str]:
        """Return the components that have a log."""
        return sorted(path.stem for path in self.home.logs.glob("*.log"))


def provide(parts: Iterable[str], *, progress: Progress = _silent) -> None:
    """Make sure that the programs of those parts are there, building what is missing. Raises SandboxError."""
    _provide(tuple(parts), build_missing=True, progress=progress)


def _provide(parts: tuple[str, ...], *, build_missing: bool, progress: Progress) -> None:
    cache = Cache.of_user()
    missing = take_stock(selected(parts), cache).missing
    if not missing:
        return
    if not build_missing:
        names = ", ".join(family.name for family in missing)
        raise SandboxError(
            Text("Programs of the sandbox are missing: {names}.", names=names),
            Text("Run “workshop sandbox build”, or “workshop sandbox build --from FILE”."),
        )
    progress(Text("Building what is missing, once; this takes several minutes."))
    build(missing, cache, progress)


def _enough_memory(parts: tuple[str, ...]) -> None:
    available = processes.available_bytes()
    need = sum(part.megabytes for part in selected(parts))
    if available is not None and available < need * 1_000_000:
        raise SandboxError(
            Text(
                "{have} MB of memory are free; this sandbox takes about {need} MB.",
                have=available // 1_000_000,
                need=need,
            ),
            Text("Close other programs, or leave out parts (“--with”)."),
        )


def _enough_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _ROOM_BYTES:
        raise SandboxError(
            Text(
                "{have} MB are free on the disk that holds {folder}; a sandbox takes {need} MB.",
                have=free // 1_000_000,
                folder=str(folder),
                need=_ROOM_BYTES // 1_000_000,
            ),
            Text("Make room, or set WORKSHOP_STATE to a folder on another disk."),
        )


def _component_status(one: ProcessRecord) -> ComponentStatus:
    alive = processes.start_time(one.pid) == one.start_time
    return ComponentStatus(one.component, one.pid, alive, processes.resident_bytes(one.pid) if alive else 0)


def _tail(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])
    except OSError:
        return ()
