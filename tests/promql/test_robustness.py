"""Student's expressions are hostile: every one ends in a verdict, soon."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.promql.formulations import LATENCY, SUCCESS
from workshop.promql.latency import judge_latency
from workshop.promql.matching import accepts
from workshop.promql.rules import read_rules
from workshop.promql.success import judge_success_rate
from workshop.promql.syntax import Beyond, PromQLError, parse, selectors
from workshop.workspace import parse_documents


def _judge(text: str) -> None:
    for judge in (judge_success_rate, judge_latency):
        with contextlib.suppress(PromQLError, Beyond):
            judge(parse(text), {})


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000 + "x" + ")" * 5_000,
        "-" * 5_000 + "x",
        "+".join(["x"] * 5_000),
        "x" * 20_000,
        "sum(" * 2_000,
        "x^" * 3_000 + "1",
    ],
)
def test_depth_does_not_end_the_process(text: str) -> None:
    with pytest.raises((Beyond, PromQLError)):
        parse(text)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)+b" * 30, ".*" * 100 + "x", "((p+)*)*", "a{0,900}" * 20, "(p|p)*!"]
)
def test_patterns_cannot_stall(pattern: str) -> None:
    selector = next(selectors(parse(f'x{{a=~"{pattern}"}}')))
    with contextlib.suppress(Beyond):
        accepts(selector.matchers.matchers, {"a": "payment-service-7d9f8c-x2x4z"})


@pytest.mark.parametrize(
    "text",
    [
        "max_over_time(x[1000y:1s])", "x @ 0", "count_values('a', x)", "x % 0", "0/0", "1e308 ^ 2",
        "-1 ^ 0.5",
        "histogram_quantile(NaN, x_bucket)", "quantile(2, x{status='200'})", "topk(1e99, x{status='200'})",
        "label_replace(x{status='1'}, 'a', '$9', 'b', '(.*)')", "absent(x{status='200'})", "time()", "'text'",
        "x{status=~'.*'} / ignoring(status) group_left y", "{__name__=~'.+'}", "scalar(x{status='500'})",
        "sum(rate(x{status!~'5..'}[5m])) / 0", "sum(x{code='5..'}) atan2 sum(x)", "round(x{status='200'}, 0)",
    ],
)  # fmt: skip
def test_every_expression_ends_in_a_verdict(text: str) -> None:
    _judge(text)


_PIECES = st.sampled_from(
    [
        "sum(", "rate(", "x", '{status!~"5.."}', '{job="payment-service"}', "[5m]", ")", "/", "1 - ",
        "avg by (le) (", "x_bucket", "histogram_quantile(0.95, ", " or vector(0)", "increase(", " > 0.9",
        "[1h:5m]", "offset 5m", "on (pod) ", "max(",
    ]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=12).map("".join))
def test_any_mixture_ends_in_a_verdict(text: str) -> None:
    _judge(text)


@given(st.text(max_size=200))
def test_any_text_ends_in_a_verdict(text: str) -> None:
    _judge(text)


_FILE = "groups:\n- name: a\n  rules: [3, {record: [x]}]"
_WORDS = st.text(alphabet="abc:{}[]-\n ", max_size=10)
_SCALARS: Any = st.none() | st.booleans() | st.integers() | _WORDS | st.just(_FILE)
_KEYS = st.sampled_from(["groups", "rules", "name", "expr", "record", "labels", "data", "a.yml", "kind"])
_TREES: Any = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["groups", "rules", "name", "expr", "record", "labels", "data", "a.yml", "kind"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_TREES)
def test_any_document_is_read(tree: object) -> None:
    for document in parse_documents(
        json.dumps({"kind": "ConfigMap", "data": tree}, ensure_ascii=False), file="x"
    ):
        read_rules([document])


def test_a_rule_that_refers_to_itself_ends() -> None:
    rule = "{record: 'a:b', expr: 'sum(a:b)'}"
    text = f"groups: [{{name: a, rules: [{rule}]}}]"
    rules = read_rules(parse_documents(text, file="x"))
    tree = rules.rules[0].tree
    assert tree is not None
    judge_success_rate(tree, rules.recorded)


def test_there_are_enough_formulations() -> None:
    assert len(SUCCESS) + len(LATENCY) >= 60
