"""The payment-service is scraped, and the reference rules of 3.1 yield what its traffic was."""

from __future__ import annotations

import yaml

from tests.rig.payment import Payment
from tests.rig.prometheus import Prometheus
from workshop.content import Lab

SUCCESS, LATENCY = "payment_service:success_rate:ratio", "payment_service:latency:p95"


def reference_rules(lab: Lab) -> str:
    """Return the rules of the reference solution as a rules file, evaluated every second."""
    text = (lab.solutions / "td/prometheus/slo-rules.yaml").read_text(encoding="utf-8")
    groups = yaml.safe_load(text)["spec"]["groups"]
    return yaml.safe_dump({"groups": [{**group, "interval": "1s"} for group in groups]})


def test_the_reference_rules_measure_the_payment_service(
    lab: Lab, payment: Payment, no_rules: Prometheus
) -> None:
    no_rules.load(reference_rules(lab))
    with payment.visited():
        no_rules.until(lambda: 0 < (no_rules.value(SUCCESS) or 0) < 1, "no failure was ever counted")
        no_rules.until(lambda: (no_rules.value(LATENCY) or 0) > 0, "no duration was ever counted")
    assert {rule["name"]: rule["health"] for rule in no_rules.records()} == {SUCCESS: "ok", LATENCY: "ok"}
    # One checkout in five fails; that a page does not exist is no failure of the service.
    assert 0.5 < (no_rules.value(SUCCESS) or 0) < 1
    assert (no_rules.value(LATENCY) or 9) < 0.5
