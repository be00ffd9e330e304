"""The processes of one sandbox: started in order, watched, mended, stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workshop.sandbox import credentials, pristine, processes
from workshop.sandbox.client import ApiError
from workshop.sandbox.errors import SandboxError
from workshop.sandbox.journal import Journal
from workshop.sandbox.model import Component, Part
from workshop.sandbox.places import Cache, Home
from workshop.sandbox.records import SUPERVISOR, ProcessRecord, read_processes, write_processes
from workshop.sandbox.running import Running
from workshop.texts import Message, Text

_READY_SECONDS: Final = 300.0
_POLL_SECONDS: Final = 0.02
_AGAIN_SECONDS: Final = 0.5
# No answer, conflict, too many requests, and failures on the server's side.
_PASSING: Final = frozenset({0, 409, 429, 500, 502, 503, 504})
_STOP_SECONDS: Final = 5.0
_LAST_LINES: Final = 12
_LAST_BYTES: Final = 20_000
_RESTARTS: Final = 3
_STEADY_SECONDS: Final = 60.0
# Longer paths cannot be bound to a socket: 104 bytes on macOS, 108 on Linux, with the final zero.
_SOCKET_PATH_BYTES: Final = 103


class Interrupted(Exception):
    """Somebody asked the sandbox to end."""


class ComponentEndedError(SandboxError):
    """A component ended, or did not become ready; its last lines are the details."""

    def __init__(
        self, component: str, problem: Message, remedy: Message | None, details: tuple[str, ...]
    ) -> None:
        super().__init__(problem, remedy, details)
        self.component = component

    @property
    def port_was_taken(self) -> bool:
        """Tell whether it ended because somebody else listens where it wanted to."""
        return any("address already in use" in line for line in self.details)


@dataclass(slots=True)
class _Process:
    component: Component
    process: subprocess.Popen[bytes]
    begin: float
    ready: bool = False
    restarts: int = 0
    given_up: bool = False


class Fleet:
    """Every process the supervisor started, by the name of its component."""

    def __init__(self, home: Home, journal: Journal) -> None:
        self.interrupted = False
        self._home = home
        self._journal = journal
        self._fleet: dict[str, _Process] = {}
        self._running: Running | None = None

    def clean_up(self) -> None:
        """End what an earlier supervisor left behind, if the kernel has not."""
        left = [one for one in read_processes(self._home) if one.component != SUPERVISOR]
        processes.end([(one.pid, one.start_time) for one in left])
        self._note()

    def outfit(
        self, parts: tuple[Part, ...], cache: Cache, programs: Mapping[str, Path], ports: Mapping[str, int]
    ) -> Running:
        """Choose ports and make credentials; nothing is started yet."""
        components = [component for part in parts for component in part.components]
        tokens = credentials.ensure_tokens(self._home.secrets, [one.user for one in components if one.user])
        credentials.ensure_signing_key(self._home.secrets / "service-accounts.key")
        wanted = [name for component in components for name in component.ports]
        running = Running(self._home, cache, parts, programs, _free_ports(wanted, ports), tokens)
        longest = running.folder("etcd") / "xxx"
        if len(os.fsencode(longest)) > _SOCKET_PATH_BYTES:
            raise SandboxError(
                Text("The path {folder} is too long for a socket.", folder=str(longest.parent)),
                Text("Set WORKSHOP_STATE to a folder with a shorter path."),
            )
        self._home.logs.mkdir(exist_ok=True)
        return running

    def start(self, running: Running, *, install: tuple[str, ...]) -> None:
        """Start every component once what it waits for is ready; return when all are.

        Parts in `install` get their objects put in place on the way. Raises ComponentEndedError, ApiError.
        """
        self._running = running
        waiting = [component for part in running.parts for component in part.components]
        cleared = settled = False
        while waiting or not (
            all(one.ready for one in self._fleet.values()) and running.api.answers("/readyz")
        ):
            self._look()
            if not settled and self._is_ready("kube-apiserver"):
                self._settle(running, install)
                settled = True
            if not cleared and self._is_ready("etcd"):
                stale = (begin for part in running.parts for begin in part.stale)
                running.store.change(pristine.removal(stale))
                cleared = True
            for component in list(waiting):
                if self._may_start(component, running, settled=settled, installed=not install):
                    waiting.remove(component)
                    self._launch(component)
            self.pause(_POLL_SECONDS)

    def _settle(self, running: Running, install: tuple[str, ...]) -> None:
        for part in running.parts:
            if part.name in install and part.install is not None:
                self._journal.write("step", Text("Installing the objects of {part}", part=part.name))
                self._insist(part.install, running)
            if part.adapt is not None:
                self._insist(part.adapt, running)

    def _insist(self, put: Callable[[Running], None], running: Running) -> None:
        """Put objects in place; again, when the API server was too busy or somebody was quicker."""
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                put(running)
            except ApiError as error:
                if error.status not in _PASSING or time.monotonic() > deadline:
                    raise
                self._look()
                self.pause(_AGAIN_SECONDS)
            else:
                return

    def _may_start(self, component: Component, running: Running, *, settled: bool, installed: bool) -> bool:
        if installed and component.early is not None and component.early(running):
            return True
        if component.user and not settled:
            return False
        if not all(self._is_ready(name) for name in component.after):
            return False
        return component.welcome is None or component.welcome(running)

    def _is_ready(self, name: str) -> bool:
        one = self._fleet.get(name)
        return one is not None and one.ready

    def _launch(self, component: Component, restarts: int = 0) -> None:
        running = self._running
        if running is None:
            raise AssertionError("launched before it was outfitted")
        folder = running.folder(component.name)
        log = self._home.logs / f"{component.name}.log"
        if not restarts:
            with contextlib.suppress(FileNotFoundError):
                log.replace(log.with_suffix(".log.1"))
        environment = _bare_environment(folder)
        if component.environment is not None:
            environment |= component.environment(running)
        command = [str(running.programs[component.program]), *component.command(running)]
        try:
            process = processes.spawn(command, folder=folder, environment=environment, log=log)
        except OSError as error:
            raise ComponentEndedError(
                component.name,
                Text("{component} cannot be started: {error}", component=component.name, error=str(error)),
                Text("Run “workshop sandbox build”: it replaces what is broken."),
                (),
            ) from error
        self._fleet[component.name] = _Process(component, process, time.monotonic(), restarts=restarts)
        self._note()

    def _look(self) -> None:
        """Ask whoever is not ready yet; raise for whoever has ended."""
        for name, one in self._fleet.items():
            status = one.process.poll()
            if status is not None:
                raise self._ended(one.component, status)
            if one.ready or self._running is None:
                continue
            self._note_ready(name, one)
            if not one.ready and time.monotonic() - one.begin > _READY_SECONDS:
                raise ComponentEndedError(
                    name,
                    Text("{component} is not ready after {s} s.", component=name, s=round(_READY_SECONDS)),
                    Text(
                        "Is the machine short of memory or very busy? "
                        "Its whole log: “workshop sandbox logs {component}”.",
                        component=name,
                    ),
                    self.last_lines(name),
                )

    def _note_ready(self, name: str, one: _Process) -> None:
        if not one.ready and self._running is not None and one.component.ready(self._running):
            one.ready = True
            self._journal.write("ready", Text("{component} is ready", component=name), component=name)

    def _ended(self, component: Component, status: int) -> ComponentEndedError:
        how: Message
        if status == -signal.SIGKILL:
            how = Text("it was killed; when nobody did that, memory has run out")
        elif status < 0:
            how = Text("signal {signal}", signal=-status)
        else:
            how = Text("exit status {status}", status=status)
        lines = self.last_lines(component.name)
        remedy = Text("Its whole log: “workshop sandbox logs {component}”.", component=component.name)
        if any("no space left on device" in line for line in lines):
            remedy = Text("The disk is full: make room, or set WORKSHOP_STATE to a folder on another disk.")
        problem = Text("{component} has ended ({how}).", component=component.name, how=how)
        return ComponentEndedError(component.name, problem, remedy, lines)

    def last_lines(self, component: str) -> tuple[str, ...]:
        """Return the end of a component's log."""
        try:
            with (self._home.logs / f"{component}.log").open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - _LAST_BYTES))
                return tuple(file.read().decode(errors="replace").splitlines()[-_LAST_LINES:])
        except OSError:
            return ()

    def mend(self) -> None:
        """Report components that have ended, and start them again; after three times in a row no more."""
        for name, one in list(self._fleet.items()):
            status = one.process.poll()
            if status is None:
                self._note_ready(name, one)
                continue
            if one.given_up:
                continue
            error = self._ended(one.component, status)
            self._journal.write("died", error.problem, component=name, details=error.details)
            lasted = time.monotonic() - one.begin > _STEADY_SECONDS
            restarts = 1 if lasted else one.restarts + 1
            if restarts <= _RESTARTS:
                self._launch(one.component, restarts)
            else:
                one.given_up = True
                lost = Text("{component} ends again and again; it stays down.", component=name)
                self._journal.write("lost", lost, component=name)

    def tend(self) -> None:
        """Do what parts want done now and then; whoever does not answer is asked again later."""
        running = self._running
        for part in running.parts if running is not None else ():
            if part.tend is not None and running is not None:
                with contextlib.suppress(ApiError):
                    part.tend(running)

    def pause(self, seconds: float) -> None:
        """Wait. Raises Interrupted when somebody asked the sandbox to end meanwhile."""
        deadline = time.monotonic() + seconds
        while not self.interrupted and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, _POLL_SECONDS * 5))
        if self.interrupted:
            raise Interrupted

    def stop(self, keep: Iterable[str] = ()) -> None:
        """Stop every component but those in `keep`; etcd last, and in good order.

        The others keep nothing that is not in etcd: they are killed.
        """
        kept = set(keep)
        for name, one in reversed(self._fleet.items()):
            if name not in kept and name != "etcd":
                one.process.kill()
        for name, one in list(self._fleet.items()):
            if name not in kept and name != "etcd":
                one.process.wait()
                del self._fleet[name]
        if "etcd" in self._fleet and "etcd" not in kept:
            last = self._fleet.pop("etcd").process
            last.terminate()
            try:
                last.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                last.kill()
                last.wait()
        self._note()

    def _note(self) -> None:
        ours = [(SUPERVISOR, os.getpid()), *((name, one.process.pid) for name, one in self._fleet.items())]
        known = [(name, pid, processes.start_time(pid)) for name, pid in ours]
        write_processes(self._home, [ProcessRecord(name, pid, when) for name, pid, when in known if when])


def _bare_environment(folder: Path) -> dict[str, str]:
    nowhere = "http://127.0.0.1:9"  # the discard port: nobody answers
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        # Nothing here has business outside this machine.
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "NO_PROXY": "127.0.0.1,localhost,::1,.svc",
    }


def _free_ports(names: Iterable[str], earlier: Mapping[str, int]) -> dict[str, int]:
    """Return a port for each name: the one it had if that is free, else one the kernel knows to be."""
    with contextlib.ExitStack() as held:
        return {name: _hold(held, earlier.get(name, 0)) for name in names}


def _hold(held: contextlib.ExitStack, wanted: int) -> int:
    # Held until all are chosen, so that no two get the same.
    one = held.enter_context(socket.socket())
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        one.bind(("127.0.0.1", wanted))
    except OSError:
        one.bind(("127.0.0.1", 0))
    port: int = one.getsockname()[1]
    return port
