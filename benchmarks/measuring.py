"""Measuring whole processes from outside: wall time, and peak memory as the kernel accounts for it."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds of wall time, bytes of peak memory of the process itself."""

    seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of several runs of a command and of its floor, taken in turn."""

    name: str
    seconds: float
    peak_bytes: int
    floor_seconds: float
    floor_bytes: int
    ratio: float

    def row(self) -> str:
        """Return a row of the table in docs/performance.md."""
        return (
            f"| {self.name} | {self.seconds * 1000:.0f} ms | {self.peak_bytes / 2**20:.0f} MiB "
            f"| {self.floor_seconds * 1000:.0f} ms | {self.floor_bytes / 2**20:.0f} MiB | {self.ratio:.2f} |"
        )


def run_once(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Sample:
    """Run a command to its end, its output thrown away."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )
    _, _, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = 0  # reaped above: Popen must not wait for it again
    return Sample(seconds, usage.ru_maxrss * 1024)


def against(name: str, command: Sequence[str], floor: Sequence[str], *, runs: int = 9) -> Figure:
    """Measure a command beside its floor, in turn, after one warm-up each. The ratio is that of each pair."""
    run_once(command)
    run_once(floor)
    pairs = [(run_once(command), run_once(floor)) for _ in range(runs)]
    return Figure(
        name,
        statistics.median(ours.seconds for ours, _ in pairs),
        int(statistics.median(ours.peak_bytes for ours, _ in pairs)),
        statistics.median(bare.seconds for _, bare in pairs),
        int(statistics.median(bare.peak_bytes for _, bare in pairs)),
        statistics.median(ours.seconds / bare.seconds for ours, bare in pairs),
    )
