"""The checks of a Task on a cluster, the same for all four of block 4: declared once, by file and name."""

from __future__ import annotations

from workshop.checking import Check, Exam, check, cluster, must, should

from .._tekton import task_document
from ._objects import judge_taken
from ._tekton import judge_has_run


def task_on_cluster(path: str, name: str) -> tuple[Check, Check]:
    """Return the checks that Tekton takes a Task, and that a run of it has succeeded."""

    @check(level=must, half=cluster)
    def taken_by_tekton(exam: Exam) -> None:
        """Tekton takes the Task.

        Its webhook is the judge that counts: what it refuses is never stored.
        """
        judge_taken(exam, task_document(exam, path, name))

    @check(level=should, half=cluster, containers=True, needs=[taken_by_tekton])
    def has_run(exam: Exam) -> None:
        """A run of the Task has succeeded.

        Whether image, program and login work together shows in a Pod, and nowhere else.
        """
        judge_has_run(exam, name)

    return taken_by_tekton, has_run
