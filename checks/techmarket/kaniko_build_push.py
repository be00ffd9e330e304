"""4.2 – the Task that builds: from sources in a workspace to an image in the registry, without a daemon."""

from __future__ import annotations

from workshop.checking import Document, Exam, Text, check, must, remark, should
from workshop.tekton import Task

from . import _tekton as shared
from . import _tekton_steps as steps
from ._tekton_build import best_build, daemon_uses, equivalents, judge_equivalents
from ._tekton_task import limits_set_in, sound

PATH, NAME = "td/tekton/task-kaniko.yaml", "kaniko-build-push"


def _document(exam: Exam) -> Document:
    return shared.task_document(exam, PATH, NAME)


@check(level=must)
def task_named(exam: Exam) -> None:
    """The Task is called kaniko-build-push.

    The Pipeline finds it by this name and by nothing else.
    """
    shared.is_named(exam, _document(exam), NAME, "task-name")


@check(level=must)
def takes_image(exam: Exam) -> None:
    """The image to build is a parameter.

    A Task is a function: what it makes is up to whoever calls it.
    """
    shared.takes_image(exam, _document(exam))


@check(level=must)
def takes_source(exam: Exam) -> None:
    """The sources come in through the workspace source.

    A workspace is the only way for files from one Task to the next.
    """
    document = _document(exam)
    task = Task.of(document)
    exam.fact(
        "workspace-missing",
        Text("The Task has the workspace {name}", name="source"),
        "source" in task.workspaces,
        expected=Text("an entry of spec.workspaces named {name}", name="source"),
        observed=Text("workspaces: {names}", names=", ".join(task.workspaces) or "–"),
        next=Text("Declare it under `spec.workspaces`; using a path does not declare it."),
        where=document.at("spec", "workspaces"),
    )


tekton_accepts, variables_hold, program_starts = sound(PATH, NAME)


@check(level=must)
def without_daemon(exam: Exam) -> None:
    """No Docker daemon is needed.

    Who reaches the node's daemon owns the node: that is what kaniko avoids.
    """
    document = _document(exam)
    uses = daemon_uses(Task.of(document))
    claim = Text("The Task does without a Docker daemon")
    if not uses:
        exam.fact("daemonless", claim, met=True)
    for path, what in uses:
        exam.fact(
            "docker-daemon",
            claim,
            met=False,
            expected=Text("kaniko, or another builder that needs no daemon"),
            observed=what,
            next=Text("Take the socket, the sidecar or the docker command out: kaniko builds on its own."),
            where=document.at(*path),
        )


@check(level=must)
def pushes_image(exam: Exam) -> None:
    """The image is pushed under the name of the parameter.

    An image that is not in the registry can be neither scanned nor signed nor run.
    """
    _judge(exam, "push")


@check(level=must)
def builds_workspace(exam: Exam) -> None:
    """What is built are the sources in the workspace.

    Another folder is empty, or belongs to another commit.
    """
    _judge(exam, "sources")


@check(level=should)
def finds_credentials(exam: Exam) -> None:
    """kaniko finds the registry's credentials.

    Pushing needs a login, and kaniko does not look where Tekton puts it.
    """
    document = _document(exam)
    task = Task.of(document)
    found = best_build(task)
    shared.record(exam, document, found, "credentials")
    if not found:
        exam.fact("other-builder-login", Text("Another builder logs in its own way"), met=True)


@check(level=should)
def images_pinned(exam: Exam) -> None:
    """The images name a version.

    A tag that moves is not a version: tomorrow another program builds your images.
    """
    document = _document(exam)
    steps.pinned(exam, document, Task.of(document))


limits_set = limits_set_in(PATH, NAME)


@check(level=remark)
def hands_on_digest(exam: Exam) -> None:
    """The Task hands on the digest of what it pushed.

    Scan and signature can then speak of this image, whatever happens to its tag.
    """
    document = _document(exam)
    task = Task.of(document)
    found = best_build(task) or (judge_equivalents(task) if equivalents(task) else [])
    shared.record(exam, document, found, "remark")
    if not found:
        exam.fact("no-builder", Text("A step runs {tool}", tool="kaniko"), met=None)


def _judge(exam: Exam, topic: str) -> None:
    document = _document(exam)
    task = Task.of(document)
    found = best_build(task)
    if not found and equivalents(task):
        found = judge_equivalents(task)
    if found:
        shared.record(exam, document, found, topic)
        return
    shared.tool_absent(exam, document, task, "kaniko", "kaniko")
