"""A seeded part of `make mutants`, and every rewriting of a right answer that must stay right."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from workshop.content import Lab
from workshop.verdicts import Half, Verdict

from .campaign import run
from .judging import Bench
from .mutants import mutants
from .reasons import reasons
from .rewrites import rewrites

PART = 250
_BACKSTAGE = "td/backstage/"


@pytest.fixture
def bench(lab: Lab, tmp_path: Path) -> Bench:
    return Bench(lab, tmp_path)


def test_mistakes_are_caught_or_have_a_reason(bench: Bench, lab: Lab) -> None:
    everything = list(mutants(lab))
    chosen = random.Random(7).sample(everything, PART)  # noqa: S311  (a choice that can be repeated)
    figures = run(bench, chosen, reasons())
    assert [(str(mutant), sorted(outcome.told)) for mutant, outcome in figures.unexplained] == []
    assert [str(mutant) for mutant, outcome in figures.untold if outcome.verdict is Verdict.ERROR] == []
    # Nothing is proven where hardly anything is caught.
    assert len(figures.caught) > PART // 2


def test_every_exercise_with_files_has_mutants(lab: Lab) -> None:
    wanted = {exercise.id for exercise in lab.exercises if Half.FILES in exercise.halves}
    assert {mutant.exercise for mutant in mutants(lab)} == {
        exercise.id for exercise in lab.exercises if exercise.id in wanted and exercise.deliverables
    }


def _written(lab: Lab) -> list[tuple[str, str]]:
    return [
        (exercise.id, file)
        for exercise in lab.exercises
        if Half.FILES in exercise.halves
        for file in exercise.deliverables
        if file.endswith(".yaml")
    ]


def test_a_right_answer_may_be_spelt_in_any_way(bench: Bench, lab: Lab) -> None:
    wrong = {}
    for exercise, file in _written(lab):
        text = (lab.solutions / file).read_text(encoding="utf-8")
        for name, rewritten in rewrites(text, kubernetes=not file.startswith(_BACKSTAGE)):
            outcome = bench.judge(exercise, {file: rewritten})
            if outcome.verdict is not Verdict.PASSED:
                wrong[f"{exercise} {file}: {name}"] = sorted(outcome.told)
        outcome = bench.renamed(exercise, file, file.removesuffix(".yaml") + ".yml")
        if outcome.verdict is not Verdict.PASSED:
            wrong[f"{exercise} {file}: .yml"] = sorted(outcome.told)
    assert wrong == {}
