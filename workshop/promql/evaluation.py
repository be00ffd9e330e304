"""Evaluating PromQL on made-up series: enough of the language to say what an SLI measures.

What is not modelled raises Beyond; what Prometheus itself would refuse at run time raises RuleFailure.
Held against promtool in the tests.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, NamedTuple

from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
)

from workshop.promql import functions, operators
from workshop.promql.matching import accepts
from workshop.promql.operators import RuleFailure
from workshop.promql.series import Buckets, Points, Sample, Series, Vector, signature, without_name
from workshop.promql.syntax import Beyond, metric_name

__all__ = ["Recorded", "RuleFailure", "evaluate"]

_POINTS_IN_A_WINDOW: Final = 8
_MAX_STEPS: Final = 60_000
_MAX_DEPTH: Final = 40
# 2026-01-01: any fixed moment will do for time().
_NOW: Final = 1_767_225_600.0


class Recorded(NamedTuple):
    """A recording rule that others may refer to: its expression and the labels it adds."""

    expr: Expr
    labels: Mapping[str, str]


Result = Vector | float | str


def evaluate(
    expr: Expr, world: Sequence[Series], recorded: Mapping[str, Sequence[Recorded]] | None = None
) -> Vector | float:
    """Return what an expression yields now, in a world of series and recording rules.

    Raises Beyond, or RuleFailure for what Prometheus refuses when it evaluates the rule.
    """
    result = _Evaluator(world, recorded or {}).value(expr, 0.0)
    if isinstance(result, str):
        raise Beyond("a text as result")
    return result


@dataclass(slots=True)
class _Evaluator:
    world: Sequence[Series]
    recorded: Mapping[str, Sequence[Recorded]]
    steps: int = 0
    inside: list[str] = field(default_factory=list)
    depth: int = 0

    def value(self, node: Expr, time: float) -> Result:
        self.steps += 1
        if self.steps > _MAX_STEPS or self.depth > _MAX_DEPTH:
            raise Beyond("an expression of this size")
        self.depth += 1
        try:
            return self._value(node, time)
        finally:
            self.depth -= 1

    def _value(self, node: Expr, time: float) -> Result:
        match node:
            case NumberLiteral():
                return float(node.val)
            case StringLiteral():
                return str(node.val)
            case ParenExpr():
                return self.value(node.expr, time)
            case UnaryExpr():
                return self._negated(self.value(node.expr, time))
            case VectorSelector():
                return self._select(node, self._moment(node, time))
            case AggregateExpr():
                parameter = None if node.param is None else self.value(node.param, time)
                return operators.aggregate(node, self.vector(node.expr, time), parameter)
            case BinaryExpr():
                return operators.binary(node, self.value(node.lhs, time), self.value(node.rhs, time))
            case Call():
                return self._call(node, time)
        raise Beyond(type(node).__name__)

    def vector(self, node: Expr, time: float) -> Vector:
        result = self.value(node, time)
        if not isinstance(result, list):
            raise Beyond("a number where series are needed")
        return result

    def number(self, node: Expr, time: float) -> float:
        result = self.value(node, time)
        if not isinstance(result, float):
            raise Beyond("series where a number is needed")
        return result

    @staticmethod
    def _negated(result: Result) -> Result:
        if isinstance(result, list):
            return [Sample(without_name(sample.labels), -sample.number()) for sample in result]
        if isinstance(result, float):
            return -result
        raise Beyond("a negated text")

    @staticmethod
    def _moment(node: VectorSelector | SubqueryExpr, time: float) -> float:
        if node.at is not None:
            raise Beyond("@")
        return time - _seconds(node.offset)

    def _select(self, selector: VectorSelector, time: float) -> Vector:
        wanted = list(selector.matchers.matchers)
        name = metric_name(selector)
        rules = self.recorded.get(name or "")
        if rules and name not in self.inside:
            return self._recorded(str(name), rules, wanted, time)
        return [Sample(series.labels, series.at(time)) for series in self._selected(selector)]

    def _selected(self, selector: VectorSelector) -> list[Series]:
        """Return the series of the world that a selector asks for."""
        name, wanted = metric_name(selector), list(selector.matchers.matchers)
        return [
            series
            for series in self.world
            if name in (None, series.labels["__name__"]) and accepts(wanted, series.labels)
        ]

    def _recorded(self, name: str, rules: Iterable[Recorded], wanted: list[Any], time: float) -> Vector:
        self.inside.append(name)
        found: Vector = []
        for rule in rules:
            result = self.value(rule.expr, time)
            samples = [Sample({}, result)] if isinstance(result, float) else result
            if isinstance(samples, str):
                raise Beyond("a text as result")
            found.extend(
                Sample({**sample.labels, **rule.labels, "__name__": name}, sample.value) for sample in samples
            )
        self.inside.pop()
        operators.refuse_duplicates(found)
        return [sample for sample in found if accepts(wanted, sample.labels)]

    def _window(self, node: Expr, time: float) -> tuple[list[Points], float]:
        """Return the points of every series over a range, and the range in seconds."""
        while isinstance(node, ParenExpr):
            node = node.expr
        inner: Expr
        if isinstance(node, MatrixSelector):
            inner, end = node.vector_selector, time
        elif isinstance(node, SubqueryExpr):
            inner, end = node.expr, self._moment(node, time)
        else:
            raise Beyond("this kind of range")
        seconds = _seconds(node.range)
        moments = [
            end - seconds * (1 - index / (_POINTS_IN_A_WINDOW - 1)) for index in range(_POINTS_IN_A_WINDOW)
        ]
        if isinstance(inner, VectorSelector) and metric_name(inner) not in self.recorded:
            # Which series are selected does not change over time: look once.
            offset = self._moment(inner, 0.0)
            return [
                Points(each.labels, [(moment, each.at(moment + offset)) for moment in moments])
                for each in self._selected(inner)
            ], seconds
        gathered: dict[frozenset[tuple[str, str]], Points] = {}
        for moment in moments:
            result = self.value(inner, moment)
            samples = [Sample({}, result)] if isinstance(result, float) else result
            if isinstance(samples, str):
                raise Beyond("a text as result")
            for sample in samples:
                points = gathered.setdefault(signature(sample.labels), Points(sample.labels))
                points.points.append((moment, sample.value))
        return list(gathered.values()), seconds

    def _call(self, node: Call, time: float) -> Result:
        name, args = node.func.name, list(node.args)
        if name == "vector":
            return [Sample({}, self.number(args[0], time))]
        if name == "scalar":
            found = self.vector(args[0], time)
            return found[0].number() if len(found) == 1 else math.nan
        if name == "time":
            return _NOW + time
        if name in ("absent", "absent_over_time"):
            there = (
                self._window(args[0], time)[0] if name == "absent_over_time" else self.vector(args[0], time)
            )
            return [] if there else [Sample({}, 1.0)]
        if name == "histogram_quantile":
            return functions.histogram_quantile(self.number(args[0], time), self.vector(args[1], time))
        if name == "histogram_count":
            return _counted(self.vector(args[0], time))
        if name in ("sort", "sort_desc"):
            return self.vector(args[0], time)
        if name in ("label_replace", "label_join"):
            return self._relabelled(name, args, time)
        if name in functions.INSTANT:
            return self._instant(name, args, time)
        if len(args) == 1 and isinstance(_inside(args[0]), MatrixSelector | SubqueryExpr):
            return self._over_window(name, args[0], time)
        raise Beyond(f"{name}()")

    def _over_window(self, name: str, node: Expr, time: float) -> Vector:
        windows, seconds = self._window(node, time)
        found: Vector = []
        for window in windows:
            value = functions.over_window(name, window.points, seconds)
            if value is not None:
                labels = window.labels if name == "last_over_time" else without_name(window.labels)
                found.append(Sample(labels, value))
        operators.refuse_duplicates(found)
        return found

    def _instant(self, name: str, args: list[Expr], time: float) -> Vector:
        arguments = [self.number(each, time) for each in args[1:]]
        found: Vector = []
        for sample in self.vector(args[0], time):
            value = functions.on_value(name, sample.number(), arguments)
            if value is not None:
                found.append(Sample(without_name(sample.labels), value))
        operators.refuse_duplicates(found)
        return found

    def _relabelled(self, name: str, args: list[Expr], time: float) -> Vector:
        """Follow label_replace with a fixed text and label_join; patterns with groups are not followed."""
        texts = [self.value(each, time) for each in args[1:]]
        if not all(isinstance(text, str) for text in texts):
            raise Beyond(f"{name}()")
        target, *rest = (str(text) for text in texts)
        found: Vector = []
        for sample in self.vector(args[0], time):
            if name == "label_join":
                value = rest[0].join(sample.labels.get(label, "") for label in rest[1:])
            else:
                replacement, source, pattern = rest
                captured = "$" not in replacement or (pattern in ("(.*)", "(.+)") and replacement == "$1")
                if not captured or pattern not in ("", ".*", "(.*)", "(.+)", ".+"):
                    raise Beyond("label_replace() with this pattern")
                value = replacement.replace("$1", sample.labels.get(source, ""))
            found.append(Sample({**sample.labels, target: value}, sample.value))
        operators.refuse_duplicates(found)
        return found


def _counted(vector: Vector) -> Vector:
    """Count the observations of native histograms; plain numbers yield nothing."""
    return [
        Sample(without_name(each.labels), math.fsum(each.value.counts))
        for each in vector
        if isinstance(each.value, Buckets)
    ]


def _inside(node: Expr) -> Expr:
    while isinstance(node, ParenExpr):
        node = node.expr
    return node


def _seconds(duration: timedelta | None) -> float:
    return duration.total_seconds() if duration is not None else 0.0
