"""Functions of Kubernetes and Kyverno that the library lacks, for arguments that cannot hold an optional.

Sources: k8s.io/apiserver/pkg/cel/library, Kyverno's sdk. Quantities and images are carried as bytes in a form
that makes equal ones equal. What policies hardly ever use is left out.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextvars import ContextVar
from fractions import Fraction
from typing import Any, Final

from workshop.kyverno import values
from workshop.kyverno.cel.library import CelError
from workshop.kyverno.outcome import Beyond

_IMAGE: Final = re.compile(
    r"(?P<repository>[a-z0-9_\-./]{2,255})"
    r"(?::(?P<tag>[\w.\-]{1,128}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)
_QUANTITY: Final = b"kubernetes.Quantity "
_REFERENCE: Final = b"kyverno.image "

#: What the evaluation under way gives its functions, and the exceptions they raised.
given: ContextVar[tuple[dict[str, Callable[..., Any]], dict[str, Any]]] = ContextVar("cel_functions")
raised: ContextVar[list[Exception]] = ContextVar("cel_raised")


def quantity(text: str) -> bytes:
    """The quantity a text writes."""
    amount = values.quantity(text)
    if amount is None:
        raise CelError("quantities must match the regular expression of Kubernetes")
    return _packed(amount)


def _packed(amount: Fraction) -> bytes:
    return _QUANTITY + str(amount).encode()


def _amount(packed: Any) -> Fraction:
    if isinstance(packed, int):
        return Fraction(packed)
    if not bytes(packed).startswith(_QUANTITY):
        raise CelError("no such overload")
    return Fraction(bytes(packed)[len(_QUANTITY) :].decode())


def _sign(number: Fraction) -> int:
    return (number > 0) - (number < 0)


def _as_integer(packed: bytes) -> int:
    amount = _amount(packed)
    if amount.denominator != 1 or not -(2**63) <= amount < 2**63:
        raise CelError("cannot convert value to integer")
    return int(amount)


def image(text: str) -> bytes:
    """An image reference with Docker Hub's defaults filled in."""
    head, slash, rest = text.partition("/")
    named = slash and (any(c in head for c in ".:") or head == "localhost")
    registry, remainder = (head, rest) if named else ("", text)
    match = _IMAGE.fullmatch(remainder) if len(text) < 1024 else None
    if match is None:
        raise CelError(f"could not parse reference: {text}")
    registry = "index.docker.io" if registry in {"", "docker.io"} else registry
    repository = match["repository"]
    if registry == "index.docker.io" and "/" not in repository:
        repository = f"library/{repository}"
    digest = match["digest"] or ""
    tag = match["tag"] or ("" if digest else "latest")
    parts = {"registry": registry, "repository": repository, "tag": tag, "digest": digest}
    return _REFERENCE + json.dumps(parts).encode()


def _part(name: str) -> Callable[[bytes], str]:
    def read(packed: bytes) -> str:
        if not bytes(packed).startswith(_REFERENCE):
            raise CelError("no such overload")
        return str(json.loads(bytes(packed)[len(_REFERENCE) :])[name])

    return read


def _identifier(packed: bytes) -> str:
    return "@".join(filter(None, (_part("tag")(packed), _part("digest")(packed))))


def _valid(convert: Callable[[str], object]) -> Callable[[str], bool]:
    def test(text: str) -> bool:
        try:
            convert(text)
        except CelError:
            return False
        return True

    return test


def _service_account(text: str) -> dict[str, str]:
    parts = text.split(":")
    if len(parts) == 4 and parts[:2] == ["system", "serviceaccount"]:
        return {"Namespace": parts[2], "Name": parts[3]}
    return {"Namespace": "", "Name": ""}


def _hash(name: str) -> Callable[[str], str]:
    return lambda text: hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def _cannot_be_told(reason: str, detail: str) -> None:
    raise Beyond(reason, detail)


def _fails(number: int) -> None:
    raise raised.get()[number]


def _registry(name: str) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        known, attestors = given.get()
        if name not in known:
            raise Beyond("needs-registry", name)
        *texts, names = arguments
        return known[name](*texts, [attestors[each] for each in names.split("\n") if each in attestors])

    return call


def _of_one_type(function: Callable[[list[Any]], Any], *, empty: Any = None) -> Callable[[list[Any]], Any]:
    """What Kubernetes' functions of lists do with lists of one type; `empty` is what an empty one gives."""

    def call(items: list[Any]) -> Any:
        kinds = {type(item) for item in items}
        if len(kinds) > 1 or not kinds <= {int, float, str, bool} or (not items and empty is None):
            raise CelError("a list of values of one type is expected")
        return function(items) if items else empty

    return call


def _format(template: str, arguments: list[Any]) -> Any:
    """The library's format, where it writes what cel-go writes: texts inside lists are quoted there."""
    from workshop.kyverno.cel.library import run

    if "e" in re.findall(r"%(?:\.\d+)?(\w)", template) or any(isinstance(a, list | dict) for a in arguments):
        raise Beyond("beyond-evaluator", "what cel-go writes for lists, maps and exponents")
    return run("template.format(arguments)", {"template": template, "arguments": arguments})


#: Name, types of the arguments (the receiver's first when it is a method), type of the result, function.
_FUNCTIONS: Final[tuple[tuple[str, str, str, bool, Callable[..., Any]], ...]] = (
    ("quantity", "STRING", "BYTES", False, quantity),
    ("isQuantity", "STRING", "BOOL", False, _valid(quantity)),
    ("sign", "BYTES", "INT", False, lambda a: _sign(_amount(a))),
    ("isGreaterThan", "BYTES BYTES", "BOOL", True, lambda a, b: _amount(a) > _amount(b)),
    ("isLessThan", "BYTES BYTES", "BOOL", True, lambda a, b: _amount(a) < _amount(b)),
    ("compareTo", "BYTES BYTES", "INT", True, lambda a, b: _sign(_amount(a) - _amount(b))),
    ("add", "BYTES BYTES", "BYTES", True, lambda a, b: _packed(_amount(a) + _amount(b))),
    ("add", "BYTES INT", "BYTES", True, lambda a, b: _packed(_amount(a) + b)),
    ("sub", "BYTES BYTES", "BYTES", True, lambda a, b: _packed(_amount(a) - _amount(b))),
    ("sub", "BYTES INT", "BYTES", True, lambda a, b: _packed(_amount(a) - b)),
    ("isInteger", "BYTES", "BOOL", True, lambda a: _amount(a).denominator == 1),
    ("asInteger", "BYTES", "INT", True, _as_integer),
    ("asApproximateFloat", "BYTES", "DOUBLE", True, lambda a: float(_amount(a))),
    ("image", "STRING", "BYTES", False, image),
    ("parseImageReference", "STRING", "BYTES", False, image),
    ("isImage", "STRING", "BOOL", False, _valid(image)),
    *((part, "BYTES", "STRING", True, _part(part)) for part in ("registry", "repository", "tag", "digest")),
    ("containsDigest", "BYTES", "BOOL", True, lambda a: bool(_part("digest")(a))),
    ("identifier", "BYTES", "STRING", True, _identifier),
    ("parseServiceAccount", "STRING", "DYN", False, _service_account),
    ("user.parseServiceAccount", "STRING", "DYN", False, _service_account),
    *(
        (f"{prefix}{name}", "STRING", "STRING", False, _hash(name))
        for prefix in ("", "hash.")
        for name in ("sha1", "sha256", "md5")
    ),
    (
        "jsonpatch.escapeKey",
        "STRING",
        "STRING",
        False,
        lambda text: text.replace("~", "~0").replace("/", "~1"),
    ),
    ("format__", "STRING LIST", "DYN", True, _format),
    ("max", "LIST", "DYN", True, _of_one_type(max)),
    ("min", "LIST", "DYN", True, _of_one_type(min)),
    ("sum", "LIST", "DYN", True, _of_one_type(sum, empty=0)),
    ("isSorted", "LIST", "BOOL", True, _of_one_type(lambda items: items == sorted(items), empty=True)),
    ("verifyImageSignatures", "STRING STRING", "INT", False, _registry("verifyImageSignatures")),
    (
        "verifyAttestationSignatures",
        "STRING STRING STRING",
        "INT",
        False,
        _registry("verifyAttestationSignatures"),
    ),
    ("getImageData", "STRING", "DYN", False, _registry("getImageData")),
    ("extractPayload", "STRING STRING", "DYN", False, _registry("extractPayload")),
    ("unknown__", "STRING STRING", "DYN", False, _cannot_be_told),
    ("fails__", "INT", "DYN", False, _fails),
)
#: Functions that are given a list: what cannot be handed on must not be in it.
OF_LISTS: Final = frozenset(name.rpartition(".")[2] for name, kinds, *_ in _FUNCTIONS if "LIST" in kinds)
NAMES: Final = frozenset(name.rpartition(".")[2] for name, *_ in _FUNCTIONS)


def declarations(cel: Any) -> list[Any]:
    """The functions as the library takes them."""
    overloads: dict[str, list[Any]] = {}
    for name, kinds, result, member, function in _FUNCTIONS:
        parameters = [getattr(cel.Type, kind) for kind in kinds.split()]
        overloads.setdefault(name, []).append(
            cel.Overload(
                f"{name}_{len(overloads.get(name, []))}",
                getattr(cel.Type, result),
                parameters,
                member,
                _remembered(function),
            )
        )
    return [cel.FunctionDecl(name, found) for name, found in overloads.items()]


def _remembered(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, its exceptions kept: the library passes on no more than their text."""

    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:
            raised.get().append(error)
            raise

    return call
