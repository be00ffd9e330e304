"""What became of a script on one of its ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that was run: its words, the variables it saw, and where its output went.

    `outputs` holds file names; "" stands for the log of the step, "|" for another command.
    """

    argv: tuple[str, ...]
    variables: Mapping[str, str | None]
    outputs: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class Way:
    """One way through a script: the commands in their order and the exit status."""

    commands: tuple[Ran, ...]
    status: int
