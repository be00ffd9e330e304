"""What a student's folder may hold, and what reading it makes of it."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workshop.workspace import NotAWorkspace, Unreadable, Workspace, opening

X = "td/kyverno/x.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "work" / "td" / "kyverno").mkdir(parents=True)
    (tmp_path / "secret.yaml").write_text("secret: 1\n")
    return tmp_path / "work"


@pytest.fixture(params=["openat", "resolve"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run with openat and with what systems without it get."""
    if request.param == "resolve":
        monkeypatch.setattr(opening, "_HAS_OPENAT", False)


def problem(root: Path, path: str = X) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        Workspace(root).documents(path)
    with pytest.raises(Unreadable) as again:
        Workspace(root).text(path)
    assert again.value.problem == caught.value.problem
    return caught.value


def kind(root: Path, path: str = X) -> str:
    return problem(root, path).problem.kind


def write(root: Path, content: str | bytes, path: str = X) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


# --- the workspace itself ------------------------------------------------------------------------------


def test_folder_without_td_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(NotAWorkspace) as caught:
        Workspace(tmp_path)
    assert str(tmp_path) in str(caught.value.text)


def test_folder_that_does_not_exist_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(NotAWorkspace):
        Workspace(tmp_path / "nowhere")


@pytest.mark.usefixtures("either_way")
def test_td_that_is_a_link_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "td").symlink_to("real")
    with pytest.raises(NotAWorkspace, match="link"):
        Workspace(tmp_path)


def test_td_that_is_a_file_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "td").write_text("x")
    with pytest.raises(NotAWorkspace, match="not a folder"):
        Workspace(tmp_path)


def test_workspace_may_itself_be_reached_through_a_link(root: Path, tmp_path: Path) -> None:
    write(root, "a: 1\n")
    (tmp_path / "alias").symlink_to(root)
    assert Workspace(tmp_path / "alias").documents(X)[0].data == {"a": 1}


# --- kinds of problems ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("either_way")
def test_missing(root: Path) -> None:
    assert kind(root) == "missing"
    assert kind(root, "td/nowhere/x.yaml") == "missing"
    assert kind(root, "td/" + "n" * 5000) == "missing"
    assert kind(root, "td/a\0b") == "missing"
    assert not Workspace(root).exists(X)


@pytest.mark.usefixtures("either_way")
def test_file_where_a_folder_should_be_is_missing(root: Path) -> None:
    write(root, "x", "td/notes")
    assert kind(root, "td/notes/x.yaml") == "missing"


@pytest.mark.parametrize("content", ["", "\n", "  \n\n", "\ufeff", "\ufeff\r\n"])
def test_empty(root: Path, content: str) -> None:
    write(root, content)
    assert kind(root) == "empty"
    assert Workspace(root).exists(X)


@pytest.mark.parametrize("content", ["# only\n# comments\n", "---\n", "---\n# x\n---\n...\n", "~\n", "null"])
def test_yaml_without_content_is_empty_but_has_a_text(root: Path, content: str) -> None:
    write(root, content)
    workspace = Workspace(root)
    with pytest.raises(Unreadable) as caught:
        workspace.documents(X)
    assert caught.value.problem.kind == "empty"
    assert workspace.text(X).text == content


@pytest.mark.usefixtures("either_way")
def test_folder_is_not_a_file(root: Path) -> None:
    (root / X).mkdir()
    assert kind(root) == "not-a-file"
    assert kind(root, "td") == "not-a-file"
    assert kind(root, "") == "not-a-file"


@pytest.mark.usefixtures("either_way")
def test_fifo_is_not_a_file_and_nobody_waits_for_it(root: Path) -> None:
    os.mkfifo(root / X)
    assert kind(root) == "not-a-file"
    assert Workspace(root).files("td") == []


def test_socket_is_not_a_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "td/kyverno")  # a socket's path is limited to some hundred characters
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("x.yaml")
        assert kind(root) == "not-a-file"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero here")
def test_link_to_a_device_leads_outside(root: Path) -> None:
    (root / X).symlink_to("/dev/zero")
    assert kind(root) == "outside"


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("target", ["../../../secret.yaml", "{root}/../secret.yaml", "/etc/hostname"])
def test_link_out_of_the_workspace(root: Path, target: str) -> None:
    (root / X).symlink_to(target.format(root=root))
    assert kind(root) == "outside"
    assert Workspace(root).exists(X)
    assert Workspace(root).files("td") == []


@pytest.mark.usefixtures("either_way")
def test_folder_that_is_a_link_out_of_the_workspace(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path, "a: 1\n", "elsewhere/x.yaml")
    (root / "td/sre").symlink_to(tmp_path / "elsewhere")
    assert kind(root, "td/sre/x.yaml") == "outside"
    assert Workspace(root).exists("td/sre/x.yaml")
    assert Workspace(root).files("td/sre") == []
    assert Workspace(root).files("td") == []


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("path", ["../secret.yaml", "td/../../secret.yaml", "/etc/hostname"])
def test_path_out_of_the_workspace(root: Path, path: str) -> None:
    assert kind(root, path) == "outside"


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("target", ["real.yaml", "../kyverno/real.yaml", "{root}/td/kyverno/real.yaml"])
def test_link_that_stays_inside(root: Path, target: str) -> None:
    write(root, "a: 1\n", "td/kyverno/real.yaml")
    (root / X).symlink_to(target.format(root=root))
    workspace = Workspace(root)
    assert workspace.documents(X)[0].data == {"a": 1}
    assert workspace.documents(X)[0].file == X
    assert workspace.files("td") == ["td/kyverno/real.yaml", X]


@pytest.mark.usefixtures("either_way")
def test_folder_that_is_a_link_inside(root: Path) -> None:
    write(root, "a: 1\n")
    (root / "td/policies").symlink_to("kyverno")
    workspace = Workspace(root)
    assert workspace.documents("td/policies/x.yaml")[0].data == {"a": 1}
    assert workspace.files("td") == [X]
    assert workspace.files("td/policies") == ["td/policies/x.yaml"]


@pytest.mark.usefixtures("either_way")
def test_broken_link_exists_but_is_missing(root: Path) -> None:
    (root / X).symlink_to("gone.yaml")
    assert Workspace(root).exists(X)
    assert kind(root) == "missing"


@pytest.mark.usefixtures("either_way")
def test_link_to_itself(root: Path) -> None:
    (root / X).symlink_to("x.yaml")
    (root / "td/sre").symlink_to("sre")
    assert kind(root) == "not-a-file"
    assert kind(root, "td/sre/x.yaml") == "not-a-file"
    assert Workspace(root).files("td") == []


def test_path_of_thousands_of_folders_is_refused(root: Path) -> None:
    assert kind(root, "td/../" * 2000 + "td/none") == "missing"
    (root / "td/loop").symlink_to(".")
    assert kind(root, "td/" + "loop/" * 3000) in ("not-a-file", "permission", "missing")


@contextmanager
def unprivileged() -> Iterator[None]:
    """File access as somebody who is not root, whom no permission stops."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_root() -> Iterator[Path]:
    """A workspace that everybody may enter: pytest's own folders are its user's alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        (Path(name) / "td/kyverno").mkdir(parents=True)
        yield Path(name)


def test_permission_of_the_file(open_root: Path) -> None:
    write(open_root, "a: 1\n").chmod(0)
    with unprivileged():
        assert kind(open_root) == "permission"
        assert Workspace(open_root).exists(X)


def test_permission_of_its_folder(open_root: Path) -> None:
    write(open_root, "a: 1\n")
    (open_root / "td/kyverno").chmod(0)
    try:
        with unprivileged():
            workspace = Workspace(open_root)
            assert kind(open_root) == "permission"
            assert workspace.exists(X), "nobody can tell that it is missing"
            assert workspace.files("td") == []
    finally:
        (open_root / "td/kyverno").chmod(0o755)


def test_permission_of_td(open_root: Path) -> None:
    (open_root / "td").chmod(0)
    try:
        with unprivileged(), pytest.raises(NotAWorkspace, match="cannot be read"):
            Workspace(open_root)
    finally:
        (open_root / "td").chmod(0o755)


def test_too_large_is_not_read(root: Path) -> None:
    file = write(root, "a: 1\n")
    os.truncate(file, 200 * 1024 * 1024)
    assert kind(root) == "too-large"
    os.truncate(file, opening.MAX_BYTES + 1)
    assert kind(root) == "too-large"


def test_largest_file(root: Path) -> None:
    write(root, "a: " + "b" * (opening.MAX_BYTES - 3))
    assert len(Workspace(root).documents(X)[0].data["a"]) == opening.MAX_BYTES - 3


@pytest.mark.parametrize("content", [b"a: \0\n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"PK\x03\x04\0\0"])
def test_binary(root: Path, content: bytes) -> None:
    write(root, content)
    assert kind(root) == "binary"


def test_encoding_names_byte_and_place(root: Path) -> None:
    write(root, "a: 1\nb: né".encode() + "é\n".encode("latin-1"))
    found = problem(root).problem
    assert found.kind == "encoding"
    assert "0xE9" in str(found.text)
    assert found.position is not None
    assert (found.position.line, found.position.column) == (2, 6)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_named(root: Path, encoding: str) -> None:
    write(root, "kind: Pod\nname: été\n".encode(encoding))
    found = problem(root).problem
    assert found.kind == "encoding"
    assert "UTF-16" in str(found.text)


def test_changed_while_it_is_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(root, "a: 1\n")
    real, turns = os.fstat, iter(range(1000))

    def fstat(descriptor: int) -> os.stat_result:
        # Somebody writes between two looks at the open file.
        info = real(descriptor)
        file.write_text(f"a: {next(turns)}\n" * 2)
        return info

    monkeypatch.setattr(os, "fstat", fstat)
    assert kind(root) == "changed"


def test_saved_while_it_is_read_is_read_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(root, "a: 1\n")
    real, saves = os.fstat, iter(["a: 22\n"])

    def fstat(descriptor: int) -> os.stat_result:
        info = real(descriptor)
        for content in saves:
            file.write_text(content)
            break
        return info

    monkeypatch.setattr(os, "fstat", fstat)
    assert Workspace(root).documents(X)[0].data == {"a": 22}


def test_file_replaced_by_a_link_between_look_and_open(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(root, "a: 1\n")
    real = os.open

    def swap(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == "x.yaml" and not file.is_symlink():
            file.unlink()
            file.symlink_to("../../../secret.yaml")
        return real(path, flags, mode, dir_fd=dir_fd)

    workspace = Workspace(root)
    monkeypatch.setattr(os, "open", swap)
    with pytest.raises(Unreadable) as caught:
        workspace.text(X)
    assert file.is_symlink()
    assert caught.value.problem.kind == "outside"
