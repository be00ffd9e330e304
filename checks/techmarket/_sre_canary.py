"""What the analysis of a canary measures, and on which condition it goes on."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from workshop.checking import Document, Exam, Text
from workshop.promql.demand import names_another_service
from workshop.promql.success import judge_success_rate
from workshop.promql.syntax import Beyond, PromQLError, parse
from workshop.rollouts import (
    WORKLOADS,
    Analysis,
    Comparison,
    Metric,
    comparisons,
    invalid_steps,
    seconds,
)
from workshop.verdicts import Level, Reason

GOAL: Final = 0.99
_ARGUMENT: Final = re.compile(r"\{\{\s*args\.[\w-]{1,60}\s*\}\}")
_CLAIM: Final = Text("The rollout goes on above a success rate of 99 % and is taken back below")
_EXPECTED: Final = Text("successCondition: result[0] >= 0.99, or failureCondition: result[0] < 0.99")


class Measured(NamedTuple):
    """What a query yields: the share of errors or of successes, and its value when all requests are such.

    The `scale` is 1, 100 (per cent), or None where it cannot be told.
    """

    errors: bool = False
    scale: float | None = None


def judge_strategy(exam: Exam, rollout: Document) -> None:
    """Record whether a Rollout has one strategy: Argo Rollouts refuses two."""
    exam.fact(
        "two-strategies",
        Text("The Rollout has one strategy"),
        not (rollout.has("spec", "strategy", "canary") and rollout.has("spec", "strategy", "blueGreen")),
        expected="strategy.canary",
        observed="canary, blueGreen" if rollout.has("spec", "strategy", "blueGreen") else "canary",
        next=Text("Keep `canary`: two strategies at once are refused as an invalid spec."),
        where=rollout.at("spec", "strategy"),
    )


def judge_workload(exam: Exam, rollout: Document) -> None:
    """Record whether the controller finds Pods behind a workloadRef, and steps that are steps."""
    reference = rollout.get("spec", "workloadRef")
    if isinstance(reference, dict):
        target = (str(reference.get("apiVersion")), str(reference.get("kind")))
        exam.fact(
            "workload-unknown",
            Text("The workloadRef names something that Pods can be taken from"),
            target in WORKLOADS and bool(reference.get("name")),
            expected="apiVersion: apps/v1, kind: Deployment, name: payment-service",
            observed=", ".join(f"{key}: {reference.get(key)}" for key in ("apiVersion", "kind", "name")),
            next=Text("Argo Rollouts takes the Pods of a Deployment: name its version, kind and name."),
            where=rollout.at("spec", "workloadRef"),
        )
    for place in invalid_steps(rollout):
        exam.fact(
            "invalid-step",
            Text("Every step is one step"),
            met=False,
            expected=Text("one key for each: setWeight, pause, analysis …"),
            observed=Text("none of them, or several at once"),
            next=Text(
                "Begin a new item of the list for every step; an endless pause is written `pause: {}`."
            ),
            where=place,
        )


def judge_metric(exam: Exam, metric: Metric, names: Sequence[object]) -> None:
    """Record whether the controller takes a metric: its name, and how often it is measured."""
    interval, count = metric.get("interval"), metric.get("count")
    several = isinstance(count, int) and count > 1
    invalid = interval is not None and not (isinstance(interval, str) and seconds(interval) is not None)
    exam.fact(
        "interval",
        Text("It is said how long to wait between two measurements"),
        not invalid and not (several and interval is None),
        expected="interval: 30s",
        observed=f"interval: {interval}, count: {count}",
        next=Text("More than one measurement needs an interval, such as 30s or 1m."),
        where=metric.at("interval"),
    )
    name = metric.get("name")
    exam.fact(
        "metric-twice",
        Text("No two metrics have the same name"),
        list(names).count(name) < 2,
        expected=Text("a name for each"),
        observed=str(name),
        next=Text("Give every metric of the template a name of its own."),
        where=metric.at("name"),
    )


def judge_condition(exam: Exam, metric: Metric, measured: Measured) -> None:
    """Record whether a metric's conditions say “above 99 % go on, else go back”."""
    # An empty condition is none to the controller.
    success, failure = metric.get("successCondition") or None, metric.get("failureCondition") or None
    if not isinstance(success, str) and not isinstance(failure, str):
        if metric.provider == "job":
            exam.fact(
                "job-decides",
                _CLAIM,
                None,
                expected=_EXPECTED,
                observed=Text("the exit code of a Job"),
                where=metric.at(),
                reason=Reason.BEYOND_EVALUATOR,
            )
            return
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
            _judge_text(exam, metric, key, text, measured)


def _judge_text(exam: Exam, metric: Metric, key: str, text: str, measured: Measured) -> None:
    found = comparisons(text)
    if not re.search(r"\bresult\b", text):
        exam.fact(
            "result-ignored",
            _CLAIM,
            met=False,
            expected=_EXPECTED,
            observed=f"{key}: {text}",
            next=Text("A condition that does not look at `result` is the same for good and bad versions."),
            where=metric.at(key),
        )
        return
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
    identity, advice = _mistake(key, found, measured)
    exam.fact(
        identity or "condition",
        _CLAIM,
        identity is None,
        expected=_EXPECTED,
        observed=f"{key}: {text}",
        next=advice,
        where=metric.at(key),
    )


def _mistake(key: str, found: list[Comparison], measured: Measured) -> tuple[str | None, Text]:
    """Return what is wrong with the comparisons of a condition; None when one of them is what is asked."""
    wanted_up = (key == "successCondition") != measured.errors
    operators = (">", ">=") if wanted_up else ("<", "<=")
    goal = 1 - GOAL if measured.errors else GOAL
    at_goal = [each for each in found if _at(each, goal) or _at(each, 100 * goal)]
    if at_goal and measured.scale and not any(_at(each, goal * measured.scale) for each in at_goal):
        return "wrong-scale", Text(
            "All requests together make {scale} in your query: write the threshold on the same scale.",
            scale=f"{measured.scale:g}",
        )
    if any(each.operator in operators for each in at_goal):
        return None, Text("Success above the threshold, failure below.")
    if at_goal:
        return "condition-inverted", Text(
            "This lets bad versions pass and stops good ones: turn the sign round."
        )
    return "wrong-threshold", Text(
        "The statement asks for 99 %. 0.999 is the objective of exercise 3.1, not this gate."
    )


def _at(comparison: Comparison, threshold: float) -> bool:
    return math.isclose(comparison.threshold, threshold)


def judge_arguments(exam: Exam, metric: Metric, deciding: Sequence[Analysis]) -> None:
    """Record whether every `{{args.…}}` of a metric gets a value: Argo Rollouts stops where one has none."""
    given = metric.declared(valued=True).union(*(each.arguments for each in deciding))
    open_ended = sorted(metric.arguments() - (metric.declared() & given))
    exam.fact(
        "argument-without-value",
        Text("Every argument of the metric is declared and gets a value"),
        not open_ended,
        expected=Text("a name in the template's spec.args, a value there or in the analysis"),
        observed=", ".join(open_ended) or Text("all of them"),
        next=Text("Declare it under spec.args of the template, and give it a value where the analysis is."),
        where=metric.at("provider"),
    )


def judge_dry_run(exam: Exam, metric: Metric, deciding: Sequence[Analysis]) -> None:
    """Record whether a metric counts: neither its template nor the analysis may only try it out."""
    trials = [*metric.template_dry_runs(), *(name for each in deciding for name in each.dry_runs)]
    exam.fact(
        "dry-run",
        Text("The measurement counts"),
        not any(name in (".*", "*", str(metric.get("name"))) for name in trials),
        expected=Text("no dryRun for this metric"),
        observed=Text("dryRun: {names}", names=", ".join(trials) or "–"),
        next=Text("A metric in dry run is measured and then ignored."),
        where=metric.template.at("spec", "dryRun")
        if metric.template.has("spec", "dryRun") or not deciding
        else deciding[0].position,
    )


def judge_limit(exam: Exam, metric: Metric) -> None:
    """Record whether as many failures as there are measurements would stop the rollout."""
    count, limit = metric.get("count"), metric.get("failureLimit")
    if type(count) is int and type(limit) is int:
        exam.fact(
            "limit-never-reached",
            Text("More failures are possible than are allowed"),
            limit < count,
            expected=Text("failureLimit below count"),
            observed=f"count: {count}, failureLimit: {limit}",
            next=Text("Only more failures than the limit stop it: here every measurement may fail."),
            where=metric.at("failureLimit"),
        )


def judge_query(exam: Exam, metric: Metric) -> Measured:
    """Record whether a Prometheus query measures a success rate (or an error rate), and return which."""
    query = metric.get("provider", "prometheus", "query")
    if metric.provider != "prometheus":
        exam.fact("provider", Text("The metric has a provider"), met=True, where=metric.at("provider"))
        return Measured()
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
        return Measured()
    text = _ARGUMENT.sub("payment-service", query).strip()
    claim = Text("The query measures a success rate")
    if re.fullmatch(r"(?:scalar\()?\s*payment_service:success_rate:ratio(?:\{[^{}]*\})?\s*\)?", text):
        exam.fact("query", claim, met=True, where=metric.at("provider", "prometheus", "query"))
        return Measured(scale=1.0)
    measured = Measured()
    wrong: tuple[str, str | Text, Text] | None = None
    try:
        tree = parse(text)
        stranger = names_another_service(tree)
        findings = judge_success_rate(tree, {})
        musts = [each for each in findings if each.level is Level.MUST]
        if stranger:
            advice = Text("Select the series of the payment-service: it is the one that is rolled out.")
            wrong = ("other-service-measured", stranger, advice)
        elif not musts:
            measured = Measured(scale=100.0 if any(each.id == "percent" for each in findings) else 1.0)
        elif musts[0].id == "error-rate":
            measured = Measured(errors=True)
        else:
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
    return measured
