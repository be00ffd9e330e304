"""A real Prometheus on loopback, with rules that tests put in and targets it scrapes every second."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml

from tests.rig.fixtures import must_be_had
from tests.rig.payment import Payment

_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server; its rules can be replaced while it runs."""

    port: int
    folder: Path

    def ask(self, path: str, **params: str) -> Any:
        """Return the data of an answer of its HTTP API."""
        address = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urlencode(params)}"
        with urllib.request.urlopen(address, timeout=10) as response:
            return json.load(response)["data"]

    def load(self, *rules: str) -> None:
        """Let it have these rules files and no others."""
        folder = self.folder / "rules"
        for old in folder.glob("*.yml"):
            old.unlink()
        for index, text in enumerate(rules):
            (folder / f"{index}.yml").write_text(text, encoding="utf-8")
        reload = urllib.request.Request(f"http://127.0.0.1:{self.port}/-/reload", method="POST")
        with urllib.request.urlopen(reload, timeout=30):  # noqa: S310 (an address of our own)
            pass

    def records(self) -> list[dict[str, Any]]:
        """Return the recording rules it has."""
        groups = self.ask("rules", type="record")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def value(self, query: str) -> float | None:
        """Return the first sample of a query, None when there is none."""
        result = self.ask("query", query=query)["result"]
        return float(result[0]["value"][1]) if result else None

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Return as soon as a condition holds. Raises TimeoutError when it never does."""
        deadline = time.monotonic() + _SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"Prometheus: {what}")
            time.sleep(0.1)

    def evaluated(self) -> None:
        """Return once every recording rule has been evaluated, whatever came of it."""
        self.until(
            lambda: all(rule["health"] != "unknown" for rule in self.records()), "rules are not evaluated"
        )


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, targets: Mapping[str, Sequence[str]]) -> Iterator[Prometheus]:
    """Run a server in a folder that scrapes some targets, by the name of their job."""
    (folder / "rules").mkdir(parents=True)
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules/*.yml"],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": list(places)}]}
            for job, places in targets.items()
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-lifecycle",
    ]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder) as process,
    ):
        server = Prometheus(port, folder)
        try:
            server.until(lambda: _is_ready(process, port, folder), "it is not ready")
            yield server
        finally:
            process.terminate()


def _is_ready(process: subprocess.Popen[bytes], port: int, folder: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError((folder / "log").read_text()[-2000:])
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def need() -> None:
    """Skip where no Prometheus can be run."""
    if shutil.which("prometheus") is None:
        must_be_had("prometheus", "tools/install-live-tools.sh")


@pytest.fixture(scope="session")
def prometheus(payment: Payment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One Prometheus a session that scrapes the payment-service."""
    need()
    with running(tmp_path_factory.mktemp("prometheus"), {"payment-service": [payment.target]}) as server:
        yield server


@pytest.fixture
def no_rules(prometheus: Prometheus) -> Prometheus:
    """The same server, without the rules of other tests."""
    prometheus.load()
    return prometheus
