"""What the exercises of block 4 ask of every Tekton object: name, validity, variables, images."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from workshop.checking import Document, Exam, Text
from workshop.tekton import (
    Beyond,
    Path,
    Program,
    Ran,
    Step,
    Task,
    mistaken,
    references,
    refusals,
    shown,
    tokens,
)
from workshop.texts import Message
from workshop.verdicts import Reason

IMAGE = "params.IMAGE"
# A way of getting at an image, written before the parameter.
_SCHEME = re.compile("([a-z][a-z-]*:(?://)?)\ue000")


@dataclass(frozen=True, slots=True)
class Finding:
    """A fact about a part of a document, before it is recorded; `topic` names the check it belongs to."""

    topic: str
    id: str
    claim: Message
    met: bool | None
    path: Path
    expected: Message | None = None
    observed: Message | None = None
    next: Message | None = None


def record(exam: Exam, document: Document, findings: Iterable[Finding], topic: str) -> None:
    """Record the findings of one topic as facts."""
    for each in findings:
        if each.topic == topic:
            exam.fact(
                each.id,
                each.claim,
                each.met,
                expected=each.expected,
                observed=each.observed,
                next=each.next,
                where=document.at(*each.path),
                reason=Reason.BEYOND_EVALUATOR if each.met is None else None,
            )


def task_document(exam: Exam, path: str, name: str) -> Document:
    """Return the Task an exercise asks for; a ClusterTask ends the check."""
    document = exam.resource(path, kinds=["Task.tekton.dev", "ClusterTask.tekton.dev"], named=name)
    if document.get("kind") == "ClusterTask":
        exam.fail(
            "cluster-task",
            Text("{path} holds the object that is asked", path=path),
            expected="kind: Task",
            observed="kind: ClusterTask",
            next=Text(
                "ClusterTask was removed in Tekton 1.0. A Task in the namespace of the run does the same."
            ),
            where=document.at("kind"),
        )
    return document


def is_named(exam: Exam, document: Document, name: str, fact: str) -> None:
    """Record whether an object has the name that is asked."""
    found = document.get("metadata", "name")
    exam.fact(
        fact,
        Text("The name is {name}", name=name),
        found == name,
        expected=f"metadata.name: {name}",
        observed=f"metadata.name: {found}",
        next=Text("Others refer to it by this name: copy it letter by letter."),
        where=document.at("metadata", "name"),
    )


def takes_image(exam: Exam, document: Document) -> None:
    """Record whether a Task declares the parameter IMAGE, as a text."""
    task = Task.of(document)
    parameter = task.parameters.get("IMAGE")
    declared = exam.fact(
        "param-missing",
        Text("The Task has the parameter {name}", name="IMAGE"),
        parameter is not None,
        expected=Text("an entry of spec.params named {name}", name="IMAGE"),
        observed=Text("parameters: {names}", names=", ".join(task.parameters) or "–"),
        next=Text("Declare it under `spec.params`. Capital letters count."),
        where=document.at("spec", "params"),
    )
    if declared and parameter is not None:
        exam.fact(
            "param-type",
            Text("{name} is a text", name="IMAGE"),
            parameter.type == "string",
            expected="type: string",
            observed=f"type: {parameter.type}",
            next=Text("One image has one name: the type is `string`."),
            where=parameter.view.at("type"),
        )


def accepted(exam: Exam, document: Document) -> None:
    """Record why Tekton refuses an object, or that it takes it."""
    claim = Text("Tekton accepts the object")
    found = refusals(document)
    if not found:
        exam.fact("accepted", claim, met=True)
    for refusal in found:
        exam.fact(
            refusal.id,
            claim,
            met=False,
            expected=Text("fields, types and references that Tekton's webhook takes"),
            observed=refusal.message,
            next=Text(
                "`kubectl apply --dry-run=server -f {file}` shows the server's own words.", file=document.file
            ),
            where=document.at(*refusal.path),
        )


def variables_hold(exam: Exam, document: Document, task: Task) -> None:
    """Record what looks like a variable and is none, and variables that nothing stands behind."""
    known = task.values()
    claim = Text("Every variable is one that Tekton fills in")
    fine = True
    for step in task.steps:
        for text, path in step.texts:
            where = document.at(*step.view.path, *path)
            for part in mistaken(text, script=path == ("script",)):
                fine = False
                workspace = "workspace" in part.lower()
                exam.fact(
                    "literal-workspace" if workspace else "literal-param",
                    claim,
                    met=False,
                    expected="$(workspaces.<name>.path)" if workspace else "$(params.<name>)",
                    observed=Text("{text} reaches the program as it stands there", text=part),
                    next=Text(
                        "Tekton knows round brackets with a dollar sign before them, and the word in the "
                        "plural."
                    ),
                    where=where,
                )
            for reference in references(text):
                if reference.text.startswith("$(inputs.") and reference.key not in known:
                    fine = False
                    exam.fact(
                        "literal-param",
                        claim,
                        met=False,
                        expected="$(params.<name>)",
                        observed=Text("{variable} means nothing here", variable=reference.text),
                        next=Text("Declare the parameter, and write $(params.<name>)."),
                        where=where,
                    )
                if reference.scope in ("workspaces", "results") and reference.key not in known:
                    fine = False
                    what, names = (
                        ("workspace", list(task.workspaces))
                        if reference.scope == "workspaces"
                        else ("result", task.results)
                    )
                    exam.fact(
                        f"unknown-{what}",
                        claim,
                        met=False,
                        expected=Text("one of: {names}", names=", ".join(names) or "–"),
                        observed=Text("{variable} means nothing here", variable=reference.text),
                        next=Text(
                            "Declare it under `spec.{section}`, or correct its name; the part after the "
                            "name is `path`.",
                            section=reference.scope,
                        ),
                        where=where,
                    )
    if fine:
        exam.fact("variables", claim, met=True)


def place(step: Step, *words: str) -> Path:
    """Return where a step says something: the first argument or command word that holds one of `words`."""
    for word in words:
        for text, path in step.texts:
            if word in text:
                return (*step.view.path, *path)
    for key in ("args", "script", "command"):
        if step.view.has(key):
            return (*step.view.path, key)
    return step.view.path


def runs_on(text: str, variable: str) -> str | None:
    """Return the word around a variable where letters touch it, None where it stands for itself.

    What a scheme, a tag, a digest or a path adds (`docker:…`, `…:v1`, `…@sha256:…`) leaves the name whole.
    """
    found = re.search(rf"[\w.-]*{re.escape(variable)}[\w.-]*", text)
    return found[0] if found and found[0] != variable else None


def judge_image(
    topic: str, words: Sequence[str], path: Path, claim: Message, fact: str, *, schemes: bool = False
) -> Finding:
    """Return whether one of the words a program works on is the parameter IMAGE; `fact` is for none.

    `schemes` says that the program takes a source before the name, such as `docker:`.
    """
    # Not declared, it stays a reference: that is another check's matter.
    using = [word for word in words if IMAGE in (*tokens(word), *(each.key for each in references(word)))]
    altered = [runs_on(shown(word), f"$({IMAGE})") for word in using]
    # kaniko pushes under several names, cosign signs several images: one of them is the one asked for.
    if None not in altered:
        for text in filter(None, altered):
            observed = Text("it works on {text}", text=text)
            advice = Text("Take the parameter as it is: a letter more makes another image of it.")
            return Finding(topic, "image-altered", claim, False, path, "$(params.IMAGE)", observed, advice)
    begun = [found[1] for word in using if (found := _SCHEME.match(word)) and not schemes]
    if using and len(begun) == len(using):
        observed = Text("{text} stands before the image", text=begun[0])
        advice = Text("This tool takes the bare name of an image: leave out what stands before it.")
        return Finding(topic, "image-with-scheme", claim, False, path, "$(params.IMAGE)", observed, advice)
    if using:
        return Finding(topic, "uses-image", claim, True, path)
    literal = [
        part for word in words for part in (mistaken(word) or [k[1:] for k in tokens(word) if k[:1] == "!"])
    ]
    expected = "$(params.IMAGE)"
    if literal:
        return Finding(
            topic,
            "literal-param",
            claim,
            False,
            path,
            expected,
            Text("{text} reaches the program as it stands there", text=literal[0]),
            Text("Tekton knows round brackets with a dollar sign before them, and the word in the plural."),
        )
    unset = [f"${key[1:]}" for word in words for key in tokens(word) if key[:1] == "?"]
    if unset:
        return Finding(
            topic,
            "shell-variable",
            claim,
            False,
            path,
            expected,
            Text("{text} is a variable of the script that nothing sets", text=unset[0]),
            Text("A parameter is no variable of the shell: write $(params.IMAGE), or set it under `env`."),
        )
    if any(key.startswith("$") for word in words for key in tokens(word)):
        observed = Text("{text}: known only when it runs", text=" ".join(map(shown, words)))
        return Finding(topic, "image-unclear", claim, None, path, expected, observed)
    other = [f"$({key})" for word in words for key in tokens(word) if key.startswith("params.")]
    other += [reference.text for word in words for reference in references(word)]
    if other:
        return Finding(
            topic,
            "other-variable",
            claim,
            False,
            path,
            expected,
            Text("it works on {text}", text=other[0]),
            Text("The image is in the parameter IMAGE, in capital letters."),
        )
    if words:
        return Finding(
            topic,
            "hard-coded-image",
            claim,
            False,
            path,
            expected,
            Text("it works on {text}", text=" ".join(map(shown, words))),
            Text("Written down, the image is the same for every run: take the parameter."),
        )
    return Finding(
        topic,
        fact,
        claim,
        False,
        path,
        expected,
        Text("no image is given to the program"),
        Text("Hand the parameter IMAGE to the program."),
    )


def one_target(words: Sequence[str], path: Path, claim: Message) -> list[Finding]:
    """Return a finding where a program that takes one image is given more words than that."""
    if len(words) < 2:
        return []
    observed = Text("it works on {text}", text=" ".join(map(shown, words)))
    advice = Text("One word too many: it takes one image, and the program's own name is no argument.")
    return [Finding("target", "several-targets", claim, False, path, "$(params.IMAGE)", observed, advice)]


def softened(findings: list[Finding], ran: Ran) -> list[Finding]:
    """Return the findings about a command; what a parameter without a default may still add is not known."""
    arrays = [key for word in ran.argv for key in tokens(word) if key.endswith("[*]")]
    if not arrays:
        return findings
    observed = Text("$({name}) brings arguments of its own, known only when it runs", name=arrays[0])
    return [
        replace(each, id="arguments-unclear", met=None, observed=observed)
        if each.met is False and each.topic != "remark"
        else each
        for each in findings
    ]


def condition_of(program: Program, topic: str, claim: Message) -> list[Finding]:
    """Return a finding where a `when` keeps a step from running, or may do so."""
    runs = program.step.runs(program.values)
    if runs is True:
        return []
    return [
        Finding(
            topic,
            "step-never-runs" if runs is False else "step-may-be-skipped",
            claim,
            runs,
            (*program.step.view.path, "when"),
            Text("a step without a condition, or one that holds"),
            Text("a condition that does not hold unless the run changes it")
            if runs is False
            else Text("a condition that only the run can answer"),
            Text("Take `when` off the step: what is skipped checks nothing and makes nothing."),
        )
    ]


def failure_noticed(program: Program, ran: Ran) -> bool | None:
    """Whether the Task fails when a command of one of its steps does; None where it cannot be told."""
    if program.step.goes_on:
        return False
    try:
        ways = program.follow(lambda words: 1 if tuple(words) == ran.argv else 0)
    except Beyond:
        return None
    statuses = {way.status for way in ways if any(each.argv == ran.argv for each in way.commands)}
    return True if 0 not in statuses else False if statuses == {0} else None


def tool_absent(exam: Exam, document: Document, task: Task, word: str, name: str) -> None:
    """Record that no step runs a program, or that it cannot be told."""
    claim = Text("A step runs {tool}", tool=name)
    hidden = [
        step
        for step in task.steps
        if not Program(step, task.values()).followed and any(word in text for text, _ in step.texts)
    ]
    refers = any(step.view.has("ref") for step in task.steps)
    found = ", ".join(shown(Program(step, task.values()).image) for step in task.steps)
    exam.fact(
        f"{word}-unclear" if hidden or refers else f"{word}-missing",
        claim,
        None if hidden or refers else False,
        expected=Text("a step whose program is {tool}", tool=name),
        observed=Text("images: {images}", images=found or "–"),
        next=Text("The statement names the tool: let a step run it."),
        where=document.at("spec", "steps"),
        reason=Reason.BEYOND_EVALUATOR if hidden or refers else None,
    )
