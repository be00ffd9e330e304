"""The small words the strategies are written in."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Strategy = SearchStrategy[Any]


def maybe(**optional: Strategy) -> Strategy:
    """A map of some of these keys."""
    return st.fixed_dictionaries({}, optional=optional)


def exactly(**keys: Any) -> Strategy:
    """A map of all of these keys; what is no strategy stands for itself."""
    return st.fixed_dictionaries(
        {k: v if isinstance(v, SearchStrategy) else st.just(v) for k, v in keys.items()}
    )


def some(values: Strategy, most: int = 3) -> Strategy:
    """A list of one to `most`."""
    return st.lists(values, min_size=1, max_size=most)


words: Final = st.sampled_from


def one(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Both maps as one."""
    return {**first, **second}
