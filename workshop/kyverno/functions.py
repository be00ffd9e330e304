"""The functions Kyverno adds to JMESPath (and those of the standard it changes).

Source: pkg/engine/jmespath. What needs randomness, certificates or the network is `Beyond`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import posixpath
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, TypeVar

from jmespath import functions

from workshop.kyverno import values
from workshop.kyverno.images import parse_image
from workshop.kyverno.outcome import Beyond, KyvernoError, spend

_TEXT, _NUMBER, _OBJECT, _ARRAY = ({"types": [name]} for name in ("string", "number", "object", "array"))
_ANY: dict[str, list[str]] = {"types": []}
_TEXT_OR_NUMBER = {"types": ["string", "number"]}
_TABLE = {"types": ["object", "array"]}

Method = TypeVar("Method", bound=Callable[..., Any])


def _takes(*types: dict[str, list[str]]) -> Callable[[Method], Method]:
    """Declare the types of a function's arguments."""
    declare: Callable[[Method], Method] = functions.signature(*types)
    return declare


Operand = tuple[str, Any, bool]


def _text(value: object) -> str:
    return values.go_text(value) if not isinstance(value, float) else f"{value:.10g}"


def _operand(value: object) -> Operand:
    """(kind, amount, binary) of a number, a quantity or a duration."""
    if values.is_number(value):
        return "number", value, False
    if isinstance(value, str):
        if (amount := values.quantity(value)) is not None:
            return "quantity", amount, values.quantity_is_binary(value)
        if (nanoseconds := values.duration(value)) is not None:
            return "duration", nanoseconds, False
    raise KyvernoError("invalid operand")


def _written(kind: str, amount: Any, binary: bool) -> Any:
    if kind == "quantity":
        return values.format_quantity(Fraction(amount), binary)
    return values.format_duration(int(amount)) if kind == "duration" else amount


def _alike(left: object, right: object) -> tuple[Operand, Operand]:
    a, b = _operand(left), _operand(right)
    if a[0] != b[0]:
        raise KyvernoError("types mismatch")
    return a, b


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise KyvernoError(f"cannot parse {text} as a time") from error
    if moment.tzinfo is None or len(text) < 20:
        raise KyvernoError(f"cannot parse {text} as a time")
    return moment


def _stamp(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _shift(text: str) -> timedelta:
    nanoseconds = values.duration(text)
    if nanoseconds is None:
        raise KyvernoError(f"invalid duration {text}")
    return timedelta(microseconds=nanoseconds / 1000)


def _between(start: datetime, end: datetime) -> str:
    return values.format_duration(int((end - start) / timedelta(microseconds=1)) * 1000)


class KyvernoFunctions(functions.Functions):  # type: ignore[misc]
    """The function table; names and argument types are Kyverno's."""

    @_takes(_TEXT, _TEXT)
    def _func_compare(self, a: str, b: str) -> int:
        return (a > b) - (a < b)

    @_takes(_TEXT, _TEXT)
    def _func_equal_fold(self, a: str, b: str) -> bool:
        return a.casefold() == b.casefold()

    @_takes(_TEXT, _TEXT, _TEXT, _NUMBER)
    def _func_replace(self, text: str, old: str, new: str, count: float) -> str:
        return text.replace(old, new, int(count))

    @_takes(_TEXT, _TEXT, _TEXT)
    def _func_replace_all(self, text: str, old: str, new: str) -> str:
        spend(len(text) * max(1, len(new)))
        return text.replace(old, new)

    @_takes(_TEXT)
    def _func_to_upper(self, text: str) -> str:
        return text.upper()

    @_takes(_TEXT)
    def _func_to_lower(self, text: str) -> str:
        return text.lower()

    @_takes(_TEXT, _TEXT)
    def _func_trim(self, text: str, characters: str) -> str:
        return text.strip(characters) if characters else text

    @_takes(_TEXT, _TEXT)
    def _func_trim_prefix(self, text: str, prefix: str) -> str:
        return text.removeprefix(prefix)

    @_takes(_TEXT, _TEXT)
    def _func_split(self, text: str, separator: str) -> list[str]:
        return text.split(separator) if separator else list(text)

    @_takes(_TEXT, _TEXT_OR_NUMBER, _TEXT_OR_NUMBER)
    def _func_regex_replace_all(self, pattern: str, text: object, new: object) -> str:
        return values.regex_replace(pattern, _text(text), _text(new), literal=False)

    @_takes(_TEXT, _TEXT_OR_NUMBER, _TEXT_OR_NUMBER)
    def _func_regex_replace_all_literal(self, pattern: str, text: object, new: object) -> str:
        return values.regex_replace(pattern, _text(text), _text(new), literal=True)

    @_takes(_TEXT, _TEXT_OR_NUMBER)
    def _func_regex_match(self, pattern: str, text: object) -> bool:
        return values.regex_match(pattern, _text(text))

    @_takes(_TEXT, _TEXT_OR_NUMBER)
    def _func_pattern_match(self, pattern: str, text: object) -> bool:
        return values.wildcard(pattern, _text(text))

    @_takes(_OBJECT, _OBJECT)
    def _func_label_match(self, wanted: dict[str, Any], labels: dict[str, Any]) -> bool:
        return all(key in labels and values.same(labels[key], value) for key, value in wanted.items())

    @_takes(_TEXT)
    def _func_to_boolean(self, text: str) -> bool:
        if text.lower() not in {"true", "false"}:
            raise KyvernoError("to_boolean: argument must be 'true' or 'false'")
        return text.lower() == "true"

    @_takes(_ANY, _ANY)
    def _func_add(self, left: object, right: object) -> Any:
        a, b = _alike(left, right)
        return _written(a[0], a[1] + b[1], a[2] if a[1] else b[2])

    @_takes(_ARRAY)
    def _func_sum(self, items: list[object]) -> Any:
        if not items:
            raise KyvernoError("sum: at least one element in the array is required")
        total = items[0]
        for item in items[1:]:
            total = self._func_add(total, item)
        return total

    @_takes(_ANY, _ANY)
    def _func_subtract(self, left: object, right: object) -> Any:
        a, b = _alike(left, right)
        return _written(a[0], a[1] - b[1], a[2] if a[1] else b[2])

    @_takes(_ANY, _ANY)
    def _func_multiply(self, left: object, right: object) -> Any:
        a, b = _operand(left), _operand(right)
        if "number" not in {a[0], b[0]}:
            raise KyvernoError("multiply: types mismatch")
        subject, factor = (b, a) if a[0] == "number" else (a, b)
        if subject[0] == "number":
            return subject[1] * factor[1]
        return _written(subject[0], Fraction(subject[1]) * Fraction(str(factor[1])), subject[2])

    @_takes(_ANY, _ANY)
    def _func_divide(self, left: object, right: object) -> Any:
        a, b = _operand(left), _operand(right)
        if b[1] == 0:
            raise KyvernoError("divide: division by zero")
        if a[0] == b[0]:
            return float(Fraction(a[1]) / Fraction(b[1]))
        if b[0] != "number":
            raise KyvernoError("divide: types mismatch")
        if a[0] == "quantity" and Fraction(a[1]) % Fraction(b[1]):
            raise Beyond("beyond-evaluator", "division of a quantity with a remainder")
        return _written(a[0], Fraction(a[1]) / Fraction(b[1]), a[2])

    @_takes(_ANY, _ANY)
    def _func_modulo(self, left: object, right: object) -> Any:
        a, b = _alike(left, right)
        if b[1] == 0 or int(a[1]) != a[1] or int(b[1]) != b[1]:
            raise KyvernoError("modulo: operands must be whole, the second not zero")
        rest = abs(int(a[1])) % abs(int(b[1]))
        return _written(a[0], -rest if a[1] < 0 else rest, a[2])

    @_takes(_NUMBER, _NUMBER)
    def _func_round(self, number: float, digits: float) -> float:
        if digits != int(digits) or not 0 <= digits <= 15:
            raise KyvernoError("round: invalid length")
        shifted = Fraction(number) * 10 ** int(digits)
        whole = int(abs(shifted) + Fraction(1, 2))
        return float(Fraction(whole if shifted >= 0 else -whole, 10 ** int(digits)))

    @_takes(_TEXT)
    def _func_base64_decode(self, text: str) -> str:
        try:
            return base64.b64decode(text.replace("\n", ""), validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise KyvernoError("base64_decode: illegal base64 data") from error

    @_takes(_TEXT)
    def _func_base64_encode(self, text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    @_takes(_TEXT)
    def _func_path_canonicalize(self, text: str) -> str:
        return posixpath.normpath(re.sub("/+", "/", text)) if text else ""

    @_takes(_TEXT, _NUMBER)
    def _func_truncate(self, text: str, length: float) -> str:
        return text[: max(0, int(length))]

    @_takes(_TEXT, _TEXT)
    def _func_semver_compare(self, text: str, wanted: str) -> bool:
        return _in_version_range(values.version(text) or (0, 0, 0, 1, ()), wanted)

    @_takes(_TEXT)
    def _func_parse_json(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise KyvernoError("parse_json: invalid JSON") from error

    @_takes(_TEXT)
    def _func_parse_yaml(self, text: str) -> Any:
        from workshop.kyverno.jsonpatch import yaml_to_json

        return yaml_to_json(text)

    @_takes(_TABLE, _TEXT_OR_NUMBER)
    def _func_lookup(self, table: Any, key: Any) -> Any:
        if isinstance(table, dict) and isinstance(key, str):
            return table.get(key)
        if isinstance(table, list) and not isinstance(key, str) and int(key) == key:
            return table[int(key)] if 0 <= key < len(table) else None
        raise KyvernoError("lookup: invalid argument type")

    @_takes(_TABLE, _TEXT, _TEXT)
    def _func_items(self, table: Any, key_name: str, value_name: str) -> list[dict[str, Any]]:
        pairs = sorted(table.items()) if isinstance(table, dict) else enumerate(table)
        return [{key_name: key, value_name: value} for key, value in pairs]

    @_takes(_ARRAY, _ARRAY)
    def _func_object_from_lists(self, keys: list[Any], items: list[Any]) -> dict[str, Any]:
        if any(isinstance(key, dict | list) or key is None for key in keys):
            raise KyvernoError("object_from_lists: keys must be texts")
        return {_text(key): items[i] if i < len(items) else None for i, key in enumerate(keys)}

    @_takes(_TEXT)
    def _func_image_normalize(self, text: str) -> str:
        return parse_image(text).reference

    @_takes(_TEXT)
    def _func_sha256(self, text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    @_takes(_TEXT)
    def _func_sha1(self, text: str) -> str:
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    @_takes(_TEXT)
    def _func_md5(self, text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    @_takes(_TEXT)
    def _func_random(self, _: str) -> str:
        raise Beyond("beyond-evaluator", "random() differs each time")

    @_takes(_TEXT)
    def _func_x509_decode(self, _: str) -> Any:
        raise Beyond("beyond-evaluator", "x509_decode()")

    @_takes(_TEXT)
    def _func_is_external_url(self, _: str) -> bool:
        raise Beyond("needs-network", "is_external_url() resolves a name")

    @_takes()
    def _func_time_now(self) -> str:
        return _stamp(datetime.now(UTC))

    @_takes()
    def _func_time_now_utc(self) -> str:
        return _stamp(datetime.now(UTC))

    @_takes(_TEXT, _TEXT, _TEXT)
    def _func_time_since(self, layout: str, start: str, end: str) -> str:
        if layout:
            raise Beyond("beyond-evaluator", "time layouts of Go")
        return _between(_moment(start), _moment(end) if end else datetime.now(UTC))

    @_takes(_TEXT)
    def _func_time_to_cron(self, text: str) -> str:
        t = _moment(text)
        return f"{t.minute} {t.hour} {t.day} {t.month} {t.isoweekday() % 7}"

    @_takes(_TEXT, _TEXT)
    def _func_time_add(self, text: str, shift: str) -> str:
        return _stamp(_moment(text) + _shift(shift))

    @_takes(_TEXT, _TEXT)
    def _func_time_parse(self, layout: str, text: str) -> str:
        if values.parse_int(layout) is None:
            raise Beyond("beyond-evaluator", "time layouts of Go")
        seconds = values.parse_int(text)
        if seconds is None:
            raise KyvernoError(f"invalid epoch {text}")
        return _stamp(datetime.fromtimestamp(seconds, UTC))

    @_takes(_TEXT)
    def _func_time_utc(self, text: str) -> str:
        return _stamp(_moment(text).astimezone(UTC))

    @_takes(_TEXT, _TEXT)
    def _func_time_diff(self, start: str, end: str) -> str:
        return _between(_moment(start), _moment(end))

    @_takes(_TEXT, _TEXT)
    def _func_time_before(self, a: str, b: str) -> bool:
        return _moment(a) < _moment(b)

    @_takes(_TEXT, _TEXT)
    def _func_time_after(self, a: str, b: str) -> bool:
        return _moment(a) > _moment(b)

    @_takes(_TEXT, _TEXT, _TEXT)
    def _func_time_between(self, text: str, start: str, end: str) -> bool:
        return _moment(start) < _moment(text) < _moment(end)

    @_takes(_TEXT, _TEXT)
    def _func_time_truncate(self, text: str, step: str) -> str:
        moment, size = _moment(text), _shift(step)
        if size <= timedelta():
            return _stamp(moment)
        origin = datetime(1, 1, 1, tzinfo=UTC)
        return _stamp(moment - (moment - origin) % size)

    @_takes(_ANY)
    def _func_to_string(self, value: object) -> str:
        return value if isinstance(value, str) else values.go_json(value)

    @_takes({"types": ["array", "string"]}, _ANY)
    def _func_contains(self, subject: Any, wanted: object) -> bool:
        if isinstance(subject, str):
            return isinstance(wanted, str) and wanted in subject
        if isinstance(wanted, dict | list):
            raise Beyond("beyond-evaluator", "contains() of an object")
        return any(values.same(item, wanted) for item in subject)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "": lambda a, b: a == b,
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!": lambda a, b: a != b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


def _in_version_range(mine: values.Version, wanted: str) -> bool:
    """A range of github.com/blang/semver: ``>=1.0.0 <2.0.0 || !3.1.0``."""
    alternatives = []
    for alternative in wanted.split("||"):
        holds = True
        for part in alternative.split():
            bare = part.lstrip("<>=!")
            other, sign = values.version(bare), part[: len(part) - len(bare)]
            if other is None and any(mark in bare for mark in ("x", "X", "*")):
                raise Beyond("beyond-evaluator", "wildcards in version ranges")
            if other is None or sign not in _COMPARISONS:
                raise KyvernoError(f"could not parse version range {wanted}")
            holds = holds and _COMPARISONS[sign](mine, other)
        alternatives.append(holds)
    return any(alternatives)
