"""HTTPS to public hosts and nowhere else: no private address, no credentials, bounded in size and time.

A host is looked up once, and the address that was found harmless is the one connected to: a name that
changes its address in between leads nowhere new.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, IncompleteRead
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from workshop.network.port import NoRegistry
from workshop.texts import Text
from workshop.verdicts import Reason

_MOST_BYTES: Final = 4 * 2**20
_MOST_REDIRECTS: Final = 3
REDIRECTS: Final = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: status, headers with lower-case names, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """GET and HEAD. `trusted` are origins (`http://127.0.0.1:5000`) that are asked whatever their address.

    Only code that makes a Transport can name them: a test, never a setting a student could change.
    """

    def __init__(self, *, seconds: float, trusted: frozenset[str] = frozenset()) -> None:
        self._seconds = seconds
        self._trusted = trusted

    def ask(self, method: str, url: str, headers: Mapping[str, str], *, follow: bool = True) -> Answer:
        """Return the answer, behind at most three redirects where one follows them. Raises NoRegistry."""
        deadline = time.monotonic() + self._seconds
        sent = dict(headers)
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._ask_once(method, url, sent, deadline)
            target = answer.headers.get("location")
            if answer.status not in REDIRECTS or target is None or not follow:
                return answer
            following = urljoin(url, target)
            if _origin(urlsplit(following)) != _origin(urlsplit(url)):
                sent.pop("Authorization", None)
            url = following
        raise NoRegistry(Reason.UNAVAILABLE, Text("the registry sends us round in circles"))

    def _ask_once(self, method: str, url: str, headers: Mapping[str, str], deadline: float) -> Answer:
        parts = urlsplit(url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        with (
            _answering(parts.hostname or "?", self._seconds, deadline),
            self._stream(parts, deadline) as stream,
        ):
            connection = HTTPConnection(parts.hostname or "")
            connection.sock = stream
            told = {**headers, "Host": parts.netloc, "User-Agent": "techmarket-workshop"}
            connection.request(method, target, headers=told)
            response = connection.getresponse()
            body = response.read(_MOST_BYTES + 1)
            if response.length and len(body) <= _MOST_BYTES:
                raise IncompleteRead(body, response.length)
            if time.monotonic() >= deadline:
                raise TimeoutError  # it was cut off: what has come so far need not be all
            if len(body) > _MOST_BYTES:
                text = Text("the registry's answer is too long to be one")
                raise NoRegistry(Reason.UNAVAILABLE, text)
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, body)

    @contextmanager
    def _stream(self, parts: SplitResult, deadline: float) -> Iterator[socket.socket]:
        """Connect to an origin we may ask; whatever comes or does not, it is over at the deadline."""
        host, trusted, secure = parts.hostname or "", _origin(parts) in self._trusted, parts.scheme == "https"
        if not (secure or trusted) or parts.username is not None:
            raise NoRegistry(Reason.UNAVAILABLE, Text("{host} is not asked: only plain https is", host=host))
        stream = _reach(host, parts.port or (443 if secure else 80), deadline, anywhere=trusted)
        if secure:
            context = ssl.create_default_context()
            stream = context.wrap_socket(stream, server_hostname=host, do_handshake_on_connect=False)
        # A socket's time-out bounds one read; only cutting it off bounds a server that drips.
        timer = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, [stream])
        timer.daemon = True
        timer.start()
        try:
            if isinstance(stream, ssl.SSLSocket):
                stream.do_handshake()
            yield stream
        finally:
            timer.cancel()
            stream.close()


def _reach(host: str, port: int, deadline: float, *, anywhere: bool) -> socket.socket:
    """Return a connection to the first address of a host that answers, if all of them are public."""
    addresses = _addresses(host, port, deadline)
    if not anywhere and not all(_is_public(each) for each in addresses):
        raise NoRegistry(
            Reason.UNAVAILABLE, Text("{host} is not asked: its address is not a public one", host=host)
        )
    failure: OSError = OSError("no address")
    for address in dict.fromkeys(addresses):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            stream = socket.create_connection((address, port), timeout=left)
        except OSError as error:
            failure = error
            continue
        stream.settimeout(left)
        return stream
    raise failure


def _addresses(host: str, port: int, deadline: float) -> list[str]:
    """Look a host up. The system's resolver knows no deadline: whoever waits for it may go before it ends."""
    found: list[str] = []
    failed: list[Exception] = []

    def look_up() -> None:
        try:
            known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(str(each[4][0]) for each in known)
        except (OSError, ValueError) as error:  # a name that no encoding of names takes
            failed.append(error)

    looking = threading.Thread(target=look_up, daemon=True)
    looking.start()
    looking.join(max(0.0, deadline - time.monotonic()))
    if looking.is_alive():
        raise TimeoutError
    if failed:
        raise failed[0]
    return found


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    embedded = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    return found.is_global and not found.is_multicast and (embedded is None or embedded.is_global)


def _origin(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc}"


def _cut(stream: socket.socket) -> None:
    try:
        stream.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already


@contextmanager
def _answering(host: str, seconds: float, deadline: float) -> Iterator[None]:
    """Turn whatever can happen on the way to a host and back into NoRegistry, with the reason."""
    try:
        yield
    except NoRegistry:
        raise
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
            text = Text("{host}: no answer within {seconds} s", host=host, seconds=f"{seconds:g}")
            raise NoRegistry(Reason.TIMEOUT, text) from error
        text = Text("{host}: no answer ({problem})", host=host, problem=str(error)[:200])
        raise NoRegistry(Reason.UNAVAILABLE, text) from error
