"""Kyverno's own test cases: no wrong verdict, and exactly the unknown ones the documentation lists."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from .conformance import Outcome, run

ROOT = Path(__file__).resolve().parents[2]
FILES = {"cli_core": 1018, "chainsaw_mutation_core": 95, "unit": 593}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, list[Outcome]]:
    given = os.environ.get("WORKSHOP_CONFORMANCE")
    folder = (Path(given) if given else ROOT.parent / "shared" / "conformance") / "kyverno"
    if not folder.is_dir():
        if os.environ.get("CI") and given:
            pytest.fail(f"WORKSHOP_CONFORMANCE={given} holds no kyverno folder")
        pytest.skip(f"no conformance cases in {folder}: set WORKSHOP_CONFORMANCE to run them")
    return {name: list(run(folder / f"{name}.jsonl")) for name in FILES}


@pytest.mark.parametrize("name", FILES)
def test_no_verdict_is_wrong(outcomes: dict[str, list[Outcome]], name: str) -> None:
    assert len(outcomes[name]) == FILES[name]
    assert [o for o in outcomes[name] if o.verdict == "wrong" and o.counted] == []


def test_the_unknown_verdicts_are_those_documented(outcomes: dict[str, list[Outcome]]) -> None:
    unknown = {o.id for found in outcomes.values() for o in found if o.verdict == "unknown" and o.counted}
    text = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    assert unknown == set(re.findall(r"^\| `([^`]+:[^`]+)` \|", text, re.MULTILINE))
    assert len(unknown) <= 0.01 * sum(FILES.values())


def test_the_documented_figures_are_those_seen(outcomes: dict[str, list[Outcome]]) -> None:
    text = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)\.jsonl` \|.*\| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    documented = {name: [int(n) for n in figures] for name, *figures in rows}
    for name, found in outcomes.items():
        verdicts = [o.verdict for o in found if o.counted]
        seen = [len(verdicts), *(verdicts.count(word) for word in ("right", "wrong", "unknown"))]
        assert documented[name] == seen
