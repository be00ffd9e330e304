"""3.1 against a real API server and a real Prometheus that scrapes the lab's payment-service.

No operator runs here: who reads a PrometheusRule is told by Prometheus objects that the tests create.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.judging import check, look, unmet, untold
from tests.live.objects import service
from tests.rig.cluster import Rig, wait_for
from tests.rig.payment import Payment
from tests.rig.prometheus import Prometheus
from tests.rig.test_prometheus import LATENCY, SUCCESS, reference_rules
from workshop.content import Lab
from workshop.sandbox.definitions import unserved
from workshop.verdicts import Reason, Verdict

EXERCISE = "3.1"
LOADED, VALUES = "prometheus_has_loaded_them", "values_make_sense"
FILE = "td/prometheus/slo-rules.yaml"
PROMETHEUS_KIND: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "prometheuses.monitoring.coreos.com"},
    "spec": {
        "group": "monitoring.coreos.com",
        "scope": "Namespaced",
        "names": {"kind": "Prometheus", "plural": "prometheuses", "singular": "prometheus"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


def rule_file(lab: Lab) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((lab.solutions / FILE).read_text(encoding="utf-8"))
    return found


def rules(success: str, latency: str = "vector(0.1)") -> str:
    """Return a rules file with two expressions."""
    records = [{"record": SUCCESS, "expr": success}, {"record": LATENCY, "expr": latency}]
    return yaml.safe_dump({"groups": [{"name": "g", "interval": "1s", "rules": records}]})


@pytest.fixture
def monitored(pristine_rig: Rig, no_rules: Prometheus) -> Iterator[Rig]:
    """The cluster with a Service that leads to Prometheus, known by its label and called anything."""
    pristine_rig.publish(
        "monitoring", "eyes-of-the-platform", 8080, no_rules.port, **{"operated-prometheus": "true"}
    )
    yield pristine_rig
    no_rules.load()


def test_the_reference_rules_are_loaded_and_sane(
    lab: Lab, monitored: Rig, prometheus: Prometheus, payment: Payment, tmp_path: Path
) -> None:
    prometheus.load(reference_rules(lab))
    monitored.apply(rule_file(lab))
    with payment.visited():
        prometheus.until(lambda: prometheus.value(SUCCESS) and prometheus.value(LATENCY), "nothing recorded")
        prometheus.evaluated()
        result = look(lab, monitored, tmp_path, EXERCISE)
    assert result.verdict is Verdict.PASSED, [(each.id, each.facts) for each in result.checks]
    assert check(result, "loaded_as_written").verdict is Verdict.PASSED


def test_an_older_version_is_loaded(lab: Lab, monitored: Rig, prometheus: Prometheus, tmp_path: Path) -> None:
    prometheus.load(rules("vector(1)"))
    prometheus.evaluated()
    result = look(lab, monitored, tmp_path, EXERCISE)
    assert check(result, LOADED).verdict is Verdict.PASSED
    assert unmet(result, "loaded_as_written") == ["older-rules-loaded"] * 2


def test_no_traffic_is_unknown(lab: Lab, monitored: Rig, prometheus: Prometheus, tmp_path: Path) -> None:
    prometheus.load(rules("vector(0) / vector(0)", "absent_metric"))
    prometheus.evaluated()
    prometheus.until(lambda: math.isnan(prometheus.value(SUCCESS) or 0), "NaN is recorded too")
    prometheus.until(lambda: prometheus.value(LATENCY) is None, "what nobody records goes stale")
    result = look(lab, monitored, tmp_path, EXERCISE)
    assert check(result, VALUES).verdict is Verdict.UNKNOWN
    assert untold(result, VALUES) == ["no-traffic", "no-sample"]
    assert result.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("success", "latency"),
    [("vector(-0.2)", "vector(0.1)"), ("vector(1)", "vector(-3)"), ("vector(7)", "vector(1)")],
)
def test_a_value_that_makes_no_sense(
    success: str, latency: str, lab: Lab, monitored: Rig, prometheus: Prometheus, tmp_path: Path
) -> None:
    prometheus.load(rules(success, latency))
    prometheus.until(lambda: prometheus.value(LATENCY) is not None, "nothing recorded")
    prometheus.evaluated()
    result = look(lab, monitored, tmp_path, EXERCISE)
    assert unmet(result, VALUES) == ["value-out-of-range"]


def test_a_long_latency_is_no_failure(
    lab: Lab, monitored: Rig, prometheus: Prometheus, tmp_path: Path
) -> None:
    prometheus.load(rules("vector(0.5)", "vector(30)"))
    prometheus.until(lambda: prometheus.value(LATENCY) is not None, "nothing recorded")
    prometheus.evaluated()
    assert check(look(lab, monitored, tmp_path, EXERCISE), VALUES).verdict is Verdict.PASSED


def test_a_rule_that_cannot_be_evaluated(
    lab: Lab, monitored: Rig, prometheus: Prometheus, tmp_path: Path
) -> None:
    prometheus.load(
        rules('{__name__=~"up|scrape_duration_seconds"} / on (job) {__name__=~"up|scrape_duration_seconds"}')
    )
    prometheus.until(lambda: any(rule["health"] == "err" for rule in prometheus.records()), "no error")
    result = look(lab, monitored, tmp_path, EXERCISE)
    assert unmet(result, LOADED) == ["rule-unhealthy"]
    [fact] = [fact for fact in check(result, LOADED).facts if fact.id == "rule-unhealthy"]
    assert "lastError" in str(fact.observed)
    assert result.hint is not None


def test_no_prometheus_at_all(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert (check(result, LOADED).verdict, check(result, LOADED).reason) == (Verdict.BLOCKED, Reason.NEEDS)
    assert result.hint is not None


def test_a_prometheus_that_does_not_answer(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    pristine_rig.apply(service("prometheus-server", "default", 9090, {"app": "nobody"}))
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert (check(result, LOADED).verdict, check(result, LOADED).reason) == (
        Verdict.UNKNOWN,
        Reason.UNAVAILABLE,
    )


def test_of_several_the_one_that_has_them_counts(
    lab: Lab, monitored: Rig, prometheus: Prometheus, tmp_path: Path
) -> None:
    silent = service("another", "default", 9090, {"app": "nobody"})
    monitored.apply(silent)
    # One of them does not answer, and the other has no rules: nobody can say that they are not loaded.
    assert check(look(lab, monitored, tmp_path, EXERCISE), LOADED).reason is Reason.UNAVAILABLE
    prometheus.load(rules("vector(1)"))
    prometheus.evaluated()
    assert check(look(lab, monitored, tmp_path, EXERCISE), LOADED).verdict is Verdict.PASSED


def test_something_else_on_its_port(lab: Lab, pristine_rig: Rig, payment: Payment, tmp_path: Path) -> None:
    pristine_rig.publish("default", "cockpit", 9090, payment.port)
    assert check(look(lab, pristine_rig, tmp_path, EXERCISE), LOADED).reason is Reason.NEEDS


def test_not_applied(lab: Lab, monitored: Rig, tmp_path: Path) -> None:
    result = look(lab, monitored, tmp_path, EXERCISE)
    assert check(result, LOADED).verdict is Verdict.UNFINISHED
    assert unmet(result, LOADED) == ["not-applied"]
    assert result.verdict is Verdict.UNFINISHED


def test_a_rule_that_the_cluster_refuses(lab: Lab, monitored: Rig, tmp_path: Path) -> None:
    text = (
        (lab.solutions / FILE).read_text(encoding="utf-8").replace("interval: 30s", "interval: half a minute")
    )
    result = look(lab, monitored, tmp_path, EXERCISE, {FILE: text})
    assert unmet(result, "taken_by_the_cluster") == ["refused-at-creation"]
    [fact] = [fact for fact in check(result, "taken_by_the_cluster").facts if fact.met is False]
    assert fact.source is not None
    assert fact.source.line == text[: text.index("interval")].count("\n") + 1


def _define_prometheus(rig: Rig) -> None:
    rig.apply(PROMETHEUS_KIND)
    wait_for(lambda: not unserved(rig.api))  # defined is not served yet


def _prometheus_object(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": {"name": "monitoring-prometheus", "namespace": "monitoring"},
        "spec": spec,
    }


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (None, "no-prometheus-object"),
        ({"ruleSelector": {"matchLabels": {"release": "prom"}}}, "release-label-missing"),
        ({}, "release-label-missing"),
        (
            {"ruleSelector": {}, "ruleNamespaceSelector": {"matchLabels": {"team": "sre"}}},
            "rule-namespace-not-selected",
        ),
        ({"ruleSelector": {"matchLabels": {"release": "monitoring"}}}, "rule-not-loaded"),
        ({"ruleSelector": {}, "ruleNamespaceSelector": {}}, "rule-not-loaded"),
    ],
    ids=["no-object", "other-release", "no-selector", "other-namespace", "selected", "everything-selected"],
)
def test_why_a_rule_is_not_loaded(
    spec: dict[str, Any] | None,
    expected: str,
    lab: Lab,
    monitored: Rig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workshop.labs.techmarket.on_cluster._prometheus_rules.PATIENCE", 0.0)
    _define_prometheus(monitored)
    monitored.apply(rule_file(lab), *([_prometheus_object(**spec)] if spec is not None else []))
    result = look(lab, monitored, tmp_path, EXERCISE)
    assert unmet(result, LOADED) == [expected]
    assert result.verdict is Verdict.FAILED
    assert result.hint is not None


def test_a_rule_just_applied_is_given_time(lab: Lab, monitored: Rig, tmp_path: Path) -> None:
    _define_prometheus(monitored)
    monitored.apply(rule_file(lab), _prometheus_object(ruleSelector={}))
    result = look(lab, monitored, tmp_path, EXERCISE)
    assert check(result, LOADED).verdict is Verdict.UNKNOWN
    assert untold(result, LOADED) == ["rule-not-loaded"]


def test_the_operators_own_refusal_is_quoted(lab: Lab, monitored: Rig, tmp_path: Path) -> None:
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "prometheus-slo-rules.1", "namespace": "monitoring"},
        "involvedObject": {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "name": "prometheus-slo-rules",
            "namespace": "monitoring",
        },
        "type": "Warning",
        "reason": "InvalidConfiguration",
        "message": "PrometheusRule prometheus-slo-rules was rejected due to invalid configuration: parse",
    }
    _define_prometheus(monitored)
    monitored.apply(rule_file(lab), _prometheus_object(ruleSelector={}), event)
    result = look(lab, monitored, tmp_path, EXERCISE)
    assert unmet(result, LOADED) == ["rule-rejected"]


CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "prometheus-slo-rules", "namespace": "monitoring"},
}


@pytest.mark.parametrize(
    ("mounted", "expected"), [(False, "config-map-not-read"), (True, "config-map-not-listed")]
)
def test_a_config_map_that_nobody_loads(
    mounted: bool, expected: str, lab: Lab, monitored: Rig, tmp_path: Path
) -> None:
    document = {**CONFIG_MAP, "data": {"slo-rules.yml": yaml.safe_dump(rule_file(lab)["spec"])}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "reader", "namespace": "monitoring"},
        "spec": {
            "containers": [{"name": "c", "image": "played.invalid/by-kwok:1"}],
            "volumes": [{"name": "rules", "configMap": {"name": "prometheus-slo-rules"}}],
        },
    }
    monitored.apply(document, *([pod] if mounted else []))
    result = look(lab, monitored, tmp_path, EXERCISE, {FILE: yaml.safe_dump(document)})
    assert unmet(result, LOADED) == [expected]
    assert result.verdict is Verdict.FAILED
