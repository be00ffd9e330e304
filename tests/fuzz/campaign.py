"""A run of so many inputs, an even course through the trials."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning

from tests.mutants.judging import Bench
from workshop.content import Lab

from .inputs import POLICIES, RESOURCES, TEXT, answers
from .trials import evaluate, judge, read

#: Shares of the inputs: policies take ten times as long as texts to draw, whole exercises to judge as well.
SHARES: Final = {"texts": 0.8, "policies": 0.185, "answers": 0.015}
_DIALECTS: Final = st.sampled_from(["kubernetes", "prometheus", "core"])


def run(lab: Lab, folder: Path, count: int, start: int) -> Counter[str]:
    """Try `count` inputs; the first that fails is shrunk and raised. Returns how many of each kind."""
    bench = Bench(lab, folder)
    done: Counter[str] = Counter()
    trials: dict[str, tuple[st.SearchStrategy[Any], Callable[..., None]]] = {
        "texts": (st.tuples(TEXT, _DIALECTS), read),
        "policies": (st.tuples(POLICIES, RESOURCES), evaluate),
        "answers": (answers().map(lambda answer: (bench, *answer)), judge),
    }
    for name, (strategy, trial) in trials.items():
        _tried(name, strategy, trial, max(1, round(count * SHARES[name])), start, done)
    return done


def _tried(
    name: str,
    strategy: st.SearchStrategy[Any],
    trial: Callable[..., None],
    count: int,
    start: int,
    done: Counter[str],
) -> None:
    @seed(start)
    @settings(
        max_examples=count,
        phases=[Phase.generate, Phase.shrink],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def attempt(given_: tuple[Any, ...]) -> None:
        done[name] += 1
        trial(*given_)

    with warnings.catch_warnings():
        # It would rather not write such large strategies down; nobody asks it to.
        warnings.simplefilter("ignore", HypothesisWarning)
        attempt()
