"""3.1 – two recording rules: what they are named, whether they load, and what they measure."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from promql_parser import Expr

from workshop.checking import Exam, Text, check, must, remark, should
from workshop.manifests import Path
from workshop.promql.demand import Demand
from workshop.promql.evaluation import Recorded
from workshop.promql.findings import Finding
from workshop.promql.latency import judge_latency
from workshop.promql.rules import Rule, Rules, read_rules
from workshop.promql.success import judge_success_rate
from workshop.promql.syntax import Beyond, parse
from workshop.verdicts import Level, Reason
from workshop.workspace import Document, Position, Unreadable

from ._objects import taken_by_the_api

PATH = "td/prometheus/slo-rules.yaml"
SUCCESS = "payment_service:success_rate:ratio"
LATENCY = "payment_service:latency:p95"
EVERY_SECONDS = 30.0
Judge = Callable[[Expr, Mapping[str, Sequence[Recorded]]], list[Finding]]


def rules_of(exam: Exam) -> Rules:
    """Return the rules of the file; the ones beside it help out where it lacks a record."""
    documents = exam.documents(PATH)
    found = read_rules(documents)
    if found.recording(SUCCESS) and found.recording(LATENCY):
        return found
    for path in exam.workspace.files("td/prometheus", (".yaml", ".yml")):
        if path == documents[0].file:
            continue
        try:
            documents = [*documents, *exam.workspace.documents(path)]
        except Unreadable:
            continue  # its own fault, and not this exercise's file
    return read_rules(documents)


def _recording(exam: Exam, rules: Rules, name: str) -> list[Rule]:
    """Return the rules that record a name and could be parsed; otherwise the check ends, or says why not."""
    _wait_for_yaml(exam, rules)
    found = rules.recording(name)
    if not found:
        exam.fail(
            "record-missing",
            Text("{name} is recorded", name=name),
            expected=f"record: {name}",
            observed=Text("records: {names}", names=", ".join(_names(rules)) or "–"),
            next=Text("Copy the name letter by letter: the other exercises ask Prometheus for it."),
            where=rules.rules[0].at("record") if rules.rules else exam.documents(PATH)[0],
        )
    for rule, what in rules.unknown:
        if rule in found:
            _undecided(exam, rule, what)
            return []
    readable = [rule for rule in found if rule.tree is not None]
    if not readable:
        exam.fail(
            "promql-syntax",
            Text("{name} is computed by a PromQL expression", name=name),
            expected=Text("an expression that Prometheus can read"),
            observed=Text("no valid PromQL"),
            next=Text("Try the expression in Prometheus' own query page: it marks where it stops."),
            where=found[0].at("expr"),
        )
    return readable


def _wait_for_yaml(exam: Exam, rules: Rules) -> None:
    if rules.unreadable and not rules.rules:
        exam.blocked(
            "rules-unreadable",
            Text("The rules file inside the ConfigMap is YAML"),
            reason=Reason.UNREADABLE,
            observed=rules.unreadable[0].text,
        )


def _names(rules: Rules) -> list[str]:
    return [rule.record for rule in rules.rules if rule.record]


def _is_told(document: Document, told: Sequence[Position], path: Path) -> bool:
    return document.key_at(*path) in told


def _undecided(exam: Exam, rule: Rule, what: str) -> None:
    exam.fact(
        "undecided",
        Text("It can be told what the expression measures"),
        None,
        observed=Text("beyond what the workshop can work out: {what}", what=what),
        next=Text("Compare it with the usual form in the hints, or watch its value while you send requests."),
        where=rule.at("expr"),
        reason=Reason.BEYOND_EVALUATOR,
    )


Definitions = tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]


def _definitions(rules: Rules) -> Definitions:
    """Return every recording rule as plain, hashable data."""
    recording = [rule for rule in rules.rules if rule.record and rule.tree is not None]
    return tuple((str(rule.record), str(rule.expr), tuple(sorted(rule.labels.items()))) for rule in recording)


@functools.lru_cache(maxsize=32)
def _findings(judge: Judge, expr: str, definitions: Definitions) -> list[Finding]:
    """Judge an expression once for the checks of all levels. Raises Beyond."""
    recorded: dict[str, list[Recorded]] = {}
    for name, text, labels in definitions:
        recorded.setdefault(name, []).append(Recorded(parse(text), dict(labels)))
    return judge(parse(expr), recorded)


def _judge(exam: Exam, name: str, judge: Judge, level: Level) -> None:
    rules = rules_of(exam)
    for rule in _recording(exam, rules, name):
        if rule.tree is None:
            continue
        try:
            findings = _findings(judge, rule.expr or "", _definitions(rules))
        except Beyond as beyond:
            if level is Level.MUST:
                _undecided(exam, rule, beyond.what)
            continue
        for finding in findings:
            if finding.level is level:
                exam.fact(
                    finding.id,
                    finding.claim,
                    met=False,
                    expected=finding.expected,
                    observed=finding.observed,
                    next=finding.next,
                    where=rule.at("expr"),
                )


@check(level=must)
def rules_can_load(exam: Exam) -> None:
    """Prometheus can load the rules.

    One mistake in a rules file and the server keeps none of it, or refuses to start.
    """
    rules = rules_of(exam)
    for problem in rules.unreadable:
        exam.fact(
            "rules-unreadable",
            Text("The rules file inside the ConfigMap is YAML"),
            met=False,
            expected=Text("a rules file of its own, indented as a whole"),
            observed=problem.text,
            next=Text("Indent every line under `slo-rules.yml: |`; the file keeps its own indentation."),
            where=problem.position,
        )
    if not rules.rules and not rules.unreadable and not rules.mistakes:
        exam.fail(
            "no-rules",
            Text("{path} holds rules", path=PATH),
            expected=Text("a list `groups`, and in each group a list `rules`"),
            observed=Text("no group with a rule in it"),
            next=Text("Keep the structure of the starter file: groups, name, rules, then record and expr."),
            where=exam.documents(PATH)[0],
        )
    for mistake in rules.mistakes:
        exam.fact(
            mistake.id,
            Text("The rules are written the way Prometheus reads them"),
            met=False,
            expected=Text("groups, rules and fields as Prometheus' documentation has them"),
            observed=mistake.observed,
            next=mistake.next,
            where=mistake.position,
        )
    for rule, what in rules.unknown:
        _undecided(exam, rule, what)
    told = [mistake.position for mistake in rules.mistakes]
    for document in exam.documents(PATH):
        # A bare rules file is no object of Kubernetes; the rest of td/prometheus is not this exercise's.
        if document.get("apiVersion") is not None and read_rules([document]).rules:
            taken_by_the_api(exam, document, told=partial(_is_told, document, told))
    if not exam.facts:
        exam.fact("rules-load", Text("The rules are written the way Prometheus reads them"), met=True)


@check(level=must)
def both_slis_are_recorded(exam: Exam) -> None:
    """Both indicators are recorded under the names of the exercise.

    A recording rule is a promise to everybody who builds on its name: alerts, dashboards, experiments.
    """
    rules = rules_of(exam)
    _wait_for_yaml(exam, rules)
    alerts = {rule.alert for rule in rules.rules if rule.alert}
    recorded = Text("records: {names}", names=", ".join(_names(rules)) or "–")
    for name in (SUCCESS, LATENCY):
        alerted = name in alerts or name.replace(":", "_") in alerts
        found = rules.recording(name)
        exam.fact(
            "alert-not-record" if alerted and not found else "record-missing",
            Text("{name} is recorded", name=name),
            bool(found),
            expected=f"record: {name}",
            observed=Text("it is an alert") if alerted else recorded,
            next=Text("An alert says that something is wrong; record the value itself, with `record`.")
            if alerted
            else Text("Copy the name letter by letter: the other exercises ask Prometheus for it."),
            where=found[0].at("record") if found else exam.documents(PATH)[0],
        )


@check(level=must)
def where_the_statement_puts_them(exam: Exam) -> None:
    """A ConfigMap carries the statement's name and namespace.

    A file that is mounted is mounted by its name. Other containers may be called what you like.
    """
    documents = exam.documents(PATH)
    maps = [each for each in documents if each.get("kind") == "ConfigMap" and read_rules([each]).rules]
    for document in maps:
        for key, wanted in (("name", "prometheus-slo-rules"), ("namespace", "monitoring")):
            found = document.get("metadata", key)
            exam.fact(
                f"config-map-{key}",
                Text("The ConfigMap has the {key} {wanted}", key=key, wanted=wanted),
                found == wanted,
                expected=f"metadata.{key}: {wanted}",
                observed=f"metadata.{key}: {found}",
                next=Text("Take name and namespace from the starter file."),
                where=document.at("metadata", key),
            )
    if not maps:
        exam.fact("other-container", Text("The rules stand in something else than a ConfigMap"), met=True)


@check(level=must)
def success_rate_is_measured(exam: Exam) -> None:
    """The success rate is the share of requests without a server error.

    An indicator that is 1 when users are happy, and less the more of them are not.
    """
    _judge(exam, SUCCESS, judge_success_rate, Level.MUST)
    if not exam.facts:
        exam.fact("success-rate", Text("990 good requests and 10 answered with 5xx give 0.99"), met=True)


@check(level=must)
def latency_is_the_95th_percentile(exam: Exam) -> None:
    """The latency is the 95th percentile of all requests.

    Averages hide the slow tail, and the tail is what people complain about.
    """
    _judge(exam, LATENCY, judge_latency, Level.MUST)
    if not exam.facts:
        exam.fact("latency-p95", Text("It yields the duration that 95 requests of 100 stay below"), met=True)


@check(level=must)
def about_the_payment_service(exam: Exam) -> None:
    """Only requests to the payment-service count.

    Without a selector the other services' traffic dilutes its failures.
    """
    rules = rules_of(exam)
    for name in (SUCCESS, LATENCY):
        with exam.part():
            for rule in _recording(exam, rules, name):
                if rule.tree is None:
                    continue
                try:
                    demand = Demand.of(rule.tree, rules.recorded)
                    strangers = demand.beyond_payment()
                except Beyond as beyond:
                    _undecided(exam, rule, beyond.what)
                    continue
                # A join may restrict a selector that looks open (`and on (pod) …`): nobody can tell here.
                joined = bool(strangers) and len(strangers) < len(demand.selectors) and demand.joins
                exam.fact(
                    "other-services-counted",
                    Text("{name} selects series of the payment-service only", name=name),
                    None if joined else not strangers,
                    expected=Text("a label that says so: job, service, app, namespace and pod …"),
                    observed=str(strangers[0]) if strangers else Text("every selector does"),
                    next=Text('Restrict every selector, with a matcher like app="payment-service".'),
                    where=rule.at("expr"),
                    reason=Reason.BEYOND_EVALUATOR if joined else None,
                )


@check(level=should, needs=[success_rate_is_measured, latency_is_the_95th_percentile])
def windows_hold_enough(exam: Exam) -> None:
    """The windows hold enough scrapes and suit counters.

    A rate over too short a window is empty every time a scrape is late.
    """
    _judge(exam, SUCCESS, judge_success_rate, Level.SHOULD)
    _judge(exam, LATENCY, judge_latency, Level.SHOULD)
    if not exam.facts:
        exam.fact("windows", Text("The windows hold enough scrapes"), met=True)


@check(level=remark, needs=[success_rate_is_measured, latency_is_the_95th_percentile])
def records_read_well(exam: Exam) -> None:
    """The records are easy to use.

    One series, between 0 and 1, there from the first request on.
    """
    _judge(exam, SUCCESS, judge_success_rate, Level.REMARK)
    _judge(exam, LATENCY, judge_latency, Level.REMARK)
    for rule in rules_of(exam).rules:
        interval = rule.interval
        if rule.record in (SUCCESS, LATENCY) and interval is not None and interval[1] != EVERY_SECONDS:
            exam.fact(
                "other-interval",
                Text("The records are evaluated every 30 seconds"),
                met=False,
                expected="interval: 30s",
                observed=f"interval: {interval[0]}",
                next=Text("The interval belongs to the group: whoever reads a record expects it that fresh."),
                where=rule.at_interval(),
            )
            break
    if not exam.facts:
        exam.fact("records", Text("The records can be used as they are"), met=True)


@check(level=remark)
def prometheus_will_read_them(exam: Exam) -> None:
    """Prometheus will find the rules.

    The operator of kube-prometheus-stack reads PrometheusRule objects and nothing else.
    """
    rules = read_rules(exam.documents(PATH))
    exam.fact(
        "config-map-not-loaded",
        Text("The rules stand where the lab's Prometheus looks"),
        not rules.in_config_map,
        expected=Text("a PrometheusRule, or a ConfigMap that is mounted and listed in rule_files"),
        observed=Text("a ConfigMap") if rules.in_config_map else Text("no ConfigMap"),
        next=Text("Move `groups` into the `spec` of a PrometheusRule to see the records in Prometheus."),
        where=exam.documents(PATH)[0],
    )
