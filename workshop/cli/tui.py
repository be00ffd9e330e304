"""`workshop` without a command: the TUI on the current folder."""

from __future__ import annotations

import argparse


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what the TUI takes."""
    parser.add_argument("--instructor", action="store_true", help="unlock everything and show solutions")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Open the TUI; an empty folder is offered to become a workspace there."""
    from workshop.cli.common import chosen_language, lab_of
    from workshop.tui import run_app

    return run_app(
        lab=lab_of(args), folder=args.workspace, language=chosen_language(args), instructor=args.instructor
    )
