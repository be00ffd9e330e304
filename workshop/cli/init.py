"""`workshop init`: a workspace with starters and materials; adds what is missing, overwrites nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

from workshop.cli.common import UsageError, add_common_arguments, lab_of, language_of, write_output
from workshop.texts import Text, translate


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "directory", nargs="?", default=None, metavar="DIR", help="default: the current folder"
    )
    parser.add_argument("--github-user", metavar="U", help="your GitHub account")
    parser.add_argument("--email", metavar="E", help="the e-mail of that account")
    add_common_arguments(parser, top=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Create the workspace and say what was added."""
    from workshop.accounts import Account
    from workshop.starting import start_workspace

    folder = Path(args.directory or args.workspace or ".")
    account = Account(github=args.github_user, email=args.email)
    try:
        added = start_workspace(lab_of(args), folder, account)
    except OSError as error:
        raise UsageError(
            Text("cannot write into {path}: {problem}", path=folder, problem=error.strerror or error)
        ) from error
    summary = Text(
        "{count} files added to {path}; what was there is untouched", count=len(added), path=folder
    )
    write_output(translate(summary, language_of(args)), None)
    return 0
