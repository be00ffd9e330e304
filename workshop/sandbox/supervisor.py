"""The process that owns a sandbox: starts its components, watches them, ends with them.

Run as `python -m workshop.sandbox.supervisor`. It holds the lock of the sandbox's folder as long as it lives;
when it is killed, the kernel kills the components (Linux) or the next start does. Nothing here is printed:
whoever wants to know reads the journal.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Final

from workshop.sandbox import definitions, pristine
from workshop.sandbox.client import ApiError
from workshop.sandbox.components import selected
from workshop.sandbox.errors import SandboxError
from workshop.sandbox.finding import take_stock
from workshop.sandbox.fleet import ComponentEndedError, Fleet, Interrupted
from workshop.sandbox.journal import Journal
from workshop.sandbox.locking import Lock
from workshop.sandbox.model import Part
from workshop.sandbox.places import Cache, Home
from workshop.sandbox.prepared import Prepared, fingerprint
from workshop.sandbox.records import Record
from workshop.sandbox.running import Running
from workshop.sandbox.store import StoreError
from workshop.texts import Text

_PORT_ATTEMPTS: Final = 3
_WATCH_SECONDS: Final = 0.2
_TEND_SECONDS: Final = 1.0
_QUIET_SECONDS: Final = 1.0
_QUIET_AT_MOST: Final = 20.0
_SERVED_AT_MOST: Final = 120.0
ALREADY_RUNNING: Final = 4


class Supervisor:
    """Brings one sandbox up and keeps it."""

    def __init__(self, home: Home, parts: tuple[Part, ...], idle_seconds: float) -> None:
        self._home = home
        self._cache = Cache.of_user()
        self._record = replace(Record.read(home), idle_seconds=idle_seconds)
        # What is installed in the data stays part of the sandbox: its webhooks would answer to nobody.
        self._parts = selected({*(part.name for part in parts), *self._record.installed})
        self._idle_seconds = idle_seconds
        self._journal = Journal(home.journal)
        self._fleet = Fleet(home, self._journal)

    def run(self) -> int:
        """Bring the sandbox up and keep it until it is ended, idle, or beyond help."""
        signal.signal(signal.SIGTERM, self._interrupt)
        signal.signal(signal.SIGINT, self._interrupt)
        try:
            self._bring_up()
            self._watch()
        except Interrupted:
            self._journal.write("down", Text("The sandbox has been ended."))
        except SandboxError as error:
            self._journal.fail(error)
            return 1
        except OSError as error:
            self._journal.fail(_explain(error, self._home.root))
            return 1
        except (ApiError, StoreError) as error:
            self._journal.fail(SandboxError(Text("The control plane refused: {error}", error=str(error))))
            return 1
        finally:
            self._fleet.stop()
        return 0

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._fleet.interrupted = True

    def _bring_up(self) -> None:
        self._fleet.clean_up()
        inventory = take_stock(self._parts_to_prepare(), self._cache)
        if inventory.missing:
            names = ", ".join(family.name for family in inventory.missing)
            raise SandboxError(
                Text("Programs of the sandbox are missing: {names}.", names=names),
                Text("Run “workshop sandbox build”."),
            )
        programs = {found.name: found.path for found in inventory.programs.values()}
        made_of = fingerprint(self._parts, programs)
        prepared = Prepared(self._cache, made_of)
        fresh = not self._home.data.is_dir()
        if fresh:
            self._provide_data(prepared, programs)
        try:
            if not fresh and self._to_install(self._parts, installing=True):
                # What was recorded lacks the parts that are added now: a reset begins with prepared data.
                self._home.pristine.unlink(missing_ok=True)
            running = self._start_with_free_ports(programs, self._parts, installing=not fresh)
        except ComponentEndedError as ended:
            if fresh or ended.component != "etcd":
                raise
            # What etcd cannot open any more (a power cut) nobody can: put aside, and begin anew.
            aside = self._home.data.with_name("etcd.damaged")
            self._journal.write(
                "step", Text("The data is damaged; it is kept as {folder}.", folder=str(aside))
            )
            _replace(self._home.data, aside)
            self._record = self._record.without_data()
            self._fleet.stop()
            fresh = True
            self._provide_data(prepared, programs)
            running = self._start_with_free_ports(programs, self._parts, installing=False)
        if fresh:
            pristine.record(running.store, self._home.pristine)
        running.write_kubeconfig(self._home.kubeconfig, "admin")
        self._journal.write("up", Text("The sandbox is up."))

    def _provide_data(self, prepared: Prepared, programs: dict[str, Path]) -> None:
        waiting = Text("Another sandbox is preparing the same data; waiting.")
        with Lock(prepared.lock, on_wait=lambda: self._journal.write("step", waiting)):
            if not prepared.exists():
                self._prepare(prepared, programs)
        prepared.give(self._home.data)
        self._record = self._record.with_data(part.name for part in self._parts)
        self._record.write(self._home)

    def _prepare(self, prepared: Prepared, programs: dict[str, Path]) -> None:
        self._journal.write("step", Text("Preparing data (once for this choice of parts)"))
        try:
            running = self._start_with_free_ports(programs, self._parts_to_prepare(), installing=True)
            self._wait_for_quiet(running)
            self._fleet.stop()
            self._journal.write("step", Text("The data is prepared; starting from it"))
            prepared.keep(self._home.data)
        finally:
            # Half-prepared data must not be taken for a student's at the next start.
            self._fleet.stop()
            _remove(self._home.data)

    def _wait_for_quiet(self, running: Running) -> None:
        """Wait until controllers have made what they make of a new cluster (accounts, roles, addresses).

        Definitions that the API server does not serve by then would stay so: it takes its time, once, with
        those that are new to it. Raises SandboxError.
        """
        begin = changed = time.monotonic()
        last: list[tuple[bytes, int]] = []
        while time.monotonic() - changed < _QUIET_SECONDS and time.monotonic() - begin < _QUIET_AT_MOST:
            now = pristine.state(running.store)
            if now != last:
                last, changed = now, time.monotonic()
            self._fleet.pause(0.1)
        while unserved := definitions.unserved(running.api):
            if time.monotonic() - begin > _SERVED_AT_MOST:
                names = ", ".join(unserved)
                raise SandboxError(
                    Text("The API server does not serve what was installed: {names}", names=names)
                )
            self._fleet.pause(0.5)

    def _parts_to_prepare(self) -> tuple[Part, ...]:
        also = (name for part in self._parts for name in part.prepared_with)
        return selected({*(part.name for part in self._parts), *also})

    def _start_with_free_ports(
        self, programs: dict[str, Path], parts: tuple[Part, ...], *, installing: bool
    ) -> Running:
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            running = self._fleet.outfit(parts, self._cache, programs, self._record.ports)
            self._record = self._record.with_ports(running.ports)
            self._record.write(self._home)
            try:
                self._fleet.start(running, install=self._to_install(parts, installing))
            except ComponentEndedError as ended:
                if not ended.port_was_taken or attempt == _PORT_ATTEMPTS:
                    raise
                self._journal.write("step", Text("A port was taken by somebody else; choosing others"))
                self._fleet.stop()
                self._record = self._record.with_ports({})
            else:
                if installing:
                    self._record = self._record.with_data(part.name for part in parts)
                    self._record.write(self._home)
                return running
        raise AssertionError("unreachable")

    def _to_install(self, parts: tuple[Part, ...], installing: bool) -> tuple[str, ...]:
        if not installing:
            return ()
        return tuple(part.name for part in parts if part.name not in self._record.installed)

    def _watch(self) -> None:
        tended = time.monotonic()
        while True:
            self._fleet.pause(_WATCH_SECONDS)
            self._fleet.mend()
            if time.monotonic() - tended > _TEND_SECONDS:
                self._fleet.tend()
                tended = time.monotonic()
            if self._idle_seconds and _unused_for(self._home.used) > self._idle_seconds:
                self._journal.write("down", Text("The sandbox was idle and has ended itself."))
                return


def _unused_for(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _replace(folder: Path, goal: Path) -> None:
    _remove(goal)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(goal)


def _explain(error: OSError, folder: Path) -> SandboxError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SandboxError(
            Text("The disk that holds {folder} is full.", folder=str(folder)),
            Text("Make room, or set WORKSHOP_STATE to a folder on another disk."),
        )
    return SandboxError(Text("The sandbox could not write or start something: {error}", error=str(error)))


def main(arguments: list[str]) -> int:
    """Run a supervisor; return 4 when another one holds the sandbox."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--parts", required=True)
    parser.add_argument("--idle", type=float, default=0.0)
    chosen = parser.parse_args(arguments)
    home = Home.named(chosen.name)
    home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.root.chmod(0o700)
    lock = Lock(home.lock)
    if not lock.try_acquire():
        return ALREADY_RUNNING
    try:
        return Supervisor(home, selected(chosen.parts.split(",")), chosen.idle).run()
    finally:
        lock.release()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
