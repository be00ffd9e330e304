"""`workshop cluster`: asks, makes, waits until usable, can be run again, and touches no other cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.provisioning.conftest import Recorded
from workshop.cli import main
from workshop.cluster.port import Object, Unreachable
from workshop.provisioning.readiness import NotUsableError, wait_until_usable
from workshop.texts import Message, Text
from workshop.verdicts import Reason


def test_nobody_to_ask_nothing_done(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    recorded.plays("get clusters", "No kind clusters found.")
    assert main(["cluster", "up"]) == 2
    error = capsys.readouterr().err
    assert "kind create cluster --name techmarket --config" in error
    assert "--yes" in error
    assert recorded.called == ["kind get clusters"]


def test_up_makes_it_from_the_labs_file_and_waits(
    recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded.plays("get clusters", "staging")
    recorded.plays("create cluster", 'Creating cluster "techmarket" ...', "Set kubectl context to ...")
    assert main(["cluster", "up", "--yes", "--wait", "0"]) == 3  # what was made here is no cluster
    assert recorded.called[1].startswith("kind create cluster --name techmarket --config ")
    assert recorded.called[1].endswith("materials/kind-config.yaml")
    error = capsys.readouterr().err
    assert 'Creating cluster "techmarket" ...' in error
    assert "Not usable after 0 s" in error


def test_up_takes_the_students_own_copy_of_the_file(recorded: Recorded, started: Path) -> None:
    assert main(["cluster", "up", "--yes", "--wait", "0", "--workspace", str(started)]) == 3
    assert recorded.called[1].endswith(f"--config {started}/materials/kind-config.yaml")


def test_up_again_starts_what_exists(recorded: Recorded) -> None:
    recorded.plays("get clusters", "staging", "techmarket")
    recorded.plays("get nodes --name techmarket", "techmarket-control-plane")
    assert main(["cluster", "up", "--wait", "0"]) == 3
    assert recorded.called[1:] == [
        "kind get nodes --name techmarket",
        "docker start techmarket-control-plane",
        "kind export kubeconfig --name techmarket",
    ]


def test_a_failure_of_kind_is_passed_on(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    recorded.plays("create cluster", "ERROR: failed to create cluster: port is already allocated", code=1)
    assert main(["cluster", "up", "--yes"]) == 3
    error = capsys.readouterr().err
    assert "port is already allocated" in error
    assert "exit code 1" in error
    assert "run the same command again" in error


def test_without_an_engine(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    recorded.plays(
        "get clusters", "ERROR: failed to list clusters: Cannot connect to the Docker daemon", code=1
    )
    assert main(["cluster", "down", "--yes"]) == 3
    assert recorded.called == ["kind get clusters"]
    assert "does not answer" in capsys.readouterr().err


def test_down_deletes_this_one_only(recorded: Recorded) -> None:
    recorded.plays("get clusters", "staging", "techmarket", "techmarket-2")
    assert main(["cluster", "down"]) == 2
    assert recorded.called == ["kind get clusters"]
    assert main(["cluster", "down", "--yes"]) == 0
    assert recorded.called[1:] == ["kind get clusters", "kind delete cluster --name techmarket"]


def test_down_without_one(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    recorded.plays("get clusters", "staging", "techmarket-2")
    assert main(["cluster", "down", "--yes", "--lang", "fr"]) == 0
    assert recorded.called == ["kind get clusters"]
    assert "rien à faire" in capsys.readouterr().err


class Coming:
    """A cluster that becomes usable question by question."""

    context = "kind-techmarket"

    def __init__(self) -> None:
        self.looks = 0

    def connect(self) -> Coming:
        self.looks += 1
        if self.looks == 1:
            raise Unreachable(Reason.NO_CLUSTER, Text("no answer: {problem}", problem="refused"))
        return self

    def list(self, kind: str, **_: object) -> list[Object]:
        conditions = {"conditions": [{"type": t, "status": "True"} for t in ("Ready", "Available")]}
        metadata: Object = {
            "name": "x",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        }
        self.looks += 1
        ready = {"Node": 6, "StorageClass": 9, "Deployment": 12}[kind.partition(".")[0]]
        return [{"metadata": metadata, "status": conditions}] if self.looks > ready else []


def test_waiting_says_what_is_missing_once() -> None:
    cluster, told = Coming(), list[Message]()
    wait_until_usable(cluster.connect, told.append, seconds=60, poll=0)  # type: ignore[arg-type]  # asked to list only
    assert list(map(str, told)) == [
        "no answer: refused",
        "no node yet",
        "no default StorageClass yet",
        "CoreDNS is not available yet",
    ]


def test_waiting_ends() -> None:
    cluster = Coming()
    with pytest.raises(NotUsableError) as error:
        wait_until_usable(cluster.connect, lambda _: None, seconds=-1, poll=0)  # type: ignore[arg-type]
    assert list(map(str, error.value.missing)) == ["no answer: refused"]
