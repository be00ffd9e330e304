"""The values of CEL: JSON values are Python's own, the types below are those JSON lacks.

Sources: the CEL specification, cel-go, Kubernetes' and Kyverno's extensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from workshop.kyverno import values
from workshop.kyverno.outcome import KyvernoError, spend


class CelError(KyvernoError):
    """The expression fails while it is evaluated."""


class UInt(int):
    """An unsigned number: ``5u``."""


@dataclass(frozen=True)
class Optional:
    """A value that may be absent."""

    present: bool
    value: Any = None


@dataclass(frozen=True)
class Quantity:
    """A Kubernetes quantity."""

    amount: Fraction
    binary: bool = False


@dataclass(frozen=True)
class ImageReference:
    """A reference in the form go-containerregistry gives it (docker.io is index.docker.io/library there)."""

    registry: str
    repository: str
    tag: str
    digest: str


@dataclass(frozen=True)
class Struct:
    """An object a mutation builds: ``Object.spec{…}`` or ``JSONPatch{…}``."""

    name: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class TypeName:
    """What ``type(x)`` yields."""

    name: str


NONE = Optional(present=False)


def type_of(value: object) -> str:
    """CEL's name of a value's type."""
    names: tuple[tuple[type, str], ...] = (
        (bool, "bool"),
        (UInt, "uint"),
        (int, "int"),
        (float, "double"),
        (str, "string"),
        (bytes, "bytes"),
        (list, "list"),
        (dict, "map"),
        (timedelta, "google.protobuf.Duration"),
        (datetime, "google.protobuf.Timestamp"),
        (Optional, "optional_type"),
        (TypeName, "type"),
        (Quantity, "kubernetes.Quantity"),
    )
    if value is None:
        return "null_type"
    if isinstance(value, Struct):
        return value.name
    return next((name for kind, name in names if isinstance(value, kind)), type(value).__name__)


def equal(left: Any, right: Any) -> bool:
    """CEL equality: numbers compare across types, other types never equal each other."""
    spend()
    if isinstance(left, list | dict) and type(left) is type(right):
        if len(left) != len(right):
            return False
        if isinstance(left, dict):
            return all(key in right and equal(value, right[key]) for key, value in left.items())
        return all(map(equal, left, right))
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        return left.amount == right.amount
    if values.is_number(left) and values.is_number(right):
        return bool(left == right)
    return type(left) is type(right) and bool(left == right)


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1; raises CelError for types without an order between them."""
    comparable = (values.is_number(left) and values.is_number(right)) or (
        type(left) is type(right) and isinstance(left, str | bytes | bool | timedelta | datetime)
    )
    if not comparable:
        raise no_overload("comparison", left, right)
    return int(left > right) - int(left < right)


def no_overload(name: str, *arguments: object) -> CelError:
    """The error of a function called with types it does not take."""
    return CelError(f"no such overload: {name}({', '.join(map(type_of, arguments))})")


def checked(number: int, *, unsigned: bool = False) -> int:
    """A whole number in range, or CelError."""
    if not (0 <= number < 2**64 if unsigned else -(2**63) <= number < 2**63):
        raise CelError("integer overflow")
    return UInt(number) if unsigned else int(number)
