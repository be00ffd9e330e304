"""Who refused an object, read off the API server's message.

Only stable fragments are matched: names of webhooks and policies, never whole sentences.
"""

from __future__ import annotations

import re
from typing import Final

_WEBHOOK: Final = re.compile(r'admission webhook "([^"]+)" denied the request')
_FAILED_CALL: Final = re.compile(r'failed calling webhook "([^"]+)"')
# ClusterPolicy: YAML of `policy:` with rules below, after a fixed heading.
_LEGACY_BODY: Final = re.compile(r"due to the following policies:?\s*\n+(.*)", re.DOTALL)
_LEGACY_POLICY: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9.\-/]*):\s*$", re.MULTILINE)
_CEL_POLICY: Final = re.compile(r"\bPolicy ([A-Za-z0-9][A-Za-z0-9.\-]*)(?: |: )(?:failed|error)")
_LEGACY_MUTATION: Final = re.compile(r"\bmutation policy ([A-Za-z0-9][A-Za-z0-9.\-/]*) error")
_NATIVE_POLICY: Final = re.compile(r"(?:Validating|Mutating)AdmissionPolicy '([^']+)'")
# What the API server says when a mutation has left something that is no object of its kind any more.
_SPOILT: Final = re.compile(r"Internal error occurred: .*json: cannot unmarshal .* into Go struct field")
# A policy that reads a ConfigMap nobody made here.
_NO_CONTEXT: Final = re.compile(r"failed to (?:get configmap|retrieve config map)")
# A refusal for want of a network or a registry proves nothing about the object. The words are those of Go's
# network library and of go-containerregistry, which Kyverno and cosign ask registries with.
_NETWORK: Final = re.compile(
    r"dial tcp|no such host|i/o timeout|context deadline exceeded|connection (?:refused|reset)"
    r"|failed to get roots from fulcio|TLS handshake|no route to host|network is unreachable"
    r"|server misbehaving|\btls: |\bEOF\b|HTTP response to HTTPS client|TOOMANYREQUESTS|toomanyrequests"
    r"|unexpected status code (?!40[13])\d{3}|error verifying (?:size|\w+ checksum)"
    r"|invalid character .+ looking for beginning of value"
)


def webhook_of(message: str) -> str | None:
    """Return the name of the webhook that refused, or that could not be called."""
    match = _WEBHOOK.search(message) or _FAILED_CALL.search(message)
    return match[1] if match else None


def policies_of(message: str) -> tuple[str, ...]:
    """Return the policies that a refusal names, in the order of the message."""
    found: list[str] = []
    body = _LEGACY_BODY.search(message)
    if body:
        found += [name.rpartition("/")[2] for name in _LEGACY_POLICY.findall(body[1])]
    found += [name.rpartition("/")[2] for name in _LEGACY_MUTATION.findall(message)]
    found += _CEL_POLICY.findall(message)
    found += _NATIVE_POLICY.findall(message)
    return tuple(dict.fromkeys(found))


def is_refusal(message: str) -> bool:
    """Tell a refusal by admission from an answer that only looks like one (403 of RBAC, say)."""
    return bool(
        _WEBHOOK.search(message) or _NATIVE_POLICY.search(message) or "violates PodSecurity" in message
    )


def proves_nothing(message: str) -> bool:
    """Tell whether the refusal comes from a webhook or a registry that could not be reached."""
    return bool(_FAILED_CALL.search(message) or _NETWORK.search(message))


def is_spoilt(message: str) -> bool:
    """Tell whether a mutation has made the object unreadable; the message does not say whose."""
    return bool(_SPOILT.search(message))


def lacks_context(message: str) -> bool:
    """Tell whether a policy refused because something it reads is not on this cluster."""
    return bool(_NO_CONTEXT.search(message))
