"""`workshop solution ID`: the walkthrough and the reference files, compared with or put into a workspace."""

from __future__ import annotations

import argparse
import os

from workshop.cli.common import (
    UsageError,
    add_common_arguments,
    lab_of,
    language_of,
    workspace_of,
    write_output,
)
from workshop.cli.journey import exercise_of
from workshop.texts import Text, translate


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("id", metavar="ID")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--diff", action="store_true", help="compare the workspace with the reference")
    how.add_argument(
        "--apply", action="store_true", help="put the reference into the workspace, with a backup"
    )
    parser.add_argument(
        "--instructor", action="store_true", default=argparse.SUPPRESS, help="unlock solutions"
    )
    add_common_arguments(parser, top=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show, compare or apply. Locked until the exercise is passed, except for instructors."""
    from workshop import solutions
    from workshop.engine import Run, judge_exercise
    from workshop.verdicts import Mode, Verdict

    lab, language = lab_of(args), language_of(args)
    exercise = exercise_of(lab, args.id)
    if not args.instructor:
        result = judge_exercise(Run.of(lab, workspace_of(args), Mode.OFFLINE), exercise)
        if result.verdict is not Verdict.PASSED:
            raise UsageError(
                Text("the solution of {id} opens when it is passed, or with --instructor", id=exercise.id)
            )
    files = solutions.reference_files(lab, exercise)
    if args.diff:
        workspace = workspace_of(args)
        text = "".join(solutions.compare(workspace, file) for file in files)
        write_output(text or translate(Text("Your files are the reference."), language), None)
        return 0
    if args.apply:
        root = workspace_of(args).root
        lines = []
        for file in files:
            try:
                backup = solutions.apply(root, file)
            except solutions.CannotApply as error:
                raise UsageError(error.text) from error
            kept = os.path.relpath(backup, root) if backup else "–"
            lines.append(
                translate(
                    Text("{path} written; what was there: {backup}", path=file.path, backup=kept), language
                )
            )
        write_output("\n".join(lines), None)
        return 0
    parts = [lab.walkthrough(exercise, language)]
    parts += [f"\n--- {file.path} ---\n{file.text}" for file in files]
    write_output("\n".join(parts), None)
    return 0
