"""The checks of a Task on a cluster, the same for all four of block 4: declared once, by file and name."""

from __future__ import annotations

from workshop.checking import Check, Exam, check, cluster, must, should

from .._tekton import task_document
from ._objects import judge_as_written, judge_taken
from ._tekton import judge_has_run


def task_on_cluster(path: str, name: str) -> tuple[Check, Check, Check]:
    """Return the checks that Tekton takes a Task, has it as it is written, and that a run has succeeded."""

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

    @check(level=should, half=cluster, containers=True, needs=[taken_by_tekton])
    def as_in_the_file(exam: Exam) -> None:
        """The cluster has the Task as your file says.

        A run takes what was applied, not what was written since.
        """
        judge_as_written(exam, task_document(exam, path, name))

    return taken_by_tekton, as_in_the_file, has_run
