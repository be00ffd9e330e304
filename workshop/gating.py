"""What is unlocked: inside a block an exercise that passes unlocks the next; all blocks are open.

Files may be right before it is their turn: an exercise that passes is never locked itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from workshop.content import Lab
from workshop.verdicts import Verdict

# Only work that is the student's to do can lock: what could not be judged never does.
_LOCKS = frozenset({Verdict.FAILED, Verdict.UNFINISHED})


def unlocked(lab: Lab, verdicts: Mapping[str, Verdict], *, instructor: bool = False) -> frozenset[str]:
    """Return the ids of the exercises that are open.

    `verdicts` are the latest known ones by exercise id; an exercise never judged counts as unfinished.
    """
    open_ids = {each for each, verdict in verdicts.items() if verdict is Verdict.PASSED}
    for block in lab.blocks:
        for exercise in block.exercises:
            open_ids.add(exercise.id)
            locks = verdicts.get(exercise.id, Verdict.UNFINISHED) in _LOCKS
            if locks and not instructor:
                break
    return frozenset(open_ids)


def next_exercise(lab: Lab, verdicts: Mapping[str, Verdict]) -> str | None:
    """Return the first open exercise that is not passed and can be worked on, or None when all is done."""
    open_ids = unlocked(lab, verdicts)
    candidates = [
        exercise.id
        for block in lab.blocks
        for exercise in block.exercises
        if exercise.id in open_ids and verdicts.get(exercise.id, Verdict.UNFINISHED) in _LOCKS
    ]
    return candidates[0] if candidates else None
