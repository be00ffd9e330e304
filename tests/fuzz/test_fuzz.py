"""A small part of `make fuzz`, the same in every run."""

from __future__ import annotations

from pathlib import Path

from workshop.content import Lab

from .campaign import run


def test_nothing_crashes_and_nothing_is_given_up(lab: Lab, tmp_path: Path) -> None:
    assert run(lab, tmp_path, count=600, start=0).total() >= 590
