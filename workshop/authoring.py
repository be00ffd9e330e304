"""What is wrong with a lab, for its authors: gaps, leaks and orphans in the content."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from workshop.catalogues import catalogue_findings
from workshop.content import ContentError, Exercise, Lab
from workshop.diagnosis.symptom import Sign
from workshop.engine import Run, judge, load_checks
from workshop.guide import load_guide
from workshop.paths import content_root
from workshop.texts import LANGUAGES
from workshop.verdicts import Half, Level, Mode, Report, Verdict
from workshop.workspace import Workspace

_TIERS = 3
_SIGNS = tuple(sign.value for sign in Sign)


def findings(lab: Lab) -> list[str]:
    """Return one line per finding; an empty list when the lab is sound."""
    return [
        *_texts(lab),
        *_hints(lab),
        *_files(lab),
        *_guide(lab),
        *_orphans(lab),
        *_verdicts(lab),
        *catalogue_findings(lab),
    ]


def _texts(lab: Lab) -> Iterator[str]:
    for exercise in lab.exercises:
        for language in LANGUAGES:
            for kind, read in (
                ("brief", exercise.brief),
                ("walkthrough", lambda tongue, e=exercise: lab.walkthrough(e, tongue)),
            ):
                try:
                    if not read(language).strip():
                        yield f"{exercise.id}: the {kind} in {language} is empty"
                except OSError:
                    yield f"{exercise.id}: no {kind} in {language}"


def _hints(lab: Lab) -> Iterator[str]:
    for exercise in lab.exercises:
        if len(exercise.hints) < _TIERS:
            yield f"{exercise.id}: {len(exercise.hints)} hints; at least {_TIERS} are asked"
        solution = _solution_lines(lab, exercise)
        for tier, hint in enumerate(exercise.hints, start=1):
            for text in (hint.en, hint.fr):
                leaked = next((line for line in solution if line in text), None)
                if leaked:
                    yield f"{exercise.id}: hint {tier} gives a line of the solution away: {leaked!r}"


def _solution_lines(lab: Lab, exercise: Exercise) -> set[str]:
    """Return the lines of the solution that are neither in the starter nor mere structure."""
    lines: set[str] = set()
    for path in exercise.deliverables:
        solution, starter = lab.solutions / path, lab.starters / path
        if not solution.is_file() or not path.endswith((".yaml", ".yml")):
            continue
        given = starter.read_text(encoding="utf-8") if starter.is_file() else ""
        for raw in solution.read_text(encoding="utf-8").splitlines():
            line = raw.strip().removeprefix("- ")
            if (
                re.search(r":\s+\S", line)
                and len(line) > 18
                and line not in given
                and not line.startswith("#")
            ):
                lines.add(line)
    return lines


def _files(lab: Lab) -> Iterator[str]:
    for exercise in lab.exercises:
        for path in exercise.deliverables:
            if not (lab.starters / path).is_file():
                yield f"{exercise.id}: no starter for {path}"
            if not (lab.solutions / path).is_file():
                yield f"{exercise.id}: no solution for {path}"


def _guide(lab: Lab) -> Iterator[str]:
    seen: set[str] = set()
    ids = {exercise.id for exercise in lab.exercises}
    try:
        entries = load_guide(lab)
    except ContentError as error:
        yield str(error)
        return
    for entry in entries:
        if entry.id in seen:
            yield f"guide: {entry.id} is there twice"
        seen.add(entry.id)
        yield from (f"guide: {entry.id}: no exercise {each}" for each in entry.exercises if each not in ids)
        yield from (f"guide: {entry.id}: no symptom {each}" for each in entry.signals if each not in _SIGNS)
    if any(Half.CLUSTER in exercise.halves for exercise in lab.exercises):
        explained = {signal for entry in entries for signal in entry.signals}
        yield from (f"guide: no entry for the symptom {sign}" for sign in _SIGNS if sign not in explained)


def _orphans(lab: Lab) -> Iterator[str]:
    for criterion in lab.criteria:
        for wanted in criterion.exercises:
            if lab.exercise(wanted) is None:
                yield f"lab.yaml: criterion {criterion.id}: no exercise {wanted}"
    modules = {exercise.module for exercise in lab.exercises}
    for path in sorted((content_root() / "checks" / lab.id).glob("*.py")):
        if not path.stem.startswith("_") and path.stem not in modules:
            yield f"checks/{lab.id}/{path.name}: no exercise of that slug"
    asked = {path for exercise in lab.exercises for path in (*exercise.deliverables, *exercise.optional)}
    for root, what in ((lab.starters, "starter"), (lab.solutions / "td", "solution")):
        base = lab.starters if what == "starter" else lab.solutions
        for path in sorted(root.rglob("*")):
            name = path.relative_to(base).as_posix()
            below = any(name.startswith(f"{each.rstrip('/')}/") for each in asked)
            if path.is_file() and name not in asked and not below and name != "td/answers.yaml":
                yield f"{what} {name}: no exercise asks for it"
    for exercise in lab.exercises:
        judged = {check.half for check in load_checks(lab, exercise) if check.level is Level.MUST}
        if Half.FILES in exercise.halves and Half.FILES not in judged:
            yield f"{exercise.id}: says that files judge it, but no `must` check does"


def _verdicts(lab: Lab) -> Iterator[str]:
    for result in _judged(lab, lab.starters).exercises:
        if result.points or (result.asked and result.verdict is not Verdict.UNFINISHED):
            yield f"{result.id}: its starter is {result.verdict}, not unfinished"
    for result in _judged(lab, lab.solutions).exercises:
        for check in result.checks:
            if (
                check.half is Half.FILES
                and check.verdict is not Verdict.PASSED
                and check.level is not Level.REMARK
            ):
                unmet = ", ".join(fact.id for fact in check.facts if not fact.met)
                yield f"{check.id}: the solution is {check.verdict} ({unmet})"


def _judged(lab: Lab, source: Path) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(source / "td", Path(folder) / "td")
        return judge(Run.of(lab, Workspace(Path(folder)), Mode.OFFLINE))
