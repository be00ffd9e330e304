"""A workspace with the reference solutions, in which one file at a time is another one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workshop.content import Lab
from workshop.engine import Run, judge_exercise
from workshop.verdicts import ExerciseResult, Half, Mode, Verdict
from workshop.workspace import Workspace

#: Verdicts by which a student learns that the answer is not right.
CAUGHT = (Verdict.FAILED, Verdict.UNFINISHED)


@dataclass(frozen=True)
class Outcome:
    """What became of a file: the exercise's verdict, and what its checks say beyond the reference.

    `told` holds ``check=verdict`` and ``check/fact``.
    """

    verdict: Verdict
    told: frozenset[str]

    @property
    def word(self) -> str:
        """caught, advised (passes, but a check below `must` objects), silent, or the verdict that it is."""
        if self.verdict in CAUGHT:
            return "caught"
        if self.verdict is Verdict.PASSED:
            return "advised" if self.told else "silent"
        return self.verdict.value


class Bench:
    """Judges files in the place of the reference solution's."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        shutil.copytree(lab.solutions / "td", folder / "td")
        self._reference: dict[str, frozenset[str]] = {}

    def judge(self, exercise: str, files: Mapping[str, str | bytes]) -> Outcome:
        """Judge an exercise with these files in place of the reference's."""
        if exercise not in self._reference:
            self._reference[exercise] = told(self._result(exercise))
        before = {name: (self.folder / name).read_bytes() for name in files if (self.folder / name).exists()}
        try:
            for name, text in files.items():
                (self.folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
            result = self._result(exercise)
        finally:
            for name in files:
                if name in before:
                    (self.folder / name).write_bytes(before[name])
                else:
                    (self.folder / name).unlink()
        return Outcome(result.verdict, told(result) - self._reference[exercise])

    def renamed(self, exercise: str, old: str, new: str) -> Outcome:
        """Judge an exercise with a file of another name."""
        reference = told(self._result(exercise))
        (self.folder / old).rename(self.folder / new)
        try:
            result = self._result(exercise)
        finally:
            (self.folder / new).rename(self.folder / old)
        return Outcome(result.verdict, told(result) - reference)

    def _result(self, exercise: str) -> ExerciseResult:
        found = self.lab.exercise(exercise)
        assert found is not None, exercise
        return judge_exercise(Run.of(self.lab, Workspace(self.folder), Mode.OFFLINE), found)


@contextmanager
def bench(lab: Lab) -> Iterator[Bench]:
    """A bench in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        yield Bench(lab, Path(folder))


def told(result: ExerciseResult) -> frozenset[str]:
    """What the checks of the file half say, as words that can be compared."""
    checks = [check for check in result.checks if check.half is Half.FILES]
    verdicts = {
        f"{check.id}={check.verdict.value}" for check in checks if check.verdict is not Verdict.PASSED
    }
    return frozenset(verdicts | {f"{check.id}/{fact.id}" for check in checks for fact in check.unmet})
