"""What the analysis of a canary measures, and on which condition it goes on."""

from __future__ import annotations

import math
import re
from typing import Final

from workshop.checking import Exam, Text
from workshop.promql.success import judge_success_rate
from workshop.promql.syntax import Beyond, PromQLError, parse
from workshop.rollouts import Comparison, Metric, comparisons
from workshop.verdicts import Level, Reason

GOAL: Final = 0.99
_ARGUMENT: Final = re.compile(r"\{\{\s*args\.[\w-]{1,60}\s*\}\}")
_CLAIM: Final = Text("The rollout goes on above a success rate of 99 % and is taken back below")
_EXPECTED: Final = Text("successCondition: result[0] >= 0.99, or failureCondition: result[0] < 0.99")


def judge_condition(exam: Exam, metric: Metric) -> None:
    """Record whether a metric's conditions say “above 99 % go on, else go back”."""
    success, failure = metric.get("successCondition"), metric.get("failureCondition")
    if not isinstance(success, str) and not isinstance(failure, str):
        exam.fact(
            "no-condition",
            _CLAIM,
            met=False,
            expected=_EXPECTED,
            observed=Text("no condition"),
            next=Text("Without a condition every measurement counts as a success."),
            where=metric.at(),
        )
        return
    for key, text in (("successCondition", success), ("failureCondition", failure)):
        if isinstance(text, str):
            _judge_text(exam, metric, key, text)


def _judge_text(exam: Exam, metric: Metric, key: str, text: str) -> None:
    found = comparisons(text)
    if not found:
        exam.fact(
            "condition-not-understood",
            _CLAIM,
            None,
            expected=_EXPECTED,
            observed=text,
            where=metric.at(key),
            reason=Reason.BEYOND_EVALUATOR,
        )
        return
    vector = metric.provider == "prometheus" and not metric.query().lstrip().startswith("scalar(")
    if vector and not all(each.indexed for each in found):
        exam.fact(
            "vector-not-indexed",
            Text("The condition compares a number"),
            met=False,
            expected="result[0]",
            observed=text,
            next=Text("Prometheus answers with a vector: take its first element before you compare."),
            where=metric.at(key),
        )
        return
    identity, advice = _mistake(key, found, errors=_measures_errors(metric))
    exam.fact(
        identity or "condition",
        _CLAIM,
        identity is None,
        expected=_EXPECTED,
        observed=f"{key}: {text}",
        next=advice,
        where=metric.at(key),
    )


def _mistake(key: str, found: list[Comparison], *, errors: bool) -> tuple[str | None, Text]:
    """Return what is wrong with the comparisons of a condition; None when one of them is what is asked."""
    wanted_up = (key == "successCondition") != errors
    operators = (">", ">=") if wanted_up else ("<", "<=")
    goals = (1 - GOAL, 100 - 100 * GOAL) if errors else (GOAL, 100 * GOAL)
    at_goal = [each for each in found if any(math.isclose(each.threshold, goal) for goal in goals)]
    if any(each.operator in operators for each in at_goal):
        return None, Text("Success above the threshold, failure below.")
    if at_goal:
        return "condition-inverted", Text(
            "This lets bad versions pass and stops good ones: turn the sign round."
        )
    return "wrong-threshold", Text(
        "The statement asks for 99 %. 0.999 is the objective of exercise 3.1, not this gate."
    )


def _query(metric: Metric) -> str:
    return _ARGUMENT.sub("payment-service", metric.query())


def _measures_errors(metric: Metric) -> bool:
    """Whether a Prometheus query yields an error rate, whose condition is the other way round."""
    if metric.provider != "prometheus":
        return False
    query = metric.get("provider", "prometheus", "query")
    try:
        tree = parse(_ARGUMENT.sub("payment-service", query)) if isinstance(query, str) else None
        return tree is not None and any(each.id == "error-rate" for each in judge_success_rate(tree, {}))
    except (Beyond, PromQLError):
        return False


def judge_query(exam: Exam, metric: Metric) -> None:
    """Record whether a Prometheus query measures a success rate (or an error rate)."""
    query = metric.get("provider", "prometheus", "query")
    if metric.provider != "prometheus":
        exam.fact("provider", Text("The metric has a provider"), met=True, where=metric.at("provider"))
        return
    if not isinstance(query, str) or not query.strip():
        exam.fact(
            "no-query",
            Text("Prometheus is asked something"),
            met=False,
            expected=Text("provider.prometheus.query"),
            observed=Text("no query"),
            next=Text("Ask for the success rate: the record of exercise 3.1 will do."),
            where=metric.at("provider", "prometheus"),
        )
        return
    text = _ARGUMENT.sub("payment-service", query).strip()
    claim = Text("The query measures a success rate")
    if re.fullmatch(r"(?:scalar\()?\s*payment_service:success_rate:ratio(?:\{[^{}]*\})?\s*\)?", text):
        exam.fact("query", claim, met=True, where=metric.at("provider", "prometheus", "query"))
        return
    wrong: tuple[str, str | Text, Text] | None = None
    try:
        musts = [each for each in judge_success_rate(parse(text), {}) if each.level is Level.MUST]
        if musts and musts[0].id != "error-rate":
            wrong = ("query-wrong", musts[0].observed, musts[0].next)
    except PromQLError as error:
        wrong = ("query-syntax", str(error), Text("Try the query in Prometheus first."))
    except Beyond:
        wrong = None  # another service's own metric: taken at its word
    exam.fact(
        wrong[0] if wrong else "query",
        claim,
        wrong is None,
        expected=Text("good requests divided by all requests"),
        observed=wrong[1] if wrong else text[:100],
        next=wrong[2] if wrong else None,
        where=metric.at("provider", "prometheus", "query"),
    )
