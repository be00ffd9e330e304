"""What of a student's files is put before a control plane of our own, and what is left out unseen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workshop.cluster.submission import MOST_OBJECTS, candidates
from workshop.content import Lab
from workshop.workspace import Workspace

_PATH = "td/kyverno/policy-deny-latest.yaml"
_RULE = {
    "name": "no-latest",
    "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
    "validate": {"message": "a moving image. Pin a version.", "pattern": {"spec": {"?*": "?*"}}},
}


def _policy(name: str = "disallow-latest-tag", **rule: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": name},
        "spec": {"rules": [{**_RULE, **rule}]},
    }


def _sent(lab: Lab, folder: Path, *documents: dict[str, Any], path: str = _PATH) -> list[bool]:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n---\n".join(map(json.dumps, documents)), encoding="utf-8")
    exercise = lab.exercise("disallow-latest-tag")
    assert exercise is not None
    return [allowed for _, allowed in candidates(exercise, Workspace(folder))]


def _verifying(**field: Any) -> dict[str, Any]:
    return _policy(verifyImages=[{"imageReferences": ["*"], "attestors": [{"entries": [field]}]}])


@pytest.mark.parametrize(
    ("document", "sent"),
    [
        (_policy(), True),
        (_policy(context=[{"name": "x", "apiCall": {"urlPath": "/api/v1/secrets"}}]), False),
        (_policy(context=[{"name": "x", "imageRegistry": {"reference": "ghcr.io/lea-devops/x"}}]), False),
        (_policy(context=[{"name": "x", "variable": {"value": "http . Get('https://example.org')"}}]), False),
        (
            _policy(context=[{"name": "x", "variable": {"value": "image.GetMetadata('example.org/x')"}}]),
            False,
        ),
        (_verifying(keyless={"rekor": {"url": "https://rekor.sigstore.dev"}}), True),
        (_verifying(keyless={"rekor": {"url": "http://127.0.0.1:8080"}}), False),
        (_verifying(keyless={"rekor": {"url": "https://user@localhost/"}}), False),
        (_verifying(keyless={"rekor": {"url": "https://[::1]:6443"}}), False),
        (_verifying(keyless={"rekor": {"url": "http://2130706433/"}}), False),
        (_verifying(repository="localhost:5000/signatures"), False),
        (_verifying(repository="ghcr.io/lea-devops/signatures"), True),
    ],
)
def test_what_would_call_somebody_is_not_sent(
    lab: Lab, tmp_path: Path, document: dict[str, Any], sent: bool
) -> None:
    assert _sent(lab, tmp_path, document) == [sent]


@pytest.mark.parametrize(
    ("version", "kind", "metadata"),
    [
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", {"name": "things.example.org"}),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", {"name": "everybody"}),
        ("v1", "Namespace", {"name": "more"}),
        ("v1", "Node", {"name": "mine"}),
        ("apiregistration.k8s.io/v1", "APIService", {"name": "v1.example.org"}),
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", {"name": "mine"}),
        ("scheduling.k8s.io/v1", "PriorityClass", {"name": "first"}),
        ("kyverno.io/v2", "PolicyException", {"name": "x", "namespace": "default"}),
        ("kyverno.io/v2", "CleanupPolicy", {"name": "x", "namespace": "default"}),
    ],
)
def test_kinds_nobody_asked_for_are_not_sent(
    lab: Lab, tmp_path: Path, version: str, kind: str, metadata: dict[str, str]
) -> None:
    stranger = {"apiVersion": version, "kind": kind, "metadata": metadata}
    assert _sent(lab, tmp_path, _policy(), stranger) == [True, False]


def test_of_many_objects_a_bounded_number_is_sent(lab: Lab, tmp_path: Path) -> None:
    assert sum(_sent(lab, tmp_path, *(_policy(f"p{number}") for number in range(900)))) == MOST_OBJECTS


def test_of_very_many_files_a_bounded_number_is_looked_at(lab: Lab, tmp_path: Path) -> None:
    """A hundred thousand objects: most of them are never read for the cluster half."""
    small = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    for number in range(99):
        extra = tmp_path / f"td/kyverno/more-{number}.yaml"
        extra.parent.mkdir(parents=True, exist_ok=True)
        extra.write_text("\n---\n".join([json.dumps(small)] * 1000), encoding="utf-8")
    sent = _sent(lab, tmp_path, *([small] * 1000))
    assert len(sent) <= 6_000
    assert not any(sent)
