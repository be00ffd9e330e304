"""Back to pristine, against a real etcd; and which ranges are deleted on the way."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop.sandbox.components import selected
from workshop.sandbox.finding import take_stock
from workshop.sandbox.places import Cache
from workshop.sandbox.pristine import Pristine, ranges, record, removal, state
from workshop.sandbox.processes import spawn
from workshop.sandbox.store import DeleteRange, Put, Store, entries

_KEYS = st.lists(st.binary(min_size=1, max_size=3).map(lambda tail: b"/registry/" + tail), unique=True)


@given(_KEYS, st.data())
def test_ranges_hold_every_stranger_and_nothing_that_is_kept(keys: list[bytes], data: st.DataObject) -> None:
    strangers = sorted(key for key in keys if data.draw(st.booleans()))
    kept = sorted(set(keys) - set(strangers))
    found = list(ranges(strangers, kept))
    for key in keys:
        inside = [one for one in found if one.begin <= key < one.end]
        assert bool(inside) == (key in strangers)
    assert len(found) <= len(kept) + 1


@pytest.fixture
def store(programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("e")
    program = take_stock(selected(["etcd"]), Cache.of_user()).programs["etcd"].path
    command = [str(program), "--data-dir=data", "--unsafe-no-fsync", "--log-level=error"]
    for kind in ("client", "peer"):
        command += [f"--listen-{kind}-urls=unix://{kind}:0"]
    command += ["--advertise-client-urls=unix://client:0", "--initial-advertise-peer-urls=unix://peer:0"]
    command += ["--initial-cluster=default=unix://peer:0", "--listen-client-http-urls=unix://http:0"]
    process: subprocess.Popen[bytes] = spawn(command, folder=folder, environment={}, log=folder / "log")
    store = Store(folder / "http:0")
    while not store.healthy():
        assert process.poll() is None, (folder / "log").read_text()
    yield store
    store.close()
    process.kill()
    process.wait()


def _content(store: Store) -> dict[bytes, bytes]:
    return {entry.key: entry.value for entry in entries(store.everything(b"/", b"0"))}


_FIRST = {
    b"/registry/a/one": b"1",
    b"/registry/a/two": bytes(range(256)),
    b"/registry/b/three": b"",
    b"/registry/leases/x": b"renewed",
}


@pytest.fixture
def recorded(store: Store, tmp_path: Path) -> Path:
    store.change([Put(key, value) for key, value in _FIRST.items()])
    record(store, tmp_path / "pristine.json")
    return tmp_path / "pristine.json"


@pytest.mark.sandbox
def test_added_changed_and_deleted_keys_come_back(store: Store, recorded: Path) -> None:
    store.change(
        [
            Put(b"/registry/a/more", b"!"),
            *(Put(f"/registry/c/{number}".encode(), b"!") for number in range(500)),
            Put(b"/registry/a/one", b"changed"),
            DeleteRange(b"/registry/a/two", b"/registry/a/two\0"),
        ]
    )
    assert Pristine(recorded).restore(store)
    assert _content(store) == _FIRST


@pytest.mark.sandbox
def test_it_can_be_done_again_and_by_another(store: Store, recorded: Path) -> None:
    for _ in range(2):
        again = Pristine(recorded)
        for _ in range(2):
            store.change([Put(b"/registry/a/one", b"changed"), Put(b"/registry/z", b"!")])
            assert again.restore(store)
            assert _content(store) == _FIRST


@pytest.mark.sandbox
def test_nothing_is_written_when_nothing_has_changed(store: Store, recorded: Path) -> None:
    before = state(store)
    assert Pristine(recorded).restore(store)
    assert state(store) == before


@pytest.mark.sandbox
def test_what_is_renewed_and_what_is_not_ours_is_left_alone(store: Store, recorded: Path) -> None:
    changes = {b"/registry/leases/x": b"later", b"/registry/leases/y": b"new", b"/elsewhere": b"kept"}
    store.change([Put(key, value) for key, value in changes.items()])
    assert Pristine(recorded).restore(store)
    assert _content(store) == {**_FIRST, **changes}


@pytest.mark.sandbox
def test_owned_keys_are_put_back_only_when_gone(store: Store, recorded: Path) -> None:
    store.change([Put(b"/registry/a/one", b"theirs"), DeleteRange(b"/registry/a/two", b"/registry/a/two\0")])
    assert Pristine(recorded, owned=["a/"]).restore(store)
    assert _content(store) == {**_FIRST, b"/registry/a/one": b"theirs"}


@pytest.mark.sandbox
def test_what_a_controller_publishes_is_its_own_matter(store: Store, tmp_path: Path) -> None:
    published = b"/registry/configmaps/default/kube-root-ca.crt"
    store.change([Put(published, b"before")])
    record(store, tmp_path / "pristine.json")
    stray = b"/registry/configmaps/theirs/kube-root-ca.crt"
    store.change([Put(published, b"after"), Put(stray, b"after")])
    assert Pristine(tmp_path / "pristine.json").restore(store)
    assert _content(store) == {published: b"after"}


@pytest.mark.sandbox
def test_whoever_keeps_writing_is_noticed(
    store: Store, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(_seconds: float) -> None:
        store.change([Put(b"/registry/c/again", b"!")])

    monkeypatch.setattr(time, "sleep", write)
    assert not Pristine(recorded).restore(store, seconds=0.3)


@pytest.mark.sandbox
def test_removal_takes_what_begins_so(store: Store, recorded: Path) -> None:
    store.change(removal(["a/t", "b/"]))
    assert set(_content(store)) == {b"/registry/a/one", b"/registry/leases/x"}
