"""What PromQL's functions do to the points of a window and to the values of an instant.

Windows hold points of straight lines, so the functions that extrapolate (`rate`, `increase`) need no
more than first and last point; a decrease is read as a restart of the counter, as Prometheus does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Final

from workshop.promql.series import Buckets, Sample, Value, Vector, signature, without_name
from workshop.promql.syntax import Beyond

SCRAPE_SECONDS: Final = 15.0
RATES: Final = frozenset({"rate", "increase", "irate"})
_Points = list[tuple[float, Value]]


def over_window(name: str, points: _Points, seconds: float) -> Value | None:
    """Apply a range function; None where it yields nothing. Raises Beyond for one that is not known here."""
    if name in RATES or name in ("delta", "idelta", "deriv"):
        return _change(name, points, seconds)
    if name == "last_over_time":
        return points[-1][1]
    numbers = _numbers(points)
    simple: dict[str, Callable[[list[float]], float]] = {
        "avg_over_time": lambda values: math.fsum(values) / len(values),
        "sum_over_time": lambda values: math.fsum(values) / len(values) * max(1.0, seconds / SCRAPE_SECONDS),
        "count_over_time": lambda _: max(1.0, seconds / SCRAPE_SECONDS),
        "min_over_time": min,
        "max_over_time": max,
        "present_over_time": lambda _: 1.0,
        "resets": lambda values: float(sum(b < a for a, b in pairwise(values))),
        "changes": lambda values: float(sum(b != a for a, b in pairwise(values))),
    }
    if name not in simple:
        raise Beyond(f"{name}()")
    return simple[name](numbers)


def _numbers(points: _Points) -> list[float]:
    values = [value for _, value in points if isinstance(value, float)]
    if len(values) != len(points):
        raise Beyond("this function on native histograms")
    return values


def _change(name: str, points: _Points, seconds: float) -> Value | None:
    if len(points) < 2:
        return None
    if name in ("irate", "idelta"):
        points = points[-2:]
    (start, first), (end, last) = points[0], points[-1]
    factor = {"increase": seconds, "delta": seconds, "idelta": end - start}.get(name, 1.0) / (end - start)
    if isinstance(first, Buckets) or isinstance(last, Buckets):
        if not isinstance(first, Buckets) or not isinstance(last, Buckets) or name not in RATES:
            raise Beyond(f"{name}() on native histograms")
        return (last + first.times(-1.0)).times(factor)
    gained = last - first
    if name in RATES:
        values = _numbers(points)
        gained += sum(before for before, after in pairwise(values) if after < before)
    return gained * factor


_ROUNDING: Final[dict[str, Callable[[float], float]]] = {
    "abs": abs,
    "ceil": lambda value: float(math.ceil(value)) if math.isfinite(value) else value,
    "floor": lambda value: float(math.floor(value)) if math.isfinite(value) else value,
    "sgn": lambda value: float((value > 0) - (value < 0)),
    "sqrt": lambda value: math.sqrt(value) if value >= 0 else math.nan,
    "exp": lambda value: math.exp(min(value, 700.0)),
    "ln": lambda value: math.log(value) if value > 0 else math.nan,
    "log2": lambda value: math.log2(value) if value > 0 else math.nan,
    "log10": lambda value: math.log10(value) if value > 0 else math.nan,
}
INSTANT: Final = frozenset({*_ROUNDING, "clamp", "clamp_min", "clamp_max", "round"})


def on_value(name: str, value: float, arguments: list[float]) -> float | None:
    """Apply a function of one value and scalar arguments; None where it yields nothing."""
    if name in _ROUNDING:
        return _ROUNDING[name](value)
    if name == "clamp_min":
        return max(value, arguments[0])
    if name == "clamp_max":
        return min(value, arguments[0])
    if name == "clamp":
        low, high = arguments
        return None if low > high else max(low, min(high, value))
    step = arguments[0] if arguments else 1.0
    if not math.isfinite(value) or not step:
        return value
    return math.floor(value / step + 0.5) * step


def histogram_quantile(quantile: float, vector: Vector) -> Vector:
    """Return the quantile of every histogram in the vector: native ones, and classic ones by their `le`."""
    classic: dict[frozenset[tuple[str, str]], list[tuple[float, float]]] = {}
    result: Vector = []
    for sample in vector:
        labels = without_name(sample.labels)
        if isinstance(sample.value, Buckets):
            totals, cumulated = 0.0, []
            for bound, count in zip(sample.value.bounds, sample.value.counts, strict=True):
                totals += count
                cumulated.append((bound, totals))
            result.append(Sample(labels, bucket_quantile(quantile, cumulated)))
            continue
        bound_text = labels.pop("le", "")
        try:
            bound = float(bound_text)
        except ValueError:
            continue  # Prometheus leaves out what has no usable `le`
        classic.setdefault(signature(labels), []).append((bound, sample.value))
    result.extend(Sample(dict(key), bucket_quantile(quantile, buckets)) for key, buckets in classic.items())
    return result


def bucket_quantile(quantile: float, buckets: Iterable[tuple[float, float]]) -> float:
    """Return a quantile from cumulative buckets (upper bound, count), interpolated as Prometheus does."""
    if math.isnan(quantile):
        return math.nan
    if quantile < 0:
        return -math.inf
    if quantile > 1:
        return math.inf
    merged: dict[float, float] = {}
    for bound, count in buckets:
        merged[bound] = merged.get(bound, 0.0) + count
    ordered = sorted(merged.items())
    if len(ordered) < 2 or not math.isinf(ordered[-1][0]) or not ordered[-1][1]:
        return math.nan
    rank = quantile * ordered[-1][1]
    index = next((i for i, (_, count) in enumerate(ordered[:-1]) if count >= rank), len(ordered) - 1)
    if index == len(ordered) - 1:
        return ordered[-2][0]
    bound, count = ordered[index]
    if index == 0 and bound <= 0:
        return bound
    start, below = ordered[index - 1] if index else (0.0, 0.0)
    return start + (bound - start) * (rank - below) / (count - below) if count > below else bound
