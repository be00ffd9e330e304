"""4.3 on a cluster – what Tekton's own webhook says to the Task."""

from __future__ import annotations

from workshop.checking import Exam, check, cluster, must, should

from .._tekton import task_document
from ..trivy_scan import NAME, PATH
from ._objects import judge_taken
from ._tekton import judge_has_run


@check(level=must, half=cluster)
def taken_by_tekton(exam: Exam) -> None:
    """Tekton takes the Task.

    Its webhook is the judge that counts: what it refuses is never stored.
    """
    judge_taken(exam, task_document(exam, PATH, NAME))


@check(level=should, half=cluster, containers=True, needs=[taken_by_tekton])
def has_run(exam: Exam) -> None:
    """A run of the Task has succeeded.

    Whether image, program and login work together shows in a Pod, and nowhere else.
    """
    judge_has_run(exam, NAME)
