"""What a plain scalar means to the tools of each field.

- kubernetes: kubectl, Kyverno and Tekton read YAML with sigs.k8s.io/yaml, that is go-yaml v2 followed by a
  round trip through JSON (`on` is true, `010` is 8, `1.0` is the whole number 1, a date stays text).
- prometheus: go-yaml v3 (`on` is text; numbers as in v2). Its mapping keys are text, whatever they look like.
- core: YAML 1.2's core schema as the npm package `yaml` has it, which Backstage uses.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping
from typing import Final

from workshop.dialects import Dialect

Value = str | int | float | bool | None

_NULLS: Final = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_BOOLS: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_BOOLS_OF_YAML_1_1: Final = {
    **_BOOLS,
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_INFINITIES: Final = {
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_WORDS: Final[Mapping[Dialect, Mapping[str, Value]]] = {
    "kubernetes": {**_NULLS, **_BOOLS_OF_YAML_1_1, **_INFINITIES},
    "prometheus": {**_NULLS, **_BOOLS, **_INFINITIES},
    "core": {**_NULLS, **_BOOLS, **_INFINITIES},
}
_NUMERIC: Final = frozenset("+-.0123456789")

_GO_INT: Final = re.compile(r"([+-]?)(0[bB][01]+|0[oO][0-7]+|0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_GO_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_GO_DOT_FLOAT: Final = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_CORE_INT: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_CORE_FLOAT: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+)"
)
_BASES: Final = {"b": 2, "o": 8, "x": 16}


def resolve(text: str, dialect: Dialect) -> Value:
    """Return the value of a plain scalar.

    An infinity or a NaN is returned as such; JSON has none, see `is_json`.
    """
    words = _WORDS[dialect]
    if text in words:
        return words[text]
    if text[0] not in _NUMERIC:
        return text
    return _NUMBERS[dialect](text)


def is_json(value: Value) -> bool:
    """Whether JSON can write the value: false for infinities and NaN."""
    return not isinstance(value, float) or math.isfinite(value)


def key_text(value: Value, text: str, dialect: Dialect) -> str | None:
    """Return the text of a mapping key as the tool's JSON has it; None when the tool refuses the key."""
    if dialect == "prometheus" or isinstance(value, str):
        return text
    if value is None:
        return None if dialect == "kubernetes" else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if dialect == "core":
        return _javascript_text(value)
    # Keys become text before JSON comes in: 1e6 is 1e+06 here, and what only uint64 holds is refused.
    number = _go_number(text)
    if isinstance(number, int):
        return str(number) if number < 2**63 else None
    return _float32_text(number if isinstance(number, float) else value)


def _go_number(text: str) -> Value:
    # A leading "." sends go-yaml straight to Go's float parser, which wants underscores between digits.
    plain = text.replace("_", "") if text[0] != "." or _GO_DOT_FLOAT.fullmatch(text) else text
    match = _GO_INT.fullmatch(plain)
    if match:
        sign, digits = match[1], match[2]
        number = _whole(digits)
        if number is not None:
            number = -number if sign == "-" else number
            if -(2**63) <= number < 2**63 or (not sign and number < 2**64):
                return number
    if not _GO_FLOAT.fullmatch(plain):
        return text
    floating = float(plain)
    return floating if math.isfinite(floating) else text


def _through_json(text: str) -> Value:
    # JSON writes 1.0 as 1, and Kubernetes reads what JSON writes. (Beyond 2**53 either type is as inexact.)
    number = _go_number(text)
    if isinstance(number, float) and number.is_integer() and abs(number) < 2**53:
        return int(number)
    if isinstance(number, int) and number >= 2**63:
        return float(number)
    return number


def _core_number(text: str) -> Value:
    if _CORE_INT.fullmatch(text):
        number = _whole(text.lstrip("+-"), octal=False)
        # JavaScript has doubles only: large whole numbers lose their last digits there too.
        floating = math.inf if number is None else _as_float(number)
        floating = -floating if text[0] == "-" else floating
    elif _CORE_FLOAT.fullmatch(text):
        floating = float(text)
    else:
        return text
    return int(floating) if abs(floating) < 2**53 and floating.is_integer() else floating


def _whole(digits: str, *, octal: bool = True) -> int | None:
    """Return the number these digits write; None when it is too long for any tool's integer."""
    if len(digits) > 1100:
        return None
    base = _BASES.get(digits[1:2].lower())
    if base:
        return int(digits[2:], base)
    return int(digits, 8 if octal and digits[0] == "0" else 10)


def _as_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _float32_text(number: float) -> str:
    """Write a float key as sigs.k8s.io/yaml does: Go's shortest %g of the nearest 32-bit float."""
    try:
        (nearest,) = struct.unpack("f", struct.pack("f", number))
    except OverflowError:
        nearest = math.copysign(math.inf, number)
    if not math.isfinite(nearest):
        return ".nan" if math.isnan(nearest) else ".inf" if nearest > 0 else "-.inf"
    candidates = (f"{nearest:.{places}e}" for places in range(9))
    shortest = next(text for text in candidates if struct.pack("f", float(text)) == struct.pack("f", nearest))
    mantissa, _, exponent = shortest.partition("e")
    power = int(exponent)
    if -4 <= power < 6:
        decimals = len(mantissa.lstrip("-").replace(".", "")) - 1 - power
        return f"{float(shortest):.{max(0, decimals)}f}"
    return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02}"


def _javascript_text(number: float) -> str:
    if isinstance(number, int):
        return str(number)
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    mantissa, _, exponent = repr(number).partition("e")
    power = int(exponent or 0)
    if not exponent:
        return mantissa.removesuffix(".0")
    # JavaScript writes out more zeros than Python before it turns to an exponent.
    sign, digits = "-" * mantissa.startswith("-"), mantissa.lstrip("-").replace(".", "")
    if -6 <= power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    return f"{sign}{digits.ljust(power + 1, '0')}" if 0 < power <= 20 else f"{mantissa}e{power:+}"


_NUMBERS: Final[Mapping[Dialect, Callable[[str], Value]]] = {
    "kubernetes": _through_json,
    "prometheus": _go_number,
    "core": _core_number,
}
