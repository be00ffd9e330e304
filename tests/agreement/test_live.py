"""A small part of `make agreement`, the same in every run, and the recorded answers asked for again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.kyverno.expressions import RECORDED, policy

from .campaign import run
from .engine import Probe
from .probes import NAMESPACES, Field

_RECORDED = Path(__file__).resolve().parents[1] / "kyverno" / "regressions"


def test_the_evaluator_agrees_with_kyverno(judge: Field) -> None:
    figures = run(judge, start=0, policies=120, pairs=1100)
    assert figures.disagreements == []
    assert figures.pairs >= 300
    # Nothing is proven by policies that are not in force.
    assert figures.verdicts["refused"] >= 50
    assert figures.verdicts["changed"] >= 15
    assert figures.refused_policies >= 5


def _recorded(key: str) -> list[dict[str, Any]]:
    cases = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(_RECORDED.glob("*.yaml"))]
    return [case for found in cases for case in found if key in case]


def test_the_recorded_acceptance_is_what_kyverno_says(judge: Field) -> None:
    seen = {
        case["name"]: any(judge.refusal(policy) is not None for policy in case["policies"])
        for case in _recorded("refused")
    }
    assert seen == {case["name"]: case["refused"] for case in _recorded("refused")}


def test_the_recorded_admission_is_what_kyverno_says(judge: Field) -> None:
    asked = [
        case
        for case in _recorded("request")
        if case["admitted"] is not None and case["request"].get("operation", "CREATE") == "CREATE"
    ]
    seen = {}
    for case in asked:
        document = case["request"]["object"]
        labels = case["request"].get("namespaceLabels")
        if labels is not None:
            # The cluster has a namespace of those labels, whatever it is called in the case.
            place = next(name for name, given in NAMESPACES.items() if labels.items() <= given.items())
            document["metadata"]["namespace"] = place
        with judge.in_force(case["policies"]) as ready:
            assert ready, case["name"]
            seen[case["name"]] = judge.settled(Probe(case["name"], document), refused=not case["admitted"])
    assert seen == {case["name"]: not case["admitted"] for case in asked}


def test_the_recorded_expressions_are_taken_and_refused_as_kyverno_does(judge: Field) -> None:
    asked = [
        (place, expression, answer)
        for place, answers in RECORDED["places"].items()
        for expression, answer in answers.items()
    ][::6]
    seen = [judge.refusal(policy(place, expression)) is not None for place, expression, _ in asked]
    wrong = [each for each, refused in zip(asked, seen, strict=True) if refused != (each[2] == "refused")]
    assert wrong == []
