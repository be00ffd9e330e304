"""Whatever is killed, broken or busy: the next start works, and nothing stays behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from workshop.sandbox import processes
from workshop.sandbox.api import Sandbox
from workshop.sandbox.client import Api, Document
from workshop.sandbox.components import POLICIES
from workshop.sandbox.errors import SandboxError
from workshop.sandbox.records import SUPERVISOR, ProcessRecord, Record, read_processes
from workshop.texts import Message

from .test_live import deny_latest, enforce, pod, refusal, until

pytestmark = pytest.mark.sandbox


def _up(name: str = "robust", *, said: list[str] | None = None, idle_seconds: float = 0.0) -> Sandbox:
    def progress(message: Message) -> None:
        if said is not None:
            said.append(str(message))

    return Sandbox.up(name, core=POLICIES, build_missing=False, idle_seconds=idle_seconds, progress=progress)


@pytest.fixture(scope="module")
def afterwards(programs: None, state_folder: Path) -> Iterator[None]:
    yield
    Sandbox("robust").down()


@pytest.fixture
def sandbox(afterwards: None) -> Sandbox:
    """A small sandbox (etcd, API server, Kyverno) that may be mistreated; it keeps its data."""
    return _up()


def _alive(sandbox: Sandbox) -> dict[str, ProcessRecord]:
    return {
        one.component: one
        for one in read_processes(sandbox.home)
        if processes.start_time(one.pid) == one.start_time
    }


def _judges(api: Api) -> bool:
    enforce(api, deny_latest())
    refused = refusal(api, pod(image="nginx:latest"))
    api.delete(api.path(deny_latest()))
    return refused is not None and "deny-latest" in refused


def _config_map(name: str) -> Document:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


def test_the_supervisor_is_killed(sandbox: Sandbox) -> None:
    sandbox.api().apply(_config_map("mine"))
    before = _alive(sandbox)
    os.kill(before[SUPERVISOR].pid, signal.SIGKILL)
    # Nobody is left to say goodbye: on Linux the kernel ends the others.
    until(lambda: not _alive(sandbox))
    assert not sandbox.status().running
    again = _up()
    assert {one.pid for one in _alive(again).values()}.isdisjoint(one.pid for one in before.values())
    assert again.api().get("/api/v1/namespaces/default/configmaps/mine") is not None
    assert _judges(again.api())


@pytest.mark.parametrize("component", ["etcd", "kube-apiserver", "kyverno"])
def test_a_component_is_killed(sandbox: Sandbox, component: str) -> None:
    before = _alive(sandbox)
    os.kill(before[component].pid, signal.SIGKILL)
    until(lambda: any(component in str(death) for death in sandbox.status().deaths))
    adopted = _up()
    after = _alive(adopted)
    assert after[SUPERVISOR].pid == before[SUPERVISOR].pid
    assert after[component].pid != before[component].pid
    assert _judges(adopted.api())


def test_everything_is_killed_at_once(sandbox: Sandbox) -> None:
    before = _alive(sandbox)
    for one in before.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(one.pid, signal.SIGKILL)
    until(lambda: not _alive(sandbox))
    assert _judges(_up().api())


def test_down_leaves_nothing_running_and_up_finds_everything_again(sandbox: Sandbox) -> None:
    sandbox.api().apply(_config_map("kept"))
    port = Record.read(sandbox.home).ports["kube-apiserver"]
    kubeconfig = sandbox.kubeconfig.read_bytes()
    sandbox.down()
    assert _alive(sandbox) == {}
    assert not sandbox.status().running
    sandbox.down()  # once more does no harm
    # Somebody else took the port meanwhile.
    with socket.create_server(("127.0.0.1", port)):
        moved = _up()
        assert moved.api().get("/api/v1/namespaces/default/configmaps/kept") is not None
        assert Record.read(moved.home).ports["kube-apiserver"] != port
        assert moved.kubeconfig.read_bytes() != kubeconfig
        assert _judges(moved.api())


def test_reset_of_a_sandbox_that_was_down_meanwhile(sandbox: Sandbox) -> None:
    sandbox.api().apply(_config_map("gone"))
    enforce(sandbox.api(), deny_latest())
    sandbox.down()
    again = _up()
    assert "deny-latest" in str(refusal(again.api(), pod(image="nginx:latest")))
    again.reset()
    assert again.api().get("/api/v1/namespaces/default/configmaps/gone") is None
    assert refusal(again.api(), pod(image="nginx:latest")) is None
    assert _judges(again.api())


def test_data_that_was_damaged_is_put_aside(sandbox: Sandbox) -> None:
    sandbox.down()
    (database,) = sandbox.home.data.rglob("db")
    database.write_bytes(b"\0" * 4096)
    said: list[str] = []
    assert _judges(_up(said=said).api())
    assert any("damaged" in line for line in said)
    assert (sandbox.home.root / "etcd.damaged").is_dir()


def _kill_as_a_power_cut_would(sandbox: Sandbox) -> None:
    """Whatever runs is gone at once, whoever started it; nobody can say goodbye."""
    for one in _alive(sandbox).values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(one.pid, signal.SIGKILL)
    until(lambda: not _alive(sandbox))


@pytest.mark.parametrize("lost", ["tail of the log", "all of the log", "files of ours"])
def test_after_a_power_cut_with_writes_lost(sandbox: Sandbox, lost: str) -> None:
    sandbox.api().apply(_config_map("before-the-cut"))
    _kill_as_a_power_cut_would(sandbox)
    logs = sorted(sandbox.home.data.rglob("*.wal"))
    if lost == "tail of the log":
        content = logs[-1].read_bytes()
        written = len(content.rstrip(b"\0"))
        logs[-1].write_bytes(content[: written - 200])
    elif lost == "all of the log":
        for path in logs:
            path.write_bytes(b"")
    else:
        for name in ("record.json", "processes.json", "journal.jsonl", "kubeconfig", "pristine.json"):
            (sandbox.home.root / name).write_bytes(b"")
    again = _up()
    assert _judges(again.api())
    again.reset()
    assert again.api().get("/api/v1/namespaces/default/configmaps/before-the-cut") is None
    assert _judges(again.api())


def test_killed_while_it_comes_up(sandbox: Sandbox) -> None:
    sandbox.down()
    for seen in ("etcd", "kube-apiserver"):

        def kill(message: Message, until_seen: str = seen) -> None:
            if str(message).endswith(f"{until_seen} is ready"):
                _kill_as_a_power_cut_would(sandbox)

        with pytest.raises(SandboxError):
            Sandbox.up("robust", core=POLICIES, build_missing=False, progress=kill)
        assert _alive(sandbox) == {}
    assert _judges(_up().api())


def test_two_side_by_side(sandbox: Sandbox) -> None:
    other = _up("other")
    try:
        enforce(sandbox.api(), deny_latest())
        assert "deny-latest" in str(refusal(sandbox.api(), pod(image="nginx:latest")))
        assert refusal(other.api(), pod(image="nginx:latest")) is None
        other.down()
        assert "deny-latest" in str(refusal(sandbox.api(), pod(image="nginx:latest")))
    finally:
        other.down()
        sandbox.reset()


def test_an_idle_one_ends_itself(programs: None, state_folder: Path) -> None:
    idle = _up("idle", idle_seconds=0.5)
    until(lambda: not idle.status().running and not _alive(idle))
    with pytest.raises(SandboxError, match="not running"):
        Sandbox("never").api()


def test_a_component_that_cannot_start_is_named_with_its_last_lines(
    programs: None, state_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It proves what it should be, and then does nothing of what it should.
    broken = tmp_path / "etcd"
    broken.write_text(
        "#!/bin/sh\n"
        '[ "$1" = --version ] && exec echo "etcd Version: 3.6.8"\n'
        'echo "no such luck" >&2\n'
        "exit 7\n"
    )
    broken.chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with pytest.raises(SandboxError, match=r"etcd has ended \(exit status 7\)") as raised:
        _up("broken")
    assert raised.value.details == ("no such luck",)
    assert "logs etcd" in str(raised.value.remedy)
    assert _alive(Sandbox("broken")) == {}
    assert not Sandbox("broken").status().running


def test_too_little_memory(programs: None, state_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "available_bytes", lambda: 100_000_000)
    with pytest.raises(SandboxError, match="100 MB of memory are free"):
        _up("starving")
    assert not Sandbox("starving").status().running


def test_a_full_disk(programs: None, state_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=200_000_000))
    with pytest.raises(SandboxError, match="200 MB are free") as raised:
        _up("full")
    assert "WORKSHOP_STATE" in str(raised.value.remedy)


def test_a_folder_too_deep_for_sockets(
    programs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKSHOP_STATE", str(tmp_path / ("deep" * 25)))
    with pytest.raises(SandboxError, match="too long for a socket") as raised:
        _up("deep")
    assert "WORKSHOP_STATE" in str(raised.value.remedy)


def test_missing_programs_are_named(
    state_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SandboxError, match=r"missing: .*kyverno") as raised:
        _up("lacking")
    assert "workshop sandbox build" in str(raised.value.remedy)
