"""3.1 on a cluster – the rules are taken, a Prometheus has loaded them, and what they yield makes sense."""

from __future__ import annotations

import math
from typing import Final

from workshop.checking import Document, Exam, Text, check, cluster, must, should
from workshop.promql.evaluation import Recorded
from workshop.promql.rules import read_rules
from workshop.promql.success import judge_success_rate
from workshop.promql.syntax import Beyond, PromQLError, parse
from workshop.verdicts import Reason, Source
from workshop.workspace import Unreadable

from ..slo_recording_rules import LATENCY, PATH, SUCCESS, rules_of
from ._objects import judge_acceptable, named, need_applied
from ._prometheus import Loaded, Prometheuses, need_prometheus, numbers
from ._prometheus_rules import judge_not_loaded

# Rates are extrapolated, each series by itself: a share may come out a little above all.
_ROUNDING: Final = 1e-3


def _holders(exam: Exam) -> list[Document]:
    """Return the documents that hold the two records; where nobody records them, those of the asked file."""
    documents = list(exam.documents(PATH))
    for path in exam.workspace.files("td/prometheus", (".yaml", ".yml")):
        if path != documents[0].file:
            try:
                documents += exam.workspace.documents(path)
            except Unreadable:
                continue  # its own fault, and not this exercise's file
    holding = [
        each for each in documents if {rule.record for rule in read_rules([each]).rules} & {SUCCESS, LATENCY}
    ]
    return holding or list(exam.documents(PATH))


def _objects(exam: Exam) -> list[Document]:
    """Return those that Kubernetes knows what to do with: no bare rules file, no Helm values."""
    return [each for each in _holders(exam) if each.get("apiVersion") and each.get("kind")]


@check(level=must, half=cluster)
def taken_by_the_cluster(exam: Exam) -> None:
    """The cluster takes the object that holds the rules.

    Its schema knows the shape of a rule: what it refuses is never stored.
    """
    objects = _objects(exam)
    for document in objects:
        with exam.part():
            judge_acceptable(exam, document)
    if not objects:
        exam.fact(
            "no-object",
            Text("There is nothing in the file that the cluster could refuse"),
            met=True,
            observed=Text("the rules stand in a file of Prometheus, or in Helm values"),
        )


@check(level=must, half=cluster, containers=True)
def prometheus_has_loaded_them(exam: Exam) -> None:
    """A Prometheus has loaded both rules and can evaluate them.

    A rule that no Prometheus reads records nothing, however right it is.
    """
    found = need_prometheus(exam)
    missing = [name for name in (SUCCESS, LATENCY) if not found.recording(name)]
    for name in (SUCCESS, LATENCY):
        if name not in missing:
            _judge_health(exam, name, found.recording(name))
    if missing and found.silence is not None:
        raise found.silence
    if missing:
        _judge_missing(exam, missing)


def _judge_health(exam: Exam, name: str, loaded: list[Loaded]) -> None:
    worst = min(loaded, key=lambda rule: {"err": 0, "ok": 2}.get(rule.health, 1))
    met = {"ok": True, "err": False}.get(worst.health)
    exam.fact(
        "rule-unhealthy" if met is False else "rule-loaded",
        Text("{name} is loaded and evaluated without an error", name=name),
        met,
        expected="health: ok",
        observed=f"health: {worst.health}" + (f", lastError: {worst.error[:300]}" if worst.error else ""),
        next=Text("Put the expression into the query page of Prometheus: it says the same, and where.")
        if met is False
        else None,
        where=Source(object=f"Prometheus/{worst.server}", field=name),
        reason=Reason.UNAVAILABLE if met is None else None,
    )


def _judge_missing(exam: Exam, missing: list[str]) -> None:
    objects = _objects(exam)
    there = [(document, current) for document in objects if (current := named(exam, document)) is not None]
    for document, current in there:
        judge_not_loaded(exam, document, current, missing)
    if there:
        return
    if objects:
        need_applied(exam, objects[0])
    exam.unfinished(
        "rules-file-not-listed",
        Text("{names} are loaded by a Prometheus", names=", ".join(missing)),
        observed=Text("no Prometheus has them"),
        next=Text("Mount the file and list it in `rule_files`, or hand the values to helm upgrade."),
        where=_holders(exam)[0],
    )


@check(level=must, half=cluster, containers=True, needs=[prometheus_has_loaded_them])
def values_make_sense(exam: Exam) -> None:
    """The success rate lies between 0 and 1, and the latency is a duration.

    What Prometheus has recorded by now is what alerts and experiments will see.
    """
    found = need_prometheus(exam)
    for name in (SUCCESS, LATENCY):
        _judge_value(exam, found, name)


def _judge_value(exam: Exam, found: Prometheuses, name: str) -> None:
    rule = found.recording(name)[0]
    answer = rule.server.ask("query", query=name)
    samples = numbers(rule.server, answer)
    top = _scale(found, rule) if name == SUCCESS else math.inf
    claim = (
        Text("{name} lies between 0 and {top}", name=name, top=f"{top:g}")
        if name == SUCCESS
        else Text("{name} is a duration", name=name)
    )
    where = Source(object=f"Prometheus/{rule.server}", field=name)
    real = [value for value in samples if not math.isnan(value)]
    if not real:
        exam.fact(
            "no-traffic" if samples else "no-sample",
            claim,
            met=None,
            observed="NaN" if samples else Text("no sample yet"),
            next=Text("Send the payment-service some requests, wait for two scrapes and look again."),
            where=where,
            reason=Reason.UNAVAILABLE,
        )
        return
    odd = [value for value in real if not -_ROUNDING <= value <= top + _ROUNDING or math.isinf(value)]
    exam.fact(
        "value-out-of-range",
        claim,
        not odd,
        expected=Text("between 0 and {top}", top=f"{top:g}") if name == SUCCESS else Text("0 or more"),
        observed=", ".join(f"{value:g}" for value in (odd or real)[:5]),
        next=Text("Ask Prometheus for numerator and denominator one by one, and compare their labels."),
        where=where,
    )


def _scale(found: Prometheuses, rule: Loaded) -> float:
    """Return what the record yields when all is well: 100 where the expression counts in per cent."""
    try:
        recorded: dict[str, list[Recorded]] = {}
        for each in found.rules:
            if each.server == rule.server:
                recorded.setdefault(each.name, []).append(Recorded(parse(each.query), {}))
        findings = judge_success_rate(parse(rule.query), recorded)
    except (Beyond, PromQLError):
        return 1.0
    return 100.0 if any(finding.id == "percent" for finding in findings) else 1.0


@check(level=should, half=cluster, containers=True, needs=[prometheus_has_loaded_them])
def loaded_as_written(exam: Exam) -> None:
    """What Prometheus has loaded is what the file says.

    Otherwise somebody mends a file and looks at the numbers of an older one.
    """
    found, rules = need_prometheus(exam), rules_of(exam)
    for name in (SUCCESS, LATENCY):
        written = {rule.tree.prettify(): rule for rule in rules.recording(name) if rule.tree is not None}
        loaded = {_pretty(rule.query) for rule in found.recording(name)}
        rule = next(iter(rules.recording(name)), None)
        exam.fact(
            "older-rules-loaded",
            Text("{name} is computed as the file says", name=name),
            bool(loaded & set(written)),
            expected=next(iter(written), "–")[:300],
            observed=" | ".join(sorted(loaded))[:300],
            next=Text("Apply the file again; Prometheus takes up to two minutes to read it."),
            where=rule.at("expr") if rule else Source(file=PATH),
        )


def _pretty(query: str) -> str:
    try:
        return str(parse(query).prettify())
    except (Beyond, PromQLError):
        return query
