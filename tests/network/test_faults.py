"""A registry that misbehaves says nothing about an image, and nothing of ours goes where it should not."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from workshop.network import Image, LiveNetwork, NoRegistry
from workshop.network.transport import Transport
from workshop.verdicts import Reason

REFERENCE = "ghcr.io/lea/payment-service:v1.0.0"
UNKNOWN = '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}'
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = json.dumps({"schemaVersion": 2, "layers": []})


def digest_of(body: str) -> str:
    return f"sha256:{hashlib.sha256(body.encode()).hexdigest()}"


DIGEST = digest_of(MANIFEST)


@dataclass
class Front:
    """What answers instead of a registry, and what it was asked."""

    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def front(answer: Callable[[Front, BaseHTTPRequestHandler], None]) -> Iterator[Front]:
    """Serve on loopback until the end of the block."""
    made = Front()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append((self.path, dict(self.headers)))
            answer(made, self)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


def say(handler: BaseHTTPRequestHandler, status: int, body: str = "", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body.encode())))
    handler.end_headers()
    handler.wfile.write(body.encode())


def network(made: Front, seconds: float = 5.0) -> LiveNetwork:
    return LiveNetwork(seconds=seconds, mirrors={"ghcr.io": made.url})


FAULTS = [
    (401, "", Reason.UNAUTHORIZED),
    (403, '{"errors":[{"code":"DENIED"}]}', Reason.FORBIDDEN),
    (429, '{"errors":[{"code":"TOOMANYREQUESTS"}]}', Reason.TIMEOUT),
    (500, "", Reason.UNAVAILABLE),
    (503, "<html>busy</html>", Reason.UNAVAILABLE),
    (200, "<html>Please log in to the hotel's network</html>", Reason.UNAVAILABLE),
    (200, "[1, 2]", Reason.UNAVAILABLE),
    (200, "[" * 100_000, Reason.UNAVAILABLE),
    (200, " " * (5 * 2**20), Reason.UNAVAILABLE),
]


@pytest.mark.parametrize(("status", "body", "reason"), FAULTS, ids=lambda value: str(value)[:20])
def test_every_question_under_every_fault(status: int, body: str, reason: Reason) -> None:
    with front(lambda _, handler: say(handler, status, body)) as made:
        asking = network(made)
        for question in (
            lambda: asking.image(REFERENCE),
            lambda: asking.signatures(Image(REFERENCE, DIGEST)),
        ):
            with pytest.raises(NoRegistry) as error:
                question()
            assert error.value.reason is reason


def test_nobody_listening() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        asking = LiveNetwork(mirrors={"ghcr.io": f"http://127.0.0.1:{probe.getsockname()[1]}"})
        with pytest.raises(NoRegistry) as error:
            asking.image(REFERENCE)
    assert error.value.reason is Reason.UNAVAILABLE


@pytest.mark.parametrize("drips", [False, True], ids=["silent", "dripping"])
def test_a_registry_that_hangs(drips: bool) -> None:
    ended = threading.Event()

    def answer(_: Front, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while drips and not ended.wait(0.05):
            handler.wfile.write(b" ")
        ended.wait(30)

    with front(answer) as made:
        with pytest.raises(NoRegistry) as error:
            network(made, seconds=0.5).image(REFERENCE)
        ended.set()
    assert error.value.reason is Reason.TIMEOUT


def test_who_does_not_answer_is_asked_once() -> None:
    with front(lambda _, handler: say(handler, 500)) as made:
        asking = network(made)
        for _ in range(3):
            with pytest.raises(NoRegistry):
                asking.image(REFERENCE)
        assert len(made.asked) == 1


def test_the_token_is_anybodys() -> None:
    """The registry's own token service is asked, for pulling alone and without credentials."""

    def answer(made: Front, handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith("/token"):
            say(handler, 200, json.dumps({"token": "for-anybody"}))
        elif handler.headers.get("Authorization") == "Bearer for-anybody":
            say(handler, 200, MANIFEST, Docker_Content_Digest=DIGEST)
        else:
            challenge = f'Bearer realm="{made.url}/token",service="ghcr.io",scope="repository:other:push"'
            say(handler, 401, "{}", WWW_Authenticate=challenge)

    with front(answer) as made:
        image = network(made).image(REFERENCE)
    assert image is not None
    assert image.digest == DIGEST
    path, headers = made.asked[1]
    assert "Authorization" not in headers
    assert parse_qs(urlsplit(path).query) == {
        "scope": ["repository:lea/payment-service:pull"],
        "service": ["ghcr.io"],
    }


def test_a_private_package_on_a_registry_with_tokens() -> None:
    def answer(made: Front, handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith("/token"):
            say(handler, 403, '{"errors":[{"code":"DENIED"}]}')
        else:
            say(handler, 401, "{}", WWW_Authenticate=f'Bearer realm="{made.url}/token",service="ghcr.io"')

    with front(answer) as made, pytest.raises(NoRegistry) as error:
        network(made).image(REFERENCE)
    assert error.value.reason is Reason.FORBIDDEN


@pytest.mark.parametrize(
    "target",
    [
        "https://127.0.0.1/", "https://localhost/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data",
        "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://0.0.0.0/", "http://198.51.100.7/",
        "https://lea:secret@192.168.1.1/", "file:///etc/passwd", "https://100.64.0.1/",
    ],
)  # fmt: skip
def test_neither_redirect_nor_token_service_leads_inside(target: str) -> None:
    def redirect(_: Front, handler: BaseHTTPRequestHandler) -> None:
        say(handler, 307, Location=target)

    def challenge(_: Front, handler: BaseHTTPRequestHandler) -> None:
        say(handler, 401, "{}", WWW_Authenticate=f'Bearer realm="{target}",service="ghcr.io"')

    for answer in (redirect, challenge):
        with front(answer) as made, pytest.raises(NoRegistry) as error:
            network(made).image(REFERENCE)
        assert "is not asked" in str(error.value.text), error.value.text


@pytest.mark.parametrize(
    "reference",
    ["127.0.0.1/lea/x:1", "10.1.2.3:5000/lea/x:1", "localhost.localdomain/lea/x:1", "192.168.0.1/x/y:1"],
)
def test_a_reference_leads_to_public_hosts_alone(reference: str) -> None:
    with pytest.raises(NoRegistry):
        LiveNetwork(seconds=5).image(reference)


@pytest.mark.parametrize(
    "reference",
    ["", "nginx", "GHCR.io/lea/x", "ghcr.io/Lea/x:1", "ghcr.io/lea/../x", "ghcr.io/lea/x:1\r\nHost: y",
     "http://ghcr.io/lea/x", "ghcr.io/lea/x@sha256:1", "a@b.example/x/y:1"],
)  # fmt: skip
def test_no_reference_at_all(reference: str) -> None:
    with pytest.raises(NoRegistry) as error:
        LiveNetwork().image(reference)
    assert "is not the name of an image" in str(error.value.text)


def test_round_in_circles() -> None:
    with front(lambda _, handler: say(handler, 302, Location=handler.path)) as made:
        with pytest.raises(NoRegistry):
            network(made).image(REFERENCE)
        assert len(made.asked) == 4


def test_a_token_stays_with_its_registry() -> None:
    with front(lambda _, handler: say(handler, 200, MANIFEST)) as other:
        with front(lambda _, handler: say(handler, 307, Location=other.url + "/x")) as first:
            asking = Transport(seconds=5, trusted=frozenset({first.url, other.url}))
            asking.ask("GET", first.url + "/v2/", {"Authorization": "Bearer t"})
        assert first.asked[0][1]["Authorization"] == "Bearer t"
        assert "Authorization" not in other.asked[0][1]


def test_the_referrers_api_where_there_is_one() -> None:
    bundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
    manifest = json.dumps({"schemaVersion": 2, "artifactType": bundle, "layers": [{"mediaType": bundle}]})
    referrer = {"digest": digest_of(manifest), "artifactType": bundle}

    def answer(_: Front, handler: BaseHTTPRequestHandler) -> None:
        if "/referrers/" in handler.path:
            say(handler, 200, json.dumps({"manifests": [referrer]}), Content_Type=INDEX)
        elif handler.path.endswith(referrer["digest"]):
            say(handler, 200, manifest)
        else:
            say(handler, 404, UNKNOWN)

    with front(answer) as made:
        signatures = network(made).signatures(Image(REFERENCE, DIGEST))
    assert (signatures.classic, signatures.bundle) == (False, True)
    assert not any(path.endswith(DIGEST.replace(":", "-")) for path, _ in made.asked), "no need of the tag"


def test_a_busy_referrers_api_is_no_answer() -> None:
    def answer(_: Front, handler: BaseHTTPRequestHandler) -> None:
        say(handler, 503 if "/referrers/" in handler.path else 404, UNKNOWN)

    with front(answer) as made, pytest.raises(NoRegistry):
        network(made).signatures(Image(REFERENCE, DIGEST))


def test_a_referrers_api_that_sends_elsewhere() -> None:
    """GHCR answers with a redirect to a page that is often too busy: the tag is asked instead."""

    def answer(made: Front, handler: BaseHTTPRequestHandler) -> None:
        if "/referrers/" in handler.path:
            say(handler, 303, Location=f"{made.url}/a/page")
        elif handler.path == "/a/page":
            say(handler, 429, "<html></html>", Content_Type="text/html")
        else:
            say(handler, 404, UNKNOWN)

    with front(answer) as made:
        assert not network(made).signatures(Image(REFERENCE, DIGEST)).any
        assert "/a/page" not in [path for path, _ in made.asked]
        assert any(path.endswith(f"manifests/{DIGEST.replace(':', '-')}") for path, _ in made.asked)


def test_an_image_of_several_platforms() -> None:
    platforms = [f"sha256:{letter * 64}" for letter in "bc"]
    index = json.dumps({"schemaVersion": 2, "manifests": [{"digest": each} for each in platforms]})
    digest = digest_of(index)
    with front(lambda _, handler: say(handler, 200, index, Docker_Content_Digest=digest)) as made:
        image = network(made).image(REFERENCE)
    assert image == Image(REFERENCE, digest, tuple(platforms))


def test_a_resolver_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver knows no time-out of ours: it is left behind."""
    released = threading.Event()

    def look_up(*_: Any, **__: Any) -> list[Any]:
        released.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        with pytest.raises(NoRegistry) as error:
            LiveNetwork(seconds=0.2).image(REFERENCE)
    finally:
        released.set()
    assert error.value.reason is Reason.TIMEOUT


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(NoRegistry) as error:
        LiveNetwork(seconds=30, mirrors={"ghcr.io": "http://registry.invalid"}).image(REFERENCE)
    assert error.value.reason in (Reason.UNAVAILABLE, Reason.TIMEOUT)
