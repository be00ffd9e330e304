"""Template expressions of the scaffolder: what `${{ … }}` refers to, and what only looks like one.

Backstage renders templates with nunjucks, whose variables are written `${{ … }}` there instead of `{{ … }}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

FlawKind = Literal["no-dollar", "braces", "unclosed"]

# No opening inside: a text of many openings and no end is read in linear time.
_SPAN: Final = re.compile(r"\$\{\{-?((?:(?!\$\{\{).)*?)-?\}\}", re.DOTALL)
_ROOT: Final = re.compile(r"(?<![\w$.])(parameters|steps|values)(?![\w$])")
_LITERAL: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_DOT: Final = re.compile(r"\s*\.\s*([A-Za-z_$][\w$]*)")
_SUBSCRIPT: Final = re.compile(r"\s*\[\s*(?:'([^'\\]*)'|\"([^\"\\]*)\"|([0-9]+))\s*\]")
_DYNAMIC: Final = re.compile(r"\s*\[")
# "-" directly between two words: meant as part of a name, read as a subtraction.
_HYPHEN: Final = re.compile(r"-[A-Za-z_][\w-]*")
_LONGEST: Final = 2000
_NAMES: Final = r"(?:parameters|steps|values|params)\s*[.\[]"
_LOOKALIKES: Final[tuple[tuple[FlawKind, re.Pattern[str]], ...]] = (
    ("no-dollar", re.compile(r"(?<!\$)\{\{(?:[^{}]*?[^\w.{}])??" + _NAMES + r"[^}]*\}{0,2}")),
    ("braces", re.compile(r"\$\s*(?:\{(?!\{)|\(|\s\{\{)\s*" + _NAMES + r"[^})]*[})]*")),
    ("braces", re.compile(r"\$\{(?!\{|\s*" + _NAMES + r")[^{}]{0,200}?[^\w.{}]" + _NAMES + r"[^}]*\}{0,2}")),
    ("braces", re.compile(r"(?<![\w${(])\{(?!\{)\s*" + _NAMES + r"[^}]*\}?")),
)


class Reference(NamedTuple):
    """One use of `parameters`, `steps` or `values` in an expression.

    `path` are the names behind it; it ends before a part that is only known when it runs, and `whole` is then
    False. `hyphen` says that the chain is followed by `-name`, which nunjucks subtracts; `text` includes it.
    """

    root: Literal["parameters", "steps", "values"]
    path: tuple[str, ...]
    text: str
    hyphen: bool = False
    whole: bool = True


class Flaw(NamedTuple):
    """A piece of text that was meant as an expression and is none."""

    kind: FlawKind
    text: str


def expressions(text: str) -> list[str]:
    """Return the inside of every `${{ … }}` of a text."""
    return [match[1].strip()[:_LONGEST] for match in _SPAN.finditer(text)]


def references(text: str) -> list[Reference]:
    """Return what the expressions of a text refer to, in their order."""
    return [reference for expression in expressions(text) for reference in _in_expression(expression)]


def flaws(text: str) -> list[Flaw]:
    """Return the pieces of a text that look like an expression but are not read as one."""
    rest = _SPAN.sub(lambda match: " " * len(match[0]), text)
    found: list[Flaw] = []
    opening = rest.find("${{")
    if opening >= 0:
        found.append(Flaw("unclosed", rest[opening : opening + 60]))
        rest = rest[:opening]
    for kind, pattern in _LOOKALIKES:
        found += (Flaw(kind, match[0].strip()[:60]) for match in pattern.finditer(rest))
    return found


def intended_references(text: str) -> list[Reference]:
    """Return what the expressions of a text refer to, those that are not written as one included."""
    return references(text) + [each for flaw in flaws(text) for each in _in_expression(flaw.text)]


def _in_expression(expression: str) -> Iterator[Reference]:
    literals = [match.span() for match in _LITERAL.finditer(expression)]
    for match in _ROOT.finditer(expression):
        if any(start < match.start() < end for start, end in literals):
            continue
        root: Literal["parameters", "steps", "values"] = match[1]  # type: ignore[assignment]  # one of the pattern's
        path: list[str] = []
        end = match.end()
        while True:
            dot, subscript = _DOT.match(expression, end), _SUBSCRIPT.match(expression, end)
            if dot:
                path.append(dot[1])
                end = dot.end()
            elif subscript:
                path.append(next(group for group in subscript.groups() if group is not None))
                end = subscript.end()
            else:
                break
        hyphen = _HYPHEN.match(expression, end) if path else None
        whole = _DYNAMIC.match(expression, end) is None
        written = expression[match.start() : hyphen.end() if hyphen else end]
        yield Reference(root, tuple(path), written, hyphen is not None, whole)
