"""Evaluation of CEL expressions, step by counted step.

`&&`, `||`, `all` and `exists` absorb an error – or something only a cluster knows – when the rest decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from workshop.kyverno import cel_functions
from workshop.kyverno import cel_values as v
from workshop.kyverno.cel_names import declared
from workshop.kyverno.cel_syntax import Node, dotted, parse
from workshop.kyverno.cel_values import CelError, Optional, Quantity, Struct, UInt
from workshop.kyverno.outcome import Beyond, KyvernoError, spend
from workshop.kyverno.values import is_number


class Lazy:
    """A namespace whose members are computed on first use: ``variables``."""

    def __init__(self, compute: dict[str, Callable[[], Any]]) -> None:
        self.compute = compute
        self.known: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        """The member, or CelError when there is none."""
        if name not in self.known:
            if name not in self.compute:
                raise CelError(f"no such key: {name}")
            compute = self.compute[name]
            self.compute = {key: value for key, value in self.compute.items() if key != name}
            self.known[name] = compute()
        return self.known[name]


class Unknown:
    """Data that exists in a real request only; using it is `Beyond`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def evaluate(source: str, scope: dict[str, Any]) -> Any:
    """The value of an expression; raises CelSyntaxError, CelError or Beyond.

    The scope holds its variables by name, and functions that stand in for those of a cluster or registry.
    """
    return _Evaluator().run(parse(source), scope)


class _Evaluator:
    """Walks a syntax tree; the scope holds the variables and what macros bind."""

    def run(self, node: Node, scope: dict[str, Any]) -> Any:
        spend()
        result = getattr(self, f"on_{node.kind}")(node, scope)
        if isinstance(result, Unknown):
            raise Beyond(result.reason, f"{dotted(node) or 'a value'} is known to the API server only")
        return result

    def on_literal(self, node: Node, _scope: dict[str, Any]) -> Any:
        return node.value

    def on_name(self, node: Node, scope: dict[str, Any]) -> Any:
        if node.value in scope:
            return scope[node.value]
        if node.value in {
            "bool",
            "int",
            "uint",
            "double",
            "string",
            "bytes",
            "list",
            "map",
            "null_type",
            "type",
        }:
            return v.TypeName(node.value)
        if node.value in cel_functions.ELSEWHERE:
            raise Beyond(cel_functions.ELSEWHERE[node.value], node.value)
        raise CelError(f"undeclared reference to '{node.value}'")

    def on_ternary(self, node: Node, scope: dict[str, Any]) -> Any:
        condition, yes, no = node.parts
        answer = self.run(condition, scope)
        if not isinstance(answer, bool):
            raise v.no_overload("?:", answer)
        return self.run(yes if answer else no, scope)

    def on_unary(self, node: Node, scope: dict[str, Any]) -> Any:
        value = self.run(node.parts[0], scope)
        if node.value == "!" and isinstance(value, bool):
            return not value
        if node.value == "-" and is_number(value) and not isinstance(value, UInt):
            return -value if isinstance(value, float) else v.checked(-value)
        raise v.no_overload(node.value, value)

    def on_binary(self, node: Node, scope: dict[str, Any]) -> Any:
        left, right = node.parts
        if node.value in {"&&", "||"}:
            parts = (partial(self.run, part, scope) for part in (left, right))
            return _decide(parts, decisive=node.value == "||")
        a, b = self.run(left, scope), self.run(right, scope)
        if node.value in {"==", "!="}:
            return v.equal(a, b) == (node.value == "==")
        if node.value == "in":
            if isinstance(b, dict):
                return isinstance(a, str | int | float) and a in b
            if isinstance(b, list):
                return any(v.equal(a, item) for item in b)
            raise v.no_overload("in", a, b)
        if node.value in {"<", "<=", ">", ">="}:
            order = v.compare(a, b)
            return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[node.value]
        return _arithmetic(node.value, a, b)

    def on_select(self, node: Node, scope: dict[str, Any]) -> Any:
        operand, optional = node.parts
        value = self.run(operand, scope)
        if optional or isinstance(value, Optional):
            return _optional_get(value, node.value)
        return _get(value, node.value)

    def on_index(self, node: Node, scope: dict[str, Any]) -> Any:
        operand, index, optional = node.parts
        value, key = self.run(operand, scope), self.run(index, scope)
        if optional or isinstance(value, Optional):
            return _optional_get(value, key)
        return _get(value, key)

    def on_list(self, node: Node, scope: dict[str, Any]) -> list[Any]:
        found = []
        for optional, part in node.parts:
            value = self.run(part, scope)
            if not optional:
                found.append(value)
            elif isinstance(value, Optional) and value.present:
                found.append(value.value)
        return found

    def on_map(self, node: Node, scope: dict[str, Any]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for optional, key_node, part in node.parts:
            key, value = self.run(key_node, scope), self.run(part, scope)
            if not isinstance(key, str | int | float):
                raise CelError(f"unsupported key type: {v.type_of(key)}")
            if key in found:
                raise CelError(f"repeated key: {key}")
            if not optional:
                found[key] = value
            elif isinstance(value, Optional) and value.present:
                found[key] = value.value
        return found

    def on_struct(self, node: Node, scope: dict[str, Any]) -> Struct:
        fields: dict[str, Any] = {}
        for optional, key, part in node.parts:
            value = self.run(part, scope)
            if not optional:
                fields[key] = value
            elif isinstance(value, Optional) and value.present:
                fields[key] = value.value
        return Struct(node.value, fields)

    def on_call(self, node: Node, scope: dict[str, Any]) -> Any:
        target, arguments = node.parts
        macro = getattr(self, f"macro_{node.value}", None)
        if macro and len(arguments) in _MACROS[node.value] and (target is None) == (node.value == "has"):
            return macro(target, arguments, scope)
        if target is None:
            return self.function(node.value, arguments, scope)
        library = dotted(target)
        head = (library or "").split(".")[0]
        if library is not None and head not in scope:
            qualified = f"{library}.{node.value}"
            if qualified in cel_functions.GLOBAL:
                return self.function(qualified, arguments, scope)
            if head in cel_functions.ELSEWHERE:
                raise Beyond(cel_functions.ELSEWHERE[head], qualified)
            if head in cel_functions.LIBRARIES:
                raise Beyond("beyond-evaluator", f"function {qualified}")
        if node.value in cel_functions.REGISTRY_CALLS:
            raise Beyond("needs-registry", node.value)
        receiver = self.run(target, scope)
        if node.value == "orValue" and len(arguments) == 1:
            if not isinstance(receiver, Optional):
                return receiver
            return receiver.value if receiver.present else self.run(arguments[0], scope)
        found = tuple(self.run(argument, scope) for argument in arguments)
        if node.value not in cel_functions.METHODS:
            raise self.unknown_function(node.value)
        kinds, function = cel_functions.METHODS[node.value]
        if not isinstance(receiver, kinds):
            raise v.no_overload(node.value, receiver, *found)
        return cel_functions.call(node.value, function, (receiver, *found))

    def function(self, name: str, arguments: tuple[Node, ...], scope: dict[str, Any]) -> Any:
        given = scope.get(name)
        if callable(given):
            return cel_functions.call(name, given, tuple(self.run(each, scope) for each in arguments))
        if name in cel_functions.REGISTRY_CALLS:
            raise Beyond("needs-registry", name)
        if name not in cel_functions.GLOBAL:
            raise self.unknown_function(name)
        found = tuple(self.run(argument, scope) for argument in arguments)
        return cel_functions.call(name.rsplit(".", 1)[-1], cel_functions.GLOBAL[name], found)

    @staticmethod
    def unknown_function(name: str) -> Exception:
        """What to raise for a function that is not known here: the engine may know it, or nobody does."""
        if declared(name) or "." in name:
            return Beyond("beyond-evaluator", f"function {name}")
        return CelError(f"undeclared reference to '{name}'")

    def macro_has(self, _: Node | None, arguments: tuple[Node, ...], scope: dict[str, Any]) -> bool:
        subject = arguments[0]
        if subject.kind != "select":
            raise CelError("invalid argument to has() macro")
        value = self.run(subject.parts[0], scope)
        if isinstance(value, Optional) or subject.parts[1]:
            return _optional_get(value, subject.value).present
        if isinstance(value, dict):
            return subject.value in value
        if isinstance(value, Lazy):
            return subject.value in value.compute or subject.value in value.known
        if isinstance(value, Struct):
            return subject.value in value.fields
        if isinstance(value, list):
            raise v.no_overload("has", value)
        return False

    def each(self, target: Node, name: Node, scope: dict[str, Any]) -> Iterable[tuple[Any, dict[str, Any]]]:
        """The elements of the target, each with the scope in which its name is bound."""
        if name.kind != "name":
            raise CelError("argument must be a simple name")
        value = self.run(target, scope)
        if not isinstance(value, list | dict):
            raise v.no_overload("comprehension", value)
        return ((item, {**scope, name.value: item}) for item in list(value))

    def macro_all(self, target: Node, arguments: tuple[Node, ...], scope: dict[str, Any]) -> bool:
        pairs = self.each(target, arguments[0], scope)
        return _decide((partial(self.run, arguments[1], inner) for _, inner in pairs), decisive=False)

    def macro_exists(self, target: Node, arguments: tuple[Node, ...], scope: dict[str, Any]) -> bool:
        pairs = self.each(target, arguments[0], scope)
        return _decide((partial(self.run, arguments[1], inner) for _, inner in pairs), decisive=True)

    def macro_exists_one(self, target: Node, arguments: tuple[Node, ...], scope: dict[str, Any]) -> bool:
        return (
            sum(self.truth(arguments[1], inner) for _, inner in self.each(target, arguments[0], scope)) == 1
        )

    macro_existsOne = macro_exists_one  # noqa: N815  (CEL's own spelling)

    def truth(self, node: Node, scope: dict[str, Any]) -> bool:
        answer = self.run(node, scope)
        if not isinstance(answer, bool):
            raise v.no_overload("condition", answer)
        return answer

    def macro_filter(self, target: Node, arguments: tuple[Node, ...], scope: dict[str, Any]) -> list[Any]:
        return [
            item for item, inner in self.each(target, arguments[0], scope) if self.truth(arguments[1], inner)
        ]

    def macro_map(self, target: Node, arguments: tuple[Node, ...], scope: dict[str, Any]) -> list[Any]:
        pairs = self.each(target, arguments[0], scope)
        if len(arguments) == 3:
            return [self.run(arguments[2], inner) for _, inner in pairs if self.truth(arguments[1], inner)]
        return [self.run(arguments[1], inner) for _, inner in pairs]

    def macro_bind(self, target: Node, arguments: tuple[Node, ...], scope: dict[str, Any]) -> Any:
        if dotted(target) != "cel" or arguments[0].kind != "name":
            raise CelError("undeclared reference to 'bind'")
        return self.run(arguments[2], {**scope, arguments[0].value: self.run(arguments[1], scope)})

    def macro_optMap(self, target: Node, arguments: tuple[Node, ...], scope: dict[str, Any]) -> Any:  # noqa: N802  (CEL's own spelling)
        value = self.run(target, scope)
        if not isinstance(value, Optional) or arguments[0].kind != "name":
            raise v.no_overload("optMap", value)
        if not value.present:
            return v.NONE
        return Optional(True, self.run(arguments[1], {**scope, arguments[0].value: value.value}))

    def macro_optFlatMap(self, target: Node, arguments: tuple[Node, ...], scope: dict[str, Any]) -> Any:  # noqa: N802  (CEL's own spelling)
        found = self.macro_optMap(target, arguments, scope)
        return found.value if found.present else found


_MACROS = {
    "has": {1},
    "all": {2},
    "exists": {2},
    "exists_one": {2},
    "existsOne": {2},
    "filter": {2},
    "map": {2, 3},
    "bind": {3},
    "optMap": {2},
    "optFlatMap": {2},
}


def _decide(parts: Iterable[Callable[[], Any]], *, decisive: bool) -> bool:
    """True if the decisive value is among the parts; errors count only when it is not."""
    failure: Exception | None = None
    for part in parts:
        try:
            answer = part()
            if not isinstance(answer, bool):
                raise v.no_overload("logic", answer)
            if answer is decisive:
                return decisive
        except (KyvernoError, Beyond) as error:
            if isinstance(error, Beyond) and error.reason == "too-much-work":
                raise
            failure = failure if isinstance(failure, Beyond) else error
    if failure is not None:
        raise failure
    return not decisive


def _get(value: Any, key: Any) -> Any:
    if isinstance(value, Unknown):
        raise Beyond(value.reason, f"{key} is known to the API server only")
    if isinstance(value, dict):
        if isinstance(key, str | int | float) and key in value:
            return value[key]
        raise CelError(f"no such key: {key}")
    if isinstance(value, Lazy):
        return value.get(key)
    if isinstance(value, Struct) and key in value.fields:
        return value.fields[key]
    if isinstance(value, list) and is_number(key):
        if key == int(key) and 0 <= key < len(value):
            return value[int(key)]
        raise CelError(f"index out of bounds: {key}")
    raise v.no_overload("select", value, key)


def _optional_get(value: Any, key: Any) -> Optional:
    if isinstance(value, Optional):
        return _optional_get(value.value, key) if value.present else v.NONE
    if value is None or isinstance(value, bool | str | int | float):
        return v.NONE
    if isinstance(value, dict) and not (isinstance(key, str | int | float) and key in value):
        return v.NONE
    if isinstance(value, list) and is_number(key) and not 0 <= key < len(value):
        return v.NONE
    return Optional(True, _get(value, key))


def _arithmetic(operator: str, a: Any, b: Any) -> Any:
    if operator == "+" and type(a) is type(b) and isinstance(a, str | bytes | list):
        spend(len(a) + len(b))
        return a + b
    if isinstance(a, timedelta | datetime) or isinstance(b, timedelta | datetime):
        if operator in {"+", "-"}:
            return cel_functions.call(operator, lambda: a + b if operator == "+" else a - b, ())
    elif isinstance(a, float) and isinstance(b, float) and operator != "%":
        if operator == "/" and b == 0:
            return float("nan") if a == 0 else float("inf") if a > 0 else float("-inf")
        return {"+": a.__add__, "-": a.__sub__, "*": a.__mul__, "/": a.__truediv__}[operator](b)
    elif is_number(a) and type(a) is type(b) and isinstance(a, int):
        if operator in {"/", "%"} and b == 0:
            raise CelError("division by zero" if operator == "/" else "modulus by zero")
        x, y = int(a), int(b)
        quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1) if operator in {"/", "%"} else 0
        number = {"+": x + y, "-": x - y, "*": x * y, "/": quotient, "%": x - quotient * y}[operator]
        return v.checked(number, unsigned=isinstance(a, UInt))
    raise v.no_overload(operator, a, b)


def to_json(value: Any) -> Any:
    """A value as a patch writes it; raises CelError for what JSON cannot hold."""
    if isinstance(value, Struct):
        return {key: to_json(item) for key, item in value.fields.items()}
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, bool | str | float):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Quantity):
        from workshop.kyverno.values import format_quantity

        return format_quantity(value.amount, value.binary)
    raise CelError(f"a {v.type_of(value)} has no JSON form")
