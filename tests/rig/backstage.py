"""Backstage's own backend on loopback, at a port that a Service of the sandbox can have as its nodePort."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rig.node import installed
from workshop.content import Lab

BACKEND = Path(__file__).parent / "backend"
TEMPLATE = "create-nodejs-service"
SERVICES = ("backend", "frontend", "payment")
GUESTS = {"guest": {"dangerouslyAllowOutsideDevelopment": True}}
USUAL = ("Component", "System", "API", "Resource", "Location")
_SECONDS = 120.0
_PAGE = "<!doctype html><html><head><title>TechMarket</title></head><body><div id=root></div></body></html>"


@dataclass(frozen=True, slots=True)
class Backstage:
    """A running backend."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def get(self, path: str, token: str | None = None) -> tuple[int, Any]:
        """GET a path and return the status and what the body says as JSON, or as text."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 (an address of our own)
                status, body = response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read().decode()
        except OSError:
            return 0, None
        with suppress(ValueError):
            return status, json.loads(body)
        return status, body

    def guest(self) -> str | None:
        """Return the token that it hands to guests, None where it does not."""
        status, answer = self.get("/api/auth/guest/refresh")
        return str(answer["backstageIdentity"]["token"]) if status == 200 else None

    def names(self) -> set[str]:
        """Return the names of what is in the catalogue, empty where it does not say."""
        status, found = self.get("/api/catalog/entities?fields=metadata.name", self.guest())
        return {each["metadata"]["name"] for each in found} if status == 200 else set()

    def until(self, condition: Any, what: str) -> None:
        """Return as soon as a condition holds. Raises TimeoutError when it never does."""
        deadline = time.monotonic() + _SECONDS
        while not condition():
            if self.process.poll() is not None:
                raise RuntimeError(f"Backstage ended before {what}: {self.log.read_text()[-2000:]}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"too late for Backstage: {what}")
            time.sleep(0.1)


def node_port() -> int:
    """Return a port of the range that the API server gives to Services, which nobody listens on here."""
    while True:
        port = random.randint(30100, 32700)  # noqa: S311 (no secret)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def app_config(
    folder: Path,
    port: int,
    files: Sequence[Path],
    *,
    kinds: Sequence[str] = USUAL,
    providers: Mapping[str, Any] = GUESTS,
    open_to_all: bool = False,
) -> dict[str, Any]:
    """Return the configuration of a backend whose catalogue is to hold the entities of some files."""
    backend: dict[str, Any] = {
        "baseUrl": f"http://localhost:{port}",
        "listen": {"host": "127.0.0.1", "port": port},
        "database": {"client": "better-sqlite3", "connection": ":memory:"},
    }
    if open_to_all:
        backend["auth"] = {"dangerouslyDisableDefaultAuthPolicy": True}
    locations = [{"type": "file", "target": str(each)} for each in files]
    return {
        "app": {"baseUrl": f"http://localhost:{port}", "packageName": "app"},
        "backend": backend,
        "auth": {"environment": "production", "providers": dict(providers)},
        "catalog": {"rules": [{"allow": list(kinds)}], "locations": locations},
    }


@contextmanager
def running(folder: Path, config: Mapping[str, Any]) -> Iterator[Backstage]:
    """Run a backend in a folder with a configuration; its catalogue may still be reading."""
    packages = _packages()
    (folder / "app-config.yaml").write_text(yaml.safe_dump(dict(config)), encoding="utf-8")
    command = ["node", "--no-node-snapshot", "--max-old-space-size=384", str(BACKEND / "backend.mjs")]
    command += [str(packages), "--config", str(folder / "app-config.yaml")]
    with (
        (folder / "log").open("w") as log,
        # What the demo image sets: in production guests are refused unless the configuration lets them in.
        subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=packages,  # it looks for a package.json where it starts
            env={"NODE_ENV": "production", **_environment()},
        ) as process,
    ):
        backstage = Backstage(int(config["backend"]["listen"]["port"]), process, folder / "log")
        try:
            backstage.until(
                lambda: backstage.get("/.backstage/health/v1/readiness")[0] == 200, "it became ready"
            )
            yield backstage
        finally:
            process.terminate()


def entity_files(lab: Lab, *services: str, template: bool = False) -> list[Path]:
    """Return the reference entities of some services, and the template."""
    folder = lab.solutions / "td" / "backstage"
    files = [folder / f"catalog-info-{each}.yaml" for each in services]
    return files + ([folder / "template-nodejs-service.yaml"] if template else [])


@pytest.fixture(scope="session")
def backstage(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backstage]:
    """One Backstage a session with the three services and the template, which lets guests in."""
    folder = tmp_path_factory.mktemp("backstage")
    files = entity_files(lab, *SERVICES, template=True)
    config = app_config(folder, node_port(), files, kinds=(*USUAL, "Template"))
    with running(folder, config) as made:
        made.until(lambda: {"payment-service", TEMPLATE} <= made.names(), "the catalogue filled")
        yield made


def _packages() -> Path:
    """Return where the packages are, with an app beside them: a page, where the real one is a bundle."""
    packages = installed(BACKEND, "backstage", compiled=("better-sqlite3",))
    app = packages / "node_modules" / "app"
    if not (app / "dist" / "static").is_dir():
        (app / "dist" / "static").mkdir(parents=True)
        (app / "package.json").write_text(json.dumps({"name": "app", "version": "0.0.0"}))
        (app / "dist" / "index.html").write_text(_PAGE)
    return packages


def _environment() -> dict[str, str]:
    return {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
