"""`workshop grade`: judge a whole class."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from workshop.cli.common import UsageError, add_common_arguments, lab_of, language_of, write_output
from workshop.texts import Text

FORMATS = ("text", "csv", "json", "html")


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "directories", nargs="+", metavar="DIR", help="a workspace, or a folder of workspaces"
    )
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="side by side (default: processors; sandbox: 1)"
    )
    parser.add_argument("--sandbox", action="store_true", help="with a control plane of its own")
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument("--output", metavar="FILE")
    add_common_arguments(parser, top=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Grade and report. Returns 0 when every submission could be judged, 3 when one could not."""
    from workshop.grading import find_submissions, grade
    from workshop.report.class_list import render_class
    from workshop.verdicts import Mode

    lab = lab_of(args)
    missing = next((name for name in args.directories if not Path(name).is_dir()), None)
    if missing is not None:
        raise UsageError(Text("{path} is no folder", path=missing))
    # A sandbox takes over a gigabyte: more than one at a time only when asked for.
    jobs = (1 if args.sandbox else os.cpu_count() or 1) if args.jobs is None else args.jobs
    if jobs < 1:
        raise UsageError(Text("--jobs takes a number from 1"))
    submissions = find_submissions([Path(name) for name in args.directories])
    graded = []
    mode = Mode.SANDBOX if args.sandbox else Mode.OFFLINE
    for each in grade(submissions, lab.id, mode, jobs):
        graded.append(each)
        if sys.stderr.isatty():
            print(f"\r{len(graded)}/{len(submissions)}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    write_output(render_class(graded, lab, args.format, language_of(args)), args.output)
    return 3 if any(each.report is None for each in graded) else 0
