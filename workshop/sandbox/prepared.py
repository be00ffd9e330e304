"""Prepared data: what etcd holds once everything is installed, kept so that this is done once.

A prepared directory is made by a control plane that came up, installed its parts and was stopped in good
order. It is named after everything that went into it, so that another version never meets it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from workshop.sandbox.manifest import recipe
from workshop.sandbox.model import Part
from workshop.sandbox.places import Cache

_PRIVATE = 0o700
_UNUSED_SECONDS = 3 * 24 * 3600


def fingerprint(parts: Iterable[Part], programs: Mapping[str, Path]) -> str:
    """Return a short digest of what makes a data directory: parts, modules, programs, our descriptions."""
    chosen = tuple(parts)
    made_of = [
        [part.name for part in chosen],
        sorted(
            {
                f"{one.name} {recipe(one)} {sorted(one.files.items())}"
                for part in chosen
                for one in part.families
            }
        ),
        sorted(str(path) for path in programs.values()),
    ]
    digest = hashlib.sha256(json.dumps(made_of).encode())
    for source in sorted((Path(__file__).parent / "components").glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


class Prepared:
    """The prepared data directory of one set of parts."""

    def __init__(self, cache: Cache, name: str) -> None:
        self._folder = cache.prepared / name
        self.lock = cache.prepared / f"{name}.lock"

    def exists(self) -> bool:
        """Tell whether it has been made."""
        return self._folder.is_dir()

    def keep(self, data: Path) -> None:
        """Take a data directory nobody uses any more as the prepared one."""
        self._folder.parent.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
        draft = self._folder.with_name(f".{self._folder.name}.{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        # Copied, not moved: the state folder may be on another disk. The name comes last.
        shutil.copytree(data, draft)
        draft.chmod(_PRIVATE)
        shutil.rmtree(self._folder, ignore_errors=True)
        draft.rename(self._folder)
        self._tidy()

    def _tidy(self) -> None:
        """Remove what other versions and choices of parts left, once nobody has asked for it for a while."""
        for folder in self._folder.parent.iterdir():
            unused = time.time() - folder.stat().st_mtime
            if folder.is_dir() and folder != self._folder and unused > _UNUSED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def give(self, data: Path) -> None:
        """Put a copy where a sandbox expects its data, in place of whatever is there."""
        draft = data.with_name(f".{data.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        os.utime(self._folder)
        shutil.copytree(self._folder, draft)
        shutil.rmtree(data, ignore_errors=True)
        draft.rename(data)
