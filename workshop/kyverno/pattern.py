"""Leaf patterns of `validate.pattern`: ``"!*:latest"``, ``">=1 & <5"``, ``"10-20"``, ``"nginx | httpd"``.

Source: pkg/engine/pattern and pkg/engine/operator.
"""

from __future__ import annotations

import operator as op
import re
from collections.abc import Callable
from typing import Any

from workshop.kyverno.outcome import spend
from workshop.kyverno.values import duration, go_text, is_number, parse_float, parse_int, quantity, wildcard

_END = r"([-|+]?\d+(?:\.\d+)?[A-Za-z]*)"
_IN_RANGE = re.compile(f"{_END}-{_END}", re.ASCII)
_NOT_IN_RANGE = re.compile(f"{_END}!-{_END}", re.ASCII)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "": op.eq,
    "!": op.ne,
    ">": op.gt,
    "<": op.lt,
    ">=": op.ge,
    "<=": op.le,
}


def operator_of(pattern: str) -> str:
    """The operator a pattern starts with (or `-`, `!-` for ranges), "" for plain equality."""
    if len(pattern) < 2:
        return ""
    for prefix in (">=", "<=", ">", "<", "!"):
        if pattern.startswith(prefix):
            return prefix
    if _NOT_IN_RANGE.fullmatch(pattern):
        return "!-"
    return "-" if _IN_RANGE.fullmatch(pattern) else ""


def in_range(pattern: str) -> bool:
    """True for a range like ``10Mi-1Gi``."""
    return operator_of(pattern) == "-"


def matches(value: object, pattern: object) -> bool:
    """Does a resource's value satisfy a leaf pattern?"""
    spend()
    if isinstance(pattern, bool):
        return value is pattern
    if isinstance(pattern, int):
        return _equals_int(value, pattern)
    if isinstance(pattern, float):
        if isinstance(value, str):
            return parse_float(value) == pattern
        return is_number(value) and value == pattern
    if pattern is None:
        return value is None or (value in (0, "", False) and not isinstance(value, dict | list))
    if isinstance(pattern, dict):
        return isinstance(value, dict)
    return isinstance(pattern, str) and matches_text(value, pattern)


def _equals_int(value: object, pattern: int) -> bool:
    if isinstance(value, str):
        return parse_int(value) == pattern
    return is_number(value) and value == pattern


def matches_text(value: object, pattern: str) -> bool:
    """A pattern written as text: alternatives (``|``) of conjunctions (``&``) of single conditions."""
    if isinstance(value, str) and value == pattern:
        return True
    return any(
        all(_condition(value, part.strip(" ")) for part in alternative.strip(" ").split("&"))
        for alternative in pattern.split("|")
    )


def _condition(value: object, pattern: str) -> bool:
    operator = operator_of(pattern)
    if operator == "-" and (ends := _IN_RANGE.fullmatch(pattern)):
        return _condition(value, f">= {ends[1]}") and _condition(value, f"<= {ends[2]}")
    if operator == "!-" and (ends := _NOT_IN_RANGE.fullmatch(pattern)):
        return _condition(value, f"< {ends[1]}") or _condition(value, f"> {ends[2]}")
    operand = pattern[len(operator) :].strip()
    text = _number_text(value)
    for parse in (duration, quantity):
        expected = parse(operand)
        actual = parse(text) if expected is not None and text is not None else None
        if expected is not None and actual is not None:
            return _COMPARE[operator](actual, expected)
    return _compare_strings(value, operand, operator)


def _number_text(value: object) -> str | None:
    if value is None:
        return "0"
    if isinstance(value, float):
        return f"{value:f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _compare_strings(value: object, pattern: str, operator: str) -> bool:
    if operator not in {"", "!"} or value is None or isinstance(value, dict | list):
        return False
    text = _scientific(value) if isinstance(value, float) else go_text(value)
    return wildcard(pattern, text) != (operator == "!")


def _scientific(value: float) -> str:
    """Floats meet wildcards in Go's shortest scientific form: 1.5E+00."""
    text = next(text for digits in range(18) if float(text := f"{value:.{digits}E}") == value)
    return text
