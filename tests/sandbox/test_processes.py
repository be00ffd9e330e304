"""Processes end with those who started them, and are never mistaken for others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workshop.sandbox import processes
from workshop.sandbox.locking import Lock

_SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def _started(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    when = processes.start_time(process.pid)
    assert when is not None
    return process.pid, when


def test_start_times_tell_processes_apart() -> None:
    with subprocess.Popen(_SLEEP) as process:
        pid, when = _started(process)
        assert processes.start_time(pid) == when
        assert processes.start_time(os.getpid()) != when
        process.kill()
    assert processes.start_time(pid) is None


def test_ending_spares_whoever_has_the_number_now() -> None:
    with subprocess.Popen(_SLEEP) as process:
        pid, when = _started(process)
        processes.end([(pid, f"{when}-of-another")])
        assert processes.start_time(pid) == when
        processes.end([(pid, when)])
        assert process.wait() == -signal.SIGKILL


def test_ending_asks_first_and_kills_whoever_does_not_listen() -> None:
    polite = subprocess.Popen(_SLEEP)
    deaf = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import signal, time\n"
                "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                "print(flush=True)\n"
                "time.sleep(600)"
            ),
        ],
        stdout=subprocess.PIPE,
    )
    with polite, deaf:
        assert deaf.stdout is not None
        deaf.stdout.readline()  # it no longer listens
        processes.end([_started(polite), _started(deaf)], patience=0.3)
        assert polite.wait() == -signal.SIGTERM
        assert deaf.wait() == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel does this on Linux")
def test_what_we_spawn_ends_when_we_are_killed(tmp_path: Path) -> None:
    parent = f"""
import sys
from pathlib import Path
from workshop.sandbox.processes import spawn
folder = Path({str(tmp_path)!r})
child = spawn({_SLEEP!r}, folder=folder, environment={{}}, log=folder / "log")
print(child.pid, flush=True)
child.wait()
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        when = processes.start_time(child)
        assert when is not None
        process.kill()
    # Raises TimeoutError through the suite's own bound if it lived on: `end` of nobody returns at once.
    while processes.start_time(child) == when:
        os.sched_yield()


def test_memory_is_measured() -> None:
    assert processes.resident_bytes(os.getpid()) > 1_000_000
    assert processes.resident_bytes(2**22 + 1) == 0


def test_a_lock_is_gone_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = f"""
import time
from pathlib import Path
from workshop.sandbox.locking import Lock
assert Lock(Path({str(path)!r})).try_acquire()
print(flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        lock = Lock(path)
        assert not lock.try_acquire()
        process.kill()
        process.wait()
        assert lock.try_acquire()
        lock.release()
        assert lock.try_acquire()


def test_whoever_waits_for_a_lock_is_told_so(tmp_path: Path) -> None:
    told: list[str] = []
    with Lock(tmp_path / "lock", on_wait=lambda: told.append("waiting")):
        pass
    assert told == []
