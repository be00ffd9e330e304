"""An OCI registry on loopback, images pushed to it, and signatures made by the real cosign.

Keyless signing needs a login and the public Sigstore instance. What a keyless signature is made of can be had
without them: a certificate that names person and issuer, here from an authority of the test's own.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.rig.fixtures import must_be_had
from workshop.network import LiveNetwork

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
GITHUB = "https://github.com/login/oauth"
_REMEDY = "tools/install-live-tools.sh"
_SECONDS = 30.0
# Fulcio names who has confirmed the identity twice: as plain bytes for old readers, and as a text.
_ISSUER_BYTES, _ISSUER_TEXT = "1.3.6.1.4.1.57264.1.1", "1.3.6.1.4.1.57264.1.8"


@dataclass(frozen=True, slots=True)
class Registry:
    """A running registry, which stands for `ghcr.io`."""

    port: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def push(self, repository: str, tag: str, content: str = "") -> str:
        """Push an image without layers, different for every content; return its digest."""
        config = {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": []},
            "config": {"Labels": {"content": content or tag}},
        }
        text = json.dumps(config).encode()
        upload = self._send("POST", f"{self.url}/v2/{repository}/blobs/uploads/").headers["Location"]
        self._send("PUT", f"{upload}&digest={_digest(text)}", text, "application/octet-stream")
        kind = "application/vnd.oci.image.config.v1+json"
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": kind, "digest": _digest(text), "size": len(text)},
            "layers": [],
        }
        body = json.dumps(manifest).encode()
        self._send("PUT", f"{self.url}/v2/{repository}/manifests/{tag}", body, MANIFEST)
        return _digest(body)

    def _send(self, method: str, url: str, body: bytes | None = None, kind: str = "") -> Any:
        headers = {"Content-Type": kind} if kind else {}
        request = urllib.request.Request(url, method=method, data=body, headers=headers)  # noqa: S310 (ours)
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 (ours)
            response.read()
            return response


@dataclass(frozen=True, slots=True)
class Signing:
    """What images of a registry are signed with, in a folder: keys, and an authority for certificates."""

    registry: Registry
    folder: Path

    @classmethod
    def prepare(cls, registry: Registry, folder: Path) -> Signing:
        """Make a key pair, and an authority that verifications can be told to trust."""
        made = cls(registry, folder)
        made.run("cosign", "generate-key-pair")
        made._new_key("authority")
        subject = ("-subj", "/O=tests/CN=authority", "-days", "2")
        extensions = (
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign",
        )
        made.run(
            "openssl",
            "req",
            "-x509",
            "-new",
            "-key",
            "authority.key",
            "-out",
            "authority.pem",
            *subject,
            *extensions,
        )
        authority = "--fulcio=url=https://authority.invalid,certificate-chain=authority.pem"
        made.run("cosign", "trusted-root", "create", authority, "--out", "trusted.json")
        return made

    def with_key(self, reference: str, *, bundle: bool = False) -> None:
        """Sign with a key pair: there is no certificate, so nobody can tell who it was."""
        self._sign(reference, ["--key", "cosign.key"], bundle)

    def as_person(self, reference: str, email: str, issuer: str = GITHUB, *, bundle: bool = False) -> None:
        """Sign with a certificate that names a person and who has confirmed them."""
        name = hashlib.sha256(f"{email} {issuer}".encode()).hexdigest()[:12]
        if not (self.folder / f"{name}.pem").exists():
            self._certify(name, email, issuer)
        chain = ["--certificate", f"{name}.pem", "--certificate-chain", "authority.pem"]
        self._sign(reference, ["--key", f"{name}-cosign.key", *chain], bundle)

    def network(self, at: str | None = None, seconds: float = 15.0) -> LiveNetwork:
        """Return the network as checks see it: this registry as ghcr.io, this authority as Sigstore's.

        `at` is where the registry answers, if not by itself: a proxy that stands before it.
        """
        trust = (
            f"--trusted-root={self.folder / 'trusted.json'}",
            "--insecure-ignore-sct",
            "--insecure-ignore-tlog",
        )
        return LiveNetwork(
            seconds=seconds,
            mirrors={"ghcr.io": at or self.registry.url},
            options=(*trust, "--allow-insecure-registry"),
        )

    def run(self, *command: str) -> None:
        """Run a command in the folder. Raises RuntimeError with what it said."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "COSIGN_PASSWORD": ""}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")

    def _sign(self, reference: str, signer: list[str], bundle: bool) -> None:
        target = reference.replace("ghcr.io", f"127.0.0.1:{self.registry.port}")
        options = ["--yes", "--allow-insecure-registry", "--tlog-upload=false", "--use-signing-config=false"]
        self.run("cosign", "sign", *signer, *options, f"--new-bundle-format={str(bundle).lower()}", target)

    def _certify(self, name: str, email: str, issuer: str) -> None:
        extensions = (
            "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n"
            f"subjectAltName=critical,email:{email}\n"
            f"{_ISSUER_BYTES}=DER:{issuer.encode().hex()}\n{_ISSUER_TEXT}=ASN1:UTF8String:{issuer}\n"
        )
        (self.folder / f"{name}.ext").write_text(extensions, encoding="utf-8")
        self._new_key(name)
        self.run("openssl", "req", "-new", "-key", f"{name}.key", "-subj", "/", "-out", f"{name}.csr")
        authority = ("-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-days", "1")
        files = ("-in", f"{name}.csr", "-extfile", f"{name}.ext", "-out", f"{name}.pem")
        self.run("openssl", "x509", "-req", *authority, *files)
        self.run("cosign", "import-key-pair", "--key", f"{name}.key", "--output-key-prefix", f"{name}-cosign")

    def _new_key(self, name: str) -> None:
        self.run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[Registry]:
    """Run a registry that keeps its images in a folder; `settings` are more of its configuration."""
    program = shutil.which("docker-registry") or shutil.which("registry")
    if program is None:
        must_be_had("an OCI registry", _REMEDY)
    assert program is not None
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
        "http": {"addr": f"127.0.0.1:{port}"},
        **settings,
    }
    (folder / "config.yml").write_text(json.dumps(config), encoding="utf-8")
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([program, "serve", "config.yml"], cwd=folder, stdout=log, stderr=log)
    registry = Registry(port)
    try:
        deadline = time.monotonic() + _SECONDS
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((folder / "registry.log").read_text())
            time.sleep(0.05)
        yield registry
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """One registry a session. Tests keep to repositories of their own."""
    with running(tmp_path_factory.mktemp("registry")) as made:
        yield made


@pytest.fixture(scope="session")
def signing(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Signing:
    """Keys, and an authority for certificates."""
    for program in ("cosign", "openssl"):
        if shutil.which(program) is None:
            must_be_had(program, _REMEDY)
    return Signing.prepare(registry, tmp_path_factory.mktemp("signing"))
