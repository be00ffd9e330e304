"""Made-up series to try an expression on, and the values that come out.

Every series grows in a straight line, so that its rate is known exactly whatever window a student
chose: value(t) = base + slope × t, t in seconds, 0 being the moment of evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from workshop.promql.syntax import Beyond

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Buckets:
    """A native histogram: upper bounds in ascending order and how many observations lie in each bucket."""

    bounds: tuple[float, ...]
    counts: tuple[float, ...]

    def __add__(self, other: Buckets) -> Buckets:
        return Buckets(self.bounds, tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)))

    def times(self, factor: float) -> Buckets:
        """Return the histogram with every count multiplied."""
        return Buckets(self.bounds, tuple(count * factor for count in self.counts))


Value = float | Buckets


class Series(NamedTuple):
    """One series: `base` is its value now, `slope` what it gains a second."""

    labels: Labels
    base: Value
    slope: Value

    def plus(self, base: float, slope: float) -> Series:
        """Return the series with more on top; only for numbers."""
        if isinstance(self.base, Buckets) or isinstance(self.slope, Buckets):
            raise TypeError("histograms are added with +")
        return Series(self.labels, self.base + base, self.slope + slope)

    def at(self, time: float) -> Value:
        """Return the value at `time` seconds from now."""
        if isinstance(self.base, Buckets) and isinstance(self.slope, Buckets):
            return self.base + self.slope.times(time)
        if isinstance(self.base, float) and isinstance(self.slope, float):
            return self.base + self.slope * time
        raise TypeError("base and slope are two numbers or two histograms")


class Sample(NamedTuple):
    """One element of an instant vector; `labels` hold `__name__` as long as it still is that metric."""

    labels: Labels
    value: Value

    def number(self) -> float:
        """Return the value as a number. Raises Beyond for a native histogram."""
        if isinstance(self.value, Buckets):
            raise Beyond("arithmetic with native histograms")
        return self.value


Vector = list[Sample]


@dataclass(frozen=True, slots=True)
class Points:
    """A series over a window: (seconds from now, value), oldest first."""

    labels: Labels
    points: list[tuple[float, Value]] = field(default_factory=list)


def without_name(labels: Labels) -> dict[str, str]:
    """Return the labels without the metric's name."""
    return {key: value for key, value in labels.items() if key != "__name__"}


def signature(labels: Labels) -> frozenset[tuple[str, str]]:
    """Return what tells two label sets apart; an empty value is no label."""
    return frozenset((key, value) for key, value in labels.items() if value)
