"""What an expression asks of the world: its selectors, seen through the recording rules it refers to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Expr,
    Matcher,
    MatchOp,
    MatrixSelector,
    SubqueryExpr,
    VectorSelector,
)

from workshop.promql.evaluation import Recorded
from workshop.promql.matching import accepts_value, is_positive
from workshop.promql.syntax import Beyond, metric_name, walk

_MAX_NODES: Final = 2_000
_PAYMENT: Final = re.compile(r"pay|paie", re.IGNORECASE)
# Whoever else runs beside the payment-service; a selector that accepts them is not about it alone.
_OTHERS: Final = ("", "frontend-app", "backend-api", "frontend-app-7d9f8c-x2x4z", "backend", "default")
# Labels whose value is a service's own name, whoever scrapes it.
_NAMING: Final = frozenset({"app", "service", "deployment", "app_kubernetes_io_name"})
_PIECE: Final = re.compile(r"[|()]+")


class Window(NamedTuple):
    """A range of an expression and how far it is shifted, in seconds."""

    seconds: float
    offset: float


class Demand(NamedTuple):
    """Everything an expression reads, recording rules of the same file followed."""

    nodes: tuple[Expr, ...]
    references: tuple[VectorSelector, ...] = ()
    strangers: tuple[VectorSelector, ...] = ()

    @classmethod
    def of(cls, expr: Expr, recorded: Mapping[str, Sequence[Recorded]]) -> Demand:
        """Gather the nodes. Raises Beyond for a reference to a recording rule that is not there."""
        nodes: list[Expr] = []
        pending, followed = [expr], set[str]()
        while pending:
            for node in walk(pending.pop()):
                nodes.append(node)
                if len(nodes) > _MAX_NODES:
                    raise Beyond("an expression of this size")
                if not isinstance(node, VectorSelector):
                    continue
                name = metric_name(node) or ""
                if name in recorded and name not in followed:
                    followed.add(name)
                    pending.extend(rule.expr for rule in recorded[name])
        return cls(
            tuple(node for node in nodes if not _refers(node, followed)),
            tuple(node for node in nodes if isinstance(node, VectorSelector) and _refers(node, followed)),
            tuple(_strangers(expr, recorded)),
        )

    @property
    def selectors(self) -> list[VectorSelector]:
        """Return the selectors of series that come from outside the rules."""
        return [node for node in self.nodes if isinstance(node, VectorSelector)]

    @property
    def metrics(self) -> list[str]:
        """Return the names of the metrics, each once. Raises Beyond where a selector names none."""
        names: dict[str, None] = {}
        for selector in self.selectors:
            name = metric_name(selector)
            if name is None:
                raise Beyond("a selector without one metric's name")
            if ":" in name:
                raise Beyond(name)
            names[name] = None
        return list(names)

    def matchers(self, label: str) -> list[list[Matcher]]:
        """Return, selector by selector, its matchers on a label.

        A reference to a recording rule counts where it filters what was recorded.
        """
        filtering = [each for each in self.references if each.matchers.matchers]
        return [
            [matcher for matcher in selector.matchers.matchers if matcher.name == label]
            for selector in (*self.selectors, *filtering)
        ]

    @property
    def matched_labels(self) -> list[str]:
        """Return the labels that some selector looks at, `__name__` aside."""
        selectors = (*self.selectors, *self.references)
        found = {matcher.name for each in selectors for matcher in each.matchers.matchers}
        return sorted(found - {"__name__"})

    @property
    def mentioned_labels(self) -> list[str]:
        """Return the labels that selectors, groupings and vector matching mention."""
        found = set(self.matched_labels)
        for node in self.nodes:
            if isinstance(node, AggregateExpr) and node.modifier is not None:
                found.update(node.modifier.labels)
            elif isinstance(node, BinaryExpr) and node.modifier is not None:
                found.update(node.modifier.group_labels or [])
                if node.modifier.matching is not None:
                    found.update(node.modifier.matching.labels)
        return sorted(found - {"__name__"})

    @property
    def windows(self) -> list[Window]:
        """Return the ranges of series (not those of subqueries), each once."""
        found: dict[Window, None] = {}
        recorded = {metric_name(each) for each in self.references}
        for node in self.nodes:
            # What was recorded has been through its own window already.
            if isinstance(node, MatrixSelector) and metric_name(node.vector_selector) not in recorded:
                offset = node.vector_selector.offset
                found[Window(node.range.total_seconds(), offset.total_seconds() if offset else 0.0)] = None
        return list(found)

    @property
    def has_subquery(self) -> bool:
        """Whether an expression is itself looked at over a range."""
        return any(isinstance(node, SubqueryExpr) for node in self.nodes)

    @property
    def joins(self) -> bool:
        """Whether series are matched with others by chosen labels, which may restrict them."""
        return any(
            isinstance(node, BinaryExpr)
            and node.modifier is not None
            and (node.modifier.matching is not None or str(node.op) in ("and", "unless"))
            for node in self.nodes
        )

    def beyond_payment(self) -> list[VectorSelector]:
        """Return the selectors that also accept the series of other services.

        A selector is about the payment-service when its metric's name says so, or when one of its labels
        accepts a name of it and none of another service – its own labels, or those by which a recording
        rule that reads it is filtered.
        """
        return list(self.strangers)


def names_another_service(tree: Expr) -> str | None:
    """Return a selector that names another service outright (`app="frontend"`), None without one."""
    for node in walk(tree):
        if isinstance(node, VectorSelector) and not _about_payment(node):
            for matcher in node.matchers.matchers:
                if matcher.op == MatchOp.Equal and matcher.name in _NAMING and matcher.value:
                    return str(node)
    return None


def _refers(node: Expr, followed: set[str]) -> bool:
    return isinstance(node, VectorSelector) and metric_name(node) in followed


def _strangers(expr: Expr, recorded: Mapping[str, Sequence[Recorded]]) -> list[VectorSelector]:
    """Return the selectors that accept other services' series, and that no filter of a recording helps."""
    found: list[VectorSelector] = []
    pending, followed = [expr], set[int]()
    while pending:
        for node in walk(pending.pop()):
            if not isinstance(node, VectorSelector):
                continue
            rules = recorded.get(metric_name(node) or "")
            if rules is None:
                if not _about_payment(node):
                    found.append(node)
                continue
            for rule in rules:
                # A label the rule itself puts on says nothing about what it read.
                if id(rule) not in followed and not _names_payment(node, besides=rule.labels):
                    followed.add(id(rule))
                    pending.append(rule.expr)
    return found


def _about_payment(selector: VectorSelector) -> bool:
    return bool(_PAYMENT.search(metric_name(selector) or "")) or _names_payment(selector)


def _names_payment(selector: VectorSelector, *, besides: Collection[str] = ()) -> bool:
    return any(
        is_positive(matcher)
        and matcher.name != "__name__"
        and matcher.name not in besides
        and _PAYMENT.search(matcher.value)
        and not any(accepts_value(matcher, other) for other in _OTHERS)
        and not _names_another(matcher)
        for matcher in selector.matchers.matchers
    )


def _names_another(matcher: Matcher) -> bool:
    """Whether an alternative of a pattern is about something else: `payment-service|frontend-app`."""
    if matcher.op == MatchOp.Equal:
        return False
    if "(" in matcher.value:
        return False  # alternatives inside a group share what stands around it
    return not all(_PAYMENT.search(piece) for piece in matcher.value.split("|"))


def satisfying(groups: Iterable[Sequence[Matcher]], ideas: Sequence[str]) -> list[str]:
    """Return values of a label that the selectors accept: one for all of them, else one for each.

    `ideas` are tried before what the patterns themselves suggest. Raises Beyond when none is found.
    """
    constrained = [group for group in groups if group]
    candidates = [*ideas, *_suggested(matcher for group in constrained for matcher in group)]
    fits = [[value for value in candidates if _accepted(group, value)] for group in constrained]
    if not all(fits):
        raise Beyond("a label whose value cannot be guessed")
    shared = [value for value in candidates if all(value in each for each in fits)]
    return shared[:1] if shared else list(dict.fromkeys(each[0] for each in fits))


def _accepted(group: Sequence[Matcher], value: str) -> bool:
    return all(accepts_value(matcher, value) for matcher in group)


def _suggested(matchers: Iterable[Matcher]) -> Iterator[str]:
    for matcher in matchers:
        if matcher.op in (MatchOp.Equal, MatchOp.NotEqual):
            if matcher.op == MatchOp.Equal:
                yield matcher.value
            continue
        bare = re.sub(r"\\(.)", r"\1", matcher.value)
        for text in (bare, *_PIECE.split(bare), *(re.sub(r"[|()].*", "", bare) for _ in "1")):
            plain = re.sub(r"\[[^\]]*\]|\\d|\\w", "1", text.strip("^$"))
            for filler in ("", "x", "1"):
                yield re.sub(r"\.[*+?]?|[*+?]|\{[^}]*\}", filler, plain)
