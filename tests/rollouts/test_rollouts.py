"""Durations and conditions of Argo Rollouts."""

from __future__ import annotations

import pytest

from workshop.rollouts import analyses, canary_steps, comparisons, metrics, seconds
from workshop.workspace import parse_documents


@pytest.mark.parametrize(
    ("duration", "expected"),
    [("2m", 120), ("120s", 120), (120, 120), ("120", 120), ("1m60s", 120), ("0.5h", 1800)],
)
def test_durations(duration: object, expected: float) -> None:
    assert seconds(duration) == expected


@pytest.mark.parametrize("duration", ["2 minutes", "2 m", "", "m", None, True, [], "2min"])
def test_no_durations(duration: object) -> None:
    assert seconds(duration) is None


@pytest.mark.parametrize(
    ("condition", "operator", "threshold", "indexed"),
    [
        ("result[0] >= 0.99", ">=", 0.99, True),
        ("0.99 < result[0]", ">", 0.99, True),
        ("result > 99", ">", 99.0, False),
        ("len(result) > 0 && result[0]>0.99", ">", 0.99, True),
        ("all(result, # >= 0.99)", ">=", 0.99, True),
        ("asFloat(result[0]) >= .99", ">=", 0.99, True),
    ],
)
def test_comparisons(condition: str, operator: str, threshold: float, indexed: bool) -> None:
    found = [each for each in comparisons(condition) if each.threshold]
    assert [(each.operator, each.threshold, each.indexed) for each in found] == [
        (operator, threshold, indexed)
    ]


def test_odd_shapes_are_read() -> None:
    text = (
        "spec: {strategy: {canary: {steps: [1, {pause: null}, {analysis: []}],"
        " analysis: {templates: {}}}}, metrics: 3}\n"
    )
    document = parse_documents(text, file="x")[0]
    assert [step.kind for step in canary_steps(document)] == ["pause", "analysis"]
    assert [each.templates for each in analyses(document)] == [(), ()]
    assert metrics(document) == []
