"""2.5 and 4.7 on the network: every state of an image, at a real registry, verified by the real cosign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.network.test_signatures import LEA, pushed
from tests.rig.registry import Registry, Signing, running
from workshop.cluster.port import Object, Unreachable
from workshop.cluster.stage import LiveStages
from workshop.content import Lab
from workshop.engine import Run, judge_exercise
from workshop.network import LiveNetwork, Network
from workshop.texts import Text
from workshop.verdicts import CheckResult, ExerciseResult, Half, Level, Mode, Reason, Verdict
from workshop.workspace import Workspace

PUBLISHED, SIGNED, YOURS = "image_is_published", "image_is_signed", "signature_is_yours"
NO_CLUSTER = Unreachable(Reason.NO_CLUSTER, Text("there is no cluster to look at"))


class Student:
    """A student with an account of their own, so that tests do not share a repository."""

    def __init__(self, lab: Lab, folder: Path, name: str, network: Network, email: str = LEA) -> None:
        self.lab, self.folder, self.name, self.network = lab, folder, name, network
        self.stages: LiveStages | Unreachable = NO_CLUSTER
        for path in (folder / "td").rglob("*.yaml"):
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace("lea-devops", name).replace(LEA, email), encoding="utf-8")

    def judge(self, exercise: str = "2.5", network: Network | None = None) -> ExerciseResult:
        found = self.lab.exercise(exercise)
        assert found is not None
        run = Run.of(self.lab, Workspace(self.folder), Mode.CLUSTER, self.stages)
        return judge_exercise(replace(run, network=network or self.network), found)


@pytest.fixture
def student(lab: Lab, solved: Path, signing: Signing, request: pytest.FixtureRequest) -> Student:
    name = request.node.name.removeprefix("test_").partition("[")[0].replace("_", "-")[:39].strip("-")
    return Student(lab, solved, name, signing.network())


def image(student: Student, registry: Registry, content: str = "") -> str:
    """Push the student's image; return what is to be signed."""
    return pushed(registry, f"{student.name}/payment-service", content=content)[1]


def verdicts(result: ExerciseResult) -> dict[str, Verdict]:
    return {each.id.partition(".")[2].partition(".")[2]: each.verdict for each in network_half(result)}


def network_half(result: ExerciseResult) -> Sequence[CheckResult]:
    return [each for each in result.checks if each.half is Half.NETWORK]


def missed(result: ExerciseResult, *, told: bool = True) -> list[str]:
    """Return the facts of the network half that do not hold, or that cannot be told."""
    wanted = False if told else None
    return [fact.id for each in network_half(result) for fact in each.facts if fact.met is wanted]


def test_signed_in_the_old_format(student: Student, registry: Registry, signing: Signing) -> None:
    signing.as_person(image(student, registry), LEA)
    result = student.judge()
    assert result.verdict is Verdict.PASSED, [each.facts for each in result.checks]
    assert missed(result) == []
    (fact,) = next(each for each in result.checks if each.id.endswith(YOURS)).facts
    assert LEA in str(fact.observed)


@pytest.mark.parametrize(
    "issuer", ["https://accounts.google.com", "https://token.actions.githubusercontent.com"]
)
def test_confirmed_by_another_service(
    issuer: str, student: Student, registry: Registry, signing: Signing
) -> None:
    signing.as_person(image(student, registry, issuer), LEA, issuer)
    assert student.judge().verdict is Verdict.PASSED


def test_signed_as_a_bundle(student: Student, registry: Registry, signing: Signing) -> None:
    signing.as_person(image(student, registry), LEA, bundle=True)
    result = student.judge()
    assert result.verdict is Verdict.PASSED
    assert missed(result) == ["bundle-signature"], "signed, but not where a ClusterPolicy looks"
    policy = student.folder / "td/kyverno/policy-verify-signature.yaml"
    policy.write_text(policy.read_text().replace("kind: ClusterPolicy", "kind: ImageValidatingPolicy"))
    assert missed(student.judge()) == []


def test_not_pushed(student: Student) -> None:
    result = student.judge()
    assert result.verdict is Verdict.UNFINISHED
    assert missed(result) == ["image-not-pushed"]
    assert verdicts(result)[SIGNED] is Verdict.BLOCKED


def test_not_signed(student: Student, registry: Registry) -> None:
    image(student, registry)
    result = student.judge()
    assert result.verdict is Verdict.UNFINISHED
    assert verdicts(result)[PUBLISHED] is Verdict.PASSED
    assert missed(result) == ["not-signed"]


def test_pushed_again(student: Student, registry: Registry, signing: Signing) -> None:
    signing.as_person(image(student, registry), LEA)
    image(student, registry, content="one more build")
    result = student.judge()
    assert result.verdict is Verdict.FAILED
    assert missed(result) == ["signed-then-pushed-again"]
    assert "digest" in str(result.hint) or "tag" in str(result.hint)


@pytest.mark.parametrize("bundle", [False, True], ids=["classic", "bundle"])
def test_signed_by_somebody_else(
    bundle: bool, student: Student, registry: Registry, signing: Signing
) -> None:
    signing.as_person(image(student, registry, str(bundle)), "mallory@example.net", bundle=bundle)
    result = student.judge()
    assert result.verdict is Verdict.FAILED
    assert "other-signer" in missed(result)
    assert verdicts(result)[SIGNED] is Verdict.PASSED


def test_confirmed_by_nobody_we_know(student: Student, registry: Registry, signing: Signing) -> None:
    signing.as_person(image(student, registry), LEA, "https://login.example.net")
    assert missed(student.judge()) == ["other-signer"]


@pytest.mark.parametrize("bundle", [False, True], ids=["classic", "bundle"])
def test_with_a_key(bundle: bool, student: Student, registry: Registry, signing: Signing) -> None:
    signing.with_key(image(student, registry, str(bundle)), bundle=bundle)
    result = student.judge()
    assert result.verdict is Verdict.FAILED
    assert "signed-with-a-key" in missed(result)
    assert "key" in str(result.hint)


def test_no_cosign_here(
    student: Student, registry: Registry, signing: Signing, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing.as_person(image(student, registry), LEA)
    monkeypatch.setenv("PATH", str(student.folder))
    result = student.judge(network=signing.network())
    assert result.verdict is Verdict.UNKNOWN
    assert verdicts(result)[SIGNED] is Verdict.PASSED, "what the registry tells is told all the same"
    assert "cosign-missing" in missed(result, told=False)


# Recorded: what cosign prints when it reaches nobody, and what other versions might, with their exit codes.
SAID = {
    "no-way-to-sigstore": (1, "cosign-could-not-ask", "updating targets: dial tcp: lookup tuf: no such host"),
    "log-out-of-reach": (12, "cosign-could-not-ask", "no matching signatures: context deadline exceeded"),
    "older-than-bundles": (10, "cosign-sees-none", "no signatures found"),
    "gone-meanwhile": (11, "image-gone", "image tag not found: MANIFEST_UNKNOWN"),
    "something-new": (1, "cosign-could-not-tell", "unknown flag: --certificate-identity-regexp"),
}


@pytest.mark.parametrize("case", SAID)
def test_cosign_that_cannot_tell(
    case: str, student: Student, registry: Registry, signing: Signing, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing.as_person(image(student, registry), LEA)
    code, fact, words = SAID[case]
    _fake(student.folder, f"echo 'Error: {words}' >&2; exit {code}", monkeypatch)
    result = student.judge(network=signing.network())
    assert verdicts(result)[YOURS] is Verdict.UNKNOWN
    assert result.verdict is Verdict.UNKNOWN
    assert fact in missed(result, told=False)


@pytest.mark.parametrize(
    ("code", "words", "fact"),
    [
        (13, "Error: no certificate found on signature", "signed-with-a-key"),
        (12, "Error: no matching signatures: invalid signature when validating ASN.1 encoded signature",
         "signature-invalid"),
    ],
)  # fmt: skip
def test_what_other_versions_say(
    code: int, words: str, fact: str, student: Student, registry: Registry, signing: Signing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    signing.as_person(image(student, registry), LEA)
    _fake(student.folder, f"echo '{words}' >&2; exit {code}", monkeypatch)
    assert missed(student.judge(network=signing.network())) == [fact]


def test_cosign_is_told_nothing_of_this_machine(
    student: Student, registry: Registry, signing: Signing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the registry's credentials nor settings that would let a verification mean less."""
    signing.as_person(image(student, registry), LEA)
    _fake(
        student.folder,
        f"env >{student.folder}/seen; ls -A $DOCKER_CONFIG >>{student.folder}/seen",
        monkeypatch,
    )
    monkeypatch.setenv("COSIGN_REPOSITORY", "elsewhere.example/signatures")
    monkeypatch.setenv("REGISTRY_TOKEN", "secret")
    monkeypatch.setenv("DOCKER_CONFIG", str(student.folder))
    student.judge(network=signing.network())
    seen = (student.folder / "seen").read_text()
    assert "DOCKER_CONFIG=" in seen
    assert not any(
        word in seen for word in ("COSIGN_REPOSITORY", "secret", f"DOCKER_CONFIG={student.folder}")
    )


def _fake(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a cosign of our own before the real one."""
    program = folder / "bin" / "cosign"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def test_a_registry_that_wants_a_login(student: Student, tmp_path: Path) -> None:
    """It shows nothing to anybody: whether the image is there cannot be told."""
    (tmp_path / "passwords").write_text("")
    auth = {"htpasswd": {"realm": "private", "path": str(tmp_path / "passwords")}}
    with running(tmp_path, auth=auth) as private:
        result = student.judge(network=LiveNetwork(mirrors={"ghcr.io": private.url}))
    assert verdicts(result)[PUBLISHED] is Verdict.UNKNOWN
    assert result.verdict is Verdict.BLOCKED, "the rest waits for it"
    assert missed(result) == []
    assert "package-private" in missed(result, told=False)


def test_nobody_knows_the_account(student: Student) -> None:
    (student.folder / "td/answers.yaml").unlink()
    for path in (student.folder / "td").rglob("*.yaml"):
        path.write_text(path.read_text().replace(f"ghcr.io/{student.name}/", "ghcr.io/kyverno/"))
    result = student.judge()
    assert verdicts(result)[PUBLISHED] is Verdict.UNKNOWN
    assert missed(result, told=False)[0] == "account-unknown"


def test_what_the_pipeline_leaves(student: Student, registry: Registry, signing: Signing) -> None:
    assert missed(student.judge("4.7")) == ["image-not-pushed"]
    by_digest = image(student, registry)
    network = signing.network()
    assert missed(student.judge("4.7", network)) == ["not-signed"]
    signing.as_person(by_digest, LEA)
    result = student.judge("4.7", signing.network())
    musts = [each for each in network_half(result) if each.level is Level.MUST]
    assert {each.verdict for each in musts} == {Verdict.PASSED}


@pytest.mark.parametrize("same", [True, False], ids=["what-was-built", "something-else"])
def test_what_the_run_says_it_pushed(same: bool, student: Student, registry: Registry) -> None:
    digest = image(student, registry, content=str(same)).partition("@")[2]
    student.stages = LiveStages(Ran(digest if same else f"sha256:{'0' * 64}"))  # type: ignore[arg-type]  # as much as is asked
    result = student.judge("4.7")
    (check,) = [each for each in result.checks if each.id.endswith("registry_has_what_was_built")]
    assert check.verdict is (Verdict.PASSED if same else Verdict.FAILED), check.facts


class Ran:
    """A cluster on which the pipeline has run, and its build has written down a digest."""

    context = "kind-techmarket"

    def __init__(self, digest: str) -> None:
        self.digest = digest

    def everything(self, *_: Any, **__: Any) -> None:
        return None

    def list(self, kind: str, **_: Any) -> list[Object]:
        done = {"conditions": [{"type": "Succeeded", "status": "True"}]}
        if kind == "PipelineRun.tekton.dev":
            return [{"metadata": {"name": "payment-service-build-1"}, "status": done}]
        labels = {"tekton.dev/pipelineTask": "build"}
        results = {"results": [{"name": "IMAGE_DIGEST", "value": f"{self.digest}\n"}]}
        return [{"metadata": {"name": "built", "labels": labels}, "status": {**done, **results}}]


def test_offline_and_sandbox_ask_nobody(lab: Lab, solved: Path) -> None:
    class Unasked:
        def __getattr__(self, name: str) -> None:
            raise AssertionError(name)

    for mode, reason in ((Mode.OFFLINE, Reason.OFFLINE), (Mode.SANDBOX, Reason.NO_NETWORK)):
        for exercise in ("2.5", "2.6", "4.7"):
            found = lab.exercise(exercise)
            assert found is not None
            run = replace(Run.of(lab, Workspace(solved), mode), network=Unasked())  # type: ignore[arg-type]
            halves = network_half(judge_exercise(run, found))
            assert halves
            assert {each.reason for each in halves} == {reason}
