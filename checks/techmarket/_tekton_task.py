"""Checks that are the same for all four Tasks of block 4, whatever they run; made for a file and a name."""

from __future__ import annotations

from workshop.checking import Check, Exam, check, must, should
from workshop.tekton import Task

from . import _tekton as shared
from . import _tekton_steps as steps


def sound(path: str, name: str) -> tuple[Check, Check, Check]:
    """Return the checks of what a Task needs to run at all: it is accepted, filled in, and can start."""

    @check(level=must)
    def tekton_accepts(exam: Exam) -> None:
        """Tekton accepts the Task.

        What the webhook refuses never reaches the cluster.
        """
        shared.accepted(exam, shared.task_document(exam, path, name))

    @check(level=must)
    def variables_hold(exam: Exam) -> None:
        """Variables are written the way Tekton fills them in.

        What Tekton does not recognise reaches the program as text, without any warning.
        """
        document = shared.task_document(exam, path, name)
        shared.variables_hold(exam, document, Task.of(document))

    @check(level=must)
    def program_starts(exam: Exam) -> None:
        """Each step's program is to be found in its image.

        A command that the image does not have fails before it has done anything.
        """
        document = shared.task_document(exam, path, name)
        steps.can_start(exam, document, Task.of(document))

    return tekton_accepts, variables_hold, program_starts


def limits_set_in(path: str, name: str) -> Check:
    """Return the check that a Task's steps have limits."""

    @check(level=should)
    def limits_set(exam: Exam) -> None:
        """The steps have limits.

        A Task's Pods live in your own namespace, where the policy of exercise 2.3 judges them.
        """
        document = shared.task_document(exam, path, name)
        steps.bounded(exam, document, Task.of(document))

    return limits_set
