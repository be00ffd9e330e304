"""The lab's own payment-service, run by node, with somebody who sends it requests."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rig.fixtures import must_be_had
from workshop.content import load_lab

_PATHS = ("/checkout", "/checkout", "/checkout", "/no-such-page")
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Payment:
    """A running payment-service on loopback."""

    port: int

    @property
    def target(self) -> str:
        """Where Prometheus finds its metrics."""
        return f"127.0.0.1:{self.port}"

    def get(self, path: str) -> tuple[int, str]:
        """GET a path and return status and body."""
        try:
            with urllib.request.urlopen(f"http://{self.target}{path}", timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    @contextmanager
    def visited(self, pause: float = _PAUSE) -> Iterator[None]:
        """Send it checkouts and pages that do not exist for as long as this lasts."""
        over = threading.Event()

        def visit() -> None:
            while not over.is_set():
                for path in _PATHS:
                    with contextlib.suppress(OSError):
                        self.get(path)
                over.wait(pause)

        visitor = threading.Thread(target=visit, daemon=True)
        visitor.start()
        try:
            yield
        finally:
            over.set()
            visitor.join()


def install(folder: Path) -> Path:
    """Lay the service out in a folder with what its lock file names, and return its program."""
    source = folder / "microservice"
    shutil.copytree(load_lab("techmarket").materials / "microservice", source)
    subprocess.run(
        ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=source,
        check=True,
        capture_output=True,
        timeout=300,
    )
    return source / "server.js"


@contextmanager
def running(folder: Path, *, failure_rate: float = 0.0) -> Iterator[Payment]:
    """Run the service on a free port; a share of its checkouts fails."""
    program = install(folder)
    settings = {
        "HOST": "127.0.0.1",
        "PORT": "0",
        "FAILURE_RATE": str(failure_rate),
        "DRAIN_SECONDS": "0",
        "PATH": os.environ["PATH"],
    }
    with subprocess.Popen(["node", str(program)], env=settings, stdout=subprocess.PIPE, text=True) as process:
        try:
            said = process.stdout.readline() if process.stdout else ""
            listening = re.search(r"listens on (\d+)", said)
            if listening is None:
                raise RuntimeError(f"the payment-service did not start: {said!r}")
            yield Payment(int(listening[1]))
        finally:
            process.terminate()


def need() -> None:
    """Skip where the service cannot be run."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            must_be_had(program, "install Node.js")


@pytest.fixture(scope="session")
def payment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Payment]:
    """One payment-service a session; one checkout in five fails."""
    need()
    with running(tmp_path_factory.mktemp("payment"), failure_rate=0.2) as service:
        yield service
