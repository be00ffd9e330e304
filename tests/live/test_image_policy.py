"""2.5 and 2.6 where cluster and registry meet: the real Kyverno without a way out, Pods that tell digests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.network.test_signatures import LEA, pushed
from tests.rig.cluster import Rig, wait_for
from tests.rig.registry import Registry, Signing
from workshop.cluster.reading import condition
from workshop.cluster.stage import LiveStages
from workshop.content import Lab
from workshop.engine import Run, judge_exercise
from workshop.verdicts import CheckResult, Mode, Verdict
from workshop.workspace import Workspace

POLICY = "td/kyverno/policy-verify-signature.yaml"


@pytest.fixture
def enforced(lab: Lab, rig: Rig) -> Iterator[Rig]:
    """The rig with the reference policy in force."""
    policy: dict[str, Any] = yaml.safe_load((lab.solutions / POLICY).read_text(encoding="utf-8"))
    rig.apply(policy)
    path = rig.api.path(policy)
    wait_for(lambda: _is_ready(rig.api.get(path)))
    yield rig
    rig.api.delete(path)


def _is_ready(policy: dict[str, Any] | None) -> bool:
    return condition(policy, "Ready")[0] is True


def judged(lab: Lab, rig: Rig, folder: Path, signing: Signing, exercise: str) -> dict[str, CheckResult]:
    found = lab.exercise(exercise)
    assert found is not None
    run = Run.of(lab, Workspace(folder), Mode.CLUSTER, LiveStages(rig.cluster()))
    result = judge_exercise(replace(run, network=signing.network()), found)
    return {each.id.rpartition(".")[2]: each for each in result.checks}


def test_without_a_way_out_a_refusal_proves_nothing(
    lab: Lab, enforced: Rig, solved: Path, signing: Signing
) -> None:
    """Where tests run with a way out, the same refusal does prove something: there is no such tag."""
    check = judged(lab, enforced, solved, signing, "2.6")["unsigned_is_refused_for_its_signature"]
    (fact,) = check.facts
    assert "verify-image-signature" in str(fact.observed)
    asked = not re.search("dial tcp|no such host|deadline|fulcio", str(fact.observed))
    assert check.verdict is (Verdict.PASSED if asked else Verdict.UNKNOWN)
    if not asked:
        assert fact.id == "registry-not-asked"


@pytest.mark.parametrize("moved", [False, True], ids=["as-signed", "pushed-again"])
def test_what_runs_and_what_was_signed(
    moved: bool, lab: Lab, rig: Rig, solved: Path, registry: Registry, signing: Signing
) -> None:
    repository = "lea-devops/payment-service"
    _, by_digest = pushed(registry, repository, content="deployed")
    rig.apply(_pod())
    status = {"name": "main", "image": "x", "imageID": by_digest, "ready": True, "restartCount": 0}
    wait_for(lambda: _told(rig, status))
    if moved:
        _, by_digest = pushed(registry, repository, content="built anew")
    signing.as_person(by_digest, LEA)
    try:
        check = judged(lab, rig, solved, signing, "2.5")["deployed_is_what_was_signed"]
    finally:
        rig.api.delete(rig.api.path(_pod()))
    unmet = [fact.id for fact in check.facts if fact.met is False]
    assert unmet == (["deployed-digest-differs"] if moved else []), check.facts


def _pod() -> dict[str, Any]:
    metadata = {"name": "payment", "namespace": "rig-signed", "labels": {"app": "payment-service"}}
    spec = {"containers": [{"name": "main", "image": "played.invalid/by-kwok:1"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _told(rig: Rig, status: dict[str, Any]) -> bool:
    """Let the Pod tell a digest, as a kubelet does, once kwok has said that it runs."""
    path = rig.api.path(_pod())
    if (rig.api.get(path) or {}).get("status", {}).get("phase") != "Running":
        return False
    rig.api.merge(f"{path}/status", {"status": {"containerStatuses": [status]}})
    return status["imageID"] in str(rig.api.get(path))
