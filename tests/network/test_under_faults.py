"""Every check of the network half under every fault of the registry, of its token service and of cosign.

A real registry and the real cosign, with a proxy before the registry that spoils answers. Four students:
one has signed in each format, one has not signed, one has not pushed. Whatever goes wrong, a verdict is what
it is without the fault, or `unknown` or `blocked` with a reason; above all, nothing passes that did not.
"""

from __future__ import annotations

import json
import shutil
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.faults.proxy import Answer, Origin, Proxy, Request, Spoilt, before
from tests.faults.verdicts import look, verdicts, wrong
from tests.network.test_policy import NO_TAG, Recorded, admitted, refused
from tests.network.test_signatures import LEA, pushed
from tests.rig.registry import MANIFEST, Registry, Signing
from workshop.cluster.port import Cluster, Object
from workshop.cluster.stage import LiveStages
from workshop.content import Exercise, Lab
from workshop.engine import Run, judge_exercise
from workshop.network import LiveNetwork, cosign
from workshop.verdicts import CheckResult, ExerciseResult, Half, Mode, Verdict
from workshop.workspace import Workspace

EXERCISES = ("2.5", "2.6", "4.7")
STATES = ("signed", "bundled", "unsigned", "absent")
_SECONDS = 5.0
Aim = Callable[[Request], bool]


class Deployed(Recorded):
    """A cluster with the policy on which the image runs, and which says what the pipeline has built."""

    def __init__(self, by_digest: str) -> None:
        super().__init__(refused(NO_TAG), admitted(by_digest))
        self.by_digest = by_digest

    def list(self, kind: str, **options: Any) -> list[Object]:
        done = {"conditions": [{"type": "Succeeded", "status": "True"}]}
        if kind == "Pod":
            running = {"containerStatuses": [{"imageID": self.by_digest}]}
            return [{"metadata": {"name": "payment-service-1"}, "status": running}]
        if kind == "PipelineRun.tekton.dev":
            return [{"metadata": {"name": "payment-service-build-1"}, "status": done}]
        if kind == "TaskRun.tekton.dev":
            results = [{"name": "IMAGE_DIGEST", "value": self.by_digest.partition("@")[2]}]
            labels = {"tekton.dev/pipelineTask": "build"}
            return [{"metadata": {"name": "built", "labels": labels}, "status": {**done, "results": results}}]
        return super().list(kind, **options)


@dataclass(slots=True)
class Student:
    """Somebody with an image in a certain state, seen through the proxy before the registry."""

    lab: Lab
    workspace: Workspace
    cluster: Cluster
    signing: Signing
    front: Proxy
    truth: dict[str, ExerciseResult]

    @property
    def exercises(self) -> list[Exercise]:
        return [each for each in self.lab.exercises if each.id in EXERCISES]

    def run(self, network: LiveNetwork | None = None) -> Run:
        network = network or self.signing.network(self.front.url, _SECONDS)
        run = Run.of(self.lab, self.workspace, Mode.CLUSTER, LiveStages(self.cluster))
        return replace(run, network=network)

    def look(self, network: LiveNetwork | None = None) -> dict[str, list[CheckResult]]:
        """Run the checks of the network half, in one run."""
        run = self.run(network)
        return {each.id: look(run, each, self.truth[each.id], Half.NETWORK) for each in self.exercises}

    def wrong(self, fault: str, network: LiveNetwork | None = None) -> list[str]:
        """Return what is said at the moment that nobody could know."""
        found = self.look(network)
        return [
            each
            for exercise, checks in found.items()
            for each in wrong(self.truth[exercise], checks, fault, half=Half.NETWORK)
        ]

    def under(self, fault: Spoilt) -> list[str]:
        """Look under a fault; it has to be met."""
        with self.front.spoiling(fault):
            found = self.wrong(fault.name)
        assert fault.bitten, f"{fault.name} was never met"
        return found

    def is_well(self) -> bool:
        """Whether everything is again what it was."""
        return all(
            verdicts(checks, Half.NETWORK) == verdicts(self.truth[exercise].checks, Half.NETWORK)
            for exercise, checks in self.look().items()
        )


@pytest.fixture(scope="module")
def front(registry: Registry) -> Iterator[Proxy]:
    with before(Origin(registry.port)) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def students(
    lab: Lab, registry: Registry, signing: Signing, front: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Student]:
    made = {}
    for state in STATES:
        folder, name = tmp_path_factory.mktemp(state), f"faulty-{state}"
        shutil.copytree(lab.solutions / "td", folder / "td")
        for path in (folder / "td").rglob("*.yaml"):
            path.write_text(path.read_text(encoding="utf-8").replace("lea-devops", name), encoding="utf-8")
        by_digest = f"ghcr.io/{name}/payment-service@sha256:{'0' * 64}"
        if state != "absent":
            by_digest = pushed(registry, f"{name}/payment-service")[1]
        if state in ("signed", "bundled"):
            signing.as_person(by_digest, LEA, bundle=state == "bundled")
        cluster: Cluster = Deployed(by_digest)  # type: ignore[assignment]  # as much as is asked here
        student = made[state] = Student(lab, Workspace(folder), cluster, signing, front, {})
        for exercise in student.exercises:
            student.truth[exercise.id] = judge_exercise(student.run(), exercise)
    return made


@pytest.fixture
def signed(students: dict[str, Student]) -> Student:
    return students["signed"]


def test_without_a_fault_everything_is_told(students: dict[str, Student]) -> None:
    """Whoever has signed passes all of it; who has not is told so, by the musts of 2.5."""
    said = {
        state: {
            check.id: check
            for result in student.truth.values()
            for check in result.checks
            if check.half is Half.NETWORK
        }
        for state, student in students.items()
    }
    amiss = {key: each.facts for key, each in said["signed"].items() if each.verdict is not Verdict.PASSED}
    assert amiss == {}
    elsewhere = "2.5.found_where_the_policy_looks"
    assert {key for key, each in said["bundled"].items() if each.verdict is not Verdict.PASSED} == {elsewhere}
    assert said["unsigned"]["2.5.image_is_signed"].verdict is Verdict.UNFINISHED
    assert said["absent"]["2.5.image_is_published"].verdict is Verdict.UNFINISHED


# --- the registry ----------------------------------------------------------------------------------


def everything(_request: Request) -> bool:
    return True


def _ending(*ends: str) -> Aim:
    return lambda request: request.path.endswith(ends)


# One after the other: what a tag stands for, its signature in either format, and what only cosign fetches.
AIMS: dict[str, Aim] = {
    "everything": everything,
    "the-tag": _ending("/manifests/v1.0.0"),
    "the-signature": _ending(".sig"),
    "the-referrers": lambda request: "/referrers/" in request.path or "/manifests/sha256-" in request.path,
    "what-is-named-by-digest": lambda request: "/manifests/sha256:" in request.path,
    "the-blobs": lambda request: "/blobs/" in request.path,
}
_HTML = b"<html><body>Sign in to the network of the hotel</body></html>"
_BUSY = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}'
_EMPTY_MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": {}, "layers": []}).encode()
_OTHER = {"Docker-Content-Digest": f"sha256:{'1' * 64}"}
INSTEAD = {
    "401": Answer(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}'),
    "403": Answer(403, b'{"errors":[{"code":"DENIED"}]}'),
    "404-of-a-gateway": Answer(404, b"<html>404 page not found</html>", media_type="text/html"),
    "404-of-nobody": Answer(404, b""),
    "429": Answer(429, _BUSY),
    "500": Answer(500, b""),
    "503": Answer(503, b"<html>upstream connect error</html>", media_type="text/html"),
    "html": Answer(200, _HTML, media_type="text/html"),
    "empty": Answer(200, b""),
    "null": Answer(200, b"null"),
    "half-json": Answer(200, b'{"schemaVersion": 2, "layers": ['),
    "another-service": Answer(200, b'{"status": "ok", "version": "1.2.3"}'),
    "a-manifest-of-nothing": Answer(200, _EMPTY_MANIFEST, media_type=MANIFEST, headers=_OTHER),
    "deep": Answer(200, b"[" * 100_000),
    "huge": Answer(200, b" " * (5 * 2**20)),
    "cut-off": Answer(200, b'{"schemaVersion": 2, "layers": []}', length=5_000),
    "in-circles": Answer(307, b"", headers={"Location": "/v2/"}),
    "leads-inside": Answer(307, b"", headers={"Location": "https://169.254.169.254/latest/meta-data"}),
}


def registry_fault(name: str, aim: Aim) -> Spoilt:
    """Return the fault of a registry that answers some requests wrongly."""
    if name == "hangs":
        return Spoilt(name, hangs=aim)
    if name == "another-type":
        return Spoilt(name, after=lambda request, said: _retyped(said) if aim(request) else None)
    if name == "changed-on-the-way":
        return Spoilt(name, after=lambda request, said: _changed(said) if aim(request) else None)
    return Spoilt(name, instead=lambda request: INSTEAD[name] if aim(request) else None)


def _retyped(said: Answer) -> Answer | None:
    return replace(said, media_type="text/plain") if said.status == 200 else None


def _changed(said: Answer) -> Answer | None:
    """Spoil the content and leave the digest: a manifest with another mark, a blob with another byte."""
    return replace(said, content=said.content + b" ") if said.status == 200 else None


FAULTS = (*INSTEAD, "hangs", "another-type", "changed-on-the-way")
# What is asked for in each state; only cosign fetches blobs, and only bundles stand behind referrers.
ASKED = {
    "signed": ("everything", "the-tag", "the-signature", "the-referrers", "the-blobs"),
    "bundled": ("everything", "the-tag", "the-signature", "the-referrers", "what-is-named-by-digest"),
    "unsigned": ("everything", "the-tag", "the-signature", "the-referrers"),
    "absent": ("everything", "the-tag"),
}
# These change what is there: nothing refers to what is not signed in a bundle.
CHANGES = ("another-type", "changed-on-the-way")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", FAULTS)
def test_a_registry_that_answers_wrongly(
    students: dict[str, Student], name: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle that cannot be fetched is no missing signature; a page of somebody else's is no image."""
    student, found = students[state], []
    if name == "hangs":
        monkeypatch.setattr(cosign, "_SECONDS", 2)
        monkeypatch.setattr("tests.network.test_under_faults._SECONDS", 0.3)
    for where in ASKED[state]:
        fault = registry_fault(name, AIMS[where])
        with student.front.spoiling(fault):
            found += [f"{where}: {each}" for each in student.wrong(name)]
        assert fault.bitten or name in CHANGES, f"{name} at {where} was never met"
    assert found == []
    monkeypatch.undo()
    assert student.is_well()


def test_what_is_changed_on_the_way_is_noticed(signed: Student) -> None:
    """The digest that comes with it names something else: nobody knows what the registry has."""
    fault = registry_fault("changed-on-the-way", AIMS["the-tag"])
    assert signed.under(fault) == []
    with signed.front.spoiling(fault):
        first = signed.look()["2.5"][0]
    assert first.verdict is Verdict.UNKNOWN
    assert "digest" in str(first.facts[0].observed)


# --- the token service -----------------------------------------------------------------------------


def gated(front: Proxy, token: Answer | None, *, hangs: bool = False) -> Spoilt:
    """Let the registry ask for a token first, as public ones do; its token service gives this answer."""
    challenge = {"WWW-Authenticate": f'Bearer realm="{front.url}/token",service="ghcr.io"'}

    def instead(request: Request) -> Answer | None:
        if request.path == "/token":
            return token
        if request.authorization is None:
            return Answer(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', headers=challenge)
        return None

    return Spoilt("token", instead, hangs=lambda request: hangs and request.path == "/token")


def test_a_token_service_that_works(signed: Student) -> None:
    with signed.front.spoiling(gated(signed.front, Answer(200, b'{"token": "for-anybody"}'))):
        assert signed.is_well()


@pytest.mark.parametrize("name", [each for each in INSTEAD if each != "a-manifest-of-nothing"])
def test_a_token_service_that_answers_wrongly(signed: Student, name: str) -> None:
    assert signed.under(gated(signed.front, INSTEAD[name])) == []


def test_a_token_service_that_hangs(signed: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.network.test_under_faults._SECONDS", 0.3)
    assert signed.under(gated(signed.front, None, hangs=True)) == []


def test_a_token_that_the_registry_does_not_take(signed: Student) -> None:
    fault = gated(signed.front, Answer(200, b'{"token": "nobody\'s"}'))
    refusing = INSTEAD["401"]
    asked = fault.instead
    assert asked is not None
    fault.instead = lambda request: asked(request) or refusing
    assert signed.under(fault) == []


# --- the way there ---------------------------------------------------------------------------------


def test_nobody_listens(signed: Student) -> None:
    assert signed.wrong("refused", signed.signing.network("http://127.0.0.1:1")) == []


def test_a_name_that_is_not_known(signed: Student) -> None:
    assert signed.wrong("unknown name", signed.signing.network("http://registry.invalid", 2.0)) == []


def test_plain_text_where_tls_is_spoken(signed: Student, registry: Registry) -> None:
    network = signed.signing.network(f"https://127.0.0.1:{registry.port}")
    assert signed.wrong("no TLS", network) == []


def test_a_certificate_that_nobody_vouches_for(signed: Student, signing: Signing) -> None:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            return  # whoever looks at the certificate goes away again

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signing.folder / "authority.pem", signing.folder / "authority.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        network = signing.network(f"https://127.0.0.1:{server.server_address[1]}")
        assert signed.wrong("certificate", network) == []
        (first, *_), *_ = signed.look(network).values()
        assert "certificate" in str(first.facts[0].observed)
    finally:
        server.shutdown()
        server.server_close()


# --- cosign ----------------------------------------------------------------------------------------

CRASHES = {
    "killed": ("kill -KILL $$", "broke off"),
    "segmentation-fault": ("kill -SEGV $$", "broke off"),
    "hangs": ("exec sleep 60", "no answer within"),
    "endless": ("exec yes", "does not end"),
    "endless-complaint": ("exec yes >&2", "does not end"),
}
RUBBISH = {
    "silent-and-content": "exit 0",
    "rubbish-and-content": "echo 'All your base'; exit 0",
    "another-image": f'echo \'[{{"critical": {{"image": "sha256:{"0" * 64}"}}}}]\'; exit 0',
    "bytes": "printf '\\377\\376\\000'; exit 0",
    "rubbish-and-not": "printf '\\377\\376' >&2; exit 1",
    "silent-and-not": "exit 1",
    "no-such-command": "exit 127",
    "too-busy": "echo 'Error: GET https://x/: unexpected status code 429 Too Many Requests' >&2; exit 12",
    "gateway": "echo 'Error: no matching signatures: unexpected status code 502 Bad Gateway' >&2; exit 12",
    "html": "echo \"Error: invalid character '<' looking for beginning of value\" >&2; exit 1",
    "denied": "echo 'Error: GET https://x/: DENIED: denied' >&2; exit 1",
    "tls": "echo 'Error: tls: failed to verify certificate: x509: unknown authority' >&2; exit 12",
}


def _put(folder: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "cosign").write_bytes(content)
    (folder / "cosign").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def _signer(student: Student) -> CheckResult:
    return next(each for each in student.look()["2.5"] if each.id == "2.5.signature_is_yours")


@pytest.mark.parametrize("name", CRASHES)
def test_a_cosign_that_breaks(
    name: str, signed: Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cosign, "_SECONDS", 3)
    script, words = CRASHES[name]
    _put(tmp_path, f"#!/bin/sh\n{script}\n".encode(), monkeypatch)
    assert signed.wrong(name) == []
    result = _signer(signed)
    assert result.verdict is Verdict.UNKNOWN
    assert words in str(result.facts[-1].observed)


@pytest.mark.parametrize("name", RUBBISH)
def test_a_cosign_that_talks_rubbish(
    name: str, signed: Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(tmp_path, f"#!/bin/sh\n{RUBBISH[name]}\n".encode(), monkeypatch)
    assert signed.wrong(name) == []
    assert _signer(signed).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"#!/nowhere/at/all\n"], ids=["no-program", "no-shell"])
def test_a_cosign_that_is_no_program(
    content: bytes, signed: Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(tmp_path, content, monkeypatch)
    assert signed.wrong("no program") == []
    result = _signer(signed)
    assert result.verdict is Verdict.UNKNOWN
    assert "cannot be run" in str(result.facts[-1].observed)


# --- Kyverno, which asks the registry itself -------------------------------------------------------

# What go-containerregistry and Go's network library say when a registry could not be asked.
COULD_NOT_ASK = (
    "GET https://ghcr.io/v2/x/manifests/y: TOOMANYREQUESTS: retry-after: 1s",
    "GET https://ghcr.io/v2/x/manifests/y: unexpected status code 429 Too Many Requests: slow down",
    "GET https://ghcr.io/v2/x/manifests/y: unexpected status code 503 Service Unavailable",
    'Get "https://ghcr.io/v2/": tls: failed to verify certificate: x509: signed by unknown authority',
    'Get "https://ghcr.io/v2/": EOF',
    'Get "https://ghcr.io/v2/": read tcp 10.0.0.1:1->10.0.0.2:443: read: connection reset by peer',
    'Get "https://ghcr.io/v2/": lookup ghcr.io on 10.96.0.10:53: server misbehaving',
    'Get "https://ghcr.io/v2/": http: server gave HTTP response to HTTPS client',
    "invalid character '<' looking for beginning of value",
)


@pytest.mark.parametrize("words", COULD_NOT_ASK)
def test_a_registry_that_kyverno_could_not_ask(signed: Student, words: str) -> None:
    """Its refusal says nothing about the image, neither of the unsigned one nor of the signed one."""
    cluster = signed.cluster
    assert isinstance(cluster, Deployed)
    decisions = cluster.unsigned, cluster.signed
    try:
        for unsigned, own in ((refused(words), decisions[1]), (decisions[0], refused(words))):
            cluster.unsigned, cluster.signed = unsigned, own
            assert signed.wrong(words) == []
            told = {each.id: each.verdict for each in signed.look()["2.6"]}
            assert Verdict.UNKNOWN in told.values()
    finally:
        cluster.unsigned, cluster.signed = decisions
