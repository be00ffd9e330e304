"""Who refused: read off messages as real engines send them."""

from __future__ import annotations

import pytest

from workshop.cluster.denials import (
    is_refusal,
    is_spoilt,
    lacks_context,
    policies_of,
    proves_nothing,
    webhook_of,
)

# Seen on Kubernetes 1.35 with Kyverno 1.19.
LEGACY = (
    'admission webhook "validate.kyverno.svc-fail" denied the request: \n\n'
    "resource Pod/default/x was blocked due to the following policies\n\n"
    "disallow-latest-tag:\n  no-latest: 'validation error: name a version. "
    "rule no-latest failed at path /spec/containers/0/image/'\n"
    "require-resource-limits:\n  limits: 'validation error: …'\n"
)
CEL = (
    'admission webhook "vpol.validate.kyverno.svc-fail" denied the request: '
    "Policy no-latest failed: no latest"
)
CEL_MUTATION = (
    'admission webhook "mpol.validate.kyverno.svc-fail" denied the request: Resource: default/x, '
    "Kind: Deployment, Errors: [Policy add-labels: failed to evaluate policy: type mismatch]"
)
NATIVE = (
    'The pods "p" is invalid: : '
    "ValidatingAdmissionPolicy 'vap' with binding 'vapb' denied request: no latest"
)
DEAD = (
    'Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": '
    'failed to call webhook: Post "https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": '
    "dial tcp 10.96.1.1:443: connect: connection refused"
)
FULCIO = (
    'admission webhook "mutate.kyverno.svc-fail" denied the request: \n\n'
    "resource Pod/default/x was blocked due to the following policies\n\n"
    "verify-image-signature:\n  check: 'failed to verify image: failed to get roots from fulcio: "
    "dial tcp: lookup fulcio.sigstore.dev: no such host'\n"
)
MUTATION = (
    'admission webhook "mutate.kyverno.svc-fail" denied the request: mutation policy labels error: failed to '
    "apply policy labels rules [labels: failed to patch resource: replace operation does not apply]"
)
SPOILT = (
    "Internal error occurred: json: cannot unmarshal string into Go struct field "
    "ObjectMeta.metadata.labels of type map[string]string"
)
CONTEXT = (
    'admission webhook "validate.kyverno.svc-fail" denied the request: \n\n'
    "resource Pod/default/x was blocked due to the following policies\n\n"
    "disallow-latest-tag:\n  no-latest: 'failed to retrieve config map for context entry banned: "
    "failed to get configmap kyverno/banned-tags'\n"
)
QUOTA = 'pods "x" is forbidden: exceeded quota: lab, requested: pods=1, used: pods=5, limited: pods=5'
RBAC = 'pods is forbidden: User "lea" cannot create resource "pods" in API group "" in namespace "default"'


@pytest.mark.parametrize(
    ("message", "policies", "webhook", "refusal", "nothing"),
    [
        (
            LEGACY,
            ("disallow-latest-tag", "require-resource-limits"),
            "validate.kyverno.svc-fail",
            True,
            False,
        ),
        (CEL, ("no-latest",), "vpol.validate.kyverno.svc-fail", True, False),
        (CEL_MUTATION, ("add-labels",), "mpol.validate.kyverno.svc-fail", True, False),
        (NATIVE, ("vap",), None, True, False),
        (DEAD, (), "validate.kyverno.svc-fail", False, True),
        (FULCIO, ("verify-image-signature",), "mutate.kyverno.svc-fail", True, True),
        (MUTATION, ("labels",), "mutate.kyverno.svc-fail", True, False),
        (QUOTA, (), None, False, False),
        (RBAC, (), None, False, False),
    ],
    ids=[
        "legacy",
        "cel",
        "cel-mutation",
        "native",
        "dead-webhook",
        "no-network",
        "mutation",
        "quota",
        "rbac",
    ],
)
def test_messages(
    message: str, policies: tuple[str, ...], webhook: str | None, refusal: bool, nothing: bool
) -> None:
    assert policies_of(message) == policies
    assert webhook_of(message) == webhook
    assert is_refusal(message) is refusal
    assert proves_nothing(message) is nothing


@pytest.mark.parametrize("message", [LEGACY, CEL, NATIVE, DEAD, MUTATION, QUOTA, RBAC])
def test_few_messages_tell_of_something_else(message: str) -> None:
    assert not is_spoilt(message)
    assert not lacks_context(message)


def test_a_mutation_that_spoils_the_object() -> None:
    assert is_spoilt(SPOILT)
    assert policies_of(SPOILT) == ()


def test_a_policy_that_reads_what_is_not_there() -> None:
    assert lacks_context(CONTEXT)
    assert policies_of(CONTEXT) == ("disallow-latest-tag",)
