"""Components are data: each is well-formed and pinned, and speaks to the cluster it is told to alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from workshop.components import Command, HelmRelease, load_components
from workshop.content import Lab
from workshop.content_keys import ContentError
from workshop.provisioning.installing import plan
from workshop.provisioning.target import Target

KIND = Target("kind-techmarket")
SANDBOX = Target("techmarket-sandbox", Path("/state/kubeconfig"))


def test_what_the_lab_needs_is_there(lab: Lab) -> None:
    wanted = {
        "kyverno",
        "backstage",
        "litmus",
        "tekton",
        "prometheus",
        "rollouts",
        "crossplane",
        "payment-service",
    }
    assert wanted <= set(load_components(lab))


@pytest.mark.parametrize("target", [KIND, SANDBOX], ids=lambda each: each.context)
def test_every_command_names_its_cluster(lab: Lab, target: Target) -> None:
    for planned in plan(list(load_components(lab).values()), target):
        tool, *words = planned.words
        line = " ".join(words)
        if tool == "kubectl":
            assert words[:2] == ["--context", target.context]
        elif tool == "helm":
            assert words[:2] == ["--kube-context", target.context]
        elif tool == "kind" and target.kind_cluster:
            assert line.endswith("--name techmarket")
        if tool in ("kubectl", "helm") and target.kubeconfig:
            assert words[2:4] == ["--kubeconfig", str(target.kubeconfig)]
        if target is SANDBOX and tool in ("kind", "docker"):
            assert planned.left_out is not None


def test_everything_is_pinned(lab: Lab) -> None:
    for component in load_components(lab).values():
        for step in component.steps:
            match step.action:
                case HelmRelease(version=version):
                    assert re.fullmatch(r"\d+\.\d+\.\d+", version), (component.id, version)
                case Command(arguments=arguments):
                    for each in arguments:
                        assert "latest" not in each, (component.id, each)
                        if each.startswith("https://"):
                            assert re.search(r"/v\d+\.\d+\.\d+/", each), (component.id, each)
        for image in component.images:
            assert re.search(r":[\w.-]*\d[\w.-]*$", image), image
            assert not image.endswith(":latest")


def test_each_install_waits_until_it_is_ready(lab: Lab) -> None:
    for planned in plan(list(load_components(lab).values()), KIND):
        if planned.words[0] == "helm":
            assert "--wait" in planned.words
            timeout = int(planned.words[planned.words.index("--timeout") + 1].removesuffix("s"))
            assert timeout < planned.step.seconds, "Helm must give up before we do, to say why"


def test_limits_where_the_lab_asks_for_them(lab: Lab) -> None:
    """Exercise 2.3 refuses Pods without limits: what is installed by values must not be stopped by it."""
    with_limits = {"backstage", "metrics-server", "rollouts", "crossplane"}
    for name in with_limits:
        files = [
            step.action.values
            for step in load_components(lab)[name].steps
            if isinstance(step.action, HelmRelease) and step.action.values
        ]
        assert files
        for file in files:
            assert "limits" in file.read_text(), file


_RELEASE = "release: a, chart: a, repo: r, version: 1.0.0, namespace: n"


def _write(folder: Path, text: str) -> None:
    (folder / "components").mkdir()
    (folder / "components" / "thing.yaml").write_text(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("steps: [{kubectl: [apply]}]", "id: expected"),
        ("id: other\nsteps: [{kubectl: [apply]}]", "thing, the name of the file"),
        ("id: thing\nsteps: []", "at least one step"),
        ("id: thing\nsteps: [{kubectl: [apply], docker: [build]}]", "in each step"),
        ("id: thing\nsteps: [{bash: [rm]}]", "in each step"),
        ("id: thing\nsteps: [{kubectl: [apply], sudo: true}]", "unknown key 'sudo'"),
        ("id: thing\nexercises: ['9.9']\nsteps: [{kubectl: [apply]}]", "not 9.9"),
        (
            "id: thing\nsteps: [{helm: {" + _RELEASE + ", set: x}}]",
            "unknown key 'set'",
        ),
        (
            "id: thing\nsteps: [{helm: {" + _RELEASE + ", values: absent.yaml}}]",
            "a file that exists",
        ),
    ],
)
def test_a_mistake_of_the_author_is_named(lab: Lab, tmp_path: Path, text: str, says: str) -> None:
    from dataclasses import replace

    data = {"title": {"en": "a", "fr": "b"}, "about": {"en": "a", "fr": "b"}, **yaml.safe_load(text)}
    _write(tmp_path, yaml.safe_dump(data))
    with pytest.raises(ContentError, match=re.escape(says)):
        load_components(replace(lab, folder=tmp_path))
