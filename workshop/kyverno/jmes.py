"""JMESPath as Kyverno speaks it: an absent key is an error, not null. The parser is `jmespath`'s.

Source: github.com/kyverno/go-jmespath. The functions are in `functions`. Loaded only when a policy has
expressions.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jmespath import exceptions, parser, visitor

from workshop.kyverno.functions import KyvernoFunctions
from workshop.kyverno.outcome import Beyond, KyvernoError, NotFoundError, spend
from workshop.kyverno.values import is_number, same


class Partial(dict[str, Any]):
    """A mapping of which some keys exist in a real request, but cannot be known here."""

    def __init__(self, known: dict[str, Any], unknowable: dict[str, str]) -> None:
        super().__init__(known)
        self.unknowable = unknowable

    def clone(self) -> Partial:
        """A shallow copy."""
        return Partial(self, self.unknowable)


class _Quiet(visitor._Expression):  # type: ignore[misc]
    """An ``&expression`` argument; an absent key inside it is null."""

    def visit(self, node: Any, value: Any) -> Any:
        return self.interpreter.quiet(node, value)


class _Interpreter(visitor.TreeInterpreter):  # type: ignore[misc]
    """Kyverno's evaluation rules where they differ from the standard ones."""

    def visit(self, node: Any, value: Any) -> Any:
        spend()
        return super().visit(node, value)

    def quiet(self, node: Any, value: Any) -> Any:
        """Evaluate, an absent key being null."""
        try:
            return self.visit(node, value)
        except NotFoundError:
            return None

    def visit_field(self, node: Any, value: Any) -> Any:
        if not isinstance(value, dict):
            return None
        key = node["value"]
        if key in value:
            return value[key]
        if isinstance(value, Partial) and key in value.unknowable:
            raise Beyond(value.unknowable[key], f"{key} is known to the API server only")
        raise NotFoundError(f'Unknown key "{key}" in path')

    def visit_comparator(self, node: Any, value: Any) -> Any:
        left, right = (self.quiet(child, value) for child in node["children"])
        if node["value"] in {"eq", "ne"}:
            return same(left, right) == (node["value"] == "eq")
        if is_number(left) and is_number(right):
            return self.COMPARATOR_FUNC[node["value"]](left, right)
        return None

    def visit_expref(self, node: Any, value: Any) -> Any:  # noqa: ARG002  (a visitor's signature)
        return _Quiet(node["children"][0], self)

    def visit_function_expression(self, node: Any, value: Any) -> Any:
        arguments = [self.quiet(child, value) for child in node["children"]]
        spend(sum(len(argument) for argument in arguments if isinstance(argument, str | list | dict)))
        return self._functions.call_function(node["value"], arguments)

    def _base(self, node: Any, value: Any) -> Any:
        try:
            return self.visit(node, value)
        except (KyvernoError, exceptions.JMESPathError):
            return None

    def _project(self, node: Any, elements: Any) -> list[Any]:
        found = (self.quiet(node, element) for element in elements)
        return [item for item in found if item is not None]

    def visit_filter_projection(self, node: Any, value: Any) -> Any:
        base = self._base(node["children"][0], value)
        if not isinstance(base, list):
            return None
        kept = (item for item in base if not self._is_false(self.quiet(node["children"][2], item)))
        return self._project(node["children"][1], kept)

    def visit_flatten(self, node: Any, value: Any) -> Any:
        base = self._base(node["children"][0], value)
        if not isinstance(base, list):
            return None
        return [item for part in base for item in (part if isinstance(part, list) else [part])]

    def visit_projection(self, node: Any, value: Any) -> Any:
        base = self.quiet(node["children"][0], value)
        return self._project(node["children"][1], base) if isinstance(base, list) else None

    def visit_value_projection(self, node: Any, value: Any) -> Any:
        base = self._base(node["children"][0], value)
        return self._project(node["children"][1], base.values()) if isinstance(base, dict) else None

    def visit_multi_select_dict(self, node: Any, value: Any) -> Any:
        if value is None:
            return None
        return {child["value"]: self.quiet(child, value) for child in node["children"]}

    def visit_multi_select_list(self, node: Any, value: Any) -> Any:
        return None if value is None else [self.quiet(child, value) for child in node["children"]]

    def visit_or_expression(self, node: Any, value: Any) -> Any:
        left = self.quiet(node["children"][0], value)
        return self.quiet(node["children"][1], value) if self._is_false(left) else left

    def visit_and_expression(self, node: Any, value: Any) -> Any:
        left = self.quiet(node["children"][0], value)
        return left if self._is_false(left) else self.visit(node["children"][1], value)

    def visit_not_expression(self, node: Any, value: Any) -> Any:
        return self._is_false(self.quiet(node["children"][0], value))

    def visit_pipe(self, node: Any, value: Any) -> Any:
        for child in node["children"]:
            value = self.quiet(child, value)
        return value


@lru_cache(maxsize=1024)
def _parsed(expression: str) -> Any:
    return parser.Parser().parse(expression).parsed


def search(expression: str, data: object) -> Any:
    """The value of a JMESPath expression; raises KyvernoError (NotFoundError for an absent key) or Beyond."""
    if len(expression) > 10_000:
        raise Beyond("too-much-work", "expression too long")
    spend(len(expression))
    try:
        tree = _parsed(expression)
    except (exceptions.JMESPathError, ValueError) as error:
        raise KyvernoError(f"incorrect query {expression}: {error}") from error
    try:
        return _Interpreter(visitor.Options(custom_functions=KyvernoFunctions())).visit(tree, data)
    except exceptions.JMESPathError as error:
        raise KyvernoError(f"JMESPath query failed: {error}") from error


def check_syntax(expression: str) -> None:
    """Raises KyvernoError for an expression that does not parse."""
    if not expression.strip():
        raise KyvernoError("invalid query (nil)")
    try:
        _parsed(expression.strip())
    except (exceptions.JMESPathError, ValueError) as error:
        raise KyvernoError(f"invalid JMESPath query {expression}: {error}") from error
