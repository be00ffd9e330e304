"""Policies drawn from the strategies: the same ones for the same seed."""

from __future__ import annotations

import json
import warnings
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning

from .cel_strategies import MUTATING, NATIVE, VALIDATING
from .comparison import Subject
from .features import FEATURES
from .legacy import LEGACY

#: (name, strategy, share): native policies take a second each to come into force, so there are few.
_SOURCES: Final = (
    ("legacy", st.builds(lambda policy: [policy], LEGACY), 0.28),
    *((name, strategy, 0.48 / len(FEATURES)) for name, strategy in FEATURES),
    ("validating", VALIDATING, 0.12),
    ("mutating", MUTATING, 0.08),
    ("native", NATIVE, 0.04),
)


def generated(start: int, count: int) -> list[Subject]:
    """About `count` different sets of policies."""
    found: list[Subject] = []
    for name, strategy, share in _SOURCES:
        found += _drawn(name, strategy, start, max(1, round(count * share)))
    return found


def _drawn(name: str, strategy: st.SearchStrategy[Any], start: int, count: int) -> list[Subject]:
    found: dict[str, Subject] = {}

    @seed(start)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(policies: list[dict[str, Any]]) -> None:
        found.setdefault(json.dumps(policies), Subject(f"{name}-{start}-{len(found)}", tuple(policies)))

    with warnings.catch_warnings():
        # It would rather not write such large strategies down; nobody asks it to.
        warnings.simplefilter("ignore", HypothesisWarning)
        collect()
    return list(found.values())
