"""Image references, and what policies ask to verify."""

from __future__ import annotations

from typing import Any

import pytest

from workshop.kyverno import admit, verifications
from workshop.kyverno.images import parse_image
from workshop.kyverno.outcome import KyvernoError

from .test_admit import VERIFY, policy

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("nginx", "docker.io/nginx:latest"),
        ("nginx:1.27", "docker.io/nginx:1.27"),
        ("lea/nginx", "docker.io/lea/nginx:latest"),
        ("localhost/nginx", "localhost/nginx:latest"),
        ("registry.local:5000/a/b:1", "registry.local:5000/a/b:1"),
        (f"ghcr.io/a/b:1@{DIGEST}", f"ghcr.io/a/b@{DIGEST}"),
    ],
)
def test_references_are_normalized(text: str, reference: str) -> None:
    assert parse_image(text).reference == reference


@pytest.mark.parametrize("text", ["", " ", "Nginx", "nginx:", "a b", "nginx@sha256:12", "x" * 2000])
def test_invalid_references_are_errors(text: str) -> None:
    with pytest.raises(KyvernoError):
        parse_image(text)


def test_a_rule_is_read() -> None:
    (found,) = verifications(VERIFY)
    assert found.enforce
    assert found.required
    (identity,) = found.identities
    assert (identity.subject, identity.issuer, identity.rekor_url) == ("lea@example.org", "i", "u")
    assert found.asks_for("ghcr.io/lea-devops/payment-service:v1.0.0") is True
    assert found.asks_for("ghcr.io/lea-devops/a/b@" + DIGEST) is True
    assert found.asks_for("nginx:1.27.5") is False


@pytest.mark.parametrize(
    ("references", "skipped", "asked"),
    [
        (["ghcr.io/lea-devops/"], [], False),
        (["ghcr.io/lea-devops/*"], ["*payment*"], False),
        (["*"], [], True),
        (["docker.io/*"], [], False),
    ],
)
def test_patterns_cover_the_whole_reference(references: list[str], skipped: list[str], asked: bool) -> None:
    document = policy("verifyImages: [{}]")
    document["spec"]["rules"][0]["verifyImages"] = [
        {"imageReferences": references, "skipImageReferences": skipped}
    ]
    (found,) = verifications(document)
    assert found.asks_for("ghcr.io/lea-devops/payment-service:v1.0.0") is asked


def image_policy(**spec: Any) -> dict[str, Any]:
    keyless = {"identities": [{"subject": "lea@example.org", "issuer": "i"}]}
    attestors = [{"name": "lea", "cosign": {"keyless": keyless}}]
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "ImageValidatingPolicy",
        "metadata": {"name": "p"},
        "spec": {"attestors": attestors, "validations": [{"expression": "true"}], **spec},
    }


def test_an_image_validating_policy_is_read() -> None:
    matched = [{"glob": "ghcr.io/{lea,leo}-devops/*"}, {"expression": "ref.startsWith('quay.io/')"}]
    (found,) = verifications(image_policy(matchImageReferences=matched))
    assert found.enforce
    assert [identity.subject for identity in found.identities] == ["lea@example.org"]
    assert found.asks_for("ghcr.io/leo-devops/a:1") is True
    assert found.asks_for("quay.io/a") is True
    assert found.asks_for("nginx") is False
    (audit,) = verifications(image_policy(validationActions=["Audit"]))
    assert not audit.enforce
    assert audit.asks_for("nginx") is True


def test_other_policies_verify_nothing() -> None:
    assert verifications(policy("validate: {deny: {}}")) == []
    assert verifications({"kind": "ClusterPolicy", "spec": 3}) == []


@pytest.mark.parametrize(
    ("expression", "admitted"),
    [
        ("images.containers.all(i, verifyImageSignatures(i, [attestors.lea]) > 0)", True),
        ("images.containers.exists(i, verifyImageSignatures(i, [attestors.lea]) > 0)", False),
        ("size(images.containers) == 0 && has(images.initContainers)", True),
        ("images.containers[0] == 'nginx:1.27.5'", False),
        ("size(images) == 0", False),
    ],
)
def test_validations_run_without_an_image_to_verify(expression: str, admitted: bool) -> None:
    document = image_policy(
        matchConstraints={
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
            ]
        },
        matchImageReferences=[{"glob": "ghcr.io/lea-devops/*"}],
        validations=[{"expression": expression}],
    )
    nginx = {"spec": {"containers": [{"name": "a", "image": "nginx:1.27.5"}]}}
    resource = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "default"}, **nginx}
    assert admit([document], resource).admitted is admitted
