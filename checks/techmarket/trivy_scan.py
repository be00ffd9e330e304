"""4.3 – the Task that scans: Trivy looks at the image and stops the pipeline at a critical vulnerability."""

from __future__ import annotations

from workshop.checking import Document, Exam, Text, check, must, remark, should
from workshop.tekton import Program, Task, parse_image, shown, version_of

from . import _tekton as shared
from . import _tekton_steps as steps
from ._tekton_scan import best_scan, is_trivy
from ._tekton_task import limits_set_in, sound

PATH, NAME = "td/tekton/task-trivy.yaml", "trivy-scan"
# Published by attackers in March 2026 under the project's name.
COMPROMISED = ((0, 69, 4), (0, 69, 6))


def _document(exam: Exam) -> Document:
    return shared.task_document(exam, PATH, NAME)


@check(level=must)
def task_named(exam: Exam) -> None:
    """The Task is called trivy-scan.

    The Pipeline finds it by this name and by nothing else.
    """
    shared.is_named(exam, _document(exam), NAME, "task-name")


@check(level=must)
def takes_image(exam: Exam) -> None:
    """The image to scan is a parameter.

    A Task that knows its image scans the same one for ever.
    """
    shared.takes_image(exam, _document(exam))


tekton_accepts, variables_hold, program_starts = sound(PATH, NAME)


@check(level=must)
def trivy_scans_image(exam: Exam) -> None:
    """Trivy scans the image of the parameter.

    What counts is the image that was pushed, with everything its base brought along.
    """
    _judge(exam, "target")


@check(level=must)
def critical_counts(exam: Exam) -> None:
    """CRITICAL is among the severities Trivy looks for.

    A filter that leaves out the worst findings lets exactly those through.
    """
    _judge(exam, "severity")


@check(level=must)
def finding_fails(exam: Exam) -> None:
    """Trivy fails when it finds something.

    By default it reports and succeeds: the pipeline would sign a vulnerable image.
    """
    _judge(exam, "gate")


@check(level=must)
def failure_stops(exam: Exam) -> None:
    """A failed scan fails the Task.

    A gate that swallows its own alarm is a report, not a gate.
    """
    _judge(exam, "stops")


@check(level=should)
def trivy_trustworthy(exam: Exam) -> None:
    """Trivy's image is a version that can be trusted.

    Releases 0.69.4 to 0.69.6 were published by attackers in March 2026; a moving tag would have pulled them.
    """
    document = _document(exam)
    task = Task.of(document)
    steps.pinned(exam, document, task)
    for step in task.steps:
        image = parse_image(Program(step, task.values()).image)
        version = version_of(image)
        if not is_trivy(image.name) or version is None:
            continue
        exam.fact(
            "compromised-trivy",
            Text(
                "{image} is not one of the compromised releases",
                image=shown(f"{image.repository}:{image.tag}"),
            ),
            not COMPROMISED[0] <= version <= COMPROMISED[1],
            expected=Text("0.70 or later, best by digest"),
            observed=image.tag,
            next=Text("Take 0.70 or later and change every secret this version may have seen."),
            where=document.at(*step.view.path, "image"),
        )


limits_set = limits_set_in(PATH, NAME)


@check(level=remark)
def gate_as_asked(exam: Exam) -> None:
    """The gate is neither stricter nor softer than asked.

    Both are decisions: they belong to somebody, and they belong written down.
    """
    document = _document(exam)
    found = best_scan(Task.of(document))
    shared.record(exam, document, found, "remark")
    if not exam.facts:
        exam.fact("as-asked", Text("The gate closes for CRITICAL only, as asked"), met=True)


def _judge(exam: Exam, topic: str) -> None:
    document = _document(exam)
    task = Task.of(document)
    found = best_scan(task)
    if found:
        shared.record(exam, document, found, topic)
        return
    shared.tool_absent(exam, document, task, "trivy", "Trivy")
