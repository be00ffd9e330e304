"""The functions of CEL, of Kubernetes' extensions and of Kyverno's that need neither cluster nor registry.

Sources: cel-go's ext package, k8s.io/apiserver/pkg/cel/library, Kyverno's sdk. They raise CelError for
what CEL calls an error; what policies hardly ever use is left out and so unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from workshop.kyverno import values
from workshop.kyverno.cel_values import (
    NONE,
    CelError,
    ImageReference,
    Optional,
    Quantity,
    TypeName,
    checked,
    compare,
    equal,
    no_overload,
    type_of,
)
from workshop.kyverno.outcome import Beyond, spend

_IMAGE = re.compile(
    r"(?P<repository>[a-z0-9_\-./]{2,255})"
    r"(?::(?P<tag>[\w.\-]{1,128}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)


def _duration(text: str) -> timedelta:
    nanoseconds = values.duration(text)
    if nanoseconds is None:
        raise CelError(f"invalid duration {text}")
    return timedelta(microseconds=nanoseconds / 1000)


def _timestamp(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CelError(f"invalid timestamp {text}") from error
    if moment.tzinfo is None:
        raise CelError(f"invalid timestamp {text}")
    return moment.astimezone(UTC)


def _int(value: Any) -> int:
    if isinstance(value, str):
        number = values.parse_int(value)
        if number is None:
            raise CelError(f"cannot convert {value} to int")
        return number
    if isinstance(value, float) and (math.isnan(value) or math.isinf(value)):
        raise CelError("integer overflow")
    if values.is_number(value):
        return checked(int(value))
    if isinstance(value, datetime):
        return int(value.timestamp())
    raise no_overload("int", value)


def _double(value: Any) -> float:
    number = (
        values.parse_float(value) if isinstance(value, str) else value if values.is_number(value) else None
    )
    if number is None:
        raise no_overload("double", value)
    return float(number)


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or values.is_number(value):
        return values.go_text(value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise no_overload("string", value)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    known = {"true": True, "True": True, "TRUE": True, "t": True, "1": True}
    known |= {"false": False, "False": False, "FALSE": False, "f": False, "0": False}
    if value not in known:
        raise CelError(f"cannot convert {value} to bool")
    return known[value]


def quantity(text: object) -> Quantity:
    """The quantity a text writes, or CelError."""
    amount = values.quantity(text) if isinstance(text, str) else None
    if amount is None:
        raise CelError("quantities must match the regular expression of Kubernetes")
    return Quantity(amount, values.quantity_is_binary(str(text)))


def image(text: str) -> ImageReference:
    """An image reference with Docker Hub's defaults filled in, or CelError."""
    head, slash, rest = text.partition("/")
    registry, remainder = (
        (head, rest) if slash and (any(c in head for c in ".:") or head == "localhost") else ("", text)
    )
    match = _IMAGE.fullmatch(remainder) if len(text) < 1024 else None
    if match is None:
        raise CelError(f"could not parse reference: {text}")
    registry = "index.docker.io" if registry in {"", "docker.io"} else registry
    repository = match["repository"]
    if registry == "index.docker.io" and "/" not in repository:
        repository = f"library/{repository}"
    tag = match["tag"] or ("" if match["digest"] else "latest")
    return ImageReference(registry, repository, tag, match["digest"] or "")


def _valid(convert: Callable[[Any], Any]) -> Callable[[Any], bool]:
    def test(value: Any) -> bool:
        try:
            convert(value)
        except (CelError, ValueError):
            return False
        return True

    return test


def _service_account(text: str) -> dict[str, str]:
    parts = text.split(":")
    if len(parts) == 4 and parts[:2] == ["system", "serviceaccount"]:
        return {"Namespace": parts[2], "Name": parts[3]}
    return {"Namespace": "", "Name": ""}


def size(value: Any) -> int:
    """Length of a text (in characters), list, map or bytes."""
    if isinstance(value, str | list | dict | bytes):
        return len(value)
    raise no_overload("size", value)


def _optional_of_non_zero(value: Any) -> Optional:
    return NONE if value in (None, 0, "", [], {}, False, b"") else Optional(True, value)


def _extreme(pick: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    def choose(*arguments: Any) -> Any:
        items = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], list) else arguments
        if not items:
            raise CelError("min/max called on empty list")
        best = items[0]
        for item in items[1:]:
            best = item if pick(compare(item, best), 0) else best
        return best

    return choose


_least, _greatest = _extreme(lambda a, b: a < b), _extreme(lambda a, b: a > b)


def _contains_all(left: list[Any], right: list[Any]) -> bool:
    return all(any(equal(item, other) for other in left) for item in right)


#: Functions called without a receiver, or through the name of their library.
GLOBAL: dict[str, Callable[..., Any]] = {
    "size": size,
    "int": _int,
    "uint": lambda value: checked(_int(value), unsigned=True),
    "double": _double,
    "string": _string,
    "bool": _bool,
    "bytes": lambda value: value if isinstance(value, bytes) else value.encode(),
    "dyn": lambda value: value,
    "type": lambda value: TypeName(type_of(value)),
    "duration": lambda value: value if isinstance(value, timedelta) else _duration(value),
    "timestamp": lambda value: value if isinstance(value, datetime) else _timestamp(value),
    "matches": lambda text, pattern: values.regex_match(pattern, text),
    "quantity": quantity,
    "isQuantity": _valid(quantity),
    "image": image,
    "isImage": _valid(image),
    "parseServiceAccount": _service_account,
    "user.parseServiceAccount": _service_account,
    "optional.of": lambda value: Optional(True, value),
    "optional.none": lambda: NONE,
    "optional.ofNonZeroValue": _optional_of_non_zero,
    "sets.contains": _contains_all,
    "sets.intersects": lambda left, right: any(equal(a, b) for a in left for b in right),
    "jsonpatch.escapeKey": lambda text: text.replace("~", "~0").replace("/", "~1"),
}

#: Libraries that ask the cluster, a registry or the network.
ELSEWHERE = {
    "resource": "needs-cluster",
    "globalContext": "needs-cluster",
    "globalcontext": "needs-cluster",
    "http": "needs-network",
    "authorizer": "needs-cluster",
    "imageData": "needs-registry",
    "imagedata": "needs-registry",
    "image": "needs-registry",
}
#: Libraries of which only the functions above are known.
LIBRARIES = frozenset(
    [
        "math",
        "sets",
        "lists",
        "base64",
        "strings",
        "json",
        "yaml",
        "x509",
        "time",
        "random",
        "hash",
        "regex",
        "transform",
        "gzip",
        "generator",
        "net",
    ]
)
REGISTRY_CALLS = {
    *("verifyImageSignatures", "verifyAttestationSignatures"),
    *("extractPayload", "getImageData", "getMetadata"),
}


def _join(items: list[Any], separator: str = "") -> str:
    spend(sum(map(len, items)))
    return separator.join(items)


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if separator == "":
        return list(text)
    return text.split(separator, limit - 1 if limit > 0 else -1)


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    spend(len(text) * max(1, len(new)))
    return text.replace(old, new, limit)


def _substring(text: str, start: int, end: int | None = None) -> str:
    end = len(text) if end is None else end
    if not 0 <= start <= end <= len(text):
        raise CelError("index out of range")
    return text[start:end]


def _index_of(subject: Any, wanted: Any, start: int = 0) -> int:
    if isinstance(subject, str):
        return subject.find(wanted, start)
    return next((i for i, item in enumerate(subject) if equal(item, wanted)), -1)


def _last_index_of(subject: Any, wanted: Any, start: int | None = None) -> int:
    if isinstance(subject, str):
        if start is not None and not 0 <= start <= len(subject):
            raise CelError(f"index out of range: {start}")
        return subject.rfind(wanted, 0, None if start is None else start + len(wanted))
    return max((i for i, item in enumerate(subject) if equal(item, wanted)), default=-1)


def _format(template: str, arguments: list[Any]) -> str:
    remaining = list(arguments)

    def write(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        if not remaining:
            raise CelError("format: not enough arguments")
        value = remaining.pop(0)
        if match[2] == "d" and isinstance(value, int):
            return str(int(value))
        if match[2] == "f" and values.is_number(value):
            return f"{value:.{match[1] or 6}f}"
        if match[2] in "xXob" and isinstance(value, int):
            return format(int(value), match[2])
        if match[2] == "s":
            return (
                values.go_json(value)
                if isinstance(value, list | dict)
                else "null"
                if value is None
                else _string(value)
            )
        raise CelError(f"format: %{match[2]} of {type_of(value)}")

    return re.sub(r"%(?:\.(\d{1,2}))?([sdfxXob%])", write, template)


def _distinct(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if not any(equal(item, other) for other in found):
            found.append(item)
    return found


def _value(optional: Optional) -> Any:
    if not optional.present:
        raise CelError("optional.none() dereference")
    return optional.value


def _quantity_sum(sign: int) -> Callable[[Quantity, Any], Quantity]:
    def operate(left: Quantity, right: Any) -> Quantity:
        amount = right.amount if isinstance(right, Quantity) else Fraction(right)
        return Quantity(left.amount + sign * amount, left.binary)

    return operate


def _as_integer(amount: Quantity) -> int:
    if amount.amount.denominator != 1:
        raise CelError("cannot convert value to integer")
    return checked(int(amount.amount))


def _sign(number: Fraction) -> int:
    return (number > 0) - (number < 0)


#: Methods by name, each with the types of receiver it takes.
METHODS: dict[str, tuple[tuple[type, ...], Callable[..., Any]]] = {
    "size": ((str, list, dict, bytes), size),
    "contains": ((str,), lambda text, part: part in text),
    "startsWith": ((str,), str.startswith),
    "endsWith": ((str,), str.endswith),
    "matches": ((str,), lambda text, pattern: values.regex_match(pattern, text)),
    "split": ((str,), _split),
    "join": ((list,), _join),
    "replace": ((str,), _replace),
    "substring": ((str,), _substring),
    "trim": ((str,), str.strip),
    "lowerAscii": ((str,), str.lower),
    "upperAscii": ((str,), str.upper),
    "indexOf": ((str, list), _index_of),
    "lastIndexOf": ((str, list), _last_index_of),
    "format": ((str,), _format),
    "min": ((list,), _least),
    "max": ((list,), _greatest),
    "distinct": ((list,), _distinct),
    "hasValue": ((Optional,), lambda optional: optional.present),
    "value": ((Optional,), _value),
    "or": ((Optional,), lambda optional, other: optional if optional.present else other),
    "isGreaterThan": ((Quantity,), lambda a, b: a.amount > b.amount),
    "isLessThan": ((Quantity,), lambda a, b: a.amount < b.amount),
    "compareTo": ((Quantity,), lambda a, b: _sign(a.amount - b.amount)),
    "add": ((Quantity,), _quantity_sum(1)),
    "sub": ((Quantity,), _quantity_sum(-1)),
    "sign": ((Quantity,), lambda a: _sign(a.amount)),
    "isInteger": ((Quantity,), lambda a: a.amount.denominator == 1),
    "asInteger": ((Quantity,), _as_integer),
    "asApproximateFloat": ((Quantity,), lambda a: float(a.amount)),
    "registry": ((ImageReference,), lambda ref: ref.registry),
    "repository": ((ImageReference,), lambda ref: ref.repository),
    "tag": ((ImageReference,), lambda ref: ref.tag),
    "digest": ((ImageReference,), lambda ref: ref.digest),
    "containsDigest": ((ImageReference,), lambda ref: bool(ref.digest)),
    "identifier": ((ImageReference,), lambda ref: "@".join(filter(None, (ref.tag, ref.digest)))),
}


def call(name: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Call a function, its Python complaints becoming CEL's."""
    spend(sum(len(item) for item in arguments if isinstance(item, str | list | dict)))
    if (
        any(isinstance(item, bool) for item in arguments)
        and name not in {"string", "dyn", "type", "bool", "of"}
        and any(isinstance(item, bool) for item in arguments[:1])
    ):
        raise no_overload(name, *arguments)
    try:
        return function(*arguments)
    except (TypeError, AttributeError, ValueError, OverflowError) as error:
        raise no_overload(name, *arguments) from error
    except RecursionError as error:
        raise Beyond("too-much-work") from error
