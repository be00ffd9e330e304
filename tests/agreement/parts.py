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


#: Every Pod, and what is made for Pods.
PODS: Final = {"any": [{"resources": {"kinds": ["Pod"]}}]}


def whole(
    rules: list[dict[str, Any]], spec: dict[str, Any], name: str = "generated", **more: Any
) -> dict[str, Any]:
    """A ClusterPolicy, or a Policy where `more` names a namespace."""
    numbered = [{"name": f"rule-{index}", "match": PODS, **rule} for index, rule in enumerate(rules)]
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "Policy" if "namespace" in more else "ClusterPolicy",
        "metadata": {"name": name, **more},
        "spec": {"validationFailureAction": "Enforce", "background": False, **spec, "rules": numbered},
    }


def alone(rule: Strategy, spec: Strategy | None = None) -> Strategy:
    """One policy of one rule, as a set of policies."""
    return st.builds(lambda r, s: [whole([r], s)], rule, st.just({}) if spec is None else spec)
