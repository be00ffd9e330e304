"""The grammar of CEL with what Kubernetes adds: optional selection (``a.?b``), objects (``Object{…}``).

The installed CEL library parses neither, counts no steps and cannot be interrupted, so expressions of
students are read and evaluated here (`cel_values`, `cel_eval`); it serves as a second opinion in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from workshop.kyverno.outcome import Beyond, KyvernoError

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<bytes>[bB][rR]?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<text>[rR]?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
    |(?P<int>0x[0-9a-fA-F]+[uU]?|\d+[uU]?) |(?P<name>[A-Za-z_]\w*) |(?P<quoted>`[^`\n]+`)
    |(?P<mark>&&|\|\||==|!=|<=|>=|\.\?|\[\?|\{\?|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.DOTALL
)
_PLAIN_ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "`": "`",
    "?": "?",
}
_LEVELS = (("||",), ("&&",), ("<", "<=", ">", ">=", "==", "!=", "in"), ("+", "-"), ("*", "/", "%"))
_LONGEST = 20_000
_DEEPEST = 60
_RESERVED = {"in", "true", "false", "null"}


class CelSyntaxError(KyvernoError):
    """The expression does not parse: Kyverno refuses the policy."""


@dataclass(frozen=True)
class Node:
    """One node: `kind` names it, `value` is its name or literal, `parts` its operands."""

    kind: str
    value: Any = None
    parts: tuple[Any, ...] = ()


def tokens(source: str) -> list[tuple[str, str]]:
    """The tokens as (type, text); raises CelSyntaxError."""
    found, end = [], 0
    while end < len(source):
        match = _TOKEN.match(source, end)
        if match is None:
            raise CelSyntaxError(f"token recognition error at '{source[end : end + 10]}'")
        if match.lastgroup != "space":
            found.append((str(match.lastgroup), match[0]))
        end = match.end()
    return [*found, ("end", "")]


@lru_cache(maxsize=1024)
def parse(source: str) -> Node:
    """The syntax tree of an expression; raises CelSyntaxError."""
    if len(source) > _LONGEST:
        raise Beyond("too-much-work", "expression too long")
    parser = _Parser(tokens(source))
    node = parser.ternary()
    if parser.ahead != ("end", ""):
        raise CelSyntaxError(f"unexpected '{parser.ahead[1]}'")
    return node


class _Parser:
    def __init__(self, found: list[tuple[str, str]]) -> None:
        self.tokens = found
        self.at = 0
        self.depth = 0

    @property
    def ahead(self) -> tuple[str, str]:
        return self.tokens[self.at]

    def take(self, *marks: str) -> str | None:
        """The next token if it is one of `marks`."""
        kind, text = self.ahead
        if text in marks and kind in {"mark", "name"}:
            self.at += 1
            return text
        return None

    def need(self, mark: str) -> None:
        if self.take(mark) is None:
            raise CelSyntaxError(f"expected '{mark}', found '{self.ahead[1] or 'the end'}'")

    def ternary(self) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise Beyond("too-much-work", "expression nested too deeply")
        node = self.binary(0)
        if self.take("?"):
            yes = self.binary(0)
            self.need(":")
            node = Node("ternary", None, (node, yes, self.ternary()))
        self.depth -= 1
        return node

    def binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self.unary()
        node = self.binary(level + 1)
        while operator := self.take(*_LEVELS[level]):
            node = Node("binary", operator, (node, self.binary(level + 1)))
        return node

    def unary(self) -> Node:
        mark = self.ahead[1] if self.ahead[0] == "mark" and self.ahead[1] in {"!", "-"} else ""
        count = 0
        while mark and self.take(mark):
            count += 1
        sign = "-" if mark == "-" and count % 2 else ""
        if mark == "!" and self.ahead == ("mark", "-") and self.tokens[self.at + 1][0] in {"int", "float"}:
            self.need("-")
            sign = "-"
        kind, text = self.ahead
        if sign and kind in {"int", "float"}:
            # The sign belongs to the number: only so is the smallest integer one.
            self.tokens[self.at] = (kind, f"-{text}")
            count = count if mark == "!" else 0
        node = self.member()
        # Signs in pairs cancel each other out before anything is evaluated, as in cel-go.
        return Node("unary", mark, (node,)) if count % 2 else node

    def member(self) -> Node:
        node = self.primary()
        while mark := self.take(".", ".?", "[", "[?"):
            optional = mark.endswith("?")
            if mark[0] == ".":
                name = self.identifier(field=True)
                if self.take("("):
                    node = Node("call", name, (node, self.arguments(")")))
                else:
                    node = Node("select", name, (node, optional))
            else:
                index = self.ternary()
                self.need("]")
                node = Node("index", None, (node, index, optional))
            node = self.struct(node)
        return node

    def struct(self, node: Node) -> Node:
        name = dotted(node)
        if name is None or not name[:1].isupper() or not self.take("{"):
            return node
        entries = []
        while not self.take("}"):
            optional = bool(self.take("?"))
            kind, text = self.ahead
            key = self.literal(kind, text) if kind == "text" else self.identifier(field=True)
            self.at += kind == "text"
            self.need(":")
            entries.append((optional, key, self.ternary()))
            if not self.take(","):
                self.need("}")
                break
        return Node("struct", name, tuple(entries))

    def identifier(self, *, field: bool = False) -> str:
        kind, text = self.ahead
        if kind == "quoted" and field:
            self.at += 1
            return text[1:-1]
        if kind != "name" or text in _RESERVED:
            raise CelSyntaxError(f"expected a name, found '{text or 'the end'}'")
        self.at += 1
        return text

    def arguments(self, closing: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self.take(closing):
            found.append(self.ternary())
            if not self.take(","):
                self.need(closing)
                break
        return tuple(found)

    def primary(self) -> Node:
        kind, text = self.ahead
        if self.take("("):
            node = self.ternary()
            self.need(")")
            return node
        if mark := self.take("[", "[?"):
            return self.sequence(first_optional=mark == "[?")
        if mark := self.take("{", "{?"):
            return self.mapping(first_optional=mark == "{?")
        if kind in {"text", "bytes", "int", "float"}:
            self.at += 1
            return Node("literal", self.literal(kind, text))
        if kind == "name" and text in {"true", "false", "null"}:
            self.at += 1
            return Node("literal", {"true": True, "false": False, "null": None}[text])
        self.take(".")
        name = self.identifier()
        if self.take("("):
            return Node("call", name, (None, self.arguments(")")))
        return self.struct(Node("name", name))

    def sequence(self, *, first_optional: bool) -> Node:
        entries = []
        while first_optional or not self.take("]"):
            optional = first_optional or bool(self.take("?"))
            first_optional = False
            entries.append((optional, self.ternary()))
            if not self.take(","):
                self.need("]")
                break
        return Node("list", None, tuple(entries))

    def mapping(self, *, first_optional: bool) -> Node:
        entries = []
        while first_optional or not self.take("}"):
            optional = first_optional or bool(self.take("?"))
            first_optional = False
            key = self.ternary()
            self.need(":")
            entries.append((optional, key, self.ternary()))
            if not self.take(","):
                self.need("}")
                break
        return Node("map", None, tuple(entries))

    @staticmethod
    def literal(kind: str, text: str) -> Any:
        if kind == "float":
            return float(text)
        if kind == "int":
            from workshop.kyverno.cel_values import UInt

            digits = text.rstrip("uU")
            number = int(digits, 16 if "0x" in digits else 10)
            limit = 2**64 if digits != text else 2**63
            if not -limit <= number < limit:
                raise CelSyntaxError(f"invalid number {text[:30]}")
            return UInt(number) if digits != text else number
        prefix = re.match(r"[bBrR]*", text)
        marks = prefix[0].lower() if prefix else ""
        body = text[len(marks) :]
        body = body[3:-3] if body[:3] in {'"""', "'''"} and len(body) >= 6 else body[1:-1]
        if "r" not in marks:
            body = _ESCAPE.sub(_unescape, body)
        return body.encode() if "b" in marks else body


def _unescape(match: re.Match[str]) -> str:
    for code, base in ((match[1], 16), (match[2], 16), (match[3], 16), (match[4], 8)):
        if code is not None:
            number = int(code, base)
            if number > 0x10FFFF or 0xD800 <= number < 0xE000:
                raise CelSyntaxError("invalid unicode code point")
            return chr(number)
    if match[5] in "\\'\"":
        return match[5]
    if match[5] not in _PLAIN_ESCAPES:
        raise CelSyntaxError(f"invalid escape \\{match[5]}")
    return _PLAIN_ESCAPES[match[5]]


def dotted(node: Node) -> str | None:
    """``a.b.c`` of plain selections, None for anything else."""
    if node.kind == "name":
        return str(node.value)
    if node.kind == "select" and not node.parts[1]:
        head = dotted(node.parts[0])
        return None if head is None else f"{head}.{node.value}"
    return None


def walk(
    node: Node, visit: Callable[[Node, frozenset[str]], None], bound: frozenset[str] = frozenset()
) -> None:
    """Visit every node with the names macros bind around it."""
    visit(node, bound)
    inner = bound
    if (
        node.kind == "call"
        and node.parts[0] is not None
        and node.parts[1]
        and node.parts[1][0].kind == "name"
    ):
        macros = {
            "all",
            "exists",
            "exists_one",
            "existsOne",
            "map",
            "filter",
            "bind",
            "optMap",
            "optFlatMap",
            "sortBy",
        }
        if node.value in macros:
            inner = bound | {node.parts[1][0].value}

    def descend(part: object, names: frozenset[str]) -> None:
        if isinstance(part, Node):
            walk(part, visit, names)
        elif isinstance(part, tuple):
            for item in part:
                descend(item, names)

    for index, part in enumerate(node.parts):
        descend(part, inner if index else bound)
