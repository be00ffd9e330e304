"""PromQL text to syntax tree, and walking the tree.

The parser is the library `promql-parser`. It recurses natively: what is nested too deeply would end the
process, so expressions beyond any human size are refused before it sees them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

import promql_parser
from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
)

MAX_LENGTH: Final = 8_000
_MAX_OPERATORS: Final = 300
_STRINGS: Final = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`[^`]*`|\#[^\n]*")
_OPERATORS: Final = re.compile(r"[(\[{+\-*/%^<>=!,@]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
# Valid for newer servers than the parser knows.
_NEWER_FUNCTIONS: Final = re.compile(
    r"unknown function with name '(?:info|histogram_(?:avg|stddev|stdvar|quantiles)"
    r"|double_exponential_smoothing|mad_over_time|first_over_time|ts_of_\w+|sort_by_label(?:_desc)?|start|end|range|step)'"
)


class PromQLError(Exception):
    """The text is no PromQL; the message is the parser's own, in English."""


class Beyond(Exception):
    """The expression may be right, but it is more than this reader can follow; `what` names the construct."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@functools.lru_cache(maxsize=256)
def parse(text: str) -> Expr:
    """Return the syntax tree of an expression. Raises PromQLError, or Beyond when it is too large to read."""
    if len(text) > MAX_LENGTH or len(_OPERATORS.findall(_STRINGS.sub("''", text))) > _MAX_OPERATORS:
        raise Beyond("an expression of this size")
    try:
        tree = promql_parser.parse(text)
    except ValueError as error:
        message = " ".join(str(error).split())
        if _NEWER_FUNCTIONS.search(message):
            raise Beyond(message) from error
        raise PromQLError(message[:300]) from error
    for selector in selectors(tree):
        if selector.matchers.or_matchers:
            raise PromQLError("matchers are separated by commas, not by 'or'")
    return tree


def children(node: Expr) -> list[Expr]:
    """Return the direct operands of a node."""
    match node:
        case BinaryExpr():
            return [node.lhs, node.rhs]
        case AggregateExpr():
            return [node.expr] if node.param is None else [node.param, node.expr]
        case Call():
            return list(node.args)
        case UnaryExpr() | ParenExpr() | SubqueryExpr():
            return [node.expr]
        case MatrixSelector():
            return [node.vector_selector]
    return []


def walk(node: Expr) -> Iterator[Expr]:
    """Yield a node and everything below it, operands in the order they are written."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed(children(current)))


def selectors(node: Expr) -> Iterator[VectorSelector]:
    """Yield every selector of series."""
    for each in walk(node):
        if isinstance(each, VectorSelector):
            yield each


def calls(node: Expr, *names: str) -> Iterator[Call]:
    """Yield the calls of these functions."""
    for each in walk(node):
        if isinstance(each, Call) and each.func.name in names:
            yield each


def aggregations(node: Expr, *names: str) -> Iterator[AggregateExpr]:
    """Yield the aggregations with these operators (all of them when none is named)."""
    for each in walk(node):
        if isinstance(each, AggregateExpr) and (not names or str(each.op) in names):
            yield each


def unwrapped(node: Expr) -> Expr:
    """Return the node inside its parentheses."""
    while isinstance(node, ParenExpr):
        node = node.expr
    return node


def metric_name(selector: VectorSelector) -> str | None:
    """Return the metric a selector asks for, None when it does not name exactly one."""
    if selector.name:
        return str(selector.name)
    for matcher in selector.matchers.matchers:
        if matcher.name == "__name__" and matcher.op == promql_parser.MatchOp.Equal:
            return str(matcher.value)
    return None
