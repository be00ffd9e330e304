"""4.5 – the Task that takes stock: Syft writes an SBOM in a standard format, and it is kept."""

from __future__ import annotations

from workshop.checking import Document, Exam, Text, check, must, remark, should
from workshop.tekton import Task

from . import _tekton as shared
from . import _tekton_steps as steps
from ._tekton_sbom import best_stocktaking
from ._tekton_task import limits_set_in, sound

PATH, NAME = "td/tekton/task-sbom.yaml", "generate-sbom"


def _document(exam: Exam) -> Document:
    return shared.task_document(exam, PATH, NAME)


@check(level=must)
def task_named(exam: Exam) -> None:
    """The Task is called generate-sbom.

    The Pipeline finds it by this name and by nothing else.
    """
    shared.is_named(exam, _document(exam), NAME, "task-name")


@check(level=must)
def takes_image(exam: Exam) -> None:
    """The image to take stock of is a parameter.

    An inventory is worth something for one image only: the one that was just built.
    """
    shared.takes_image(exam, _document(exam))


tekton_accepts, variables_hold, program_starts = sound(PATH, NAME)


@check(level=must)
def syft_reads_image(exam: Exam) -> None:
    """Syft takes stock of the image of the parameter.

    The list must be of what runs, not of what lies in a folder.
    """
    _judge(exam, "target")


@check(level=must)
def standard_format(exam: Exam) -> None:
    """The SBOM is in a standard format.

    An inventory that no other tool reads helps nobody on the day of the next big vulnerability.
    """
    _judge(exam, "format")


@check(level=must)
def sbom_kept(exam: Exam) -> None:
    """The SBOM is kept.

    A Pod's own folders go with the Pod; compliance asks months later.
    """
    _judge(exam, "kept")


@check(level=should)
def failure_noticed(exam: Exam) -> None:
    """An SBOM that fails is noticed.

    A pipeline that goes on without it looks as green as one that wrote the list.
    """
    _judge(exam, "stops")


@check(level=should)
def images_pinned(exam: Exam) -> None:
    """The images name a version.

    A tag that moves is not a version: two runs may then list different things for the same image.
    """
    document = _document(exam)
    steps.pinned(exam, document, Task.of(document))


limits_set = limits_set_in(PATH, NAME)


@check(level=remark)
def up_to_date(exam: Exam) -> None:
    """Format and flags are the ones Syft recommends today.

    What is deprecated works until the day it is gone.
    """
    document = _document(exam)
    shared.record(exam, document, best_stocktaking(Task.of(document)), "remark")
    if not exam.facts:
        exam.fact("recommended", Text("The file is named the way Syft wants it today"), met=True)


def _judge(exam: Exam, topic: str) -> None:
    document = _document(exam)
    task = Task.of(document)
    found = best_stocktaking(task)
    if found:
        shared.record(exam, document, found, topic)
        return
    shared.tool_absent(exam, document, task, "syft", "Syft")
