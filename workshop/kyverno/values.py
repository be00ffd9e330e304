"""Values as Kyverno reads them: durations, quantities, semantic versions, wildcards, Go's formatting.

Sources: Go's time, strconv and fmt packages; k8s.io/apimachinery/pkg/api/resource; github.com/blang/semver;
Kyverno's ext/wildcard.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from workshop.kyverno.outcome import Beyond, KyvernoError, spend

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_DURATION_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_QUANTITY = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+|Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?)", re.ASCII)
_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_FLOAT = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,5})?|[+-]?inf(?:inity)?|nan", re.ASCII | re.IGNORECASE
)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_VERSION = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?", re.ASCII
)
_LONGEST_NUMBER = 200
_LONGEST_RESULT = 10**7
#: What opens a group in a regular expression, and what only looks like it.
_GROUP = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?!\?)|\(\?P?<(\w+)>", re.DOTALL)
#: A group in Go's replacements; a backslash means nothing there.
_REFERENCE = re.compile(r"\$\{(\w+)\}|\$(\$|\w+)|\\")


def is_number(value: object) -> bool:
    """True for int and float, not for bool."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def duration(text: object) -> int | None:
    """Nanoseconds of a Go duration ("1h30m", "0", "-1.5s"); None when it is none."""
    if not isinstance(text, str) or len(text) > _LONGEST_NUMBER:
        return None
    body, sign = (text[1:], -1 if text[0] == "-" else 1) if text[:1] in {"+", "-"} else (text, 1)
    if body == "0":
        return 0
    total, end = 0, 0
    while end < len(body):
        part = _DURATION_PART.match(body, end)
        if part is None:
            return None
        total += int(Fraction(part[1].rstrip(".")) * _UNITS[part[2]])
        end = part.end()
    return sign * total if body and total < 2**63 else None


def format_duration(nanoseconds: int) -> str:
    """A duration as Go writes it: "1h0m0s", "1.5s", "20ms"."""
    if nanoseconds == 0:
        return "0s"
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if rest < 10**9:
        unit, size = next((u, s) for u, s in (("ms", 10**6), ("µs", 10**3), ("ns", 1)) if rest >= s)
        return f"{sign}{_decimal(Fraction(rest, size))}{unit}"
    minutes, rest = divmod(rest, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    seconds = _decimal(Fraction(rest, 10**9))
    return sign + (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{seconds}s"


def _decimal(value: Fraction) -> str:
    digits = f"{int(value * 10**9):010d}"
    return f"{digits[:-9]}.{digits[-9:]}".rstrip("0").rstrip(".")


@lru_cache(maxsize=4096)
def quantity(text: str) -> Fraction | None:
    """The amount of a quantity ("100m", "1.5Gi", "1e3"), rounded up to nano; None when it is none."""
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if match is None or not (match[2] or match[3]):
        return None
    amount = Fraction(int((match[2] or "0") + (match[3] or "")), 10 ** len(match[3] or ""))
    suffix = match[4]
    if suffix in _BINARY:
        amount *= 2 ** _BINARY[suffix]
    else:
        exponent = _SUFFIXES[suffix] if suffix in _SUFFIXES else int(suffix[1:])
        amount *= Fraction(10) ** max(-400, min(400, exponent))
    nanos = min(-((-amount * 10**9) // 1), (2**63 - 1) * 10**9)
    return Fraction(-nanos if match[1] == "-" else nanos, 10**9)


def quantity_is_binary(text: str) -> bool:
    """True for "1Mi", which is added and written in powers of two."""
    return text[-2:] in _BINARY


def format_quantity(amount: Fraction, binary: bool) -> str:
    """The canonical form of an amount: no fraction, the largest suffix that keeps it exact."""
    if binary and abs(amount) >= 1024 and amount.denominator == 1:
        return next(
            f"{int(amount / 2**power)}{suffix if power else ''}"
            for suffix, power in [*reversed(_BINARY.items()), ("", 0)]
            if (amount / 2**power).denominator == 1
        )
    if amount == 0:
        return "0"
    return next(
        f"{int(amount / Fraction(10) ** power)}{suffix}"
        for suffix, power in reversed(_SUFFIXES.items())
        if (amount / Fraction(10) ** power).denominator == 1
    )


def parse_float(text: str) -> float | None:
    """What Go's ParseFloat makes of `text`; None when it is no number."""
    return float(text) if len(text) <= _LONGEST_NUMBER and _FLOAT.fullmatch(text) else None


def parse_int(text: str) -> int | None:
    """What Go's ParseInt (base 10, 64 bits) makes of `text`; None when it is no integer."""
    if len(text) > 25 or not _INTEGER.fullmatch(text):
        return None
    return number if -(2**63) <= (number := int(text)) < 2**63 else None


Version = tuple[int, int, int, int, tuple[tuple[int, int, str], ...]]


def version(text: str) -> Version | None:
    """A comparable key of a strict semantic version; None when it is none."""
    match = _VERSION.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if match is None:
        return None
    parts = match[4].split(".") if match[4] else []
    if any(not part or (part.isdigit() and len(part) > 1 and part[0] == "0") for part in parts):
        return None
    keys = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)
    return int(match[1]), int(match[2]), int(match[3]), 0 if parts else 1, keys


def go_text(value: object) -> str:
    """What fmt.Sprint writes: ``true``, ``1e+06``, ``<nil>``, ``[a b]``, ``map[k:v]``."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _go_float(value)
    if isinstance(value, list):
        return "[" + " ".join(map(go_text, value)) + "]"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value)) + "]"
    return str(value)


def _go_float(value: float) -> str:
    sign, numbers, exponent = Decimal(repr(value)).as_tuple()
    digits = "".join(map(str, numbers)).rstrip("0") or "0"
    power = len(numbers) + int(exponent) - 1 if digits != "0" else 0
    if -4 <= power < 6:
        return f"{value:.{max(0, len(digits) - 1 - power)}f}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{'-' if sign else ''}{digits[0]}{fraction}e{power:+03d}"


def go_json(value: object) -> str:
    """Compact JSON as Go writes it: sorted keys, whole floats without fraction, <, > and & escaped."""
    text = json.dumps(_whole(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _whole(value: object) -> object:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def same(left: object, right: object) -> bool:
    """Deep equality of JSON values: true is not 1, 1 is 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(item, right[key]) for key, item in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def wildcard(pattern: str, text: str) -> bool:
    """Kyverno's wildcards over the whole text: ``*`` any run of characters, ``?`` exactly one."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    if pattern == "*":
        return True
    p = t = steps = 0
    star, mark = -1, 0
    while t < len(text):
        steps += 1
        if p < len(pattern) and pattern[p] == "*":
            star, mark, p = p, t, p + 1
        elif p < len(pattern) and (pattern[p] == "?" or pattern[p] == text[t]):
            p, t = p + 1, t + 1
        elif star >= 0:
            mark += 1
            p, t = star + 1, mark
        else:
            return False
        if steps == 1000:
            spend(steps)
            steps = 0
    spend(steps)
    return not pattern[p:].strip("*")


def has_wildcard(text: str) -> bool:
    """True if `text` holds ``*`` or ``?``."""
    return "*" in text or "?" in text


def regex_match(pattern: str, text: str) -> bool:
    """Search `text` for a regular expression of RE2, which takes time linear in its length."""
    return bool(_regex("text.matches(pattern)", pattern, text, ""))


def regex_replace(pattern: str, text: str, replacement: str, *, literal: bool) -> str:
    """Replace every match, `$1` and `${name}` standing for groups unless `literal`; Beyond if too costly."""
    groups: list[str | None] = [found[1] for found in _GROUP.finditer(pattern) if found[0][0] == "("]
    if len(text) * len(replacement) > _LONGEST_RESULT or len(groups) > 9:
        raise Beyond("too-much-work", "regular expression too costly")

    def expand(match: re.Match[str]) -> str:
        key = match[1] or match[2]
        if key is None or key == "$":
            return match[0].replace("\\", r"\\") if key is None else "$"
        number = int(key) if key.isdigit() else groups.index(key) + 1 if key in groups else len(groups) + 1
        return f"\\{number}" if number <= len(groups) else ""

    # RE2 writes groups as \1, and only so.
    new = replacement.replace("\\", r"\\") if literal else _REFERENCE.sub(expand, replacement)
    return str(_regex("regex.replace(text, pattern, new)", pattern, text, new))


def _regex(expression: str, pattern: str, text: str, new: str) -> Any:
    # Python's own engine backtracks and a policy could make it run for ever; the CEL library carries RE2.
    from workshop.kyverno.cel.library import CelError, run
    from workshop.kyverno.cel.tokens import storable

    spend(len(pattern) + len(text))
    try:
        return run(expression, storable({"text": text, "pattern": pattern, "new": new}))
    except CelError as error:
        raise KyvernoError(f"error parsing regexp: {pattern}") from error
