"""The command line: one module per command, each with a `declare…(parser)` that sets `run(args) -> int`.

Messages go to stdout in the chosen format alone; progress and warnings go to stderr. Only the module of
the command that was asked for is imported, and commands import what they need when they run: start-up is
a feature.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from workshop.cli.common import UsageError, add_common_arguments, language_of

# name: (module, function that declares its options, one line of help)
_COMMANDS = {
    "init": ("init", "declare", "make a workspace: starters, materials, .workshop/"),
    "check": ("check", "declare", "judge exercises and explain every verdict"),
    "hint": ("journey", "declare_hint", "show the hints of an exercise"),
    "status": ("journey", "declare_status", "show progress, points and time"),
    "next": ("journey", "declare_next", "name the next exercise to work on"),
    "reset": ("journey", "declare_reset", "start an exercise again; your files are kept as a backup"),
    "solution": ("solution", "declare", "the solution of an exercise (instructors, or once passed)"),
    "grade": ("grade", "declare", "judge many workspaces, one row each"),
    "doctor": ("doctor", "declare", "tools, engine, memory, ports, cluster: each with its remedy"),
    "cluster": ("cluster", "declare", "make or delete the lab's kind cluster"),
    "install": ("install", "declare", "install what the lab needs on its cluster"),
    "policy": ("policy", "declare", "try policies on resources, no cluster needed"),
    "sandbox": ("sandbox", "declare", "a Kubernetes control plane of our own, without Docker"),
    "author": ("author", "declare", "for authors of labs"),
}


_DISTRIBUTION = "techmarket-workshop"


class _Help(argparse.HelpFormatter):
    """Help as wide as the terminal. Left to itself, argparse loads three compressors to learn the width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


class _Version(argparse.Action):
    """`--version`: name and version as they were installed. Looked up when asked for, not at every start."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            installed = version(_DISTRIBUTION)
        except PackageNotFoundError:
            installed = "(not installed)"
        print(_DISTRIBUTION, installed)
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code (0, 1 and 3 as the report says, 2 for usage)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    args = build_parser(arguments).parse_args(arguments)
    try:
        return int(args.run(args))
    except UsageError as error:
        from workshop.texts import translate

        print(f"workshop: {translate(error.text, language_of(args))}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader went away (`workshop check | head`): nothing left to say, and no traceback at exit.
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        return 130


def build_parser(words: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """Return the parser; without a command, the TUI opens.

    Only commands among `words` get their options; None declares them all.
    """
    from workshop.cli import tui

    parser = argparse.ArgumentParser(
        prog="workshop",
        description="A guided, self-checking Kubernetes lab in the terminal.",
        formatter_class=_Help,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show name and version, and exit")
    add_common_arguments(parser)
    tui.declare(parser)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (module, function, summary) in _COMMANDS.items():
        command = subparsers.add_parser(name, help=summary, formatter_class=_Help)
        if words is None or name in words:
            getattr(importlib.import_module(f"workshop.cli.{module}"), function)(command)
    return parser


def _columns() -> int:
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1).columns or 80
    except OSError:
        return 80
