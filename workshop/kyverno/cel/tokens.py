"""The tokens of CEL, and what can be told from them: which brackets belong together, where a value ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from workshop.kyverno.outcome import Beyond, KyvernoError, spend

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<bytes>[bB][rR]?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<text>[rR](?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*')
        |\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<double>\d+\.\d+(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
    |(?P<uint>0x[0-9a-fA-F]+[uU]|\d+[uU]) |(?P<int>0x[0-9a-fA-F]+|\d+)
    |(?P<bool>(?:true|false)\b) |(?P<name>[A-Za-z_]\w*) |(?P<quoted>`[^`\n]+`)
    |(?P<mark>&&|\|\||==|!=|<=|>=|\.\?|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_LONGEST = 20_000
#: The library gives up what is nested deeper, but takes a minute to find that out.
_DEEPEST = 32
_MOST_TOKENS = 2_000
OPENING, CLOSING = frozenset("([{"), frozenset(")]}")
#: The end of a text in C, and halves of characters, which have no UTF-8.
_UNHOLDABLE = re.compile("[\0\ud800-\udfff]")
#: Macros that go through a list or map, and macros that name a value.
LOOPS = frozenset(
    (
        *("all", "exists", "exists_one", "existsOne", "filter", "map", "sortBy"),
        *("transformList", "transformMap", "transformMapEntry"),
    )
)
NAMING = frozenset(["bind", "optMap", "optFlatMap"])


class CelSyntaxError(KyvernoError):
    """The expression does not compile: Kyverno refuses the policy. `place`: line and column, where known."""

    place: tuple[int, int] | None = None


@dataclass(frozen=True)
class Token:
    """A token with where it begins."""

    kind: str
    text: str
    start: int


def tokens(source: str) -> list[Token]:
    """The tokens of an expression, spaces left out; raises CelSyntaxError, or Beyond when it is too long."""
    if len(source) > _LONGEST:
        raise Beyond("too-much-work", "expression too long")
    storable(source)
    found, end, depth = [], 0, 0
    while end < len(source):
        match = _TOKEN.match(source, end)
        if match is None:
            raise CelSyntaxError(f"Syntax error: token recognition error at: '{source[end : end + 10]}'")
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match[0], end))
        depth += (match[0] in OPENING) - (match[0] in CLOSING)
        if depth > _DEEPEST or len(found) > _MOST_TOKENS:
            raise Beyond("too-much-work", "expression nested too deeply, or too long")
        end = match.end()
    spend(10 * len(found))
    return [*found, Token("end", "", end)]


def storable(value: Any) -> Any:
    """The value, if the library can hold it; Beyond for text that it would cut short or cannot read."""
    if isinstance(value, dict):
        for key, item in value.items():
            storable(key)
            storable(item)
    elif isinstance(value, list):
        for item in value:
            storable(item)
    elif isinstance(value, str) and _UNHOLDABLE.search(value):
        raise Beyond("beyond-evaluator", "text with characters that cannot be handed on")
    return value


def partner(found: list[Token], index: int) -> int:
    """The bracket that belongs to this one, or the end of the tokens."""
    step = 1 if found[index].text in OPENING else -1
    depth = 0
    while 0 <= index < len(found):
        depth += (found[index].text in OPENING) - (found[index].text in CLOSING)
        if depth == 0:
            return index
        index += step
    return len(found) - 1 if step > 0 else 0


def ends_value(found: list[Token], index: int) -> bool:
    """Is this token the end of something that a member can be taken of?"""
    if index < 0:
        return False
    return found[index].kind in {"name", "text", "bytes", "quoted"} or found[index].text in CLOSING
