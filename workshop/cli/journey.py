"""`workshop hint`, `status`, `next`, `reset`: where the student is and what comes next."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from workshop.cli.common import (
    UsageError,
    add_common_arguments,
    lab_of,
    language_of,
    workspace_of,
    write_output,
)
from workshop.cli.consent import confirmed
from workshop.texts import Message, Text, translate

if TYPE_CHECKING:
    from workshop.content import Exercise, Lab
    from workshop.progress import Progress
    from workshop.workspace import Workspace


def declare_hint(parser: argparse.ArgumentParser) -> None:
    """Declare `workshop hint`."""
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--next", action="store_true", help="show one tier more")
    _declare(parser, _hint)


def declare_status(parser: argparse.ArgumentParser) -> None:
    """Declare `workshop status`."""
    _declare(parser, _status)


def declare_next(parser: argparse.ArgumentParser) -> None:
    """Declare `workshop next`."""
    _declare(parser, _next)


def declare_reset(parser: argparse.ArgumentParser) -> None:
    """Declare `workshop reset`."""
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    _declare(parser, _reset)


def _declare(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int]) -> None:
    add_common_arguments(parser, top=False)
    parser.set_defaults(run=run)


def exercise_of(lab: Lab, wanted: str) -> Exercise:
    """Return the exercise of that id. Raises UsageError when the lab has none."""
    exercise = lab.exercise(wanted)
    if exercise is None:
        known = ", ".join(each.id for each in lab.exercises)
        raise UsageError(Text("there is no exercise {id}; known: {known}", id=wanted, known=known))
    return exercise


def _progress(workspace: Workspace) -> Progress:
    from workshop.progress import Progress

    return Progress.open(workspace.root)


def _hint(args: argparse.Namespace) -> int:
    from workshop.engine import Run, judge_exercise
    from workshop.verdicts import Mode

    lab, workspace, language = lab_of(args), workspace_of(args), language_of(args)
    exercise = exercise_of(lab, args.id)
    progress = _progress(workspace)
    total = len(exercise.hints)
    shown = progress.hints(exercise.id)
    if args.next or shown == 0:
        shown = progress.reveal_hint(exercise.id, total)
    lines = [translate(Text("{shown} of {total} hints", shown=shown, total=total), language), ""]
    lines += [
        f"{tier}. {translate(hint, language)}" for tier, hint in enumerate(exercise.hints[:shown], start=1)
    ]
    from_guide = judge_exercise(Run.of(lab, workspace, Mode.OFFLINE), exercise).hint
    if from_guide is not None:
        lines += ["", translate(Text("From the troubleshooting guide, for what your files show:"), language)]
        lines.append(translate(from_guide, language))
    write_output("\n".join(lines), None)
    return 0


def _status(args: argparse.Namespace) -> int:
    from workshop.gating import unlocked
    from workshop.report.text import VERDICT_WORDS
    from workshop.verdicts import Verdict

    lab, workspace, language = lab_of(args), workspace_of(args), language_of(args)
    progress = _progress(workspace)
    verdicts, spent = progress.verdicts(), progress.time_spent()
    open_ids = unlocked(lab, verdicts)
    lines: list[str] = []
    points = 0.0
    for block in lab.blocks:
        minutes = sum(spent.get(exercise.id, 0) for exercise in block.exercises) / 60
        lines.append(f"{translate(block.title, language)}  ({minutes:.0f}/{block.minutes} min)")
        for exercise in block.exercises:
            verdict = verdicts.get(exercise.id)
            said: Message = VERDICT_WORDS[verdict] if verdict else Text("not tried yet")
            lock = " " if exercise.id in open_ids else "🔒"
            points += exercise.points if verdict is Verdict.PASSED else 0
            title, word = translate(exercise.title, language), translate(said, language)
            lines.append(f"  {lock} {exercise.id:8} {title}  [{word}]")
    total = Text("{points} of {max_points} points", points=f"{points:g}", max_points=f"{lab.max_points:g}")
    lines += ["", translate(total, language)]
    if progress.problem is not None:
        print(translate(progress.problem, language), file=sys.stderr)
    write_output("\n".join(lines), None)
    return 0


def _next(args: argparse.Namespace) -> int:
    from workshop.gating import next_exercise

    lab, language = lab_of(args), language_of(args)
    found = next_exercise(lab, _progress(workspace_of(args)).verdicts())
    if found is None:
        write_output(
            translate(Text("Nothing is left to do: every exercise that can be judged has passed."), language),
            None,
        )
        return 0
    exercise = exercise_of(lab, found)
    files = ", ".join(exercise.deliverables)
    write_output(
        f"{exercise.id}  {translate(exercise.title, language)}" + (f"\n{files}" if files else ""), None
    )
    return 0


def _reset(args: argparse.Namespace) -> int:
    from workshop.solutions import CannotApply, SolutionFile, apply

    lab, workspace, language = lab_of(args), workspace_of(args), language_of(args)
    exercise = exercise_of(lab, args.id)
    if not confirmed(args, Text("Start {id} again from its starter files?", id=exercise.id)):
        return 2
    lines = []
    for path in exercise.deliverables:
        starter = lab.starters / path
        if not starter.is_file():
            continue
        try:
            backup = apply(workspace.root, SolutionFile(path, starter.read_text(encoding="utf-8")))
        except CannotApply as error:
            raise UsageError(error.text) from error
        kept = os.path.relpath(backup, workspace.root) if backup else "–"
        lines.append(
            translate(
                Text("{path} is the starter again; yours is kept as {backup}", path=path, backup=kept),
                language,
            )
        )
    _progress(workspace).forget(exercise.id)
    write_output("\n".join(lines) or translate(Text("This exercise has no starter files."), language), None)
    return 0
