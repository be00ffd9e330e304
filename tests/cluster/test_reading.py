"""What controllers write is read without ever stumbling over its shape."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workshop.cluster.reading import condition, items, moment, part, replicas, seconds_old, selects

READY = {"status": {"conditions": ["x", {"type": "Ready", "status": "False", "reason": "Creating"}]}}


def test_conditions() -> None:
    assert condition(READY, "Ready") == (False, "Creating")
    assert condition(READY, "Synced") == (None, "")


@pytest.mark.parametrize("odd", [None, 3, "text", [], {}, {"status": 1}, {"status": {"conditions": {}}}])
def test_odd_shapes_hold_nothing(odd: Any) -> None:
    assert condition(odd, "Ready") == (None, "")
    assert part(odd, "status", "conditions", "x") is None
    assert items(odd, "status", "conditions") == []
    assert replicas(odd) == (0, 1)


def test_age() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    made = {"metadata": {"creationTimestamp": "2026-01-01T23:59:00Z"}}
    assert seconds_old(made, now) == 60
    assert seconds_old({}, now) == float("inf")
    assert moment("yesterday") is None
    assert moment("2026-01-01T00:00:00") == now - timedelta(days=1)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"release": "monitoring"}}, True),
        ({"matchLabels": {"release": "other"}}, False),
        ({"matchExpressions": [{"key": "role", "operator": "In", "values": ["rules", "alerts"]}]}, True),
        ({"matchExpressions": [{"key": "role", "operator": "NotIn", "values": ["rules"]}]}, False),
        ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "role", "operator": "Gt", "values": ["1"]}]}, False),
    ],
)
def test_selectors(selector: Any, expected: bool) -> None:
    assert selects(selector, {"release": "monitoring", "role": "rules"}) is expected
