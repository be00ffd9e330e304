"""Messages no component here can be made to say: a registry's, a newer Kyverno's, an operator's webhook's."""

from __future__ import annotations

import pytest

from workshop.diagnosis.refusals import image_sign, sign_of
from workshop.diagnosis.symptom import Sign

_DENIED = 'admission webhook "{webhook}" denied the request: {said}'
_BLOCKED = "\n\nresource Pod/x/y was blocked due to the following policies\n\nverify-images:\n  signed: "


def _denied(said: str, webhook: str = "mutate.kyverno.svc-fail") -> str:
    return _DENIED.format(webhook=webhook, said=f"{_BLOCKED}'{said}'")


def _refused(said: str, webhook: str = "validate-policy.kyverno.svc") -> str:
    return _DENIED.format(webhook=webhook, said=said)


def _dead(webhook: str, said: str) -> str:
    return f'failed calling webhook "{webhook}": {said}'


@pytest.mark.shows(
    Sign.SIGNATURE_NOT_FOUND, Sign.LEGACY_POLICY_REFUSED, Sign.RULE_REFUSED, Sign.NODE_PORT_TAKEN
)
@pytest.mark.parametrize(
    ("message", "sign"),
    [
        (_denied("failed to verify image: no signatures found"), Sign.SIGNATURE_NOT_FOUND),
        (_denied("no matching signatures: none of the expected"), Sign.SIGNATURE_NOT_FOUND),
        (_denied("GET https://ghcr.io/token: 403 Forbidden"), Sign.IMAGE_PRIVATE),
        (_denied("dial tcp: lookup ghcr.io: no such host"), Sign.VERIFICATION_UNREACHABLE),
        (_denied("validation error: x", "validate.kyverno.svc-fail"), Sign.REFUSED_BY_POLICY),
        ("ValidatingAdmissionPolicy 'v' with binding 'b' denied request: no", Sign.REFUSED_BY_POLICY),
        (_refused("ClusterPolicy is no longer supported; migrate to x"), Sign.LEGACY_POLICY_REFUSED),
        (_refused("spec.rules[0]: Invalid value: x"), Sign.POLICY_REFUSED),
        (_refused("not valid", "prometheusrulemutate.monitoring.coreos.com"), Sign.RULE_REFUSED),
        ("nodePort: Invalid value: 80: provided port is not in the valid range.", Sign.NODE_PORT_TAKEN),
        (_dead("validate.kyverno.svc-fail", "no endpoints available"), Sign.KYVERNO_WEBHOOK_DEAD),
        (_dead("webhook.pipeline.tekton.dev", "connection refused"), Sign.TEKTON_WEBHOOK_DEAD),
        (_dead("x.example.org", "context deadline exceeded"), Sign.WEBHOOK_DEAD),
        ('pods is forbidden: User "lea" cannot list resource "pods" in API group ""', None),
        ("Pod is invalid: spec.containers: Required value", None),
    ],
)
def test_what_a_refusal_is_a_symptom_of(message: str, sign: Sign | None) -> None:
    assert sign_of(message) is sign


@pytest.mark.parametrize(
    ("image", "message", "sign"),
    [
        ("ghcr.io/x/y:1", "denied: denied", Sign.IMAGE_PRIVATE),
        ("ghcr.io/x/y:1", "unexpected status: 403 Forbidden", Sign.IMAGE_PRIVATE),
        ("ghcr.io/x/y:1", "manifest unknown", Sign.IMAGE_UNAVAILABLE),
        ("ghcr.io/x/y:1", "TOOMANYREQUESTS: retry-after: 1s", Sign.PULL_RATE_LIMIT),
        ("bitnami/postgresql:15", "manifest unknown", Sign.BITNAMI_IMAGE_GONE),
        ("bitnamilegacy/postgresql:15", "manifest unknown", Sign.IMAGE_UNAVAILABLE),
        ("x/y", "pull access denied, repository does not exist", Sign.IMAGE_UNAVAILABLE),
    ],
)
def test_why_an_image_is_not_there(image: str, message: str, sign: Sign) -> None:
    assert image_sign(image, message) is sign
