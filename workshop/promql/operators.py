"""PromQL's operators: aggregations, arithmetic, comparisons, set operators and how vectors are matched."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from typing import Final

from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    LabelModifierType,
    VectorMatchCardinality,
)

from workshop.promql.series import Buckets, Labels, Sample, Value, Vector, signature, without_name
from workshop.promql.syntax import Beyond


class RuleFailure(Exception):
    """Prometheus would refuse to evaluate the rule; the message is in English, close to its own."""


Key = frozenset[tuple[str, str]]


def refuse_duplicates(vector: Iterable[Sample]) -> None:
    """Raise RuleFailure when two elements carry the same labels."""
    seen: set[Key] = set()
    for sample in vector:
        key = signature(sample.labels)
        if key in seen:
            raise RuleFailure("vector cannot contain metrics with the same labelset")
        seen.add(key)


# --- aggregation ----------------------------------------------------------------------------------


def aggregate(node: AggregateExpr, vector: Vector, parameter: object) -> Vector:
    """Apply an aggregation. Raises Beyond for the operators that no SLI needs."""
    operation = str(node.op)
    groups: dict[Key, tuple[dict[str, str], list[Sample]]] = {}
    for sample in vector:
        labels = _grouped(node, sample.labels)
        groups.setdefault(signature(labels), (labels, []))[1].append(sample)
    if operation in ("topk", "bottomk") and isinstance(parameter, float):
        kept: Vector = []
        for _, members in groups.values():
            ordered = sorted(members, key=Sample.number, reverse=operation == "topk")
            kept.extend(ordered[: max(0, int(parameter))])
        return kept
    return [
        Sample(labels, _folded(operation, [member.value for member in members], parameter))
        for labels, members in groups.values()
    ]


def _grouped(node: AggregateExpr, labels: Labels) -> dict[str, str]:
    if node.modifier is None:
        return {}
    named = set(node.modifier.labels)
    if node.modifier.type == AggModifierType.By:
        return {key: value for key, value in labels.items() if key in named}
    return {key: value for key, value in labels.items() if key not in named and key != "__name__"}


def _folded(operation: str, values: list[Value], parameter: object) -> Value:
    histograms = [value for value in values if isinstance(value, Buckets)]
    numbers = [value for value in values if isinstance(value, float)]
    if histograms and operation in ("sum", "avg") and not numbers:
        total = histograms[0]
        for each in histograms[1:]:
            total = total + each
        return total if operation == "sum" else total.times(1 / len(histograms))
    if operation == "count":
        return float(len(values))
    if operation == "group":
        return 1.0
    if histograms:
        raise Beyond(f"{operation} of native histograms")
    match operation:
        case "sum":
            return math.fsum(numbers)
        case "avg":
            return math.fsum(numbers) / len(numbers)
        case "min":
            return min(numbers)
        case "max":
            return max(numbers)
        case "quantile" if isinstance(parameter, float):
            return _quantile(parameter, numbers)
    raise Beyond(operation)


def _quantile(quantile: float, values: list[float]) -> float:
    if quantile < 0:
        return -math.inf
    if quantile > 1:
        return math.inf
    ordered = sorted(values)
    rank = quantile * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


# --- binary operators -----------------------------------------------------------------------------


def _divided(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if not left or math.isnan(left) else math.copysign(math.inf, left)


def _power(left: float, right: float) -> float:
    try:
        result = left**right
    except (OverflowError, ZeroDivisionError):
        return math.inf
    return result if isinstance(result, float) else math.nan


_ARITHMETIC: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": lambda left, right: math.fmod(left, right) if right and math.isfinite(left) else math.nan,
    "^": _power,
    "atan2": math.atan2,
}
_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
COMPARISONS: Final = frozenset(_COMPARISONS)


def binary(node: BinaryExpr, left: object, right: object) -> Vector | float:
    """Apply a binary operator to two numbers, a number and a vector, or two vectors."""
    symbol = str(node.op)
    as_bool = node.modifier is not None and node.modifier.return_bool
    if isinstance(left, float) and isinstance(right, float):
        return (
            float(_COMPARISONS[symbol](left, right))
            if symbol in _COMPARISONS
            else _ARITHMETIC[symbol](left, right)
        )
    if isinstance(left, list) and isinstance(right, float):
        return _each(symbol, left, lambda value: (value, right), as_bool=as_bool)
    if isinstance(left, float) and isinstance(right, list):
        return _each(symbol, right, lambda value: (left, value), as_bool=as_bool)
    if not isinstance(left, list) or not isinstance(right, list):
        raise Beyond("operators on texts")
    fill = node.modifier.fill_values if node.modifier is not None else None
    if fill is not None and (fill.lhs is not None or fill.rhs is not None):
        raise Beyond("fill")
    if symbol in ("and", "or", "unless"):
        return _sets(symbol, node, left, right)
    return _matched(symbol, node, left, right, as_bool=as_bool)


def _each(
    symbol: str, vector: Vector, sides: Callable[[float], tuple[float, float]], *, as_bool: bool
) -> Vector:
    found: Vector = []
    for sample in vector:
        left, right = sides(_number(sample, symbol))
        kept = _outcome(symbol, left, right, sample.value, as_bool=as_bool)
        if kept is not None:
            filtered = symbol in _COMPARISONS and not as_bool
            found.append(Sample(sample.labels if filtered else without_name(sample.labels), kept))
    refuse_duplicates(found)
    return found


def _number(sample: Sample, symbol: str) -> float:
    if isinstance(sample.value, Buckets):
        raise Beyond(f"{symbol} on native histograms")
    return sample.value


def _outcome(symbol: str, left: float, right: float, kept: Value, *, as_bool: bool) -> Value | None:
    if symbol in _ARITHMETIC:
        return _ARITHMETIC[symbol](left, right)
    holds = _COMPARISONS[symbol](left, right)
    if as_bool:
        return float(holds)
    return kept if holds else None


def _key(node: BinaryExpr, labels: Labels) -> Key:
    matching = node.modifier.matching if node.modifier is not None else None
    if matching is None:
        return signature(without_name(labels))
    named = set(matching.labels)
    if matching.type == LabelModifierType.Include:
        return signature({key: value for key, value in labels.items() if key in named})
    return signature({key: value for key, value in without_name(labels).items() if key not in named})


def _sets(symbol: str, node: BinaryExpr, left: Vector, right: Vector) -> Vector:
    there = {_key(node, sample.labels) for sample in (left if symbol == "or" else right)}
    if symbol == "and":
        return [sample for sample in left if _key(node, sample.labels) in there]
    if symbol == "unless":
        return [sample for sample in left if _key(node, sample.labels) not in there]
    return [*left, *(sample for sample in right if _key(node, sample.labels) not in there)]


def _matched(symbol: str, node: BinaryExpr, left: Vector, right: Vector, *, as_bool: bool) -> Vector:
    card = node.modifier.card if node.modifier is not None else VectorMatchCardinality.OneToOne
    swapped = card == VectorMatchCardinality.OneToMany
    many, one = (right, left) if swapped else (left, right)
    single: dict[Key, Sample] = {}
    for sample in one:
        key = _key(node, sample.labels)
        if key in single:
            raise RuleFailure("found duplicate series for the match group: many-to-many matching")
        single[key] = sample
    found: Vector = []
    seen: set[Key] = set()
    for sample in many:
        key = _key(node, sample.labels)
        partner = single.get(key)
        if partner is None:
            continue
        if card == VectorMatchCardinality.OneToOne:
            if key in seen:
                raise RuleFailure("multiple matches for labels: many-to-one matching must be explicit")
            seen.add(key)
        first, second = (partner, sample) if swapped else (sample, partner)
        value = _outcome(
            symbol, _number(first, symbol), _number(second, symbol), first.value, as_bool=as_bool
        )
        if value is not None:
            found.append(Sample(_joined(node, card, symbol, sample, partner, as_bool=as_bool), value))
    refuse_duplicates(found)
    return found


def _joined(
    node: BinaryExpr, card: VectorMatchCardinality, symbol: str, many: Sample, one: Sample, *, as_bool: bool
) -> dict[str, str]:
    keeps_name = symbol in _COMPARISONS and not as_bool
    labels = dict(many.labels) if keeps_name else without_name(many.labels)
    if card != VectorMatchCardinality.OneToOne:
        for label in (node.modifier.group_labels or []) if node.modifier is not None else []:
            labels[label] = one.labels.get(label, "")
        return labels
    matching = node.modifier.matching if node.modifier is not None else None
    if matching is None:
        return labels
    named = set(matching.labels)
    if matching.type == LabelModifierType.Include:
        return {key: value for key, value in labels.items() if key in named}
    return {key: value for key, value in labels.items() if key not in named}
