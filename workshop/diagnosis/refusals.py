"""What a refusal by the API server is a symptom of. Only stable fragments of its messages are matched."""

from __future__ import annotations

import re
from typing import Final

from workshop.cluster.denials import is_refusal, policies_of, webhook_of
from workshop.diagnosis.symptom import Sign

_DEAD: Final = "failed calling webhook"
_NETWORK: Final = re.compile(
    r"dial tcp|no such host|i/o timeout|context deadline exceeded|connection refused"
    r"|failed to get roots from fulcio|TLS handshake timeout|network is unreachable"
)
_PRIVATE: Final = re.compile(
    r"\b(?:401|403)\b.{0,60}(?:Unauthorized|Forbidden)|UNAUTHORIZED|DENIED|\bunauthorized\b"
    r"|\bdenied: |insufficient_scope|authentication required",
)
_LIMITS: Final = re.compile(r"(?:maximum|minimum) \S+ (?:usage|limit|request).{0,40}per (?:Container|Pod)")
_ACCOUNT: Final = re.compile(r'serviceaccounts? "[^"]*" not found|error looking up service account')
# Since 1.20 Kyverno turns away what it deprecated in 1.17; a Warning, which says the same, is no refusal.
_LEGACY: Final = re.compile(
    r"(?:ClusterPolicy|clusterpolicies|kyverno\.io/v1)\b.{0,200}"
    r"(?:no longer|not supported|removed|blocked|migrate to)",
    re.DOTALL,
)
_PLAIN: Final = (
    (Sign.POD_SECURITY, re.compile(r"violates PodSecurity")),
    (Sign.QUOTA_EXCEEDED, re.compile(r"exceeded quota:|failed quota:")),
    (Sign.LIMIT_RANGE, _LIMITS),
    (Sign.SERVICE_ACCOUNT_MISSING, _ACCOUNT),
    (Sign.NODE_PORT_TAKEN, re.compile(r"provided port is (?:already allocated|not in the valid range)")),
    (Sign.ANNOTATION_TOO_LONG, re.compile(r"metadata\.annotations: Too long")),
    (Sign.KIND_NOT_SERVED, re.compile(r"no matches for kind")),
)


def sign_of(message: str) -> Sign | None:
    """Return what a refusal is a symptom of; None for one that says nothing about the cluster."""
    if _DEAD in message:
        return _dead(webhook_of(message) or message)
    plain = next((sign for sign, pattern in _PLAIN if pattern.search(message)), None)
    if plain is not None:
        return plain
    webhook = webhook_of(message) or ""
    if webhook.startswith("validate-policy.kyverno"):
        return Sign.LEGACY_POLICY_REFUSED if _LEGACY.search(message) else Sign.POLICY_REFUSED
    if webhook.startswith(("prometheusrulemutate.", "prometheusrulevalidate.")):
        return Sign.RULE_REFUSED
    if "kyverno" in webhook or policies_of(message):
        return _verification(message) or Sign.REFUSED_BY_POLICY
    return None


def dead_webhook(name: str) -> Sign:
    """Return the sign of a webhook that does not answer, by its name."""
    return _dead(name)


def is_refused(message: str) -> bool:
    """Tell whether a message speaks of an object that admission did not let in."""
    return is_refusal(message) or sign_of(message) is not None


def image_sign(image: str, message: str) -> Sign:
    """Return why an image is not there, from what was said about it."""
    if re.search(r"toomanyrequests|rate limit|429 Too Many", message, re.IGNORECASE):
        return Sign.PULL_RATE_LIMIT
    if re.match(r"(?:docker\.io/)?bitnami/", image):
        return Sign.BITNAMI_IMAGE_GONE
    # Docker Hub says both in one sentence of an image that simply is not there.
    if _PRIVATE.search(message) and "repository does not exist" not in message:
        return Sign.IMAGE_PRIVATE
    return Sign.IMAGE_UNAVAILABLE


def _dead(webhook: str) -> Sign:
    if "kyverno" in webhook:
        return Sign.KYVERNO_WEBHOOK_DEAD
    return Sign.TEKTON_WEBHOOK_DEAD if "tekton.dev" in webhook else Sign.WEBHOOK_DEAD


def _verification(message: str) -> Sign | None:
    """Return why the verification of an image's signature refused, None for another refusal."""
    if "no signatures found" in message or "no matching signatures" in message:
        return Sign.SIGNATURE_NOT_FOUND
    if _NETWORK.search(message):
        return Sign.VERIFICATION_UNREACHABLE
    return Sign.IMAGE_PRIVATE if _PRIVATE.search(message) else None
