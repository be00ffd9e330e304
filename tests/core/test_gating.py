"""What unlocks what."""

from __future__ import annotations

from workshop.content import Lab
from workshop.gating import next_exercise, unlocked
from workshop.verdicts import Verdict


def _first_of(lab: Lab) -> set[str]:
    return {block.exercises[0].id for block in lab.blocks if block.exercises}


def test_every_block_is_open_at_its_first_exercise(lab: Lab) -> None:
    assert unlocked(lab, {}) == _first_of(lab)


def test_a_pass_unlocks_the_next_of_the_block_alone(lab: Lab) -> None:
    first, second = lab.blocks[2].exercises[:2]
    assert unlocked(lab, {first.id: Verdict.PASSED}) == _first_of(lab) | {second.id}
    assert unlocked(lab, {first.id: Verdict.FAILED}) == _first_of(lab)


def test_what_could_not_be_judged_never_locks(lab: Lab) -> None:
    first, second = lab.blocks[2].exercises[:2]
    for verdict in (Verdict.UNKNOWN, Verdict.BLOCKED, Verdict.ERROR):
        assert second.id in unlocked(lab, {first.id: verdict})


def test_an_instructor_opens_everything(lab: Lab) -> None:
    assert unlocked(lab, {}, instructor=True) == {exercise.id for exercise in lab.exercises}


def test_next_is_the_first_open_one_that_is_not_passed(lab: Lab) -> None:
    first, second = lab.blocks[0].exercises[:2]
    assert next_exercise(lab, {}) == first.id
    assert next_exercise(lab, {first.id: Verdict.UNKNOWN}) == second.id
    assert next_exercise(lab, {exercise.id: Verdict.PASSED for exercise in lab.exercises}) is None


def test_what_passes_is_open_before_its_turn_and_opens_nothing_else(lab: Lab) -> None:
    last = lab.blocks[2].exercises[-1]
    assert unlocked(lab, {last.id: Verdict.PASSED}) == _first_of(lab) | {last.id}
