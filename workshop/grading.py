"""Grading a class: many workspaces, judged side by side, one row each.

Every submission is judged in a worker process under a time limit: a hostile one costs itself only.
"""

from __future__ import annotations

import functools
import multiprocessing
import multiprocessing.util
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workshop.cluster.stage import Stages
from workshop.content import load_lab
from workshop.texts import Message, Text
from workshop.verdicts import Mode, Report

SECONDS_PER_SUBMISSION: Final = 120


@dataclass(frozen=True, slots=True)
class Graded:
    """One submission: its report, or the problem that left none."""

    name: str
    report: Report | None
    problem: Message | None = None


def find_submissions(folders: Iterable[Path]) -> list[tuple[str, Path]]:
    """Return name and folder of every workspace: each folder given, or the workspaces right below it."""
    found: list[tuple[str, Path]] = []
    for folder in folders:
        if (folder / "td").is_dir() or not folder.is_dir():
            found.append((folder.resolve().name, folder))
            continue
        below = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        found.extend((path.name, path) for path in below)
    return found


def grade(submissions: list[tuple[str, Path]], lab_id: str, mode: Mode, jobs: int) -> Iterator[Graded]:
    """Judge every submission, yielding each as it is done."""
    if not submissions:
        return
    left = dict(enumerate(submissions))
    # Fresh processes: a fork would inherit threads and whatever the caller has open.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=min(jobs, len(left)), mp_context=context) as pool:
        futures = {
            pool.submit(_grade_one, name, path, lab_id, mode): key for key, (name, path) in left.items()
        }
        try:
            for future in as_completed(futures):
                graded = future.result()
                del left[futures[future]]
                yield graded
        except BrokenProcessPool:
            pool.shutdown(wait=False, cancel_futures=True)
    yield from _one_by_one(left, lab_id, mode)


def _one_by_one(left: dict[int, tuple[str, Path]], lab_id: str, mode: Mode) -> Iterator[Graded]:
    """Judge what a dead pool left behind, each in a process of its own, to find the one that kills it."""
    context = multiprocessing.get_context("spawn")
    for name, path in left.values():
        with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
            try:
                yield pool.submit(_grade_one, name, path, lab_id, mode).result()
            except BrokenProcessPool:
                yield Graded(name, None, Text("the process that judged it died"))


class _TooLong(BaseException):
    """The time limit: no Exception, so that no check takes it for its own."""


def _grade_one(name: str, path: Path, lab_id: str, mode: Mode) -> Graded:
    from workshop.engine import Run, judge
    from workshop.workspace import NotAWorkspace, Workspace

    try:
        with _time_limit(SECONDS_PER_SUBMISSION):
            report = judge(Run.of(load_lab(lab_id), Workspace(path), mode, _stages(lab_id, mode)))
    except NotAWorkspace as error:
        return Graded(name, None, error.text)
    except _TooLong:
        return Graded(name, None, Text("not judged within {seconds} s", seconds=SECONDS_PER_SUBMISSION))
    return Graded(name, report)


@functools.cache
def _stages(lab_id: str, mode: Mode) -> Stages | None:
    """Return the sandbox of this worker process: one for all its submissions, each on a clean slate."""
    if mode is not Mode.SANDBOX:
        return None
    from workshop.slate import Slate

    slate = Slate(load_lab(lab_id).exercises, lambda _: None)
    # A worker ends without its exit handlers; multiprocessing's own are the ones it runs.
    multiprocessing.util.Finalize(None, slate.close, exitpriority=10)
    return slate


@contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    if not hasattr(signal, "SIGALRM"):  # Windows has no such clock: the readers' own bounds must do
        yield
        return

    def over(_signal: int, _frame: object) -> None:
        raise _TooLong

    previous = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
