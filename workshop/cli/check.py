"""`workshop check`: judge the workspace and say what passed, what did not and why."""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from workshop.cli.common import (
    UsageError,
    add_common_arguments,
    lab_of,
    language_of,
    workspace_of,
    write_output,
)
from workshop.texts import Text, translate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workshop.cluster.port import Unreachable
    from workshop.cluster.stage import Stages
    from workshop.content import Lab
    from workshop.engine import Run
    from workshop.verdicts import Mode, Report

FORMATS = ("text", "json", "junit", "markdown", "github")


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("ids", nargs="*", metavar="ID", help="exercises such as 2.2 (default: all)")
    add_common_arguments(parser, top=False)
    parser.add_argument("--offline", action="store_true", help="files only")
    parser.add_argument("--sandbox", action="store_true", help="files, and a control plane of its own")
    parser.add_argument(
        "--context", metavar="C", help="the kubeconfig context to look at; remembered in .workshop/"
    )
    parser.add_argument(
        "--wait", type=float, default=0.0, metavar="S", help="give the cluster up to S seconds to settle"
    )
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument("--output", metavar="FILE", help="write there instead of to stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge and report. Returns the report's exit code."""
    from workshop.engine import Run
    from workshop.progress import record_if_kept
    from workshop.report import render

    mode = _mode(args)
    lab, workspace = lab_of(args), workspace_of(args)
    try:
        with _stages(mode, args, lab, workspace.root) as stages:
            _remember(stages, args.context, workspace.root)
            report = _judge(_looking_at(stages, Run.of(lab, workspace, mode)), args)
    except KeyError as error:
        known = ", ".join(exercise.id for exercise in lab.exercises)
        raise UsageError(
            Text("there is no exercise {id}; known: {known}", id=error.args[0], known=known)
        ) from error
    problem = record_if_kept(workspace.root, report)
    if problem is not None:
        print(translate(problem, language_of(args)), file=sys.stderr)
    colour = args.output is None and sys.stdout.isatty()
    write_output(render(report, args.format, language_of(args), colour=colour), args.output)
    return report.exit_code


def _judge(run: Run, args: argparse.Namespace) -> Report:
    """Judge once, or until what takes time has been given it: only a cluster that is not ours does."""
    from workshop.engine import judge

    if args.wait <= 0 or args.offline or args.sandbox:
        return judge(run, args.ids)
    from workshop.cli.status_line import StatusLine
    from workshop.waiting import judge_until_settled

    language, root, line = language_of(args), run.workspace.root, StatusLine(sys.stderr)
    try:
        return judge_until_settled(
            run,
            args.ids,
            seconds=args.wait,
            look_anew=lambda run: _looking_at(_cluster(args, run.lab, root), run),
            tell=lambda message: line.show(translate(message, language)),
        )
    finally:
        line.clear()


def _remember(stages: Stages | Unreachable | None, context: str | None, root: Path) -> None:
    if not context:
        return
    from workshop.cluster.remembering import remember_context
    from workshop.cluster.stage import LiveStages

    if isinstance(stages, LiveStages):
        remember_context(root, context)


def _looking_at(stages: Stages | Unreachable | None, run: Run) -> Run:
    if stages is None:
        return run
    from workshop.cluster.choosing import SANDBOX_CONTEXT
    from workshop.cluster.stage import LiveStages
    from workshop.verdicts import Mode

    # No container runs in a sandbox, whoever started it.
    in_sandbox = isinstance(stages, LiveStages) and stages.context == SANDBOX_CONTEXT
    return replace(run, stages=stages, mode=Mode.SANDBOX if in_sandbox else run.mode)


@contextmanager
def _stages(
    mode: Mode, args: argparse.Namespace, lab: Lab, root: Path
) -> Iterator[Stages | Unreachable | None]:
    """Set up what the cluster half looks at, and leave nothing behind."""
    from workshop.verdicts import Mode

    if mode is Mode.OFFLINE:
        yield None
    elif mode is Mode.SANDBOX:
        from workshop.slate import Slate

        language = language_of(args)
        exercises = [each for each in lab.exercises if not args.ids or {each.id, each.slug} & set(args.ids)]
        slate = Slate(exercises, lambda message: print(translate(message, language), file=sys.stderr))
        try:
            yield slate
        finally:
            slate.close()
    else:
        yield _cluster(args, lab, root)


def _cluster(args: argparse.Namespace, lab: Lab, root: Path) -> Stages | Unreachable:
    """Return the student's cluster, or why there is none."""
    from workshop.cluster.choosing import choose
    from workshop.cluster.port import Unreachable
    from workshop.cluster.remembering import remembered_context
    from workshop.cluster.stage import LiveStages

    try:
        return LiveStages(choose(lab.contexts, asked=args.context, remembered=remembered_context(root)))
    except Unreachable as unreachable:
        return unreachable


def _mode(args: argparse.Namespace) -> Mode:
    from workshop.verdicts import Mode

    if args.offline and (args.sandbox or args.context):
        raise UsageError(Text("--offline looks at files alone: it goes with neither --sandbox nor --context"))
    if args.sandbox and args.context:
        raise UsageError(Text("--sandbox starts a control plane of its own: it does not go with --context"))
    return Mode.OFFLINE if args.offline else Mode.SANDBOX if args.sandbox else Mode.CLUSTER
