"""The operators of conditions (`preconditions`, `deny.conditions`) as Kyverno compares keys with values.

Source: pkg/engine/variables/operator. A key or value of an unexpected type is not an error there: the
comparison is false (true for NotEquals), and that asymmetry is kept.
"""

from __future__ import annotations

import json
import operator as op
from collections.abc import Callable
from typing import Any

from workshop.kyverno.outcome import Beyond, KyvernoError, spend
from workshop.kyverno.pattern import in_range, matches_text
from workshop.kyverno.values import (
    duration,
    go_text,
    is_number,
    parse_float,
    parse_int,
    quantity,
    same,
    version,
    wildcard,
)

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThanOrEquals": op.ge,
    "GreaterThan": op.gt,
    "LessThanOrEquals": op.le,
    "LessThan": op.lt,
}
OPERATORS = (
    *("Equal", "Equals", "NotEqual", "NotEquals", "In", "AnyIn", "AllIn", "NotIn", "AnyNotIn", "AllNotIn"),
    *_ORDER,
    *(f"Duration{name}" for name in _ORDER),
)
_KNOWN = {name.lower() for name in OPERATORS}


def compare(key: object, operator: object, value: object) -> bool:
    """Does `key operator value` hold? Raises KyvernoError for an operator Kyverno does not have."""
    name = str(operator)
    if name.lower() not in _KNOWN:
        raise KyvernoError(f"failed to create handler for condition operator {name}")
    lower = name.lower().removesuffix("s") if name.lower().endswith("equals") else name.lower()
    if lower == "equal":
        return _equal(key, value)
    if lower == "notequal":
        return key is not None and not _equal(key, value, negated=True)
    if lower.startswith("duration"):
        return _compare_durations(key, name.removeprefix("Duration"), value)
    if lower.startswith(("greater", "less")):
        return _compare_numbers(key, name, value)
    return _membership(key, lower, value)


def _seconds(value: object) -> int | None:
    if isinstance(value, str):
        return duration(value) if value != "0" else None
    return None


def _durations(key: object, value: object) -> tuple[int, int] | None:
    """Both as nanoseconds when at least one is written as a duration; a bare number counts seconds."""
    left, right = _seconds(key), _seconds(value)
    if left is None and right is None:
        return None
    if left is None and is_number(key):
        left = int(key) * 10**9  # type: ignore[call-overload]
    if right is None and is_number(value):
        right = int(value) * 10**9  # type: ignore[call-overload]
    return None if left is None or right is None else (left, right)


def _equal(key: object, value: object, *, negated: bool = False) -> bool:
    if isinstance(key, bool):
        return key is value
    if is_number(key):
        return _number_equals(key, value)
    if isinstance(key, str):
        if pair := _durations(key, value):
            return pair[0] == pair[1]
        if (amount := quantity(key)) is not None and isinstance(value, str) and not (negated and value == ""):
            return amount == quantity(value)
        return isinstance(value, str) and wildcard(value, key)
    if isinstance(key, dict | list):
        return type(key) is type(value) and same(key, value)
    return False


def _number_equals(key: Any, value: object) -> bool:
    if is_number(value):
        return bool(key == value)
    if isinstance(value, str):
        return bool(key == (parse_int(value) if isinstance(key, int) else parse_float(value)))
    return False


def _compare_durations(key: object, name: str, value: object) -> bool:
    def nanoseconds(item: object) -> int | None:
        return duration(item) if isinstance(item, str) else int(item) * 10**9 if is_number(item) else None  # type: ignore[call-overload]

    left, right = nanoseconds(key), nanoseconds(value)
    return left is not None and right is not None and name in _ORDER and _ORDER[name](left, right)


def _compare_numbers(key: object, name: str, value: object) -> bool:
    if name not in _ORDER:
        return False
    if not (is_number(key) or isinstance(key, str)):
        return False
    if pair := _durations(key, value):
        return _ORDER[name](*pair)
    if isinstance(key, str):
        if isinstance(value, str):
            left, right = quantity(key), quantity(value)
            if left is not None and right is not None:
                return _ORDER[name](left, right)
        number = parse_float(key)
        if number is None:
            mine, other = version(key), version(value) if isinstance(value, str) else None
            return mine is not None and other is not None and _ORDER[name](mine, other)
        key = number
        if pair := _durations(key, value):
            return _ORDER[name](*pair)
    other_number = value if is_number(value) else parse_float(value) if isinstance(value, str) else None
    return other_number is not None and _ORDER[name](key, other_number)


def _membership(key: object, name: str, value: object) -> bool:
    if isinstance(key, str | bool) or is_number(key):
        found = _one_in(key if isinstance(key, str) else go_text(key), name, value)
        return found is not None and found != ("not" in name)
    if isinstance(key, list):
        if name in {"in", "notin"}:
            return _subset(key, value, negated=name == "notin")
        answer = _many_in([go_text(item) for item in key], name, value)
        return bool(answer)
    return False


def _json_list(text: str, *, legacy: bool = False) -> list[str] | None:
    """The texts of a JSON array; a text that is no JSON stands for itself, other JSON is None."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None if legacy else [text]
    if parsed is None:
        return []
    if isinstance(parsed, list) and all(item is None or isinstance(item, str) for item in parsed):
        return [item or "" for item in parsed]
    return None


def _one_in(key: str, name: str, value: object) -> bool | None:
    if isinstance(value, list):
        spend(len(value))
        return any(wildcard(text, key) or wildcard(key, text) for text in map(go_text, value))
    if not isinstance(value, str):
        return None
    if wildcard(value, key):
        return True
    if name not in {"in", "notin"} and in_range(value):
        return matches_text(key, value)
    texts = _json_list(value, legacy=name in {"in", "notin"})
    return None if texts is None else key in texts


def _many_in(keys: list[str], name: str, value: object) -> bool | None:
    if isinstance(value, list):
        texts: list[str] | None = [go_text(item) for item in value]
    elif (is_number(value) or isinstance(value, bool)) and name.startswith("any"):
        texts = [go_text(value)]
    elif isinstance(value, str):
        if keys == [value]:
            return "not" not in name
        if in_range(value):
            return _many_in_range(keys, name, value)
        texts = _json_list(value)
    else:
        return None
    if texts is None:
        return None
    spend(len(keys) * max(1, len(texts)))
    present = [any(wildcard(key, text) or wildcard(text, key) for text in texts) for key in keys]
    return {
        "anyin": any(present),
        "allin": all(present),
        "anynotin": not all(present),
        "allnotin": not any(present),
    }[name]


def _many_in_range(keys: list[str], name: str, value: str) -> bool:
    if name == "anynotin":
        return any(matches_text(key, value.replace("-", "!-", 1)) for key in keys)
    inside = [matches_text(key, value) for key in keys]
    return {"anyin": any(inside), "allin": all(inside), "allnotin": not any(inside)}[name]


def _subset(keys: list[object], value: object, *, negated: bool) -> bool:
    """The deprecated In and NotIn over a list: exact texts only; Kyverno itself crashes on other keys."""
    if not all(isinstance(key, str) for key in keys):
        raise Beyond("beyond-evaluator", "In and NotIn compare texts only")
    if isinstance(value, list):
        if not all(isinstance(item, str) for item in value):
            return False
        texts: list[Any] | None = value
    elif isinstance(value, str):
        if keys == [value]:
            return True
        texts = _json_list(value, legacy=True)
    else:
        return False
    if texts is None:
        return False
    present = set(texts)
    return any(key not in present for key in keys) if negated else all(key in present for key in keys)
