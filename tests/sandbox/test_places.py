"""Names and folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from workshop.sandbox.errors import SandboxError
from workshop.sandbox.places import Cache, Home, cache_folder, target


@pytest.mark.parametrize("name", ["default", "a", "group-3", "x" * 32])
def test_names(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKSHOP_STATE", str(tmp_path))
    assert Home.named(name).root == tmp_path / "sandbox" / name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "-a", "a-", "A", "a b", "é", "x" * 33, "a\n"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(SandboxError, match="cannot be the name"):
        Home.named(name)


def test_the_environment_chooses_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    assert Cache.of_user().programs == tmp_path / "sandbox" / target()


def test_the_target_is_named_as_go_names_it() -> None:
    system, _, machine = target().partition("-")
    assert system in {"linux", "darwin"}
    assert machine in {"amd64", "arm64"}
