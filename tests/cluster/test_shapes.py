"""What no API server writes is told from what it does write."""

from __future__ import annotations

from typing import Any

import pytest

from workshop.cluster.port import Unreachable
from workshop.cluster.shapes import misshapen, sound
from workshop.verdicts import Reason

POD: dict[str, Any] = {
    "metadata": {"name": "p", "namespace": "default", "labels": {"app": "x"}, "resourceVersion": "7"},
    "spec": {"containers": [{"name": "c"}], "volumes": []},
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [],
    },
}


@pytest.mark.parametrize(
    "current",
    [
        POD,
        {"metadata": {"name": "bare"}},
        {"metadata": {"name": "p"}, "status": {}},
        {"metadata": {"name": "p"}, "status": {"conditions": None}},
        {"metadata": {"name": "role"}, "rules": None},
        {"metadata": {"name": "e"}, "endpoints": None, "ports": None},
        {
            "metadata": {"name": "d"},
            "spec": {"replicas": 0, "template": {"spec": {"containers": []}}},
        },
        # Somebody else's kinds may call anything a port, a rule or a replica.
        {
            "apiVersion": "example.org/v1",
            "metadata": {"name": "x"},
            "spec": {"replicas": "auto", "ports": "80"},
        },
    ],
)
def test_what_kubernetes_writes(current: dict[str, Any]) -> None:
    assert misshapen(current) is None
    assert sound([current]) == [current]


@pytest.mark.parametrize(
    ("current", "field"),
    [
        (None, "content"),
        ([POD], "content"),
        ({"status": "ok"}, "metadata"),
        ({"metadata": None}, "metadata"),
        ({"metadata": {"name": 7}}, "metadata"),
        ({**POD, "status": None}, "status"),
        ({**POD, "spec": "text"}, "spec"),
        ({**POD, "metadata": {"name": "p", "labels": ["app=x"]}}, "metadata.labels"),
        ({**POD, "metadata": {"name": "p", "labels": {"app": None}}}, "metadata.labels"),
        ({**POD, "status": {"conditions": ["Ready"]}}, "status.conditions"),
        ({**POD, "status": {"conditions": [{"type": "Ready", "status": True}]}}, "status.conditions"),
        ({**POD, "spec": {"containers": [None]}}, "spec.containers"),
        ({**POD, "spec": {"replicas": True}}, "spec.replicas"),
        ({**POD, "spec": {"template": {"spec": {"containers": "c"}}}}, "spec.template.spec.containers"),
        ({"apiVersion": "kyverno.io/v1", "metadata": {"name": "p"}, "status": []}, "status"),
    ],
)
def test_what_it_does_not(current: Any, field: str) -> None:
    assert misshapen(current) == field
    with pytest.raises(Unreachable) as error:
        sound([current])
    assert error.value.reason is Reason.UNAVAILABLE
