"""`workshop install`: shown first, asked, streamed, and in a state one can go on from however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.provisioning.conftest import Recorded
from workshop.cli import main
from workshop.components import load_components
from workshop.content import Lab
from workshop.provisioning.installing import install, plan
from workshop.provisioning.shell import CommandError, run
from workshop.provisioning.target import Target
from workshop.texts import Message

TARGET = Target("kind-techmarket")


def _install(lab: Lab, *names: str) -> tuple[list[str], list[str]]:
    components = load_components(lab)
    told: list[str] = []
    said: list[str] = []

    def tell(message: Message) -> None:
        told.append(str(message))

    install(plan([components[name] for name in names], TARGET), TARGET, tell=tell, say=said.append, pause=0)
    return told, said


def test_a_dry_run_runs_nothing(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "kyverno", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "helm --kube-context kind-techmarket upgrade --install kyverno kyverno" in out
    assert "--version 3.9.0" in out
    assert recorded.called == []


def test_the_list(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--lang", "fr"]) == 0
    assert "Kyverno en haute disponibilité (2.1)" in capsys.readouterr().out


def test_an_unknown_component(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "minikube"]) == 2
    assert "kyverno" in capsys.readouterr().err


def test_without_a_cluster_nothing_is_run(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "kyverno", "--yes"]) == 3
    assert "workshop cluster up" in capsys.readouterr().err
    assert recorded.called == []


def test_the_steps_of_litmus_in_order(recorded: Recorded, lab: Lab) -> None:
    recorded.plays(r"^helm .*upgrade --install chaos ", "Release chaos has been upgraded. Happy Helming!")
    told, said = _install(lab, "litmus")
    changes = [each for each in recorded.called if " list " not in each]
    assert [each.split()[0] for each in changes] == ["helm", "kubectl", "helm", "kubectl", "helm", "kubectl"]
    assert "patch service chaos-litmus-frontend-service" in changes[1]
    assert "crd/chaosengines.litmuschaos.io" in changes[3]
    assert "litmus-admin.yaml" in changes[5]
    assert any(each.startswith("[6/6] kubectl --context kind-techmarket apply") for each in told)
    assert "Release chaos has been upgraded. Happy Helming!" in said


def test_the_first_step_that_fails_ends_it(recorded: Recorded, lab: Lab) -> None:
    recorded.plays(r"patch service", 'Error from server (NotFound): services "chaos" not found', code=1)
    with pytest.raises(CommandError) as error:
        _install(lab, "litmus")
    assert error.value.code == 1
    assert not any("litmus-core" in each for each in recorded.called)


def test_what_needs_a_moment_is_tried_again_and_not_for_ever(recorded: Recorded, lab: Lab) -> None:
    recorded.plays(r"git-clone", 'failed calling webhook "webhook.pipeline.tekton.dev"', code=1)
    with pytest.raises(CommandError):
        _install(lab, "tekton")
    assert sum("git-clone" in each for each in recorded.called) == 5


def test_a_release_that_was_cut_off_is_begun_again(recorded: Recorded, lab: Lab) -> None:
    recorded.plays(r"^helm .* list --pending", "kyverno")
    told, _ = _install(lab, "kyverno")
    first, second, third = recorded.called
    assert first.startswith("helm --kube-context kind-techmarket list --pending --short --namespace kyverno")
    assert (
        "delete secret --namespace kyverno --selector 'owner=helm,name=kyverno,status in (pending-install"
        in second
    )
    assert "upgrade --install kyverno" in third
    assert any("was cut off" in each for each in told)


def test_a_command_that_takes_too_long_is_ended(recorded: Recorded) -> None:
    recorded.plays("^kind", hangs=True)
    with pytest.raises(CommandError) as error:
        run(["kind", "create", "cluster"], print, seconds=1)
    assert error.value.code is None
    assert "interrupted kind" in recorded.called


def test_a_tool_that_is_not_there(recorded: Recorded) -> None:
    (recorded.folder / "kind").unlink()
    with pytest.raises(CommandError) as error:
        run(["kind", "version"], print, seconds=5)
    assert error.value.missing


# A shell that starts something in the background tells it to ignore Ctrl-C; nobody else does.
_PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from workshop.cli.consent import carried_out
from workshop.provisioning.shell import run
with carried_out(lambda message: print(message, flush=True)) as outcome:
    run(["helm", "upgrade"], print, seconds=60)
sys.exit(outcome.code)
"""


def test_ctrl_c_ends_the_command_and_says_how_to_go_on(recorded: Recorded) -> None:
    recorded.plays("^helm", "pulling", hangs=True)
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as program:
        hanging = recorded.folder / "hanging"
        deadline = time.monotonic() + 60
        while not hanging.exists() or not hanging.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        program.send_signal(signal.SIGINT)
        output, _ = program.communicate(timeout=60)
    assert program.returncode == 130
    assert "run the same command again" in output
    assert "interrupted helm" in recorded.called
    with pytest.raises(ProcessLookupError):
        os.kill(int(hanging.read_text()), 0)
