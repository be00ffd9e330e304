"""Recorded programs on PATH: no container engine runs here, so docker, kind and helm are played by what they
were seen to print. What reaches the API server is tested against a real one, in `test_real_cluster.py`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

_SCRIPT = """#!/usr/bin/env python3
import json, os, pathlib, re, signal, sys, time
here = pathlib.Path(__file__).parent
words = [pathlib.Path(__file__).name, *sys.argv[1:]]
line = " ".join(words)
with (here / "log").open("a") as log:
    log.write(json.dumps(words) + "\\n")
for pattern, played in json.loads((here / "played").read_text()):
    if re.search(pattern, line):
        break
else:
    played = {}
for text in played.get("prints", []):
    print(text, flush=True)
if played.get("hangs"):
    def interrupted(*_):
        with (here / "log").open("a") as log:
            log.write(json.dumps(["interrupted", words[0]]) + "\\n")
        sys.exit(1)
    signal.signal(signal.SIGINT, interrupted)
    (here / "hanging").write_text(str(os.getpid()))
    time.sleep(60)
sys.exit(played.get("code", 0))
"""


class Recorded:
    """Programs on PATH that play recorded answers and write down how they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._played: list[tuple[str, dict[str, object]]] = []

    def add(self, *names: str) -> None:
        for name in names:
            (self.folder / name).write_text(_SCRIPT)
            (self.folder / name).chmod(0o755)
        self._save()

    def plays(self, pattern: str, *prints: str, code: int = 0, hangs: bool = False) -> None:
        """What a command line prints that matches a regular expression; the newest rule wins."""
        self._played.insert(0, (pattern, {"prints": prints, "code": code, "hangs": hangs}))
        self._save()

    @property
    def called(self) -> list[str]:
        """Every command line, in order."""
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [shlex.join(json.loads(line)) for line in lines]

    def forget(self) -> None:
        (self.folder / "log").unlink(missing_ok=True)

    def _save(self) -> None:
        (self.folder / "played").write_text(json.dumps(self._played))


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("{}")
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    monkeypatch.setenv("WORKSHOP_STATE", str(tmp_path / "state"))  # no sandbox of this machine
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
    made = Recorded(folder)
    made.add("docker", "kind", "helm", "kubectl")
    return made
