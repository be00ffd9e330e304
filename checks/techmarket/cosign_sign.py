"""4.4 – the Task that signs: Cosign in keyless mode, without anybody at the keyboard."""

from __future__ import annotations

from workshop.checking import Document, Exam, Text, check, must, remark, should
from workshop.tekton import Task

from . import _tekton as shared
from . import _tekton_steps as steps
from ._tekton_sign import best_signing
from ._tekton_task import limits_set_in, sound

PATH, NAME = "td/tekton/task-cosign.yaml", "cosign-sign"


def _document(exam: Exam) -> Document:
    return shared.task_document(exam, PATH, NAME)


@check(level=must)
def task_named(exam: Exam) -> None:
    """The Task is called cosign-sign.

    The Pipeline finds it by this name and by nothing else.
    """
    shared.is_named(exam, _document(exam), NAME, "task-name")


@check(level=must)
def takes_image(exam: Exam) -> None:
    """The image to sign is a parameter.

    What is signed must be what was built and scanned, run by run.
    """
    shared.takes_image(exam, _document(exam))


tekton_accepts, variables_hold, program_starts = sound(PATH, NAME)


@check(level=must)
def cosign_signs_image(exam: Exam) -> None:
    """Cosign signs the image of the parameter.

    The signature is what exercise 2.6 asks for before it lets the image in.
    """
    _judge(exam, "signs")


@check(level=must)
def without_key(exam: Exam) -> None:
    """The signature is keyless.

    A key has to be kept and can be stolen; an identity is proven anew each time.
    """
    _judge(exam, "keyless")


@check(level=must)
def without_question(exam: Exam) -> None:
    """Cosign asks nothing.

    A question in a Pod is a Task that stands still until it times out.
    """
    _judge(exam, "silent")


@check(level=should)
def failure_noticed(exam: Exam) -> None:
    """A signature that fails is noticed.

    A pipeline that goes on without it looks as green as one that signed.
    """
    _judge(exam, "stops")


@check(level=should)
def images_pinned(exam: Exam) -> None:
    """The images name a version.

    Cosign 3 writes signatures elsewhere than Cosign 2: a moving tag changes that overnight.
    """
    document = _document(exam)
    steps.pinned(exam, document, Task.of(document))


limits_set = limits_set_in(PATH, NAME)


@check(level=should)
def no_token_in_clear(exam: Exam) -> None:
    """No identity token is written into the file.

    Whoever reads the file signs in your name.
    """
    document = _document(exam)
    shared.record(exam, document, best_signing(Task.of(document)), "secret")
    if not exam.facts:
        exam.fact("no-token", Text("No token is written into the file"), met=True)


@check(level=remark)
def signature_found_later(exam: Exam) -> None:
    """Nothing stands in the way of verifying the signature.

    Signing is half of it: the policy of exercise 2.6 must find what was written.
    """
    document = _document(exam)
    shared.record(exam, document, best_signing(Task.of(document)), "remark")
    if not exam.facts:
        exam.fact("readable-signature", Text("Exercise 2.6 can read the signature"), met=True)


def _judge(exam: Exam, topic: str) -> None:
    document = _document(exam)
    task = Task.of(document)
    found = best_signing(task)
    if found:
        shared.record(exam, document, found, topic)
        return
    shared.tool_absent(exam, document, task, "cosign", "Cosign")
