"""Where the sandbox keeps things: programs in the user's cache, each control plane in a folder of its own."""

from __future__ import annotations

import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from workshop.sandbox.errors import SandboxError
from workshop.texts import Text

_APPLICATION = "techmarket-workshop"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")


def cache_folder() -> Path:
    """Return the folder of what can be made again: `WORKSHOP_CACHE`, else the user's cache folder."""
    chosen = os.environ.get("WORKSHOP_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir(_APPLICATION))


def state_folder() -> Path:
    """Return the folder of the running sandboxes: `WORKSHOP_STATE`, else the user's state folder."""
    chosen = os.environ.get("WORKSHOP_STATE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_state_dir(_APPLICATION))


def target() -> str:
    """Return the platform programs are built for, in Go's words: `linux-amd64`, `darwin-arm64`."""
    machine = platform.machine().lower()
    return f"{sys.platform}-{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine) }"


@dataclass(frozen=True, slots=True)
class Cache:
    """The folders of the cache. Nothing here belongs to one sandbox; everything can be built again."""

    root: Path

    @classmethod
    def of_user(cls) -> Cache:
        """Return the cache of whoever runs this."""
        return cls(cache_folder() / "sandbox")

    @property
    def programs(self) -> Path:
        """Families, one folder each, of this platform."""
        return self.root / target()

    @property
    def prepared(self) -> Path:
        """Data directories of etcd in pristine state, one per set of parts. Only its user can read it."""
        return self.root / "prepared"

    @property
    def work(self) -> Path:
        """Generated Go modules."""
        return self.root / "work"


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one sandbox and the files in it."""

    name: str
    root: Path

    @classmethod
    def named(cls, name: str) -> Home:
        """Return the folder of the sandbox of that name, whether it exists or not.

        Raises SandboxError when the name is not made of lower-case letters, digits and dashes.
        """
        if not _NAME.fullmatch(name):
            raise SandboxError(
                Text("“{name}” cannot be the name of a sandbox.", name=name),
                Text("Use at most 32 lower-case letters, digits and dashes, for example “group-3”."),
            )
        return cls(name, state_folder() / "sandbox" / name)

    @property
    def kubeconfig(self) -> Path:
        """What people and programs connect with."""
        return self.root / "kubeconfig"

    @property
    def data(self) -> Path:
        """The data directory of etcd."""
        return self.root / "etcd"

    @property
    def secrets(self) -> Path:
        """Keys, tokens and the kubeconfigs of the components."""
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        """One file a component."""
        return self.root / "logs"

    @property
    def audit(self) -> Path:
        """What people asked the API server for, one JSON object a line."""
        return self.logs / "audit.log"

    @property
    def lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.root / "lock"

    @property
    def journal(self) -> Path:
        """What the supervisor reports, one JSON object a line."""
        return self.root / "journal.jsonl"

    @property
    def processes(self) -> Path:
        """Which processes were started, with the time each was started at."""
        return self.root / "processes.json"

    @property
    def used(self) -> Path:
        """Touched whenever somebody uses the sandbox: what idleness is counted from."""
        return self.root / "used"

    @property
    def pristine(self) -> Path:
        """What etcd held when the sandbox had come up for the first time."""
        return self.root / "pristine.json"
