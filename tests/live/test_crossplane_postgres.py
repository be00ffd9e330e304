"""Bonus 2 on a real API server with Crossplane's kinds; the conditions are states that the tests create."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.judging import check, look, unmet, untold
from tests.live.objects import Object, with_status
from tests.rig.cluster import Rig
from workshop.content import Lab
from workshop.verdicts import Reason, Verdict

EXERCISE = "bonus-2"
FILE = "td/bonus/crossplane-postgres.yaml"
TAKEN, READY, HEALTHY = "taken_by_the_cluster", "database_is_ready", "provider_is_healthy"
PROVIDER: Object = {
    "apiVersion": "pkg.crossplane.io/v1",
    "kind": "Provider",
    "metadata": {"name": "provider-kubernetes"},
    "spec": {"package": "registry.invalid/provider-kubernetes:v1.0.0"},
}
ORDER: Object = {
    "apiVersion": "kubernetes.m.crossplane.io/v1alpha1",
    "kind": "Object",
    "metadata": {"name": "payment-service-db", "namespace": "default"},
    "spec": {
        "providerConfigRef": {"kind": "ClusterProviderConfig", "name": "default"},
        "forProvider": {
            "manifest": {
                "apiVersion": "postgresql.cnpg.io/v1",
                "kind": "Cluster",
                "metadata": {"name": "payment-service-db", "namespace": "default"},
                "spec": {
                    "instances": 1,
                    "imageName": "played.invalid/postgresql:17",
                    "storage": {"size": "1Gi"},
                },
            }
        },
    },
}
FILES = {FILE: yaml.safe_dump_all([PROVIDER, ORDER])}


def conditions(**states: tuple[bool, str, str]) -> Object:
    """Return conditions by type: whether they hold, reason and message."""
    return {
        "conditions": [
            {
                "type": kind,
                "status": str(holds),
                "reason": reason,
                "message": message,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
            for kind, (holds, reason, message) in states.items()
        ]
    }


def good(*kinds: str) -> Object:
    return conditions(**dict.fromkeys(kinds, (True, "Available", "")))


@pytest.fixture
def ordered(pristine_rig: Rig) -> Rig:
    """Provider and order are there; nobody has said anything about them."""
    pristine_rig.apply(PROVIDER, ORDER)
    return pristine_rig


def test_the_database_is_there(lab: Lab, ordered: Rig, tmp_path: Path) -> None:
    with_status(ordered, PROVIDER, good("Installed", "Healthy"))
    with_status(ordered, ORDER, good("Synced", "Ready"))
    result = look(lab, ordered, tmp_path, EXERCISE, FILES)
    assert result.verdict is Verdict.PASSED, [(each.id, each.facts) for each in result.checks]
    assert check(result, HEALTHY).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("states", "failed", "open_"),
    [
        (
            {
                "Synced": (
                    False,
                    "ReconcileError",
                    "connect failed: cannot get referenced ProviderConfig: default",
                )
            },
            ["provider-config-missing"],
            ["not-made"],
        ),
        ({"Synced": (False, "ReconcileError", "create failed: forbidden")}, ["not-synced"], ["not-made"]),
        ({"Synced": (True, "ReconcileSuccess", ""), "Ready": (False, "Creating", "")}, [], ["not-made"]),
        ({"Synced": (True, "ReconcileSuccess", ""), "Ready": (False, "Unavailable", "no")}, ["not-made"], []),
        ({}, [], ["not-synced", "not-made"]),
    ],
    ids=["no-config", "refused", "creating", "unavailable", "nobody-cares"],
)
def test_what_became_of_the_order(
    states: dict[str, Any], failed: list[str], open_: list[str], lab: Lab, ordered: Rig, tmp_path: Path
) -> None:
    with_status(ordered, ORDER, conditions(**states))
    result = look(lab, ordered, tmp_path, EXERCISE, FILES)
    assert (unmet(result, READY), untold(result, READY)) == (failed, open_)
    assert check(result, READY).verdict is (Verdict.FAILED if failed else Verdict.UNKNOWN)
    if failed:
        assert result.hint is not None


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({"Installed": (False, "UnpackingPackage", "cannot pull")}, ["provider-not-installed"]),
        (
            {"Installed": (True, "Active", ""), "Healthy": (False, "Unhealthy", "no Pod")},
            ["provider-not-healthy"],
        ),
    ],
)
def test_a_provider_that_does_not_work(
    states: dict[str, Any], expected: list[str], lab: Lab, ordered: Rig, tmp_path: Path
) -> None:
    with_status(ordered, PROVIDER, conditions(**states))
    assert unmet(look(lab, ordered, tmp_path, EXERCISE, FILES), HEALTHY) == expected


def test_not_ordered_yet(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    result = look(lab, pristine_rig, tmp_path, EXERCISE, FILES)
    assert check(result, TAKEN).verdict is Verdict.PASSED
    assert unmet(result, READY) == ["not-applied"]
    assert result.verdict is Verdict.UNFINISHED


def test_the_kind_is_not_installed(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert (check(result, TAKEN).verdict, check(result, TAKEN).reason) == (
        Verdict.BLOCKED,
        Reason.MISSING_CRD,
    )
    assert result.verdict is Verdict.BLOCKED


def test_a_field_that_the_kind_does_not_have(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    text = FILES[FILE].replace("providerConfigRef", "providerConfigReference")
    result = look(lab, pristine_rig, tmp_path, EXERCISE, {FILE: text})
    [fact] = [fact for fact in check(result, TAKEN).facts if fact.met is False]
    assert fact.id == "refused-at-creation"
    assert fact.source is not None
    assert fact.source.line == text[: text.index("providerConfigReference")].count("\n") + 1
