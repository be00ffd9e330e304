"""PrometheusRules that no Prometheus takes up: it selects them by label, and drops those it cannot read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from workshop.diagnosis.look import Look, when
from workshop.diagnosis.symptom import Sign, Symptom, one_line, shown
from workshop.texts import Text

_RULE: Final = "PrometheusRule.monitoring.coreos.com"
_SERVER: Final = "Prometheus.monitoring.coreos.com"


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield the exercise's rules that no server selects, or that the operator turned away."""
    for rule in look.own(_RULE):
        rejected = look.warning_of(_RULE, rule, "InvalidConfiguration")
        if rejected is not None:
            yield Symptom(
                Sign.RULE_INVALID, shown(_RULE, rule), one_line(rejected.get("message")), when(rejected)
            )
            continue
        servers = look.every(_SERVER)
        selectors = [(server.get("spec") or {}).get("ruleSelector") for server in servers]
        labels = rule["metadata"].get("labels") or {}
        if servers and not any(_matches(selector, labels) for selector in selectors):
            words = Text(
                "its labels are {labels}; Prometheus selects rules by {selector}",
                labels=_written(labels) or "–",
                selector=_written((selectors[0] or {}).get("matchLabels") or {}) or selectors[0] or "–",
            )
            yield Symptom(Sign.RULE_NOT_SELECTED, shown(_RULE, rule), words)


def _matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Tell whether a label selector selects; none at all selects nothing, an empty one everything."""
    if selector is None:
        return False
    exact = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in exact.items()) and all(
        _fits(each, labels) for each in selector.get("matchExpressions") or ()
    )


def _fits(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(str(expression.get("key"))), expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False


def _written(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items())
