"""Google's CEL library, as far as it can be trusted: environments, safe calls and values that come back.

The binding is young. Kept from it are texts that its C++ side cuts short or cannot hold, work without end
(`cost`), and nulls and optionals inside a result, whose conversion to Python corrupts memory: results are
walked value by value, and Python functions are given no value that can hold an optional.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, Final

from cel_expr_python import cel

from workshop.kyverno.cel.declarations import PROFILES, Functions
from workshop.kyverno.cel.tokens import CelSyntaxError
from workshop.kyverno.outcome import Beyond, KyvernoError, spend

_EVALUATION: Final = "optional bindings encoders math strings lists sets regex two-var-comprehensions"
_CALL: Final = re.compile(r"([\w.]+)\((.*)\) (\S.*)")
_PLACE: Final = re.compile(r"<input>:(-?\d+):(-?\d+): ")
_DRAWING: Final = re.compile(r"\n \|.*|\s*\[[A-Z_]+\]\s*$")
_TOO_MUCH: Final = ("recursion limit", "recursion depth", "Iteration budget", "exceeds")


class CelError(KyvernoError):
    """The expression fails while it is evaluated."""


class Optional:
    """A value that may be absent, as the list of it that an expression can take apart again."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items


def _environment(extensions: str, functions: Iterable[Functions], variables: dict[str, str]) -> str:
    """What an environment declares, in the library's YAML."""
    overloads: dict[str, list[str]] = {}
    for group in functions:
        for receiver, calls in group.items():
            for call in calls.split("; "):
                match = _CALL.fullmatch(call)
                assert match is not None, call  # noqa: S101  (our own data)
                number = sum(map(len, overloads.values()))
                signature = f'signature: "{receiver}{"." * bool(receiver)}{match[1]}({match[2]})"'
                if not receiver and "." in match[1]:
                    # What stands before the point would be taken for a receiver.
                    signature = (
                        f"args: [{', '.join(_argument(kind) for kind in match[2].split(', ') if kind)}]"
                    )
                overloads.setdefault(match[1], []).append(
                    f'  - {{id: o{number}, {signature}, return: "{match[3]}"}}'
                )
    lines = ["extensions:", *(f"- {{name: {name}}}" for name in extensions.split())]
    lines += ["variables:"] if variables else []
    lines += [f'- {{name: {name}, type: "{kind}"}}' for name, kind in variables.items()]
    lines += ["functions:"] if overloads else []
    for name, declared in overloads.items():
        lines += [f"- name: {name}", "  overloads:", *declared]
    return "\n".join(lines)


def _argument(kind: str) -> str:
    name, _, inner = kind.rstrip(">").partition("<")
    return f"{{type_name: {name}, params: [{{type_name: {inner}}}]}}" if inner else f"{{type_name: {name}}}"


@cache
def functions_of(profile: str) -> frozenset[str]:
    """The names of all functions that an environment declares beside the library's own."""
    return names(*PROFILES[profile][1])


def names(*groups: Functions) -> frozenset[str]:
    """The names of declared functions, without receiver or library."""
    calls = (call for group in groups for each in group.values() for call in each.split("; "))
    return frozenset(call.partition("(")[0].rpartition(".")[2] for call in calls)


@lru_cache(maxsize=128)
def _checker(profile: str, variables: tuple[tuple[str, str], ...]) -> cel.Env:
    extensions, functions, declared = PROFILES[profile]
    types = {f"variables.{name}": kind for name, kind in variables}
    text = _environment(extensions, functions, {**declared, **types})
    environment = cel.NewEnv(config=cel.NewEnvConfigFromYaml(text))
    environment.compile("true")  # what is wrong with the environment shows at the first use
    return environment


def check(text: str, profile: str, variables: dict[str, str]) -> str:
    """The type of an expression; raises CelSyntaxError with the first reason why it does not compile."""
    environment = _checker(profile, tuple(variables.items()))
    try:
        return _written(environment.compile(text).return_type().name())
    except RuntimeError as error:
        raise complaint(error) from None


def _written(name: str) -> str:
    """A type as declarations write it: the binding writes those of CEL in capitals."""
    return re.sub(r"\b[A-Z]+\b(?!\.)", lambda word: {"NULL": "null"}.get(word[0], word[0].lower()), name)


def complaint(error: Exception) -> CelSyntaxError | Beyond:
    """What the library says of an expression that it does not take: the first reason, and where."""
    text = str(error)
    if any(part in text for part in _TOO_MUCH):
        return Beyond("too-much-work", "expression nested too deeply, or too many steps")
    first = _DRAWING.sub("", text).removeprefix("INVALID_ARGUMENT: ").split("\nERROR: ")[0]
    place = _PLACE.search(first)
    problem = CelSyntaxError(_PLACE.sub("", first).removeprefix("ERROR: ").replace(" (in container '')", ""))
    problem.place = (int(place[1]), int(place[2])) if place else None
    return problem


@cache
def _evaluator() -> cel.Env:
    from workshop.kyverno.cel.functions import declarations

    configuration = cel.NewEnvConfigFromYaml(_environment(_EVALUATION, (), {}))
    return cel.NewEnv(config=configuration, functions=declarations(cel))


@lru_cache(maxsize=1024)
def _program(text: str) -> cel.Expression:
    return _evaluator().compile(text, disable_check=True)


def run(text: str, data: dict[str, Any]) -> Any:
    """The value of an expression over data; raises CelSyntaxError, CelError or Beyond.

    An optional comes back as `Optional`.
    """
    _evaluator()
    try:
        value = _program(text).eval(data=data)
        if value.type().name() == "ERROR" and repr(value).startswith("optional."):
            return Optional(_plain(_program(f"[?{text}\n]").eval(data=data)))
    except RuntimeError as error:
        raise complaint(error) from None
    return _plain(value)


def _plain(value: Any) -> Any:
    spend()
    kind = value.type().name()
    if kind == "NULL":
        return None
    if kind == "ERROR":
        text = repr(value)
        if text.startswith("optional."):
            raise Beyond("beyond-evaluator", "an optional inside a list or map")
        raise CelError(text.partition(": ")[2] or text)
    if kind in {"UINT", "TYPE", "UNKNOWN"}:
        raise Beyond("beyond-evaluator", f"a value of type {kind.lower()}")
    found = value.value()
    if isinstance(found, list):
        return [_plain(item) for item in found]
    if isinstance(found, dict):
        return {key: _plain(item) for key, item in found.items()}
    return bytes(found) if kind == "BYTES" else found
