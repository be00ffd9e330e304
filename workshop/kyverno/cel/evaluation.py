"""The value of an expression: what it sees, variables on first use, and what nobody here can know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from workshop.kyverno.cel import cost, functions, library
from workshop.kyverno.cel.declarations import STRINGS
from workshop.kyverno.cel.library import CelError, Optional
from workshop.kyverno.cel.or_value import depends_on_its_argument, with_plain_receivers
from workshop.kyverno.cel.source import Path, Prepared, prepared
from workshop.kyverno.cel.tokens import storable, tokens
from workshop.kyverno.outcome import Beyond, KyvernoError

#: Libraries that ask the cluster, a registry or the network.
_ELSEWHERE: Final = {
    "resource": "needs-cluster",
    "globalContext": "needs-cluster",
    "authorizer": "needs-cluster",
    "http": "needs-network",
    "image": "needs-registry",
}
#: Declared by Kubernetes or Kyverno, and neither the library's nor written here.
_UNWRITTEN: Final = (
    frozenset().union(*map(library.functions_of, ("native", "validating", "images")))
    - library.names(STRINGS)
    - functions.NAMES
) | {"transformMap", "transformMapEntry", "round"}
#: What makes optionals: a function of ours that is given a list must not meet one.
_OPTIONAL: Final = frozenset(["?", ".?", "optional", "optMap", "optFlatMap", "first", "last", "extract"])
#: Where the library fails and cel-go finds nothing: has() and .? on null or on a plain value.
_STRICTER: Final = ("SELECT to non-message type", "_?._", "_[?_]")
#: What the library's own overloads do not take, and cel-go's do.
_OTHER_RECEIVERS: Final = ("(list).indexOf", "(list).lastIndexOf", "error from 'string' to 'bool'")


@dataclass
class Scope:
    """What the expressions of a policy see for one request.

    `unknown`: paths whose value exists in a real request only, each with the reason. `variables`: expressions
    by name. `functions` stand in for those of a registry; they are given `attestors` for their names.
    `eager`: orValue evaluates its argument even where it is not needed.
    """

    values: dict[str, Any]
    unknown: dict[tuple[str, ...], str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)
    attestors: dict[str, Any] | None = None
    eager: bool = False
    _known: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # That something is there is known, and has() asks for no more.
        for path in self.unknown:
            holder = self.values
            for name in path[:-1]:
                holder = holder[name]
            holder[path[-1]] = {}

    def variable(self, name: str) -> Any:
        """The value of a variable, or the exception that evaluating it raised."""
        if name not in self._known:
            self._known[name] = CelError(f"no such key: {name}")
            if name in self.variables:
                try:
                    self._known[name] = evaluate(self.variables[name], self)
                except (KyvernoError, Beyond) as error:
                    self._known[name] = error
        return self._known[name]


def evaluate(source: str, scope: Scope) -> Any:
    """The value of an expression; raises CelSyntaxError, CelError or Beyond."""
    context, outer = functions.given.set((scope.functions, scope.attestors or {})), functions.raised.set([])
    try:
        return _Evaluation(source, scope).value()
    finally:
        functions.given.reset(context)
        functions.raised.reset(outer)


class _Evaluation:
    def __init__(self, source: str, scope: Scope) -> None:
        self.source = source
        self.scope = scope
        self.data: dict[str, Any] = {}
        self.variables: dict[str, Any] = {}
        self.raised: list[Exception] = []
        self.optionals = False

    def value(self) -> Any:
        found = tokens(self.source)
        text = prepared(self.source, self.stands_for, checking=False)
        optionals = self.optionals or any(token.text in _OPTIONAL for token in found)
        if "format" in text.calls and not optionals:
            text = prepared(self.source, self.stands_for, checking=False, replaced=frozenset(["format"]))
        if self.variables:
            self.data["variables"] = self.variables
        cost.bounded(found, self.data)
        if "duration" in text.calls and text.calls & {"string", "getMilliseconds"}:
            raise Beyond("beyond-evaluator", "a duration is written, and split, another way by cel-go")
        if optionals and text.calls & functions.OF_LISTS:
            raise Beyond("beyond-evaluator", "an optional where a function takes a list")
        functions.raised.get().extend(self.raised)
        data = storable(self.data)
        written = text.text
        if self.scope.eager and "orValue" in text.calls and depends_on_its_argument(written):
            written = with_plain_receivers(written, eager=True)
        try:
            try:
                return library.run(written, data)
            except CelError as error:
                if not str(error).endswith(": orValue"):
                    raise
                return library.run(with_plain_receivers(written, eager=False), data)
        except CelError as error:
            self.explain(error, text, optionals=optionals)
            raise

    def explain(self, error: CelError, text: Prepared, *, optionals: bool) -> None:
        """Raise what the library's error stands for: something unknown, or a variable's own error."""
        met = functions.raised.get()
        for problem in met:
            if isinstance(problem, Beyond):
                raise problem
        if text.calls & _UNWRITTEN:
            raise Beyond("beyond-evaluator", f"function {min(text.calls & _UNWRITTEN)}") from error
        if any(part in str(error) for part in _STRICTER) and (optionals or "has" in text.calls):
            raise Beyond("beyond-evaluator", "a field of something that has none") from error
        if any(part in str(error) for part in _OTHER_RECEIVERS):
            raise Beyond("beyond-evaluator", str(error)) from error

    def stands_for(self, path: Path) -> str | None:
        head = path.head
        if head == "variables":
            return self.variable(path)
        if head in _ELSEWHERE and head not in self.scope.values:
            return f"unknown__('{_ELSEWHERE[head]}', '{'.'.join((head, *path.fields))}')"
        if head == "attestors" and self.scope.attestors is not None:
            if len(path.fields) > 1:
                raise Beyond("beyond-evaluator", "a field of an attestor")
            self.data[head] = {name: name for name in self.scope.attestors}
        if head not in self.scope.values:
            return None
        for unknown, reason in self.scope.unknown.items():
            if unknown[0] == head and self.meets(path, unknown[1:]):
                return f"unknown__('{reason}', '{'.'.join(unknown)}')"
        value = self.scope.values[head]
        self.data[head] = value
        # To cel-go null has no fields; to the library asking for one is an error.
        return "{}" if value is None and (path.fields or path.after in {".?", "["}) else None

    def variable(self, path: Path) -> str | None:
        if not path.fields:
            raise Beyond("beyond-evaluator", "variables as a whole")
        name = path.fields[0]
        value = self.scope.variable(name)
        if isinstance(value, Exception):
            self.raised.append(value)
            return f"fails__({len(self.raised) - 1})"
        optional = isinstance(value, Optional)
        self.optionals |= optional
        self.variables[name] = value.items if optional else value
        return "variables?" if optional and not (path.presence and len(path.fields) == 1) else None

    @staticmethod
    def meets(path: Path, unknown: tuple[str, ...]) -> bool:
        """Does a path read something unknown? That something is there, is known."""
        fields = path.fields[:-1] if path.presence else path.fields
        if path.presence and path.fields == unknown[: len(path.fields)]:
            return False
        if fields[: len(unknown)] == unknown:
            return True
        return fields == unknown[: len(fields)] and path.after not in {"==", "!="}
