"""The arithmetic of pod-delete, and label selectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop.litmus import engines, pods_deleted, rounds, selects
from workshop.workspace import parse_documents


@pytest.mark.parametrize(
    ("percentage", "count"),
    [
        (None, 1),
        ("", 1),
        ("0", 1),
        ("33", 1),
        ("66", 1),
        ("67", 2),
        ("99", 2),
        ("100", 3),
        ("150", 3),
        ("10-50", 1),
        ("30-70", 2),
    ],
)
def test_pods_of_three(percentage: str | None, count: int) -> None:
    assert pods_deleted(percentage, 3) == count


@pytest.mark.parametrize("text", ["33%", "a third", "1.5", "0x10"])
def test_no_number(text: str) -> None:
    assert pods_deleted(text, 3) is None


@pytest.mark.parametrize(
    ("seconds", "interval", "count"), [(30, 10, 3), (30, 30, 1), (30, 60, 1), (15, 5, 3), (30, 0, 30)]
)
def test_rounds(seconds: int, interval: int, count: int) -> None:
    assert rounds(seconds, interval) == count


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("app=payment-service", True), ("app==payment-service", True), ("app = payment-service", True),
        ("app in (payment-service)", True), ("a=b,app=payment-service", True),
        ("app in (payment-service, x)", False),
        ("app=payment", False), ("app!=payment-service", False), ("app notin (payment-service)", False),
        ("payment-service", None), ("app:payment-service", None), ("", None),
    ],
)  # fmt: skip
def test_selectors(selector: str, selected: bool | None) -> None:
    assert selects(selector, "payment-service") is selected


@given(st.text(max_size=400))
def test_any_selector_is_read(selector: str) -> None:
    selects(selector, "payment-service")


def test_odd_shapes_are_read() -> None:
    text = (
        "apiVersion: litmuschaos.io/v1alpha1\nkind: ChaosEngine\n"
        "spec: {experiments: [1, null, {name: 5}, {name: a, spec: []}]}\n"
    )
    engine = engines(parse_documents(text, file="x"))[0]
    assert engine.experiments() == [(3, "a")]
    assert engine.env(3) == []
    assert engine.misplaced_env() == []
