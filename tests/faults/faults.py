"""What can be wrong between a check and the truth: connections, answers, rights, and objects of odd shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.faults.proxy import AUDITED, Answer, Request, Spoilt

Object = dict[str, Any]
Aim = Callable[[Request], bool]


def everything(_request: Request) -> bool:
    return True


def reads_of(resource: str) -> Aim:
    """Aim at one kind: whatever is read of it or created."""
    return lambda request: request.resource == resource


def _status(code: int, reason: str, message: str) -> bytes:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    return json.dumps({**status, "reason": reason, "message": message}).encode()


def answering(name: str, aim: Aim, answer: Answer) -> Spoilt:
    """Return the fault in which somebody gives one answer to all requests that it is aimed at."""
    return Spoilt(name, instead=lambda request: answer if aim(request) else None)


_STATUSES = (
    (401, "Unauthorized", "Unauthorized"),
    (403, "Forbidden", 'pods is forbidden: User "lea-devops" cannot list resource "pods" in API group ""'),
    (408, "Timeout", "Timeout: request did not complete within the requested timeout"),
    (410, "Expired", "The provided continue parameter is too old"),
    (429, "TooManyRequests", "too many requests, please try again later"),
    (500, "InternalError", "Internal error occurred: etcdserver: leader changed"),
    (503, "ServiceUnavailable", "the server is currently unable to handle the request"),
    (504, "Timeout", "the server was unable to return a response in the time allotted"),
)
_PAGES = (
    ("html", 200, b"<html><body>Sign in to the hotel's network</body></html>", "text/html"),
    ("html-503", 503, b"<html>upstream connect error</html>", "text/html"),
    ("html-404", 404, b"<html>404 page not found</html>", "text/html"),
    ("empty", 200, b"", "application/json"),
    ("half-json", 200, b'{"kind": "List", "items": [{"metadata": ', "application/json"),
    ("list-of-numbers", 200, b"[1, 2]", "application/json"),
    ("null", 200, b"null", "application/json"),
    ("deep", 200, b"[" * 100_000, "application/json"),
    ("another-service", 200, b'{"status": "ok", "version": "1.2.3"}', "application/json"),
    ("items-are-text", 200, b'{"kind": "List", "items": "none", "metadata": {}}', "application/json"),
    ("items-are-null", 200, b'{"kind": "List", "items": [null, 7], "metadata": {}}', "application/json"),
)


def answers(aim: Aim) -> Iterator[Spoilt]:
    """Yield faults in which somebody answers, but not with what was asked for."""
    for code, reason, message in _STATUSES:
        yield answering(str(code), aim, Answer(code, _status(code, reason, message), headers=AUDITED))
    for name, code, content, media_type in _PAGES:
        yield answering(name, aim, Answer(code, content, media_type=media_type))
    yield answering("cut-off", aim, Answer(200, b'{"kind": "List", "items": [', length=5_000))


def hanging(aim: Aim) -> Spoilt:
    """Return the fault of a server that takes a request and never answers."""
    return Spoilt("hangs", hangs=aim)


def dead_after(count: int) -> Spoilt:
    """Return the fault of a server that is lost in the middle of a run: after so many answers."""
    left = [count]

    def instead(_request: Request) -> Answer | None:
        left[0] -= 1
        return None if left[0] >= 0 else Answer(503, b"", length=100)

    return Spoilt(f"dead-after-{count}", instead=instead)


def missing_kind(resource: str) -> Spoilt:
    """Return the fault of a kind that is not there: neither in discovery nor behind its path."""
    version, _, plural = resource.rpartition("/")
    if plural == "proxy":  # a part of a kind: it is listed, and asked for, beside it
        version, _, plural = resource.partition("/")
    found = _status(404, "NotFound", "the server could not find the requested resource")

    def instead(request: Request) -> Answer | None:
        return Answer(404, found, headers=AUDITED) if request.resource == resource else None

    def after(request: Request, answer: Answer) -> Answer | None:
        if request.path.rstrip("/") not in (f"/apis/{version}", f"/api/{version}") or answer.status != 200:
            return None
        known = json.loads(answer.content)
        known["resources"] = [each for each in known["resources"] if each["name"] != plural]
        return Answer(200, json.dumps(known).encode())

    return Spoilt("missing-kind", instead=instead, after=after)


_CALL = 'Internal error occurred: failed calling webhook "{}": failed to call webhook: '
_POST = 'Post "https://kyverno-svc.kyverno.svc:443/fail?timeout=10s": '
_WEBHOOKS = (
    _CALL.format("validate.kyverno.svc-fail") + _POST + "dial tcp 10.96.1.2:443: connect: connection refused",
    _CALL.format("mutate.kyverno.svc-fail") + _POST + "context deadline exceeded",
    _CALL.format("validate.kyverno.svc-fail") + _POST + "remote error: tls: internal error",
    _CALL.format("webhook.pipeline.tekton.dev")
    + 'no endpoints available for service "tekton-pipelines-webhook"',
)


def half_ready_webhooks() -> Iterator[Spoilt]:
    """Yield faults in which every probe ends at a webhook that cannot be called."""
    for number, message in enumerate(_WEBHOOKS):
        answer = Answer(500, _status(500, "InternalError", message), headers=AUDITED)
        yield answering(f"webhook-{number}", lambda request: request.method == "POST", answer)


def misshapen(aim: Aim) -> Iterator[Spoilt]:
    """Yield faults in which objects come with a part that no API server would write so."""
    for name, change in (
        ("status-null", _setting("status", None)),
        ("status-text", _setting("status", "Running")),
        ("status-list", _setting("status", [{"type": "Ready", "status": "True"}])),
        ("spec-null", _setting("spec", None)),
        ("spec-text", _setting("spec", "replicas: 3")),
        ("metadata-null", _setting("metadata", None)),
        ("metadata-text", _setting("metadata", "name: backstage")),
        ("name-number", _deep(("metadata", "name"), 7)),
        ("labels-list", _deep(("metadata", "labels"), ["app=payment-service"])),
        ("labels-numbers", _deep(("metadata", "labels"), {"app": 1})),
        ("annotations-text", _deep(("metadata", "annotations"), "none")),
        ("conditions-text", _deep(("status", "conditions"), "Ready")),
        ("conditions-of-text", _deep(("status", "conditions"), ["Ready", None])),
        ("conditions-null-status", _deep(("status", "conditions"), [{"type": "Ready", "status": None}])),
        ("replicas-text", _deep(("spec", "replicas"), "three")),
        ("containers-text", _deep(("spec", "containers"), "nginx")),
        ("template-null", _deep(("spec", "template"), None)),
        ("ports-of-null", _deep(("spec", "ports"), [None])),
        ("phase-list", _deep(("status", "phase"), ["Running"])),
        ("data-list", _setting("data", ["app-config.yaml"])),
        ("webhooks-text", _setting("webhooks", "all")),
    ):
        yield Spoilt(name, after=_changing(aim, change))


def _setting(key: str, value: object) -> Callable[[Object], None]:
    def change(current: Object) -> None:
        if key in current:
            current[key] = value

    return change


def _deep(path: tuple[str, str], value: object) -> Callable[[Object], None]:
    def change(current: Object) -> None:
        inner = current.get(path[0])
        if isinstance(inner, dict) and path[1] in inner:
            inner[path[1]] = value

    return change


def _changing(aim: Aim, change: Callable[[Object], None]) -> Callable[[Request, Answer], Answer | None]:
    def after(request: Request, answer: Answer) -> Answer | None:
        if not aim(request) or request.resource is None or request.method != "GET" or answer.status != 200:
            return None
        try:
            content = json.loads(answer.content)
        except ValueError:
            return None  # a watch, or what a Service said
        before = json.dumps(content)
        for each in content["items"] if isinstance(content.get("items"), list) else [content]:
            change(each)
        spoilt = json.dumps(content)
        return Answer(200, spoilt.encode()) if spoilt != before else None

    return after


def cut_watch() -> Spoilt:
    """Return the fault of a watch that ends in the middle of an event."""

    def after(request: Request, answer: Answer) -> Answer | None:
        if not request.watches:
            return None
        return Answer(200, answer.content[: len(answer.content) // 2], length=len(answer.content) + 1_000)

    return Spoilt("watch-cut", after=after)
