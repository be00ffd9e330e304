"""What a plain scalar is in each dialect.

The expectations were taken from the libraries themselves: sigs.k8s.io/yaml 1.6, go.yaml.in/yaml/v3 3.0.4
and the npm package yaml 2.9.
"""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from workshop.workspace import Dialect, Unreadable, parse_documents

DIALECTS: tuple[Dialect, ...] = ("kubernetes", "prometheus", "core")


def value(text: str, dialect: Dialect) -> Any:
    return parse_documents(f"k: {text}\n", file="f", dialect=dialect)[0].data["k"]


def key(text: str, dialect: Dialect) -> str:
    (found,) = parse_documents(f"{text}: v\n", file="f", dialect=dialect)[0].data
    assert isinstance(found, str)
    return found


# text: kubernetes, prometheus, core
VALUES: dict[str, tuple[Any, Any, Any]] = {
    "true": (True, True, True),
    "True": (True, True, True),
    "FALSE": (False, False, False),
    "tRUE": ("tRUE", "tRUE", "tRUE"),
    "yes": (True, "yes", "yes"),
    "No": (False, "No", "No"),
    "on": (True, "on", "on"),
    "OFF": (False, "OFF", "OFF"),
    "y": (True, "y", "y"),
    "N": (False, "N", "N"),
    "yEs": ("yEs", "yEs", "yEs"),
    "~": (None, None, None),
    "null": (None, None, None),
    "NULL": (None, None, None),
    "": (None, None, None),
    "nULL": ("nULL", "nULL", "nULL"),
    "0": (0, 0, 0),
    "-0": (0, 0, 0),
    "+1": (1, 1, 1),
    "010": (8, 8, 10),
    "-010": (-8, -8, -10),
    "08": (8, 8.0, 8),
    "0o17": (15, 15, 15),
    "0O17": (15, 15, "0O17"),
    "-0o17": (-15, -15, "-0o17"),
    "0o8": ("0o8", "0o8", "0o8"),
    "0x1F": (31, 31, 31),
    "0X1F": (31, 31, "0X1F"),
    "-0x1f": (-31, -31, "-0x1f"),
    "0b11": (3, 3, "0b11"),
    "0b12": ("0b12", "0b12", "0b12"),
    "1_000": (1000, 1000, "1_000"),
    "1__0_": (10, 10, "1__0_"),
    "_1": ("_1", "_1", "_1"),
    "1.5": (1.5, 1.5, 1.5),
    "1.0": (1, 1.0, 1),
    "5.": (5, 5.0, 5),
    ".5": (0.5, 0.5, 0.5),
    "-.5": (-0.5, -0.5, -0.5),
    ".5_0": (0.5, 0.5, ".5_0"),
    ".5__0": (".5__0", ".5__0", ".5__0"),
    "1_0.5": (10.5, 10.5, "1_0.5"),
    "1e3": (1000, 1000.0, 1000),
    "1E-2": (0.01, 0.01, 0.01),
    "1e": ("1e", "1e", "1e"),
    "1.e2": (100, 100.0, 100),
    "1e400": ("1e400", "1e400", math.inf),
    "1.2.3": ("1.2.3", "1.2.3", "1.2.3"),
    "100m": ("100m", "100m", "100m"),
    "10Gi": ("10Gi", "10Gi", "10Gi"),
    "1:30": ("1:30", "1:30", "1:30"),
    "190:20:30": ("190:20:30", "190:20:30", "190:20:30"),
    "2024-01-01": ("2024-01-01", "2024-01-01", "2024-01-01"),
    "2024-13-45": ("2024-13-45", "2024-13-45", "2024-13-45"),
    "2024-01-01T00:00:00Z": ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
    "9223372036854775807": (2**63 - 1, 2**63 - 1, 2.0**63),
    "9223372036854775808": (2.0**63, 2**63, 2.0**63),
    "-9223372036854775809": (-(2.0**63), -(2.0**63), -(2.0**63)),
    "18446744073709551616": (2.0**64, 2.0**64, 2.0**64),
    "9007199254740993": (2**53 + 1, 2**53 + 1, 2.0**53),
    "<<": ("<<", "<<", "<<"),
    "=": ("=", "=", "="),
    ".": (".", ".", "."),
    "+": ("+", "+", "+"),
    "Infinity": ("Infinity", "Infinity", "Infinity"),
    "٣": ("٣", "٣", "٣"),
    "'yes'": ("yes", "yes", "yes"),
    '"1"': ("1", "1", "1"),
    "|-\n  1": ("1", "1", "1"),
    ">-\n  true": ("true", "true", "true"),
}


def cases(table: dict[str, tuple[Any, ...]]) -> list[tuple[str, Dialect, Any]]:
    return [
        (text, dialect, expected)
        for text, row in table.items()
        for dialect, expected in zip(DIALECTS, row, strict=True)
    ]


@pytest.mark.parametrize(("text", "dialect", "expected"), cases(VALUES))
def test_value(text: str, dialect: Dialect, expected: Any) -> None:
    found = value(text, dialect)
    assert found == expected
    # Beyond 2**53 whole numbers and floats are equally inexact in JSON.
    if not isinstance(expected, int | float) or abs(expected) < 2**53:
        assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(".inf", "inf"), ("-.Inf", "-inf"), ("+.INF", "inf"), (".nan", "nan"), (".NaN", "nan")],
)
def test_infinities(text: str, expected: str) -> None:
    assert str(value(text, "core")) == expected
    assert str(value(text, "prometheus")) == expected
    with pytest.raises(Unreadable):
        value(text, "kubernetes")


# text: kubernetes, prometheus, core
KEYS: dict[str, tuple[str, str, str]] = {
    "a": ("a", "a", "a"),
    "1": ("1", "1", "1"),
    "010": ("8", "010", "10"),
    "on": ("true", "on", "on"),
    "No": ("false", "No", "No"),
    "true": ("true", "true", "true"),
    "True": ("true", "True", "true"),
    "1.50": ("1.5", "1.50", "1.5"),
    "1.0": ("1", "1.0", "1"),
    "1e3": ("1000", "1e3", "1000"),
    "1e6": ("1e+06", "1e6", "1000000"),
    "1e-5": ("1e-05", "1e-5", "0.00001"),
    "2.5e-7": ("2.5e-07", "2.5e-7", "2.5e-7"),
    "1e21": ("1e+21", "1e21", "1e+21"),
    "123456.7": ("123456.7", "123456.7", "123456.7"),
    "61.95252790449817": ("61.952526", "61.95252790449817", "61.95252790449817"),
    "-0.0": ("-0", "-0.0", "0"),
    "1e99": (".inf", "1e99", "1e+99"),
    ".nan": (".nan", ".nan", "NaN"),
    "-.inf": ("-.inf", "-.inf", "-Infinity"),
    "2024-01-01": ("2024-01-01", "2024-01-01", "2024-01-01"),
    "'1'": ("1", "1", "1"),
    "9223372036854775807": ("9223372036854775807", "9223372036854775807", "9223372036854776000"),
}


@pytest.mark.parametrize(("text", "dialect", "expected"), cases(KEYS))
def test_key(text: str, dialect: Dialect, expected: str) -> None:
    assert key(text, dialect) == expected


def test_keys_without_a_text() -> None:
    for text in ("null", "~", "9223372036854775808"):
        with pytest.raises(Unreadable) as caught:
            key(text, "kubernetes")
        assert caught.value.problem.kind == "key-not-text"
    assert key("null", "core") == ""


# --- merge keys ----------------------------------------------------------------------------------------

X = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\n"


def merged(text: str, dialect: Dialect) -> Any:
    return parse_documents(f"{X}z: {text}\n", file="f", dialect=dialect)[0].data["z"]


@pytest.mark.parametrize("dialect", ["kubernetes", "prometheus"])
def test_merge(dialect: Dialect) -> None:
    assert merged("{<<: *x, b: 3}", dialect) == {"a": 1, "b": 3}
    assert merged("{<<: [*x, *y]}", dialect) == {"a": 1, "b": 1, "c": 2}
    assert merged("{<<: {d: 4}, e: 5}", dialect) == {"d": 4, "e": 5}
    assert merged("{<<: &n {<<: *x, b: 9}, c: 3}", dialect) == {"a": 1, "b": 9, "c": 3}
    assert merged('{"<<": 1}', dialect) == {"<<": 1}


def test_merge_after_the_keys() -> None:
    # go-yaml v2 lets the merge win when it comes later, v3 never does.
    assert merged("{b: 3, <<: *x}", "kubernetes") == {"a": 1, "b": 1}
    assert merged("{b: 3, <<: *x}", "prometheus") == {"a": 1, "b": 3}


def test_several_merges() -> None:
    assert merged("{<<: *x, <<: *y}", "kubernetes") == {"a": 1, "b": 2, "c": 2}
    with pytest.raises(Unreadable) as caught:
        merged("{<<: *x, <<: *y}", "prometheus")
    assert caught.value.problem.kind == "duplicate-key"


@pytest.mark.parametrize("dialect", ["kubernetes", "prometheus"])
@pytest.mark.parametrize("text", ["{<<: 1}", "{<<: }", "{<<: [*x, 1]}", "{<<: [[*x]]}"])
def test_merge_of_what_is_no_mapping(text: str, dialect: Dialect) -> None:
    with pytest.raises(Unreadable) as caught:
        merged(text, dialect)
    assert caught.value.problem.kind == "yaml-syntax"
    assert "<<" in str(caught.value)


def test_core_has_no_merge_keys() -> None:
    assert merged("{<<: *x, b: 3}", "core") == {"<<": {"a": 1, "b": 1}, "b": 3}


def test_yaml_1_2_takes_a_tab_on_an_empty_line() -> None:
    text = "\t\na: 1\n  \t\nb: 2\n"
    assert parse_documents(text, file="f", dialect="core")[0].data == {"a": 1, "b": 2}
    with pytest.raises(Unreadable):
        parse_documents(text, file="f")


# --- agreement where the dialects agree ----------------------------------------------------------------

any_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20)
words = st.from_regex(r"[a-zé]{3}[a-zé :#,'\"{-]{0,40}[a-z]", fullmatch=True)


def trees(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=20,
    ).filter(lambda root: root is not None)


@given(trees(any_text), st.sampled_from(DIALECTS), st.sampled_from([None, 1]))
def test_json_is_read_as_json(root: Any, dialect: Dialect, indent: int | None) -> None:
    (document,) = parse_documents(
        json.dumps(root, ensure_ascii=False, indent=indent), file="f", dialect=dialect
    )
    assert document.data == root


@given(trees(words), st.sampled_from(DIALECTS), st.booleans(), st.sampled_from([None, "'", '"', "|", ">"]))
def test_agrees_with_pyyaml(root: Any, dialect: Dialect, flow: bool, style: str | None) -> None:
    text = yaml.safe_dump(root, default_flow_style=flow, default_style=style, width=20, allow_unicode=True)
    assert yaml.safe_load(text) == root
    (document,) = parse_documents(text, file="f", dialect=dialect)
    assert document.data == root
