"""Texts, the cache of what was read, and the listing of a folder."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from workshop.workspace import Unreadable, Workspace, folder, opening

X = "td/kyverno/x.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "td" / "kyverno").mkdir(parents=True)
    return tmp_path


@pytest.fixture(params=["openat", "resolve"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run with openat and with what systems without it get."""
    if request.param == "resolve":
        monkeypatch.setattr(opening, "_HAS_OPENAT", False)


def write(root: Path, content: str | bytes, path: str = X) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


# --- text and cache ------------------------------------------------------------------------------------


def test_text_has_no_mark_and_plain_line_ends(root: Path) -> None:
    write(root, b"\xef\xbb\xbfun\r\ndeux\n\ntrois")
    file = Workspace(root).text(X)
    assert (file.path, file.text) == (X, "un\ndeux\n\ntrois")
    assert file.lines == ["un", "deux", "", "trois"]


def test_unchanged_file_is_parsed_once(root: Path) -> None:
    write(root, "a: 1\n")
    workspace = Workspace(root)
    assert workspace.documents(X)[0] is workspace.documents(X)[0]
    assert workspace.text(X) is workspace.text(X)
    assert workspace.documents(X, dialect="core")[0] is not workspace.documents(X)[0]


def test_cached_list_is_the_callers_own(root: Path) -> None:
    write(root, "a: 1\n")
    workspace = Workspace(root)
    workspace.documents(X).clear()
    assert len(workspace.documents(X)) == 1


def test_changed_file_is_read_again(root: Path) -> None:
    file = write(root, "a: 1\n")
    workspace = Workspace(root)
    assert workspace.documents(X)[0].data == {"a": 1}
    assert workspace.text(X).text == "a: 1\n"
    file.write_text("a: 22\n")
    assert workspace.documents(X)[0].data == {"a": 22}
    assert workspace.text(X).text == "a: 22\n"
    file.unlink()
    with pytest.raises(Unreadable) as caught:
        workspace.documents(X)
    assert caught.value.problem.kind == "missing"


def test_problem_of_an_unchanged_file_is_remembered_and_forgotten(root: Path) -> None:
    file = write(root, "a: [\n")
    workspace = Workspace(root)
    for _ in range(2):
        with pytest.raises(Unreadable) as caught:
            workspace.documents(X)
        assert caught.value.problem.kind == "yaml-syntax"
    file.write_text("a: [1]\n")
    assert workspace.documents(X)[0].data == {"a": [1]}


def test_threads_may_share_a_workspace(root: Path) -> None:
    paths = [f"td/kyverno/{number}.yaml" for number in range(20)]
    for path in paths:
        write(root, f"path: {path}\n", path)
    workspace = Workspace(root)
    wrong: list[str] = []

    def read() -> None:
        wrong.extend(path for path in paths if workspace.documents(path)[0].data != {"path": path})

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- listing -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("either_way")
def test_files_are_sorted_and_filtered(root: Path) -> None:
    for path in ("td/b.yaml", "td/a/z.YML", "td/a/b/c.md", "td/.hidden.yaml", "td/.git/config.yaml"):
        write(root, "x: 1\n", path)
    write(root, "x: 1\n", "td/backstage/node_modules/p/package.yaml")
    workspace = Workspace(root)
    assert workspace.files("td") == ["td/a/b/c.md", "td/a/z.YML", "td/b.yaml"]
    assert workspace.files("td", suffixes=(".yaml", ".yml")) == ["td/a/z.YML", "td/b.yaml"]
    assert workspace.files("td/a/") == ["td/a/b/c.md", "td/a/z.YML"]
    assert workspace.files("td/nothing") == []
    assert workspace.files("td/b.yaml") == []


def test_names_that_no_terminal_can_show_are_left_out(root: Path) -> None:
    write(root, "x", "td/ok.md")
    write(root, "x", "td/\x1b[31mred.md")
    with open(os.fsencode(root) + b"/td/latin-\xe9.md", "w") as file:  # noqa: PTH123 (a name no Path can hold)
        file.write("x")
    assert Workspace(root).files("td") == ["td/ok.md"]


def test_number_of_files_is_capped_nearest_first(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MAX_FILES", 5)
    for number in range(8):
        write(root, "x", f"td/deep/down/{number}.md")
    for number in range(3):
        write(root, "x", f"td/{number}.md")
    found = Workspace(root).files("td")
    assert len(found) == 5
    assert {"td/0.md", "td/1.md", "td/2.md"} <= set(found)


def test_descriptors_are_given_back(root: Path) -> None:
    write(root, "a: 1\n")
    (root / "td/out.yaml").symlink_to("/etc/hostname")
    descriptors = Path("/dev/fd")
    if not descriptors.exists():
        pytest.skip("no /dev/fd here")
    workspace = Workspace(root)
    before = len(list(descriptors.iterdir()))
    for _ in range(50):
        workspace.files("td")
        workspace.text(X)
        workspace.exists("td/none")
        with pytest.raises(Unreadable):
            workspace.text("td/out.yaml")
    assert len(list(descriptors.iterdir())) == before
