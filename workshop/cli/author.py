"""`workshop author check`: lints the labs."""

from __future__ import annotations

import argparse

from workshop.cli.common import add_common_arguments, language_of, write_output
from workshop.texts import Text, translate


def declare(command: argparse.ArgumentParser) -> None:
    """Declare the actions of the command."""
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    parser = actions.add_parser(
        "check", help="lint the labs: translations, hints, starters, solutions, orphans"
    )
    add_common_arguments(parser, top=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Return 0 when nothing is wrong, else 1 with one line per finding."""
    from workshop.authoring import findings
    from workshop.content import ContentError, lab_ids, load_lab

    lines: list[str] = []
    for lab_id in [args.lab] if args.lab else lab_ids():
        try:
            lines += findings(load_lab(lab_id))
        except ContentError as error:
            lines.append(str(error))
    write_output("\n".join(lines) or translate(Text("nothing to mend"), language_of(args)), None)
    return 1 if lines else 0
