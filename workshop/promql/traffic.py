"""Made-up HTTP traffic that fits what an expression selects: status codes, Pods, durations.

Nobody knows which labels a student's metrics carry, so the labels are read off the expression itself:
every label it looks at gets a value its selectors accept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from promql_parser import Call

from workshop.promql.demand import Demand, satisfying
from workshop.promql.series import Buckets, Series, signature
from workshop.promql.syntax import Beyond, metric_name

PODS: Final = ("a", "b", "c")
_IDEAS: Final = (
    "payment-service", "payment", "payments", "payment-service-7d9f8c-x2x4z", "default", "production",
    "GET", "POST", "/pay", "/payments", "http", "8080", "1",
)  # fmt: skip
_STATUS_NAME: Final = re.compile(r"status|code|outcome", re.IGNORECASE)
_ANY_DIGIT: Final = r"(?:\.|\d|[xX]|\[0-9\]|\\d)"
_STATUS_VALUE: Final = re.compile(rf"(?:[1-5]|\[[1-5-]+\])(?:{_ANY_DIGIT}{{2}}|{_ANY_DIGIT}\{{2\}}|\.[*+])")
# What Envoy's `envoy_response_code_class` is compared with: `5`, `[1-4]`, `2|3|4`.
_ONE_DIGIT: Final = re.compile(r"\^?\(?(?:[1-5]|\[\^?[1-5-]+\])(?:\|[1-5])*\)?\$?")
_WORDS: Final = re.compile(r"[A-Za-z]{2,}")
_CLASS_NAME: Final = re.compile(r"class|family|group", re.IGNORECASE)
# Exporters known to write classes ("5xx") into a label that is called `code`.
_CLASS_METRIC: Final = re.compile(r"^(?:haproxy|nginx|envoy|istio)_", re.IGNORECASE)
_OUTCOMES: Final = {
    "1": "INFORMATIONAL",
    "2": "SUCCESS",
    "3": "REDIRECTION",
    "4": "CLIENT_ERROR",
    "5": "SERVER_ERROR",
}
# Upper bounds in seconds; +Inf comes on top.
BOUNDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_MILLISECONDS: Final = re.compile(r"_ms(?:_|$)|milli", re.IGNORECASE)


def status_labels(demand: Demand) -> dict[str, str]:
    """Return the labels that tell failed requests from good ones: label → how it writes a status.

    The ways are `code` (503), `class` (5xx), `digit` (5) and `outcome` (SERVER_ERROR). Raises Beyond for
    words of the student's own (`result="ok"`), whose meaning nobody can know.
    """
    found: dict[str, str] = {}
    for label in demand.matched_labels:
        if label in ("le", "quantile"):
            continue
        values = [matcher.value for group in demand.matchers(label) for matcher in group]
        named = _STATUS_NAME.search(label)
        if not named and not any(_coded(value) for value in values):
            continue
        if label.lower() == "outcome":
            found[label] = "outcome"
        elif any(_WORDS.search(re.sub(r"(?i)[1-5]xx", "", value)) for value in values):
            raise Beyond(f'{label}="{values[0][:40]}"')
        else:
            found[label] = _spelling(demand, label, values)
    return found


def _coded(value: str) -> bool:
    return all(_STATUS_VALUE.fullmatch(piece.strip("^$()")) for piece in value.split("|"))


def _spelling(demand: Demand, label: str, values: Sequence[str]) -> str:
    classes = any(re.search(r"[1-5][xX]{2}", value) for value in values)
    if _CLASS_NAME.search(label) and not classes:
        return "digit" if all(_ONE_DIGIT.fullmatch(value) for value in values) else "code"
    exporter = any(_CLASS_METRIC.search(name) for name in demand.metrics)
    return "class" if classes and (_CLASS_NAME.search(label) or exporter) else "code"


class Streets(NamedTuple):
    """The labels every series carries, status and Pod aside; several `choices` where sides differ."""

    choices: tuple[Mapping[str, str], ...]

    @classmethod
    def of(cls, demand: Demand, *, besides: Sequence[str]) -> Streets:
        """Choose a value for every label the expression mentions. Raises Beyond when none can be found."""
        fixed: dict[str, str] = {}
        open_ended: dict[str, list[str]] = {}
        for label in demand.mentioned_labels:
            if label in besides:
                continue
            groups = demand.matchers(label)
            if not any(groups):
                if label not in ("pod", "instance"):
                    fixed[label] = "x"
                continue
            values = satisfying(groups, _IDEAS)
            if len(values) == 1:
                fixed[label] = values[0]
            else:
                open_ended[label] = values
        if len(open_ended) > 2:
            raise Beyond("selectors that differ in this many labels")
        choices: list[dict[str, str]] = [fixed]
        for label, values in open_ended.items():
            choices = [{**choice, label: value} for choice in choices for value in values]
        return cls(tuple(choices))


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests to count: status code → requests a second, and how they spread over the three Pods.

    `history` is what the counters held before: proportional to the rate (None), or a number a code.
    """

    rates: Mapping[str, float]
    shares: Mapping[str, Sequence[float]] | None = None
    history: Mapping[str, float] | None = None


class Counters(NamedTuple):
    """Where requests are counted: the metrics and labels of an expression, worked out once."""

    metrics: Sequence[str]
    ways: Mapping[str, str]
    streets: Streets
    native: bool = False

    @classmethod
    def of(cls, demand: Demand) -> Counters:
        """Read metrics and labels off the expression. Raises Beyond when that cannot be done."""
        ways = status_labels(demand)
        native = any(isinstance(node, Call) and node.func.name == "histogram_count" for node in demand.nodes)
        return cls(demand.metrics, ways, Streets.of(demand, besides=tuple(ways)), native)

    def series(self, requests: Requests, *, other: Mapping[str, str] | None = None) -> list[Series]:
        """Return request counters under every metric name of the expression.

        `other` replaces labels: the same traffic as somebody else would record it.
        """
        found: dict[frozenset[tuple[str, str]], Series] = {}
        for name in self.metrics:
            for choice in self.streets.choices:
                for code, rate in requests.rates.items():
                    shares = (requests.shares or {}).get(code, (0.5, 0.25, 0.25))
                    status = {label: written(code, way) for label, way in self.ways.items()}
                    own = {**choice, **status, "__name__": name, **(other or {})}
                    for pod, share in zip(PODS, shares, strict=True):
                        labels = {**_pod(pod), "replica": pod, **own}
                        kept = (requests.history or {}).get(code, rate * 10_000) * share
                        # Where only classes are recorded, 500 and 503 are one series.
                        key = signature(labels)
                        found[key] = found.get(key, Series(labels, 0.0, 0.0)).plus(kept, rate * share)
        return [_as_histogram(each) for each in found.values()] if self.native else list(found.values())


def _as_histogram(series: Series) -> Series:
    """Return a counter as the native histogram that counts the same requests, in one bucket."""
    if isinstance(series.base, Buckets) or isinstance(series.slope, Buckets):
        return series
    return Series(series.labels, Buckets((math.inf,), (series.base,)), Buckets((math.inf,), (series.slope,)))


def written(code: str, way: str) -> str:
    """Return a status code as a label writes it: `503`, `5xx`, `5` or `SERVER_ERROR`."""
    if way == "class":
        return f"{code[0]}xx"
    if way == "digit":
        return code[0]
    return _OUTCOMES[code[0]] if way == "outcome" else code


def _pod(pod: str) -> dict[str, str]:
    return {"pod": f"payment-service-7d9f8c-{pod}", "instance": f"10.0.0.{PODS.index(pod) + 1}:8080"}


# --- durations ------------------------------------------------------------------------------------


class Durations(NamedTuple):
    """Requests a second in each bucket (one more than BOUNDS), Pod by Pod; `history` in requests."""

    rates: Sequence[Sequence[float]]
    history: Sequence[Sequence[float]]

    def total(self) -> list[tuple[float, float]]:
        """Return the cumulative buckets of all Pods together: (upper bound, requests a second)."""
        sums = [math.fsum(pod[index] for pod in self.rates) for index in range(len(BOUNDS) + 1)]
        return list(zip((*BOUNDS, math.inf), _cumulated(sums), strict=True))


def histograms(demand: Demand, durations: Durations, *, native: bool) -> list[Series]:
    """Return duration metrics under every name of the expression: buckets, sum, count, or native ones."""
    streets = Streets.of(demand, besides=("le", "quantile"))
    series: list[Series] = []
    for name in demand.metrics:
        unit = 1000.0 if _MILLISECONDS.search(name) else 1.0
        for choice in streets.choices:
            for pod, rates, history in zip(PODS, durations.rates, durations.history, strict=True):
                labels = {**_pod(pod), **choice, "__name__": name, "replica": pod}
                series.extend(_family(name, labels, rates, history, unit, native=native))
    return series


def _family(
    name: str,
    labels: Mapping[str, str],
    rates: Sequence[float],
    history: Sequence[float],
    unit: float,
    *,
    native: bool,
) -> list[Series]:
    bounds = (*(bound * unit for bound in BOUNDS), math.inf)
    if name.endswith("_bucket"):
        counts = zip(bounds, _cumulated(history), _cumulated(rates), strict=True)
        return [Series({**labels, "le": _bound(bound)}, base, slope) for bound, base, slope in counts]
    if name.endswith("_count"):
        return [Series(labels, math.fsum(history), math.fsum(rates))]
    if name.endswith("_sum"):
        seconds = [bound if math.isfinite(bound) else bounds[-2] for bound in bounds]
        weighted = [math.fsum(a * b for a, b in zip(seconds, each, strict=True)) for each in (history, rates)]
        return [Series(labels, weighted[0], weighted[1])]
    if native:
        return [Series(labels, Buckets(bounds, tuple(history)), Buckets(bounds, tuple(rates)))]
    return []


def summaries(demand: Demand, values: Mapping[str, Sequence[float]]) -> list[Series]:
    """Return summary quantiles: quantile → its value on each Pod, in the unit of the metric's name."""
    streets = Streets.of(demand, besides=("quantile",))
    return [
        Series({**_pod(pod), **choice, "__name__": name, "replica": pod, "quantile": quantile}, value, 0.0)
        for name in demand.metrics
        for choice in streets.choices
        for quantile, each in values.items()
        for pod, value in zip(PODS, each, strict=True)
    ]


def unit_of(demand: Demand) -> float:
    """Return how many of the metric's units make a second: 1000 where the name says milliseconds."""
    names = [metric_name(selector) or "" for selector in demand.selectors]
    return 1000.0 if any(_MILLISECONDS.search(name) for name in names) else 1.0


def _cumulated(counts: Sequence[float]) -> list[float]:
    return [math.fsum(counts[: index + 1]) for index in range(len(counts))]


def _bound(bound: float) -> str:
    return "+Inf" if math.isinf(bound) else f"{bound:g}"
