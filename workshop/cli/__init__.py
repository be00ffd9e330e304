"""The command line: one module per command, each with `register(subparsers)` and `run(args) -> int`.

Messages go to stdout in the chosen format alone; progress and warnings go to stderr. This package and
`workshop --help` import nothing heavy: commands import what they need when they run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from workshop.cli import author, check, grade, init, journey, policy, sandbox, solution
from workshop.cli.common import UsageError, add_common_arguments, language_of
from workshop.texts import translate

_COMMANDS = (init, check, journey, solution, grade, policy, sandbox, author)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code (0, 1 and 3 as the report says, 2 for usage)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    try:
        return int(args.run(args))
    except UsageError as error:
        print(f"workshop: {translate(error.text, language_of(args))}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader went away (`workshop check | head`): nothing left to say, and no traceback at exit.
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        return 130


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command; without one, the TUI opens."""
    from workshop.cli import tui

    parser = argparse.ArgumentParser(
        prog="workshop", description="A guided, self-checking Kubernetes lab in the terminal."
    )
    add_common_arguments(parser)
    tui.add_arguments(parser)
    parser.set_defaults(run=tui.run)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in _COMMANDS:
        command.register(subparsers)
    return parser
