"""What a sandbox's folder remembers between starts, and which processes were started last."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from workshop.sandbox.places import Home
from workshop.sandbox.writing import write_atomically


def _no_ports() -> Mapping[str, int]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Record:
    """The parts in the data directory, the ports used last (an open kubeconfig stays good), when to end."""

    installed: tuple[str, ...] = ()
    ports: Mapping[str, int] = field(default_factory=_no_ports)
    idle_seconds: float = 0.0

    @classmethod
    def read(cls, home: Home) -> Record:
        """Read the record of a sandbox; an absent or broken one is an empty one."""
        found = _object(home)
        installed = found.get("installed", []) if home.data.is_dir() else []
        return cls(tuple(installed), found.get("ports", {}), float(found.get("idle_seconds", 0.0)))

    def with_data(self, parts: Iterable[str]) -> Record:
        """Return the record of a data directory in which those parts are installed."""
        return replace(self, installed=tuple(parts))

    def without_data(self) -> Record:
        """Return the record without a data directory."""
        return replace(self, installed=())

    def with_ports(self, ports: Mapping[str, int]) -> Record:
        """Return the record with those ports."""
        return replace(self, ports=ports)

    def write(self, home: Home) -> None:
        """Write the record down."""
        document = {
            "installed": list(self.installed),
            "ports": dict(self.ports),
            "idle_seconds": self.idle_seconds,
        }
        write_atomically(home.root / "record.json", json.dumps(document).encode(), 0o600)


def _object(home: Home) -> dict[str, Any]:
    try:
        found = json.loads((home.root / "record.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process as it was started: its id means nothing without the time it was started at."""

    component: str
    pid: int
    start_time: str


SUPERVISOR = "supervisor"


def write_processes(home: Home, processes: Iterable[ProcessRecord]) -> None:
    """Write down which processes were started."""
    document = [[one.component, one.pid, one.start_time] for one in processes]
    write_atomically(home.processes, json.dumps(document).encode(), 0o600)


def read_processes(home: Home) -> list[ProcessRecord]:
    """Return which processes were started last; whether they still run is another question."""
    try:
        return [ProcessRecord(*one) for one in json.loads(home.processes.read_bytes())]
    except (OSError, ValueError, TypeError):
        return []
