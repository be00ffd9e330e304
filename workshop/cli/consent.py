"""What the commands that change a cluster share: they ask, stream, and end in a state one can go on from."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.cli.common import UsageError, language_of
from workshop.texts import Text, translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.texts import Message

COULD_NOT = 3
INTERRUPTED = 130


@dataclass(slots=True)
class Outcome:
    """What the command returns."""

    code: int = 0


def tell_in(args: argparse.Namespace) -> Callable[[Message], None]:
    """Return what tells our own messages, in the language asked for, on stderr."""
    language = language_of(args)

    def tell(message: Message) -> None:
        print(translate(message, language), file=sys.stderr, flush=True)

    return tell


def say(line: str) -> None:
    """Show what a command printed, as it comes."""
    print(f"  {line}", file=sys.stderr, flush=True)


def confirmed(args: argparse.Namespace, question: Message) -> bool:
    """Ask, unless --yes was given. Raises UsageError where nobody can be asked."""
    if args.yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(Text("nobody can be asked here: give --yes to do it without asking"))
    print(f"{translate(question, language_of(args))} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "o", "oui")


@contextmanager
def carried_out(tell: Callable[[Message], None]) -> Iterator[Outcome]:
    """Say how a command of somebody else's failed, or that it was interrupted, and how to go on."""
    from workshop.provisioning.shell import CommandError

    outcome = Outcome()
    again = Text("What is done stays done: run the same command again to go on.")
    try:
        yield outcome
    except CommandError as error:
        command = shlex.join(error.words[:4])
        if error.missing:
            tell(
                Text(
                    "{tool} is not on your PATH; “workshop doctor” says where to get it.", tool=error.words[0]
                )
            )
        elif error.code is None:
            tell(Text("“{command} …” does not answer, or took too long.", command=command))
        else:
            tell(Text("“{command} …” failed (exit code {code}).", command=command, code=error.code))
        tell(again)
        outcome.code = COULD_NOT
    except KeyboardInterrupt:
        tell(Text("Interrupted."))
        tell(again)
        outcome.code = INTERRUPTED
