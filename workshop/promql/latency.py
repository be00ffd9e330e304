"""Whether an expression is the 95th percentile of request durations: judged on made-up durations.

Durations come as classic buckets, native histograms or summary quantiles, whichever the expression
reads. What it yields is compared with the percentile of all requests together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
)

from workshop.promql import advice
from workshop.promql.demand import Demand
from workshop.promql.evaluation import Recorded, RuleFailure, evaluate
from workshop.promql.findings import Finding
from workshop.promql.functions import bucket_quantile
from workshop.promql.operators import COMPARISONS
from workshop.promql.series import Sample, Series
from workshop.promql.syntax import Beyond, calls, metric_name, selectors, unwrapped
from workshop.promql.traffic import Durations, histograms, summaries, unit_of
from workshop.texts import Text
from workshop.verdicts import Level

__all__ = ["judge_latency"]

QUANTILE: Final = 0.95
# Requests a second per bucket, Pod by Pod: the Pods differ, so that averaging them shows.
_BUSY: Final = (30.0, 20.0, 6.0, 2.0, 1.0, 0.5, 0.3, 0.2)
_CALM: Final = (5.0, 10.0, 9.0, 4.0, 1.0, 0.6, 0.3, 0.1)
_SLOW: Final = (0.5, 1.0, 2.0, 2.5, 2.0, 1.0, 0.7, 0.3)
# What the counters held before: a day on which everything was slow.
_PAST: Final = (1e5, 1e5, 1e5, 2e5, 4e5, 6e5, 8e5, 9e5)
_OUTAGE: Final = (0.0, 0.0, 0.0, 1.0, 2.0, 40.0, 20.0, 0.0)
_SUMMARY: Final = {
    "0.5": (0.1, 0.1, 0.1),
    "0.9": (0.3, 0.3, 0.3),
    "0.95": (0.42, 0.42, 0.42),
    "0.99": (0.8, 0.8, 0.8),
}
_CLAIM: Final = Text("The latency is the 95th percentile of the durations of requests")
_SHAPE: Final = Text("histogram_quantile with 0.95, over the summed rates of the buckets")
# Wide enough for a result that was rounded; the percentiles tried here differ by far more.
_ALIKE: Final = 0.01


def judge_latency(expr: Expr, recorded: Mapping[str, Sequence[Recorded]]) -> list[Finding]:
    """Return what is wrong with an expression as the p95 of durations; nothing when it is right.

    Findings of level must come alone, the first cause first. Raises Beyond when it cannot be told.
    """
    trial = _Trial(expr, recorded, Demand.of(expr, recorded))
    try:
        wrong = trial.structure() or trial.behaviour()
    except RuleFailure as failure:
        wrong = _finding(
            "rule-fails",
            Text("Prometheus cannot evaluate it: {message}", message=str(failure)),
            Text("Sum the buckets to one series per le before you take the quantile."),
        )
    return [wrong] if wrong is not None else trial.advice()


@dataclass(slots=True)
class _Trial:
    expr: Expr
    recorded: Mapping[str, Sequence[Recorded]]
    demand: Demand
    several: int = 0

    # --- what the tree alone shows ---------------------------------------------------------------

    def structure(self) -> Finding | None:
        """Look for what no durations need to be tried for."""
        if not self.demand.selectors:
            return self._no_percentile(Text("the expression reads no metric at all"))
        if len(self._families()) > 1:
            raise Beyond(" / ".join(self.demand.metrics))
        quantiles = self._calls("histogram_quantile")
        if self._rate_of_quantile():
            return _finding(
                "rate-of-quantile",
                Text("it takes the rate of a percentile, which is no counter"),
                Text("The other way round: rates of the buckets first, the quantile of them last."),
            )
        if not quantiles and not self._reads_summary():
            return self._without_quantile()
        for call in quantiles:
            asked = _number(call.args[0])
            if asked is not None and not _alike(asked, QUANTILE):
                return self._wrong_quantile(f"{asked:g}")
        return self._wrong_summary()

    def _without_quantile(self) -> Finding:
        if any(metric.endswith("_bucket") for metric in self.demand.metrics):
            return self._no_percentile(Text("it is a share of requests, not a duration"))
        if self._aggregations("quantile") or self._calls("quantile_over_time"):
            return _finding(
                "percentile-of-series",
                Text("it is a percentile of the values of series, not of requests"),
                Text("A series sums many requests up. Only a histogram knows how many were how slow."),
            )
        endings = {metric.rpartition("_")[2] for metric in self.demand.metrics}
        if endings == {"sum", "count"} or self._aggregations("avg") or self._calls("avg_over_time"):
            return _finding(
                "average",
                Text("it is an average"),
                Text("An average hides the slow tail: one request in twenty may take seconds unnoticed."),
            )
        return self._no_percentile(Text("it takes no quantile"))

    def _no_percentile(self, observed: Text) -> Finding:
        return _finding(
            "not-a-percentile",
            observed,
            Text("histogram_quantile() computes a percentile from the buckets of a histogram."),
        )

    def _wrong_quantile(self, asked: str) -> Finding:
        return _finding(
            "wrong-quantile",
            Text("it asks for the quantile {asked}", asked=asked),
            Text("A quantile lies between 0 and 1: the 95th percentile is 95 hundredths."),
        )

    def _wrong_summary(self) -> Finding | None:
        for group in self.demand.matchers("quantile"):
            for matcher in group:
                try:
                    right = _alike(float(matcher.value), QUANTILE)
                except ValueError:
                    raise Beyond(str(matcher)) from None
                if not right:
                    return self._wrong_quantile(matcher.value)
        return None

    def _rate_of_quantile(self) -> bool:
        ranged = self._calls("rate", "increase", "irate", "delta")
        return any(any(calls(call, "histogram_quantile")) for call in ranged)

    # --- what durations show ---------------------------------------------------------------------

    def behaviour(self) -> Finding | None:
        """Try durations until something is wrong; None when nothing is."""
        if self._reads_summary():
            return self._on_summary()
        alike = Durations((_BUSY, _BUSY, _BUSY), (_BUSY, _BUSY, _BUSY))
        found = self._values(self._world(alike))
        self.several = len(found)
        comparison = self._comparison(Durations((_OUTAGE,) * 3, (_OUTAGE,) * 3), found)
        if comparison is not None:
            return comparison
        if not found:
            return self._nothing()
        if len(found) > 1 and not self._aggregations():
            return _finding(
                "not-aggregated",
                Text("nothing is summed: it yields one percentile a Pod"),
                Text("Sum the rates of the buckets over the Pods, and keep le."),
            )
        factor = self._factor(found, alike)
        if factor is None:
            return self._no_percentile(
                Text("it yields {value}, which no percentile of them is", value=_shown(found))
            )
        varied = Durations((_BUSY, _CALM, _SLOW), (_BUSY, _CALM, _SLOW))
        found = self._values(self._world(varied))
        if len(found) == 1 and not _alike(found[0], self._expected(varied) * factor):
            return _finding(
                "average-of-percentiles",
                Text("it puts the percentiles of the Pods together, whatever their share of the requests"),
                Text("Percentiles cannot be averaged: sum the buckets first, take the quantile last."),
            )
        return self._rate_missing(factor)

    def _rate_missing(self, factor: float) -> Finding | None:
        worn = Durations((_BUSY, _BUSY, _BUSY), (_PAST, _PAST, _PAST))
        found = self._values(self._world(worn))
        if all(_alike(value, self._expected(worn) * factor) for value in found):
            return None
        return _finding(
            "latency-rate-missing",
            Text("it reads the buckets themselves, which hold every request since each Pod started"),
            Text("Take the rate of the buckets over a window: a slow quarter of an hour must show at once."),
        )

    def _comparison(self, outage: Durations, usual: Sequence[float]) -> Finding | None:
        top = unwrapped(self.expr)
        if not isinstance(top, BinaryExpr) or str(top.op) not in COMPARISONS:
            return None
        slow = self._values(self._world(outage))
        if slow and usual and not {*slow, *usual} <= {0.0, 1.0}:
            return None
        return _finding(
            "comparison-recorded",
            Text("it compares ({operator}): a yes or no is recorded, or nothing", operator=str(top.op)),
            Text("Record the latency itself; comparing it with 500 ms is an alert's work."),
        )

    def _nothing(self) -> Finding:
        if any(metric.endswith(("_sum", "_count")) for metric in self.demand.metrics):
            return self._no_percentile(
                Text("it reads {metric}, which has no buckets", metric=self.demand.metrics[0])
            )
        if any(_drops_le(node) for node in self._aggregations()):
            return _finding(
                "le-dropped",
                Text("the sum drops le, so the buckets become one number"),
                Text("histogram_quantile() needs le to know the buckets apart: keep it when you sum."),
            )
        return _finding(
            "matches-nothing",
            Text("it yields nothing"),
            Text("Compare the labels of your selectors with those of the metric."),
        )

    def _on_summary(self) -> Finding | None:
        unit = unit_of(self.demand)
        world = summaries(self.demand, {key: [v * unit for v in values] for key, values in _SUMMARY.items()})
        found = self._values(world)
        self.several = len(found)
        slow = summaries(self.demand, {key: [9.0 * unit] * 3 for key in _SUMMARY})
        top = unwrapped(self.expr)
        if isinstance(top, BinaryExpr) and str(top.op) in COMPARISONS:
            values = [*found, *self._values(slow)]
            if not found or len(values) == len(found) or set(values) <= {0.0, 1.0}:
                return _finding(
                    "comparison-recorded",
                    Text(
                        "it compares ({operator}): a yes or no is recorded, or nothing", operator=str(top.op)
                    ),
                    Text("Record the latency itself; comparing it with 500 ms is an alert's work."),
                )
        if self._calls("rate", "increase", "irate"):
            return _finding(
                "rate-of-quantile",
                Text("it takes the rate of a percentile, which is no counter"),
                Text("A summary's quantile is a value already: record it as it is."),
            )
        if found and all(_any_unit(value, 0.42 * unit) for value in found):
            return None
        return self._no_percentile(
            Text("from a p95 of 0.42 s on every Pod it makes {value}", value=_shown(found))
        )

    # --- trying ----------------------------------------------------------------------------------

    def _world(self, durations: Durations) -> list[Series]:
        return histograms(self.demand, durations, native=True)

    def _values(self, world: Sequence[Series]) -> list[float]:
        result = evaluate(self.expr, world, self.recorded)
        samples = [Sample({}, result)] if isinstance(result, float) else result
        return [sample.number() for sample in samples if not _nan(sample)]

    def _expected(self, durations: Durations) -> float:
        return bucket_quantile(QUANTILE, durations.total()) * unit_of(self.demand)

    def _factor(self, found: Sequence[float], durations: Durations) -> float | None:
        """Return by what the result is converted (1, 1000 or 0.001); None when it is no such percentile."""
        expected = self._expected(durations)
        return next(
            (f for f in (1.0, 1000.0, 0.001) if all(_alike(value, expected * f) for value in found)), None
        )

    # --- looking ---------------------------------------------------------------------------------

    def _calls(self, *names: str) -> list[Call]:
        return [node for node in self.demand.nodes if isinstance(node, Call) and node.func.name in names]

    def _aggregations(self, *names: str) -> list[AggregateExpr]:
        nodes = [node for node in self.demand.nodes if isinstance(node, AggregateExpr)]
        return [node for node in nodes if not names or str(node.op) in names]

    def _families(self) -> set[str]:
        return {_family(metric) for metric in self.demand.metrics}

    def _reads_summary(self) -> bool:
        return bool(self.demand.matchers("quantile")) and all(self.demand.matchers("quantile"))

    # --- advice ----------------------------------------------------------------------------------

    def advice(self) -> list[Finding]:
        """Return what is worth saying about an expression that is right. Raises Beyond in doubt."""
        found: list[Finding] = []
        if self._reads_summary():
            if self._aggregations("avg"):
                found.append(_averaged_summary())
        elif self._doubtful_buckets():
            raise Beyond(f"{self.demand.metrics[0]} without _bucket, summed by le")
        if self.several > 1:
            found.append(advice.several_series(self.several))
        found.extend(advice.window_advice(self.demand))
        return found

    def _doubtful_buckets(self) -> bool:
        """Whether `le` is kept of a metric that is not named like classic buckets: one of both is wrong."""
        if any((metric_name(each) or "").endswith("_bucket") for each in self.demand.selectors):
            return False
        groupings = [node.modifier for node in self._aggregations() if node.modifier is not None]
        return any(each.type == AggModifierType.By and "le" in each.labels for each in groupings)


def _averaged_summary() -> Finding:
    return Finding(
        "average-of-percentiles",
        Level.REMARK,
        Text("The percentile is that of all requests together"),
        Text("a histogram, whose buckets can be summed over the Pods"),
        Text("the average of each Pod's own percentile"),
        Text("Summaries cannot be put together across Pods: the worst of them (max) says more."),
    )


def _drops_le(node: AggregateExpr) -> bool:
    if not any((metric_name(each) or "").endswith("_bucket") for each in selectors(node)):
        return False
    if node.modifier is None:
        return True
    dropping = node.modifier.type == AggModifierType.Without
    return dropping if "le" in node.modifier.labels else not dropping


def _family(metric: str) -> str:
    for ending in ("_bucket", "_sum", "_count"):
        metric = metric.removesuffix(ending)
    return metric


def _number(node: Expr) -> float | None:
    try:
        value = evaluate(node, [])
    except (Beyond, RuleFailure):
        return None
    return value if isinstance(value, float) else None


def _nan(sample: Sample) -> bool:
    return math.isnan(sample.number())


def _shown(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values[:3]) or "–"


def _any_unit(value: float, wanted: float) -> bool:
    return any(_alike(value, wanted * factor) for factor in (1.0, 1000.0, 0.001))


def _alike(value: float, wanted: float) -> bool:
    return math.isclose(value, wanted, rel_tol=_ALIKE)


def _finding(identity: str, observed: Text, advice_: Text) -> Finding:
    return Finding(identity, Level.MUST, _CLAIM, _SHAPE, observed, advice_)
