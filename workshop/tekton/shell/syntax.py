"""The commands a shell script is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


class Beyond(Exception):
    """The script uses something that cannot be followed."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word: literal text, a variable (its name), or the script of a command substitution.

    `rest` is what follows the name of a variable in braces (`:-default`).
    """

    kind: Literal["text", "variable", "command", "arithmetic"]
    value: str
    quoted: bool = False
    rest: str = ""


Word = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Redirect:
    """`> file` and its kin; `operator` without the number of the stream."""

    stream: str
    operator: str
    target: Word


@dataclass(frozen=True, slots=True)
class Simple:
    """A command with its words, the assignments before it and its redirections."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands joined by `|`."""

    commands: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """Pipelines joined by `&&` and `||`: the operator stands before its pipeline, the first has none."""

    parts: tuple[tuple[str, Pipeline], ...]
    background: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """`{ …; }`, or `( … )` in a shell of its own."""

    body: tuple[Chain, ...]
    subshell: bool = False
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class If:
    """Conditions with their branches, and what is left for `else`."""

    branches: tuple[tuple[tuple[Chain, ...], tuple[Chain, ...]], ...]
    otherwise: tuple[Chain, ...] = ()
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """`while`, `until` (with a condition) or `for` (with a variable and words)."""

    kind: Literal["while", "until", "for"]
    body: tuple[Chain, ...]
    condition: tuple[Chain, ...] = ()
    variable: str = ""
    words: tuple[Word, ...] | None = None
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A word and the arms it may take: patterns with what they lead to."""

    word: Word
    arms: tuple[tuple[tuple[Word, ...], tuple[Chain, ...]], ...]
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A function definition."""

    name: str
    body: Node


Node = Simple | Block | If | Loop | Case | Function
