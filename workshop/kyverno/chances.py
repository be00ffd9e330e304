"""What is left to chance: the name the API server makes up, the order in which Kyverno takes policies.

A request is judged under several possibilities. What comes out alike under all of them is the answer; the
rest is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations
from typing import Any, Final

from workshop.kyverno.outcome import Admission, RuleResult

Policies = list[dict[str, Any]]
_SUFFIXES: Final = ("x7k2p", "b4zd9")
#: Of so many policies every order is tried; of more, theirs and the reverse.
_FEW: Final = 3


def under_any_name(resource: dict[str, Any], decide: Callable[[str], Admission]) -> Admission:
    """The answer for an object whose `generateName` the API server completes.

    It does so between the two times that policies are asked: those that change it find no name, those that
    judge it do.
    """
    metadata = resource.get("metadata")
    beginning = metadata.get("generateName") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or metadata.get("name") or not isinstance(beginning, str):
        return decide("")
    outcomes = []
    for suffix in _SUFFIXES:
        name = beginning + suffix
        outcome = decide(name)
        results = [
            replace(one, message=one.message.replace(name, f"{beginning}…")) for one in outcome.results
        ]
        outcomes.append(replace(outcome, results=results))
    return _common(outcomes, resource, "needs-cluster", "the name that the API server makes up decides")


def in_any_order(policies: Policies, decide: Callable[[Policies], Admission]) -> Admission:
    """The answer for policies that change an object one after the other: Kyverno keeps them in no order."""
    movers = [index for index, policy in enumerate(policies) if _changes(policy)]
    outcome = decide(policies)
    if len({one.policy for one in outcome.results if one.kind == "mutate"}) < 2 or len(movers) < 2:
        return outcome
    outcomes = [outcome, *(decide(order) for order in _orders(policies, movers))]
    return _common(
        outcomes,
        outcome.resource,
        "beyond-evaluator",
        "the order in which Kyverno takes policies decides",
    )


def _changes(policy: dict[str, Any]) -> bool:
    spec = policy.get("spec")
    rules = spec.get("rules") if isinstance(spec, dict) else None
    return isinstance(rules, list) and any(isinstance(rule, dict) and rule.get("mutate") for rule in rules)


def _orders(policies: Policies, movers: list[int]) -> Iterator[Policies]:
    """The other orders, all that moves in other places of those it has."""
    every = permutations(movers) if len(movers) <= _FEW else iter([tuple(movers), tuple(reversed(movers))])
    next(every)
    for order in every:
        arranged = list(policies)
        for place, index in zip(movers, order, strict=True):
            arranged[place] = policies[index]
        yield arranged


def _common(outcomes: list[Admission], untouched: dict[str, Any], reason: str, why: str) -> Admission:
    first = outcomes[0]
    same_object = all(other.resource == first.resource for other in outcomes)
    told = [{(one.kind, one.policy, one.rule): one.result for one in each.results} for each in outcomes]
    same_results = all(other == told[0] for other in told)

    def agreed(one: RuleResult) -> RuleResult:
        key = (one.kind, one.policy, one.rule)
        changed = one.kind == "mutate" and one.result == "pass"
        if (same_object or not changed) and all(other.get(key) == one.result for other in told):
            return one
        return replace(one, result="unknown", message=why, reason=reason)

    admitted = {other.admitted for other in outcomes}
    certain = len(admitted) == 1 and (first.admitted is False or (same_object and same_results))
    return Admission(
        first.admitted if certain else None,
        first.resource if same_object else untouched,
        [agreed(one) for one in first.results],
    )
