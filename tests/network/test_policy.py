"""2.6 on the network: what refusals and admissions by the policy mean, beside what the registry really holds.

Kyverno's answers are recorded: no cluster here has a way out to ask GHCR. That the real one is believed
nothing as long as it has none is shown by `tests/live/test_image_policy.py`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.network.test_signatures import LEA, pushed
from tests.rig.registry import Registry, Signing
from workshop.cluster.denials import policies_of, proves_nothing, webhook_of
from workshop.cluster.port import Cluster, Decision, Object
from workshop.cluster.stage import LiveStages
from workshop.content import Lab
from workshop.engine import Run, judge_exercise
from workshop.verdicts import CheckResult, Mode, Verdict
from workshop.workspace import Workspace

UNSIGNED, SIGNED = "unsigned_is_refused_for_its_signature", "signed_is_admitted"
NAME = "verify-image-signature"
KEYLESS = ".attestors[0].entries[0].keyless"
NO_SIGNATURE = f"{KEYLESS}: no signatures found"
OTHER_SUBJECT = f"{KEYLESS}: subject mismatch: expected mallory@example.net, received lea@example.org"
NO_TAG = "GET https://ghcr.io/v2/x/payment-service/manifests/y: MANIFEST_UNKNOWN: manifest unknown"
NO_EGRESS = "failed to get roots from fulcio: dial tcp: lookup tuf-repo-cdn: no such host"
PRIVATE = "GET https://ghcr.io/token?scope=repository: UNAUTHORIZED: authentication required"


def refused(words: str, policy: str = NAME) -> Decision:
    """Return a refusal as the API server hands it on."""
    webhook = 'admission webhook "mutate.kyverno.svc-fail" denied the request'
    blocked = "resource Pod/default/lab-probe was blocked due to the following policies"
    message = f"{webhook}: \n\n{blocked} \n\n{policy}:\n  check-signature: 'failed to verify image: {words}'"
    admitted = None if proves_nothing(message) else False
    return Decision(admitted, message, policies=policies_of(message), webhook=webhook_of(message))


def admitted(image: str = "ghcr.io/x/payment-service:v1.0.0") -> Decision:
    return Decision(admitted=True, object={"spec": {"containers": [{"image": image}]}})


class Recorded:
    """A cluster that has the policy, and answers probes as Kyverno would."""

    context = "kind-techmarket"

    def __init__(self, unsigned: Decision, signed: Decision) -> None:
        self.unsigned, self.signed = unsigned, signed

    def serves(self, kind: str) -> bool:
        return kind == "ClusterPolicy.kyverno.io"

    def get(self, kind: str, name: str, _namespace: str | None = None) -> Object | None:
        ready = {"conditions": [{"type": "Ready", "status": "True"}], "conditionStatus": {"ready": True}}
        return {"kind": kind.partition(".")[0], "metadata": {"name": name}, "status": ready}

    def list(self, kind: str, **_: Any) -> list[Object]:
        return [{"metadata": {"name": "default"}}] if kind == "Namespace" else []

    def everything(self, *_: Any, **__: Any) -> None:
        return None

    def try_create(self, resource: Object) -> Decision:
        image = resource["spec"]["containers"][0]["image"]
        if "payment-service" not in image and "frontend-app" not in image:
            return admitted(image)
        return self.unsigned if "lab-none" in image else self.signed


class Case:
    """A student whose image is in the registry, and whose cluster answers in a certain way."""

    def __init__(self, lab: Lab, folder: Path, signing: Signing, name: str) -> None:
        self.lab, self.folder, self.signing, self.name = lab, folder, signing, name
        for path in (folder / "td").rglob("*.yaml"):
            path.write_text(path.read_text(encoding="utf-8").replace("lea-devops", name), encoding="utf-8")

    def judge(self, unsigned: Decision, signed: Decision) -> dict[str, CheckResult]:
        exercise = self.lab.exercise("2.6")
        assert exercise is not None
        cluster: Cluster = Recorded(unsigned, signed)  # type: ignore[assignment]  # as much as is asked here
        run = Run.of(self.lab, Workspace(self.folder), Mode.CLUSTER, LiveStages(cluster))
        result = judge_exercise(replace(run, network=self.signing.network()), exercise)
        return {each.id.rpartition(".")[2]: each for each in result.checks}


@pytest.fixture
def case(lab: Lab, solved: Path, signing: Signing, request: pytest.FixtureRequest) -> Case:
    name = f"p-{request.node.name.removeprefix('test_').partition('[')[0].replace('_', '-')}"[:39].strip("-")
    return Case(lab, solved, signing, name)


def unmet(result: CheckResult) -> list[str]:
    return [fact.id for fact in result.facts if fact.met is False]


def test_refuses_the_unsigned_and_admits_the_signed(case: Case, registry: Registry, signing: Signing) -> None:
    _, by_digest = pushed(registry, f"{case.name}/payment-service")
    signing.as_person(by_digest, LEA)
    checks = case.judge(refused(NO_TAG), admitted(by_digest))
    assert checks[UNSIGNED].verdict is Verdict.PASSED, checks[UNSIGNED].facts
    assert checks[SIGNED].verdict is Verdict.PASSED, checks[SIGNED].facts


def test_lets_the_unsigned_in(case: Case) -> None:
    checks = case.judge(admitted(), admitted())
    assert checks[UNSIGNED].verdict is Verdict.FAILED
    assert unmet(checks[UNSIGNED]) == ["unsigned-admitted"]
    assert checks[SIGNED].verdict is Verdict.BLOCKED


@pytest.mark.parametrize(
    "decision",
    [
        refused(NO_EGRESS),
        refused("context deadline exceeded"),
        refused(NO_SIGNATURE, policy="some-other-policy"),
        Decision(None, 'failed calling webhook "mutate.kyverno.svc-fail": connection refused'),
    ],
)
def test_a_refusal_for_another_reason_proves_nothing(decision: Decision, case: Case) -> None:
    checks = case.judge(decision, decision)
    assert checks[UNSIGNED].verdict is Verdict.UNKNOWN, checks[UNSIGNED].facts
    assert checks[SIGNED].verdict is Verdict.BLOCKED


def test_waits_for_the_signature_of_2_5(case: Case, registry: Registry) -> None:
    for push in (False, True):
        if push:
            pushed(registry, f"{case.name}/payment-service")
        checks = case.judge(refused(NO_TAG), refused(NO_SIGNATURE))
        assert checks[SIGNED].verdict is Verdict.BLOCKED
        assert checks[SIGNED].left_out is False
        assert [fact.id for fact in checks[SIGNED].facts] == ["nothing-signed-yet"]


@pytest.mark.parametrize(("words", "fact"), [(OTHER_SUBJECT, "signed-refused"), (PRIVATE, "package-private")])
def test_the_signed_image_is_refused(
    words: str, fact: str, case: Case, registry: Registry, signing: Signing
) -> None:
    signing.as_person(pushed(registry, f"{case.name}/payment-service", content=words)[1], LEA)
    checks = case.judge(refused(NO_TAG), refused(words))
    assert checks[SIGNED].verdict is Verdict.FAILED
    assert unmet(checks[SIGNED]) == [fact]


def test_a_bundle_that_this_kind_does_not_find(case: Case, registry: Registry, signing: Signing) -> None:
    signing.as_person(pushed(registry, f"{case.name}/payment-service")[1], LEA, bundle=True)
    checks = case.judge(refused(NO_TAG), refused(NO_SIGNATURE))
    assert unmet(checks[SIGNED]) == ["bundle-signature"]
    assert "Cosign 3" in str(checks[SIGNED].facts[0].next)


def test_another_digest_than_the_tags(case: Case, registry: Registry, signing: Signing) -> None:
    _, by_digest = pushed(registry, f"{case.name}/payment-service")
    signing.as_person(by_digest, LEA)
    older = f"ghcr.io/{case.name}/payment-service:v1.0.0@sha256:{'0' * 64}"
    checks = case.judge(refused(NO_TAG), admitted(older))
    assert unmet(checks[SIGNED]) == ["other-digest-verified"]
