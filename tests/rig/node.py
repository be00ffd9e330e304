"""Packages for node, installed once a lock file in the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import platformdirs

from tests.rig.fixtures import must_be_had

_SECONDS = 600


def installed(source: Path, name: str, *, compiled: tuple[str, ...] = ()) -> Path:
    """Return a folder that holds what the lock file of a folder names. Skips where that cannot be had.

    No package's own script runs, except those of the `compiled`, whose native part is built here.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        must_be_had("node and npm", "install Node.js")
    assert node
    assert npm
    cache = os.environ.get("WORKSHOP_CACHE") or platformdirs.user_cache_dir("techmarket-workshop")
    lock = (source / "package-lock.json").read_bytes()
    # One folder a lock file: another version never meets an old installation.
    folder = Path(cache) / f"node-{name}" / hashlib.sha256(lock).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)  # several workers of one test run come here
        if not (folder / "complete").exists():
            _install(source, folder, node, npm, compiled)
    return folder


def _install(source: Path, folder: Path, node: str, npm: str, compiled: tuple[str, ...]) -> None:
    for each in ("package.json", "package-lock.json"):
        shutil.copy(source / each, folder / each)
    _npm(npm, folder, {}, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    if compiled:
        headers = Path(node).resolve().parent.parent
        there = (headers / "include/node/node.h").is_file()
        _npm(npm, folder, {"npm_config_nodedir": str(headers)} if there else {}, "rebuild", *compiled)
    (folder / "complete").touch()


def _npm(npm: str, folder: Path, settings: dict[str, str], *arguments: str) -> None:
    try:
        done = subprocess.run(
            [npm, *arguments],
            cwd=folder,
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        must_be_had(f"npm {arguments[0]} within {_SECONDS} seconds", "try again on a better network")
        return
    if done.returncode != 0:
        must_be_had("the packages for node", f"npm {arguments[0]}: {done.stderr.strip()[-300:]}")
