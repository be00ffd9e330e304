"""What the real Kyverno said where the evaluator once said something else: `regressions/*.yaml`.

Each case holds policies and what the engine answered: `refused`, whether it takes the policies at all, or a
`request` with `admitted`, and `changes` – the paths in the stored object and their values (null: absent).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from workshop.kyverno import admit, refusals

_FOLDER = Path(__file__).parent / "regressions"
_CASES: list[dict[str, Any]] = [
    case
    for path in sorted(_FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]


def _at(document: Any, path: str) -> Any:
    for part in path.strip("/").split("/"):
        key = part.replace("~1", "/")
        if isinstance(document, list):
            document = document[int(key)] if int(key) < len(document) else None
        else:
            document = document.get(key) if isinstance(document, dict) else None
    return document


@pytest.mark.parametrize(
    "case", [case for case in _CASES if "refused" in case], ids=lambda case: case["name"]
)
def test_acceptance(case: dict[str, Any]) -> None:
    reasons = [reason for policy in case["policies"] for reason in refusals(policy)]
    assert bool(reasons) is case["refused"], reasons


@pytest.mark.parametrize(
    "case", [case for case in _CASES if "request" in case], ids=lambda case: case["name"]
)
def test_admission(case: dict[str, Any]) -> None:
    request = case["request"]
    answer = admit(
        case["policies"],
        request["object"],
        operation=request.get("operation", "CREATE"),
        old=request.get("old"),
        namespace_labels=request.get("namespaceLabels"),
    )
    assert answer.admitted is case["admitted"], answer.results
    for path, value in case.get("changes", {}).items():
        assert _at(answer.resource, path) == value, path
    if "rules" in case:
        assert sorted(r.rule for r in answer.results if r.enforce and r.result == "fail") == case["rules"]


def test_there_are_cases() -> None:
    assert len(_CASES) >= 1
    names = [case["name"] for case in _CASES]
    assert len(names) == len(set(names))
