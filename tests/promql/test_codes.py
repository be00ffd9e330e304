"""Codes that are alike are tried once: that must never change what is found."""

from __future__ import annotations

import pytest

from tests.promql.formulations import SUCCESS
from workshop.promql import success
from workshop.promql.codes import ALL, likeness
from workshop.promql.demand import Demand
from workshop.promql.findings import Finding
from workshop.promql.success import judge_success_rate
from workshop.promql.syntax import Beyond, parse
from workshop.promql.traffic import Counters

_LABELLED = (
    'sum by (status) (rate(x{app="p",status!~"5.."}[5m])) / sum by (status) (rate(x{app="p"}[5m]))',
    'sum(rate(x{app="p",status=~"2..|30[12]|4.."}[5m])) / sum(rate(x{app="p"}[5m]))',
    'sum(label_replace(rate(x{code!~"5.."}[5m]), "c", "$1", "code", "(.*)")) / sum(rate(x[5m]))',
    'sum(rate(x{app="p",outcome!="SERVER_ERROR"}[5m])) / sum(rate(x{app="p"}[5m]))',
    'count(rate(x{app="p",status!~"5.."}[5m])) / count(rate(x{app="p"}[5m]))',
)


def _found(text: str) -> list[Finding] | str:
    try:
        return judge_success_rate(parse(text), {})
    except Beyond as beyond:
        return beyond.what


@pytest.mark.parametrize("text", [*SUCCESS, *_LABELLED])
def test_trying_every_code_finds_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _found(text)
    monkeypatch.setattr(success, "likeness", lambda code, *_: code)
    assert _found(text) == found


def test_codes_differ_where_a_matcher_or_a_series_tells_them_apart() -> None:
    demand = Demand.of(parse('x{status=~"2..|30[12]"} / x{status!~"50[0-3]"}'), {})
    counters = Counters.of(demand)
    kinds = {code: likeness(code, ["200", "404"], counters, demand) for code in ALL}
    assert kinds["301"] == kinds["302"] != kinds["304"]
    assert kinds["503"] != kinds["504"] == kinds["304"]
    assert kinds["404"] != kinds["403"] == kinds["401"]
