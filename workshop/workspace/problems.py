"""What can be wrong with a file, said to the person who wrote it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from workshop.texts import Text

Kind = Literal[
    "missing",
    "empty",
    "not-a-file",
    "outside",
    "permission",
    "too-large",
    "binary",
    "encoding",
    "too-deep",
    "too-many-nodes",
    "alias-bomb",
    "yaml-syntax",
    "duplicate-key",
    "unsupported-tag",
    "key-not-text",
    "changed",
]


class Position(NamedTuple):
    """A place in a file of the workspace; `line` and `column` count characters from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(NamedTuple):
    """Why a file cannot be used: what was found, where (None: the file as a whole), what to try."""

    kind: Kind
    text: Text
    position: Position | None
    remedy: Text


class Unreadable(Exception):
    """A file of the workspace cannot be read, or is not the YAML it should be."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        where = f"{self.problem.position}: " if self.problem.position else ""
        return f"{where}{self.problem.text}"


class NotAWorkspace(Exception):
    """The folder holds no `td/` that can be read; `text` says what was found instead."""

    def __init__(self, text: Text) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return str(self.text)


def refusal(kind: Kind, text: Text, remedy: Text, position: Position | None = None) -> Unreadable:
    """Return the exception for a problem, ready to be raised."""
    return Unreadable(Problem(kind, text, position, remedy))


def empty(file: str) -> Unreadable:
    """Return the problem of a file in which nothing is written but blanks and comments."""
    return refusal(
        "empty",
        Text("{file} holds no content yet", file=file),
        Text("Write the answer to the exercise into it; comments alone do not count."),
    )
