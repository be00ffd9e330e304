"""The doctor reads versions off whatever stands on PATH: recorded answers stand in for tools not had here."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from workshop import doctor
from workshop.cli import main
from workshop.content import Lab
from workshop.doctor import Finding, State

RECORDED = {
    "kubectl": "Client Version: v1.35.1\nKustomize Version: v5.7.1",
    "helm": "v3.19.0+g3d8990f",
    "kind": "kind v0.30.0 go1.24.6 linux/amd64",
    "docker": "Docker version 28.2.2, build e6534b4",
    "cosign": "  ______   ______\nGitVersion:    v2.6.1\nGitCommit: 634fabe",
    "tkn": "Client version: 0.42.0",
}


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, answer in RECORDED.items():
        _fake(folder, name, answer)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("KUBECONFIG", "/dev/null")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    return folder


def _fake(folder: Path, name: str, answer: str, *, code: int = 0) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\nexit {code}\n")
    path.chmod(0o755)


def _found(lab: Lab) -> dict[str, Finding]:
    return {finding.id: finding for finding in doctor.examine(lab)}


def test_recorded_versions_are_read(on_path: Path, lab: Lab) -> None:
    found = _found(lab)
    for name in RECORDED:
        assert found[f"tool-{name}"].state is State.GOOD, found[f"tool-{name}"]
    assert "2.6.1" in str(found["tool-cosign"].text)
    assert "cosign-bundle" not in found


@pytest.mark.parametrize(
    ("name", "answer", "code"),
    [("helm", "v3.9.4+gdbc6d8e", 0), ("kind", "", 1), ("tkn", "Client version: 0.31.9", 0)],
)
def test_what_is_old_or_broken_has_a_remedy(
    on_path: Path, lab: Lab, name: str, answer: str, code: int
) -> None:
    _fake(on_path, name, answer, code=code)
    finding = _found(lab)[f"tool-{name}"]
    assert finding.state is State.MISSING
    assert finding.remedy is not None


def test_cosign_3_is_worth_a_word(on_path: Path, lab: Lab) -> None:
    _fake(on_path, "cosign", "GitVersion:    v3.0.3")
    assert _found(lab)["cosign-bundle"].state is State.ADVICE


def test_the_compilers_version_is_nobody_elses(on_path: Path, lab: Lab) -> None:
    _fake(on_path, "cosign", "GitVersion:    devel\nGitCommit:     unknown\nGoVersion:     go1.27.3")
    found = _found(lab)["tool-cosign"]
    assert found.state is State.ADVICE
    assert "cannot be read" in str(found.text)


def test_a_tool_that_hangs_is_given_up(on_path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    (on_path / "kind").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(doctor, "_SECONDS", 1)
    assert _found(lab)["tool-kind"].state is State.MISSING


def test_an_engine_without_an_answer_leads_to_the_sandbox(on_path: Path, lab: Lab) -> None:
    finding = _found(lab)["engine"]
    assert finding.state is State.MISSING
    assert "sandbox" in str(finding.remedy)


def test_an_engine_too_small_is_advised(on_path: Path, lab: Lab) -> None:
    _fake(on_path, "docker", "28.2.2 4123456789 2")
    assert _found(lab)["engine"].state is State.ADVICE


def test_a_taken_port_is_named(on_path: Path, lab: Lab) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 30090))
        taken.listen()
        assert _found(lab)["port-30090"].state is State.ADVICE


@pytest.mark.parametrize(
    ("config", "logged_in"),
    [
        ('{"auths": {"ghcr.io": {"auth": "c2VjcmV0"}}}', True),
        ('{"auths": {"https://ghcr.io/v2/": {}}, "credsStore": "desktop"}', True),
        ('{"auths": {"docker.io": {"auth": "x"}}}', False),
        ('{"credHelpers": {"ghcr.io": "gh"}}', True),
        ('{"credsStore": "desktop"}', True),
        ('{"credsStore": "other"}', False),
        ('{"credsStore": "../../bin/evil"}', False),
        ('{"auths": ["ghcr.io"]}', False),
        ("[]", False),
        ("no json", False),
    ],
)
def test_a_login_is_seen_without_its_secret(
    on_path: Path, lab: Lab, tmp_path: Path, config: str, logged_in: bool
) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "config.json").write_text(config)
    _fake(on_path, "docker-credential-desktop", '{"https://ghcr.io": "lea-devops"}')
    _fake(on_path, "docker-credential-other", '{"https://index.docker.io/v1/": "lea-devops"}')
    finding = _found(lab)["login"]
    assert (finding.state is State.GOOD) is logged_in
    assert "c2VjcmV0" not in repr(finding)


def test_images_on_the_node(on_path: Path, lab: Lab) -> None:
    tags = ["quay.io/argoproj/argo-rollouts:v1.9.0", "ghcr.io/backstage/backstage:other"]
    _fake(on_path, "docker", json.dumps({"images": [{"id": "x", "repoTags": tags}, {"repoTags": None}]}))
    found = _found(lab)
    assert found["images-rollouts"].state is State.GOOD
    assert found["images-backstage"].state is State.ADVICE
    assert "kind load docker-image IMAGE --name techmarket" in str(found["images-backstage"].remedy)


def test_without_a_node_nothing_is_said_of_images(on_path: Path, lab: Lab) -> None:
    assert not [each for each in _found(lab) if each.startswith("images-")]


def test_as_json(on_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--format", "json", "--lang", "fr"]) == 3
    answer = json.loads(capsys.readouterr().out)
    found = {each["id"]: each for each in answer["findings"]}
    assert found["engine"]["state"] == "missing"
    assert found["engine"]["remedy"].startswith("Démarrez Docker")
    assert answer["exit_code"] == 3
