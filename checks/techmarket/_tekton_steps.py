"""What every step of a Task needs: a program that is in its image, an image that stays, limits."""

from __future__ import annotations

from workshop.checking import Document, Exam, Text
from workshop.tekton import Program, Task, parse_image, shown, tokens
from workshop.verdicts import Reason


def can_start(exam: Exam, document: Document, task: Task) -> None:
    """Record whether each step's program is to be found in its image."""
    _has_steps(exam, document, task)
    for step in task.steps:
        program = Program(step, task.values())
        known = program.known
        name = step.view.text("name") or parse_image(program.image).name
        claim = Text("The step {step} finds its program in the image", step=name)
        if known is None:
            exam.fact("starts", claim, met=True)
            continue
        if program.needs_shell and not known.shell:
            exam.fact(
                "script-without-shell",
                claim,
                met=False,
                expected=Text("args for the image's own program, or a variant of the image with a shell"),
                observed=Text("{image} has no shell", image=shown(program.image)),
                next=Text(
                    "Say it with `args` instead of a script, or take the image's debug or dev variant."
                ),
                where=document.at(*step.view.path, "script" if step.script else "command"),
            )
            continue
        lost = next((word for word in _started(program) if _is_lost(word, program)), None)
        exam.fact(
            "command-not-on-path" if lost else "starts",
            claim,
            lost is None,
            expected=Text("no command, or {path}", path=" ".join(known.entrypoint)),
            observed=Text("command: {command}", command=lost or " ".join(step.command or []) or "–"),
            next=Text("In the script, call {path} by its whole path.", path=" ".join(known.entrypoint))
            if step.script
            else Text("Leave `command` out: the image then starts its own program with your args."),
            where=document.at(*step.view.path, "script" if step.script else "command"),
        )


def _started(program: Program) -> list[str]:
    """Return the programs that a step starts: its command, or what its script calls."""
    if not program.step.script:
        return (program.step.command or [])[:1]
    called = [ran for ran in program.commands if "PATH" not in ran.variables]
    # What a script links or copies first may stand anywhere.
    return [] if any(ran.argv[0] in ("ln", "cp", "mv") for ran in called) else [ran.argv[0] for ran in called]


def _is_lost(word: str, program: Program) -> bool:
    """Whether a known image has no program of that name or path."""
    known, name = program.known, word.rpartition("/")[2]
    if known is None or not known.entrypoint:
        return False
    entry = known.entrypoint[-1]
    if not known.on_path and name == entry.rpartition("/")[2] and word != entry:
        return True
    # kaniko's program is called executor; there is none named after the project.
    return "kaniko" in parse_image(program.image).repository and name == "kaniko"


def pinned(exam: Exam, document: Document, task: Task) -> None:
    """Record whether the images of a Task can be replaced behind its back."""
    _has_steps(exam, document, task)
    for step in task.steps:
        image = Program(step, task.values()).image
        exam.fact(
            "image-not-pinned",
            Text("{image} names a version", image=shown(image)),
            not parse_image(image).moves or bool(tokens(image)),
            expected=Text("a version tag or a digest"),
            observed=Text("image: {image}", image=shown(image)),
            next=Text("Name a version: the policy of exercise 2.2 refuses the Pod otherwise."),
            where=document.at(*step.view.path, "image"),
        )


def bounded(exam: Exam, document: Document, task: Task) -> None:
    """Record whether each step has the limits that the policy of exercise 2.3 asks of its container."""
    _has_steps(exam, document, task)
    old = str(document.get("apiVersion")).endswith("v1beta1")
    field = "resources" if old else "computeResources"
    for step in task.steps:
        missing = [
            what
            for what in ("cpu", "memory")
            if not step.view.has(field, "limits", what) and not step.template.has(field, "limits", what)
        ]
        exam.fact(
            "no-limits",
            Text("The step {step} has limits", step=step.view.text("name") or "–"),
            not missing,
            expected=Text("{field}.limits with cpu and memory", field=field),
            observed=Text("missing: {names}", names=", ".join(missing) or "–"),
            next=Text("The policy of exercise 2.3 refuses the Pod of this Task without them."),
            where=document.at(*step.view.path),
        )


def _has_steps(exam: Exam, document: Document, task: Task) -> None:
    """Say that there is nothing to look at; what Tekton says of it is a fact of another check."""
    if not task.steps:
        where = document.at("spec", "steps")
        exam.fact("no-steps", Text("The Task has steps"), met=None, where=where, reason=Reason.NEEDS)
