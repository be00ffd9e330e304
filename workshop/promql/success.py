"""What share of HTTP requests an expression calls successful: judged by what it yields on made-up traffic.

Every status code in turn shares the traffic with 200: where the expression yields half its best value,
it counts that code as a failure, whatever way it is written.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from promql_parser import AggregateExpr, BinaryExpr, Expr, Matcher

from workshop.promql import advice
from workshop.promql.codes import (
    ALL,
    CLIENT_ERRORS,
    OTHER_SUCCESSES,
    RARE_ERRORS,
    RARE_GOOD,
    REDIRECTS,
    SERVER_ERRORS,
    likeness,
    present,
)
from workshop.promql.demand import Demand
from workshop.promql.evaluation import Recorded, RuleFailure, evaluate
from workshop.promql.findings import Finding
from workshop.promql.matching import accepts_value, is_positive
from workshop.promql.operators import COMPARISONS
from workshop.promql.series import Sample, Series
from workshop.promql.syntax import Beyond, aggregations, unwrapped
from workshop.promql.traffic import Counters, Requests
from workshop.texts import Text
from workshop.verdicts import Level

__all__ = ["judge_success_rate"]

_RATE: Final = 80.0
_CLAIM: Final = Text("The success rate is the share of requests that did not end in a server error (5xx)")
_SHAPE: Final = Text("good requests per second divided by all requests per second, both summed over the Pods")
_ALIKE: Final = 1e-6
_MAX_STRANGERS: Final = 6


def judge_success_rate(expr: Expr, recorded: Mapping[str, Sequence[Recorded]]) -> list[Finding]:
    """Return what is wrong with an expression as the success rate of HTTP requests; nothing when it is right.

    Findings of level must come alone, the first cause first. Raises Beyond when it cannot be told.
    """
    demand = Demand.of(expr, recorded)
    counters = Counters.of(demand)
    trial = _Trial(expr, recorded, demand, counters, present(counters, demand))
    wrong = trial.structure() or trial.behaviour()
    return [wrong] if wrong is not None else trial.advice()


@dataclass(slots=True)
class _Trial:
    expr: Expr
    recorded: Mapping[str, Sequence[Recorded]]
    demand: Demand
    counters: Counters
    there: Sequence[str]
    scale: float = 1.0
    tried: dict[Hashable, bool] = field(default_factory=dict)

    # --- trying ----------------------------------------------------------------------------------

    def values(self, world: Sequence[Series]) -> list[float]:
        """Return the numbers the rule would record."""
        result = evaluate(self.expr, world, self.recorded)
        samples = [Sample({}, result)] if isinstance(result, float) else result
        return [sample.number() for sample in samples]

    def on(self, requests: Requests) -> list[float]:
        """Try traffic in a world where some series of every class exist already, be it at rest."""
        rates = dict.fromkeys(self.there, 0.0) | dict(requests.rates)
        return self.values(self.counters.series(replace(requests, rates=rates)))

    def one(self, rates: Mapping[str, float]) -> float | None:
        """Return the value all recorded series share, None when there is none or they differ."""
        found = self.on(Requests(rates))
        if not found or any(not _alike(value, found[0]) for value in found):
            return None
        return found[0]

    # --- what the tree alone shows ---------------------------------------------------------------

    def structure(self) -> Finding | None:
        """Look for what no traffic needs to be tried for."""
        if not self.demand.selectors:
            return _finding(
                "not-a-ratio",
                Text("the expression reads no metric at all"),
                Text("Divide a rate of good requests by the rate of all requests."),
            )
        metrics = self.demand.metrics
        labels = self.counters.ways
        if len(metrics) > 1:
            raise Beyond(" / ".join(metrics))
        if not labels:
            self._refuse_unknown_words()
            return _finding(
                "no-status",
                Text("no selector looks at the status of a response"),
                Text("Let one side of the division leave out the responses whose status begins with 5."),
            )
        return None

    def _refuse_unknown_words(self) -> None:
        """Raise Beyond where a label that is no status may still tell good from bad (`result="ok"`)."""
        for label in self.demand.matched_labels:
            groups = self.demand.matchers(label)
            if not _one_value(groups) and label not in (
                "job",
                "service",
                "app",
                "namespace",
                "pod",
                "instance",
            ):
                raise Beyond(label)

    # --- what traffic shows ----------------------------------------------------------------------

    def behaviour(self) -> Finding | None:
        """Try traffic until something is wrong; None when nothing is."""
        try:
            return (
                self._scale()
                or self._codes()
                or self._mixed()
                or self._history()
                or self._other_series()
                or self._before_the_first_error()
            )
        except RuleFailure as failure:
            return _finding(
                "rule-fails",
                Text("Prometheus cannot evaluate it: {message}", message=str(failure)),
                Text("Sum both sides to the same labels before you divide them."),
            )

    def _scale(self) -> Finding | None:
        """Nothing but 200s must yield 1 (or 100), nothing but 500s must yield 0."""
        good, bad = self.one({"200": _RATE}), self.one({"500": _RATE})
        half = self.on(Requests({"200": _RATE / 2, "500": _RATE / 2}))
        top = unwrapped(self.expr)
        if isinstance(top, BinaryExpr) and str(top.op) in COMPARISONS:
            as_bool = top.modifier is not None and top.modifier.return_bool
            ratio = any(_alike(value, 0.5) or _alike(value, 50) for value in half)
            if as_bool or good is None or not ratio:
                return _finding(
                    "comparison-recorded",
                    Text(
                        "it compares ({operator}), so it records a yes or no, or nothing",
                        operator=str(top.op),
                    ),
                    Text("Record the ratio itself; comparing it with the objective is an alert's work."),
                )
        if good is not None and (_alike(good, 1) or _alike(good, 100)) and (bad is None or _alike(bad, 0)):
            self.scale = 100.0 if _alike(good, 100) else 1.0
            return None
        return self._diagnosis(good, bad, half)

    def _diagnosis(self, good: float | None, bad: float | None, half: list[float]) -> Finding | None:
        aggregated = any(True for node in self.demand.nodes if isinstance(node, AggregateExpr))
        if good is not None and bad is not None and _alike(good, 0) and (_alike(bad, 1) or _alike(bad, 100)):
            return _finding(
                "error-rate",
                Text("it is 0 when every request succeeds and 1 when every request fails"),
                Text("This is the error rate. Ask yourself which of the two is 1 when all is well."),
            )
        if good is not None and _alike(good, 1) and bad is not None and math.isinf(bad):
            return _finding(
                "upside-down",
                Text("it divides all requests by the good ones: more than 1 as soon as something fails"),
                Text("Swap the two sides: the good requests stand above the line."),
            )
        if good is not None and bad is not None and _alike(good, 0) and _alike(bad, -_RATE):
            return _finding(
                "difference",
                Text("it subtracts: 0 when all is well, minus the errors per second otherwise"),
                Text("A share is a division: good requests over all requests."),
            )
        if not aggregated:
            return _not_aggregated()
        if any(aggregations(self.expr, "avg")) and not any(aggregations(self.expr, "sum")):
            return _finding(
                "avg-instead-of-sum",
                Text("it averages the series, whose number differs on the two sides"),
                Text("Use sum(): an average per series says nothing about requests."),
            )
        if self._literals() and (good is None or _alike(good, 0)):
            return self._never_bad()
        if good is None and bad is None and not half:
            return _finding(
                "matches-nothing",
                Text("it yields nothing, whatever the status codes are"),
                Text("Compare the labels of both sides, and the status in your matcher with one like “503”."),
            )
        if (
            good is not None
            and bad is not None
            and _alike(good, bad)
            and (_alike(good, 1) or _alike(good, 100))
        ):
            return self._never_bad()
        if good is not None and _alike(good, 0) and bad is not None and _alike(bad, 0):
            return _finding(
                "matches-nothing",
                Text("it calls no request successful, not even one that was answered with 200"),
                Text(
                    "Compare the status in your matcher with a real one, like “200”: all three digits count."
                ),
            )
        shown = "–" if good is None else f"{good:g}"
        return _finding(
            "not-a-ratio",
            Text(
                "with {rate} successful requests a second and no error it yields {value}",
                rate="80",
                value=shown,
            ),
            Text("Divide the rate of good requests by the rate of all requests: that is 1 when all is well."),
        )

    def _never_bad(self, *, every: bool = True) -> Finding:
        literal = self._literals()
        if literal:
            return _finding(
                "status-literal",
                Text(
                    "{matcher} compares with something that no status code looks like",
                    matcher=str(literal[0]),
                ),
                Text("In a regular expression a dot stands for any character; its operators are =~ and !~."),
            )
        if not every:
            return _finding(
                "errors-counted-good",
                Text("it is still 1 when one request in two ends in a 500"),
                Text("That must give 0.5: look for what rounds, or picks one series where all are summed."),
            )
        return _finding(
            "errors-counted-good",
            Text("it is 1 even when every request ends in a 500"),
            Text("Leave the 5xx out of the numerator, and only there: the denominator counts every request."),
        )

    def _literals(self) -> list[Matcher]:
        """Return the matchers that no status code can match (`"5xx"`, or a pattern after = or !=)."""
        return [
            matcher
            for label, way in self.counters.ways.items()
            for group in self.demand.matchers(label)
            for matcher in group
            if way == "code" and matcher.value and _never_matches(matcher)
        ]

    def _codes(self) -> Finding | None:
        """Say which status codes count as failures."""
        failures = {code for code in ALL if code == "500" or not self._is_good(code)}
        if self._is_good("500"):
            return self._never_bad(every=self.one({"500": _RATE}) not in (None, 0.0))
        kept = [code for code in SERVER_ERRORS if code not in failures]
        if kept:
            return _finding(
                "server-errors-counted-good",
                Text("it counts {codes} as success", codes=", ".join(kept)),
                Text("Every status from 500 to 599 is the server's failure: one pattern covers them all."),
            )
        lost = [code for code in (*OTHER_SUCCESSES, *REDIRECTS, *CLIENT_ERRORS) if code in failures]
        if not lost:
            return None
        if set(OTHER_SUCCESSES) <= failures:
            cause = "only-200"
        elif set(REDIRECTS) | set(CLIENT_ERRORS) <= failures:
            cause = "only-2xx"
        else:
            cause = "client-errors-counted-bad" if set(lost) <= set(CLIENT_ERRORS) else "good-counted-bad"
        return _finding(
            cause,
            Text("it counts {codes} as failures", codes=", ".join(lost)),
            Text("Success here means “not 5xx”: a client's mistake (404) or a redirection is no outage."),
        )

    def _is_good(self, code: str) -> bool:
        """Whether a status code counts as success. Raises Beyond when it counts as something else."""
        alike = likeness(code, self.there, self.counters, self.demand)
        if alike not in self.tried:
            self.tried[alike] = self._try(code)
        return self.tried[alike]

    def _try(self, code: str) -> bool:
        value = self.one({"200": _RATE / 2, code: _RATE / 2} if code != "200" else {"200": _RATE})
        if value is not None and _alike(value, self.scale):
            return True
        if value is not None and _alike(value, self.scale / 2):
            return False
        raise Beyond(f"what it does with status {code}")

    def _mixed(self) -> Finding | None:
        """Every request counts once, and errors that sit on one Pod weigh no more than others."""
        rates = {"200": 9.0, "201": 0.5, "301": 0.2, "404": 0.2, "500": 0.07, "503": 0.03}
        if any(not _alike(value, 0.99 * self.scale) for value in self.on(Requests(rates))):
            return _finding(
                "requests-left-out",
                Text("some requests count on neither side: 990 good ones and 10 errors do not give 0.99"),
                Text("The denominator counts every request, whatever its status."),
            )
        shares = {code: ((0.1, 0.1, 0.8) if code[0] == "5" else (0.6, 0.3, 0.1)) for code in rates}
        values = self.on(Requests(rates, shares))
        if len(values) == 1 and not _alike(values[0], 0.99 * self.scale):
            return _finding(
                "average-of-ratios",
                Text("a Pod with few requests weighs as much as a busy one"),
                Text("Sum the requests of all Pods first, divide afterwards."),
            )
        return None

    def _history(self) -> Finding | None:
        rates = {"200": 9.9, "500": 0.1}
        values = self.on(Requests(rates, history={"200": 1_000_000.0, "500": 500_000.0}))
        if values and all(_alike(value, 0.99 * self.scale) for value in values):
            return None
        return _finding(
            "rate-missing",
            Text("it divides the counters themselves, which hold everything since each Pod started"),
            Text(
                "Take the rate over a window before you sum: an outage must show now, and a restart must not."
            ),
        )

    def _other_series(self) -> Finding | None:
        """Series that differ in one label must count on both sides or on none."""
        status = self.counters.ways
        own = self.counters.series(Requests({"200": 9.9, "500": 0.1}))
        alone = self.values(own)
        expected = (*alone, 10.9 / 110 * self.scale, 0.01 * self.scale)
        for label in self.demand.matched_labels:
            groups = self.demand.matchers(label)
            if label in status or _one_value(groups):
                continue
            named = {matcher.value for group in groups for matcher in group}
            for value in ("stranger", *sorted(named)[:_MAX_STRANGERS]):
                other = {label: value, "replica": "other"}
                strangers = self.counters.series(Requests({"200": 1.0, "500": 99.0}), other=other)
                together = self.values([*own, *strangers])
                if any(not any(_alike(each, fine) for fine in expected) for each in together):
                    return _finding(
                        "sides-differ",
                        Text("only one side of the division looks at {label} that way", label=label),
                        Text("Give numerator and denominator the same selector, but for the status."),
                    )
        return None

    def _before_the_first_error(self) -> Finding | None:
        """Where no request has failed yet, what stands in for the errors must count none."""
        fine = {code: _RATE for code in self.there if code[0] != "5"}
        values = self.values(self.counters.series(Requests(fine)))
        wrong = next((value for value in values if not _alike(value, self.scale)), None)
        if wrong is None:
            return None
        return _finding(
            "wrong-default",
            Text("as long as no request has failed it yields {value}", value=f"{wrong:g}"),
            Text("Errors that never happened are 0 of them: let `or vector(0)` stand in for their rate."),
        )

    # --- advice ----------------------------------------------------------------------------------

    def advice(self) -> list[Finding]:
        """Return what is worth saying about an expression that is right."""
        found: list[Finding] = []
        if self.scale != 1:
            found.append(advice.in_percent())
        if not self._yields(code for code in ALL if code[0] != "5"):
            found.append(advice.empty_without_errors())
        elif not self._yields(["200"]):
            found.append(advice.empty_until_seen())
        misplaced = [code for code in RARE_GOOD if not self._is_good(code)]
        misplaced += [code for code in RARE_ERRORS if self._is_good(code)]
        if misplaced:
            found.append(advice.codes_listed(", ".join(misplaced)))
        count = len(self.on(Requests({"200": _RATE})))
        if count > 1:
            found.append(advice.several_series(count))
        found.extend(advice.window_advice(self.demand))
        return found

    def _yields(self, codes: Iterable[str]) -> bool:
        """Whether anything is recorded where only these status codes have ever occurred."""
        return bool(self.values(self.counters.series(Requests(dict.fromkeys(codes, _RATE)))))


def _never_matches(matcher: Matcher) -> bool:
    return all(accepts_value(matcher, code) is not is_positive(matcher) for code in ALL)


def _not_aggregated() -> Finding:
    return _finding(
        "not-aggregated",
        Text("nothing is summed: each series is divided by the one with the very same labels, itself"),
        Text("Put sum() around both sides: only then do good and bad requests meet in one number."),
    )


def _finding(identity: str, observed: Text, advice: Text) -> Finding:
    return Finding(identity, Level.MUST, _CLAIM, _SHAPE, observed, advice)


def _alike(value: float, wanted: float) -> bool:
    return math.isclose(value, wanted, rel_tol=_ALIKE, abs_tol=_ALIKE)


def _one_value(groups: Sequence[Sequence[object]]) -> bool:
    return len({tuple(str(matcher) for matcher in group) for group in groups}) == 1
