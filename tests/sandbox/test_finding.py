"""Programs people bring come first – when they are what is needed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from workshop.sandbox.finding import Origin, take_stock
from workshop.sandbox.manifest import FamilyFolder
from workshop.sandbox.model import Family, Part, Program
from workshop.sandbox.places import Cache

from .conftest import script

Built = Callable[[Cache], FamilyFolder]


@pytest.fixture
def part(family: Family) -> Part:
    return Part("tools", (family,), tools=("tool",))


@pytest.fixture(autouse=True)
def nothing_brought(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    (tmp_path / "path").mkdir()
    (tmp_path / "assets").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}{os.pathsep}/usr/bin{os.pathsep}/bin")


def _bring(folder: Path, content: bytes, mode: int = 0o755) -> None:
    path = folder / "tool"
    path.write_bytes(content)
    path.chmod(mode)


def test_nothing_anywhere(part: Part, family: Family, cache: Cache) -> None:
    stock = take_stock([part], cache)
    assert stock.programs == {}
    assert stock.missing == (family,)


def test_the_cache(part: Part, built: Built, cache: Cache) -> None:
    built(cache)
    stock = take_stock([part], cache)
    assert stock.programs["tool"].origin is Origin.CACHE
    assert stock.missing == ()


def test_path_before_the_cache(part: Part, built: Built, cache: Cache, tmp_path: Path) -> None:
    built(cache)
    _bring(tmp_path / "path", script())
    assert take_stock([part], cache).programs["tool"].origin is Origin.PATH


def test_assets_before_path(
    part: Part, built: Built, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(cache)
    _bring(tmp_path / "path", script())
    _bring(tmp_path / "assets", script())
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    found = take_stock([part], cache).programs["tool"]
    assert (found.origin, found.path) == (Origin.ASSETS, tmp_path / "assets" / "tool")


@pytest.mark.parametrize("content", [script(version="1.2.2"), b"\x7fELF broken", b""])
def test_what_is_not_what_we_need_is_left_alone(
    part: Part, built: Built, cache: Cache, tmp_path: Path, content: bytes
) -> None:
    built(cache)
    _bring(tmp_path / "path", content)
    assert take_stock([part], cache).programs["tool"].origin is Origin.CACHE


def test_what_was_found_out_is_remembered_until_it_changes(part: Part, cache: Cache, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    _bring(tmp_path / "path", script() + f"echo run >> {trace}\n".encode())
    take_stock([part], cache)
    take_stock([part], cache)
    assert trace.read_text() == "run\n"
    _bring(tmp_path / "path", script(filling="another build") + f"echo again >> {trace}\n".encode())
    take_stock([part], cache)
    assert trace.read_text() == "run\nagain\n"


def test_a_program_of_ambiguous_name_is_not_taken_from_path(
    built: Built, cache: Cache, tmp_path: Path
) -> None:
    _bring(tmp_path / "path", script())
    nameless = Family("tools", "example.org/tools", "v1.2.3", (Program("tool", "", ("--version",), "1.2.3"),))
    stock = take_stock([Part("tools", (nameless,), tools=("tool",))], cache)
    assert stock.programs == {}


def test_documents_are_needed_beside_a_program_that_was_brought(
    part: Part, family: Family, cache: Cache, tmp_path: Path
) -> None:
    _bring(tmp_path / "path", script())
    stock = take_stock([part], cache)
    assert stock.programs["tool"].origin is Origin.PATH
    assert stock.missing == (family,)
