"""The Go command: found, new enough, asked kindly, and asked again where only the network was in the way."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from workshop.sandbox import processes
from workshop.sandbox.errors import SandboxError
from workshop.texts import Text

_LAST_LINES: Final = 12
_NETWORK: Final = ("dial tcp", "timeout", "no such host", "connection re", "403", "unexpected eof")
# A module proxy that is busy for a moment must not cost a build of ten minutes.
_PAUSES_SECONDS: Final = (2.0, 8.0)
# What compiling one package, and linking one of these programs, takes at most.
_PACKAGE_BYTES: Final = 1_000_000_000
_LANE_BYTES: Final = 3_000_000_000


@dataclass(slots=True)
class Go:
    """The Go command of this machine. `stop` ends whatever it is doing for us, from any thread."""

    path: str
    _at_work: set[subprocess.Popen[bytes]] = field(default_factory=set)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _stopped: bool = False

    @classmethod
    def found(cls) -> Go:
        """Return the Go on PATH. Raises SandboxError when there is none."""
        path = shutil.which("go")
        if path is None:
            raise SandboxError(
                Text("The programs of the sandbox are not here, and neither is Go to build them with."),
                Text(
                    "Ask your instructor for an archive and run “workshop sandbox build --from FILE”, "
                    "or install Go (https://go.dev/doc/install) and run “workshop sandbox build”."
                ),
            )
        return cls(path)

    def require(self, need: str, module: str) -> None:
        """Raise SandboxError when a module needs a newer Go than this one may be."""
        printed = self.run(["env", "GOVERSION", "GOTOOLCHAIN"], Path("/"), Text("Go does not answer."))
        version, _, toolchain = printed.partition("\n")
        if toolchain.strip() != "local":
            return  # Go fetches the toolchain a module asks for by itself
        have = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
        if have < tuple(int(number) for number in need.split(".")):
            raise SandboxError(
                Text(
                    "{module} needs Go {need} or newer; this is {have}.",
                    module=module,
                    need=need,
                    have=version.removeprefix("go").strip(),
                ),
                Text(
                    "Install a newer Go, allow it to fetch one itself (GOTOOLCHAIN=auto), or use an archive: "
                    "“workshop sandbox build --from FILE”."
                ),
            )

    def run(self, arguments: list[str], folder: Path, problem: Text) -> str:
        """Run it and return what it printed. Raises SandboxError with the end of what it complained about."""
        for pause in (*_PAUSES_SECONDS, None):
            status, printed, complaint = self._once(arguments, folder)
            if status == 0:
                return printed
            lines = tuple(complaint.strip().splitlines()[-_LAST_LINES:])
            said = "\n".join(lines).lower()
            if pause is None or self._stopped or not any(sign in said for sign in _NETWORK):
                raise SandboxError(problem, _remedy(said), lines)
            time.sleep(pause)
        raise AssertionError("unreachable")

    def _once(self, arguments: list[str], folder: Path) -> tuple[int, str, str]:
        nice = shutil.which("nice")
        # Kindly: a build in the background must not make the machine unusable.
        command = [*([nice, "-n", "10"] if nice else []), self.path, *arguments]
        with self._guard:
            if self._stopped:
                return 1, "", ""
            process = subprocess.Popen(  # noqa: S603 (the Go command, our own arguments)
                command,
                cwd=folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self._at_work.add(process)
        try:
            printed, complaint = process.communicate()
        finally:
            with self._guard:
                self._at_work.discard(process)
        return process.returncode, printed.decode(errors="replace"), complaint.decode(errors="replace")

    def stop(self) -> None:
        """End what is running and start nothing any more."""
        with self._guard:
            self._stopped = True
            for process in self._at_work:
                with contextlib.suppress(OSError):
                    process.terminate()


def lanes() -> int:
    """Return how many families to build side by side: while one is linked, by one core, another compiles."""
    available = processes.available_bytes()
    return 1 if available is None or (os.cpu_count() or 1) == 1 or available < 2 * _LANE_BYTES else 2


def _environment() -> dict[str, str]:
    # GOFLAGS of the user would be added to ours: the ones that break a generated module are replaced.
    available = processes.available_bytes() or 2 * _PACKAGE_BYTES
    at_once = max(1, min(os.cpu_count() or 1, available // _PACKAGE_BYTES))
    flags = os.environ.get("WORKSHOP_BUILD_GOFLAGS", f"-p={at_once}")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": f"{flags} -buildvcs=false"}
    if not environment.get("HOME") and not environment.get("GOCACHE"):
        # A build server may have no home: Go would not know where to keep things.
        from workshop.sandbox.places import cache_folder

        environment |= {"GOCACHE": str(cache_folder() / "go"), "GOPATH": str(cache_folder() / "gopath")}
    return environment


def _remedy(said: str) -> Text:
    if "no space left" in said:
        return Text("The disk is full: make room or set WORKSHOP_CACHE and GOCACHE to another disk.")
    if any(sign in said for sign in _NETWORK):
        return Text("Go could not reach its module proxy: check the network and GOPROXY, then run it again.")
    if "signal: killed" in said:
        return Text("Memory has run out: close other programs, or set WORKSHOP_BUILD_GOFLAGS=-p=1.")
    return Text("Run it again; what is finished is kept. An archive (“--from FILE”) needs no Go at all.")
