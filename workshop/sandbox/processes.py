"""Processes of ours: started so that they end with us, recognised again by the time they were started at."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

_SIGKILL_AT_PARENTS_DEATH: Final = 1  # PR_SET_PDEATHSIG, from linux/prctl.h
_LINUX: Final = sys.platform == "linux"


def start_time(pid: int) -> str | None:
    """Return when a process was started, as text to compare; None when there is no such process.

    A process id alone proves nothing: the kernel gives it to another process once it is free.
    """
    if _LINUX:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return None
        # The command may hold spaces and brackets: fields are counted behind the last bracket. Field 3
        # is the state (Z: has ended, nobody has asked how), field 22 the start time in clock ticks.
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else f"{_boot_id()}:{fields[19]}"
    return _ps(pid, "lstart") or None


def _boot_id() -> str:
    # Start times count from boot: after a power cut the same number means another process.
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process in bytes; 0 when it is gone."""
    if _LINUX:
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, IndexError, ValueError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")
    said = _ps(pid, "rss")
    return int(said) * 1024 if said.isdigit() else 0


def available_bytes() -> int | None:
    """Return how much memory can be had without swapping; None where that cannot be told."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _ps(pid: int, column: str) -> str:
    done = subprocess.run(  # noqa: S603 (fixed arguments)
        ["/bin/ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, check=False
    )
    return done.stdout.decode(errors="replace").strip()


def spawn(
    command: list[str], *, folder: Path, environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Start a process that is killed by the kernel when we end (Linux), its output appended to `log`.

    Call it from the main thread: the kernel watches the thread that starts a process.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 (programs the finder proved)
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()) if _LINUX else None,
        )
    finally:
        os.close(descriptor)


def _die_with(parent: int) -> Callable[[], None]:
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask_the_kernel() -> None:
        prctl(_SIGKILL_AT_PARENTS_DEATH, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # we were gone before the kernel was asked
            os._exit(1)

    return ask_the_kernel


def end(processes: Iterable[tuple[int, str]], *, patience: float = 0.0) -> None:
    """End processes given by id and start time; kill what has not ended after `patience` seconds.

    Returns when none of them runs any more. Whoever is somebody else's process by now is left alone.
    """
    remaining = [(pid, when) for pid, when in processes if start_time(pid) == when]
    if patience > 0:
        for pid, _ in remaining:
            _signal(pid, signal.SIGTERM)
        remaining = _wait(remaining, patience)
    while remaining:
        for pid, _ in remaining:
            _signal(pid, signal.SIGKILL)
        remaining = _wait(remaining, 1.0)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _wait(processes: list[tuple[int, str]], seconds: float) -> list[tuple[int, str]]:
    deadline = time.monotonic() + seconds
    while True:
        remaining = [(pid, when) for pid, when in processes if start_time(pid) == when]
        if not remaining or time.monotonic() > deadline:
            return remaining
        time.sleep(0.02)
