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
from typing import Any

from jmespath import functions

from workshop.kyverno import values
from workshop.kyverno.images import parse_image
from workshop.kyverno.outcome import Beyond, KyvernoError, spend

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


def _replace_all(text: str, old: str, new: str) -> str:
    spend(len(text) * max(1, len(new)))
    return text.replace(old, new)


def _to_boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise KyvernoError("to_boolean: argument must be 'true' or 'false'")
    return text.lower() == "true"


def _add(left: object, right: object) -> Any:
    a, b = _alike(left, right)
    return _written(a[0], a[1] + b[1], a[2] if a[1] else b[2])


def _sum(items: list[object]) -> Any:
    if not items:
        raise KyvernoError("sum: at least one element in the array is required")
    total = items[0]
    for item in items[1:]:
        total = _add(total, item)
    return total


def _subtract(left: object, right: object) -> Any:
    a, b = _alike(left, right)
    return _written(a[0], a[1] - b[1], a[2] if a[1] else b[2])


def _multiply(left: object, right: object) -> Any:
    a, b = _operand(left), _operand(right)
    if "number" not in {a[0], b[0]}:
        raise KyvernoError("multiply: types mismatch")
    subject, factor = (b, a) if a[0] == "number" else (a, b)
    if subject[0] == "number":
        return subject[1] * factor[1]
    return _written(subject[0], Fraction(subject[1]) * Fraction(str(factor[1])), subject[2])


def _divide(left: object, right: object) -> Any:
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


def _modulo(left: object, right: object) -> Any:
    a, b = _alike(left, right)
    if b[1] == 0 or int(a[1]) != a[1] or int(b[1]) != b[1]:
        raise KyvernoError("modulo: operands must be whole, the second not zero")
    rest = abs(int(a[1])) % abs(int(b[1]))
    return _written(a[0], -rest if a[1] < 0 else rest, a[2])


def _round(number: float, digits: float) -> float:
    if digits != int(digits) or not 0 <= digits <= 15:
        raise KyvernoError("round: invalid length")
    shifted = Fraction(number) * 10 ** int(digits)
    whole = int(abs(shifted) + Fraction(1, 2))
    return float(Fraction(whole if shifted >= 0 else -whole, 10 ** int(digits)))


def _base64_decode(text: str) -> str:
    try:
        return base64.b64decode(text.replace("\n", ""), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise KyvernoError("base64_decode: illegal base64 data") from error


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise KyvernoError("parse_json: invalid JSON") from error


def _parse_yaml(text: str) -> Any:
    from workshop.kyverno.jsonpatch import yaml_to_json

    return yaml_to_json(text)


def _lookup(table: Any, key: Any) -> Any:
    if isinstance(table, dict) and isinstance(key, str):
        return table.get(key)
    if isinstance(table, list) and not isinstance(key, str) and int(key) == key:
        return table[int(key)] if 0 <= key < len(table) else None
    raise KyvernoError("lookup: invalid argument type")


def _items(table: Any, key_name: str, value_name: str) -> list[dict[str, Any]]:
    pairs = sorted(table.items()) if isinstance(table, dict) else enumerate(table)
    return [{key_name: key, value_name: value} for key, value in pairs]


def _object_from_lists(keys: list[Any], items: list[Any]) -> dict[str, Any]:
    if any(isinstance(key, dict | list) or key is None for key in keys):
        raise KyvernoError("object_from_lists: keys must be texts")
    return {_text(key): items[i] if i < len(items) else None for i, key in enumerate(keys)}


def _random(_: str) -> str:
    raise Beyond("beyond-evaluator", "random() differs each time")


def _x509_decode(_: str) -> Any:
    raise Beyond("beyond-evaluator", "x509_decode()")


def _is_external_url(_: str) -> bool:
    raise Beyond("needs-network", "is_external_url() resolves a name")


def _time_since(layout: str, start: str, end: str) -> str:
    if layout:
        raise Beyond("beyond-evaluator", "time layouts of Go")
    return _between(_moment(start), _moment(end) if end else datetime.now(UTC))


def _time_to_cron(text: str) -> str:
    t = _moment(text)
    return f"{t.minute} {t.hour} {t.day} {t.month} {t.isoweekday() % 7}"


def _time_parse(layout: str, text: str) -> str:
    if values.parse_int(layout) is None:
        raise Beyond("beyond-evaluator", "time layouts of Go")
    seconds = values.parse_int(text)
    if seconds is None:
        raise KyvernoError(f"invalid epoch {text}")
    return _stamp(datetime.fromtimestamp(seconds, UTC))


def _time_truncate(text: str, step: str) -> str:
    moment, size = _moment(text), _shift(step)
    if size <= timedelta():
        return _stamp(moment)
    origin = datetime(1, 1, 1, tzinfo=UTC)
    return _stamp(moment - (moment - origin) % size)


def _contains(subject: Any, wanted: object) -> bool:
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


#: Name → the types of its arguments, and what it does.
_FUNCTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "compare": ("string string", lambda a, b: (a > b) - (a < b)),
    "equal_fold": ("string string", lambda a, b: a.casefold() == b.casefold()),
    "replace": (
        "string string string number",
        lambda text, old, new, count: text.replace(old, new, int(count)),
    ),
    "replace_all": ("string string string", _replace_all),
    "to_upper": ("string", lambda text: text.upper()),
    "to_lower": ("string", lambda text: text.lower()),
    "trim": ("string string", lambda text, characters: text.strip(characters) if characters else text),
    "trim_prefix": ("string string", lambda text, prefix: text.removeprefix(prefix)),
    "split": ("string string", lambda text, separator: text.split(separator) if separator else list(text)),
    "regex_replace_all": (
        "string string|number string|number",
        lambda pattern, text, new: values.regex_replace(pattern, _text(text), _text(new), literal=False),
    ),
    "regex_replace_all_literal": (
        "string string|number string|number",
        lambda pattern, text, new: values.regex_replace(pattern, _text(text), _text(new), literal=True),
    ),
    "regex_match": ("string string|number", lambda pattern, text: values.regex_match(pattern, _text(text))),
    "pattern_match": ("string string|number", lambda pattern, text: values.wildcard(pattern, _text(text))),
    "label_match": (
        "object object",
        lambda wanted, labels: all(
            key in labels and values.same(labels[key], value) for key, value in wanted.items()
        ),
    ),
    "to_boolean": ("string", _to_boolean),
    "add": ("any any", _add),
    "sum": ("array", _sum),
    "subtract": ("any any", _subtract),
    "multiply": ("any any", _multiply),
    "divide": ("any any", _divide),
    "modulo": ("any any", _modulo),
    "round": ("number number", _round),
    "base64_decode": ("string", _base64_decode),
    "base64_encode": ("string", lambda text: base64.b64encode(text.encode()).decode()),
    "path_canonicalize": ("string", lambda text: posixpath.normpath(re.sub("/+", "/", text)) if text else ""),
    "truncate": ("string number", lambda text, length: text[: max(0, int(length))]),
    "semver_compare": (
        "string string",
        lambda text, wanted: _in_version_range(values.version(text) or (0, 0, 0, 1, ()), wanted),
    ),
    "parse_json": ("string", _parse_json),
    "parse_yaml": ("string", _parse_yaml),
    "lookup": ("object|array string|number", _lookup),
    "items": ("object|array string string", _items),
    "object_from_lists": ("array array", _object_from_lists),
    "image_normalize": ("string", lambda text: parse_image(text).reference),
    "sha256": ("string", lambda text: hashlib.sha256(text.encode()).hexdigest()),
    "sha1": ("string", lambda text: hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()),
    "md5": ("string", lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()),
    "random": ("string", _random),
    "x509_decode": ("string", _x509_decode),
    "is_external_url": ("string", _is_external_url),
    "time_now": ("", lambda: _stamp(datetime.now(UTC))),
    "time_now_utc": ("", lambda: _stamp(datetime.now(UTC))),
    "time_since": ("string string string", _time_since),
    "time_to_cron": ("string", _time_to_cron),
    "time_add": ("string string", lambda text, shift: _stamp(_moment(text) + _shift(shift))),
    "time_parse": ("string string", _time_parse),
    "time_utc": ("string", lambda text: _stamp(_moment(text).astimezone(UTC))),
    "time_diff": ("string string", lambda start, end: _between(_moment(start), _moment(end))),
    "time_before": ("string string", lambda a, b: _moment(a) < _moment(b)),
    "time_after": ("string string", lambda a, b: _moment(a) > _moment(b)),
    "time_between": (
        "string string string",
        lambda text, start, end: _moment(start) < _moment(text) < _moment(end),
    ),
    "time_truncate": ("string string", _time_truncate),
    "to_string": ("any", lambda value: value if isinstance(value, str) else values.go_json(value)),
    "contains": ("array|string any", _contains),
}


class KyvernoFunctions(functions.Functions):  # type: ignore[misc]
    """JMESPath's own functions, with Kyverno's added and in their place."""


def _entry(types: str, function: Callable[..., Any]) -> dict[str, Any]:
    signature = [{"types": [] if kind == "any" else kind.split("|")} for kind in types.split()]
    return {"function": lambda _self, *arguments: function(*arguments), "signature": tuple(signature)}


KyvernoFunctions.FUNCTION_TABLE = functions.Functions.FUNCTION_TABLE | {
    name: _entry(*entry) for name, entry in _FUNCTIONS.items()
}
