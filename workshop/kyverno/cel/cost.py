"""What an expression may cost at worst, reckoned before it runs.

The library counts iterations, not the length of texts and lists: `bind` doubles, `replace` multiplies them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from workshop.kyverno.cel.tokens import LOOPS, NAMING, Token
from workshop.kyverno.outcome import Beyond, spend

#: Characters and elements an expression may write or look at.
_MOST: Final = 2 * 10**8
_ITERATIONS: Final = 10_000
#: Calls that write one of their arguments many times.
_REPEATING: Final = frozenset(["replace", "join"])
#: Calls that compare every element with every other.
_SQUARE: Final = frozenset(["sortBy", "distinct", "contains", "intersects", "equivalent"])


def bounded(found: list[Token], data: dict[str, Any]) -> None:
    """Raise Beyond (too-much-work) when evaluating these tokens over this data could take too much."""
    elements, size = _measure(data)
    spend(elements)
    elements += len(found)
    size += sum(len(token.text) for token in found)
    calls = [index for index, token in enumerate(found[:-1]) if found[index + 1].text == "(" and token.text]
    for factor in _factors(found, calls, elements, size):
        size *= factor
        if size > _MOST:
            raise Beyond("too-much-work", "the expression could need too much time or memory")


def _factors(found: list[Token], calls: list[int], elements: int, size: int) -> Iterator[int]:
    joints = 1 + sum(token.text in {"+", ","} for token in found)
    iterations = 1
    for index in calls:
        name = found[index].text
        if name == "range":
            elements += _length(found[index + 2])
            yield elements
        elif name in LOOPS and iterations < _ITERATIONS:
            allowed = min(elements, _ITERATIONS // iterations + 1)
            iterations *= allowed
            yield allowed
        elif name in _REPEATING:
            yield _repetitions(found, index + 1, size)
        elif name in NAMING:
            yield joints
        elif name in _SQUARE and not _one_text(found, index + 1):
            yield elements


def _one_text(found: list[Token], opening: int) -> bool:
    """Whether a call's only argument is a literal text: it is looked for once, as `endsWith` does."""
    inner = found[opening + 1 : opening + 3]
    return len(inner) == 2 and inner[0].kind == "text" and inner[1].text == ")"


def _length(token: Token) -> int:
    """The length of a range, where it is written out."""
    return int(token.text, 0) if token.kind == "int" and len(token.text) < 10 else _MOST


def _repetitions(found: list[Token], opening: int, size: int) -> int:
    """How often a call may write an argument: as its literals are long, or as any text if it has others."""
    longest = 1
    for token in found[opening + 1 :]:
        if token.text == ")":
            return longest
        if token.kind not in {"text", "int"} and token.text != ",":
            break
        longest = max(longest, len(token.text) if token.kind == "text" else 1)
    return size


def _measure(value: Any) -> tuple[int, int]:
    """How many values there are, and how much they hold."""
    if isinstance(value, str | bytes):
        return 1, 1 + len(value)
    inner = [*value, *value.values()] if isinstance(value, dict) else value
    pairs = [_measure(item) for item in inner] if isinstance(inner, list) else []
    return 1 + sum(pair[0] for pair in pairs), 1 + sum(pair[1] for pair in pairs)
