"""What the checks of 1.3 share: finding the template, and judging what its expressions refer to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from workshop.backstage import Reference, Step, Template, references
from workshop.backstage.actions import CREATE, OUTPUTS, PUBLISH, PUSH
from workshop.backstage.expressions import intended_references
from workshop.backstage.templates import Property, texts_in
from workshop.checking import Exam, Text, kind_of
from workshop.texts import Message
from workshop.verdicts import Reason
from workshop.workspace import Unreadable

from ._backstage import FOLDER, MANY, listed, places_of

PATH: Final = "td/backstage/template-nodejs-service.yaml"
NAME: Final = "create-nodejs-service"
_KIND: Final = "Template.scaffolder.backstage.io"
_FIELDS: Final = frozenset({"parameters", "steps"})


def template(exam: Exam) -> Template:
    """Return the template that was asked; one of another apiVersion counts, that is a fact of its own."""
    kinds = {_KIND, *_meant_as_template(exam)}
    document = exam.resource(PATH, kinds=sorted(kinds), named=NAME, dialect="core")
    for key in ("parameters", "steps"):
        kept = document.get("spec", key)
        if isinstance(kept, dict) and set(kept) in ({"$yaml"}, {"$json"}):
            exam.blocked(
                "kept-elsewhere",
                Text("The template says what it asks and does"),
                reason=Reason.BEYOND_EVALUATOR,
                observed=Text(
                    "spec.{key} is read from {file}, which the workshop does not follow",
                    key=key,
                    file=str(next(iter(kept.values())))[:80],
                ),
            )
    return Template.of(document)


def _meant_as_template(exam: Exam) -> Iterator[str]:
    for file in exam.workspace.files(FOLDER, (".yaml", ".yml")):
        try:
            documents = exam.workspace.documents(file, dialect="core")
        except Unreadable:
            continue  # a fact of the files that hold it
        for document in documents:
            kind = document.get("kind")
            named = document.get("metadata", "name") == NAME
            if (isinstance(kind, str) and kind.strip().lower() == "template") or (kind is None and named):
                yield kind_of(document)


def misplaced(read: Template, key: str) -> tuple[str | int, ...] | None:
    """Return where `steps` or `parameters` stand instead of below spec; None when they do not."""
    if read.document.has("spec", key):
        return None
    return next((path for path in places_of(read.document, key) if path[:-1] in ((), ("metadata",))), None)


def handed_over(read: Template, step: Step, questions: tuple[Property, ...]) -> bool:
    """Whether a fetch step passes the answer of one of these questions on to the skeleton.

    What an earlier step made of the answer counts: a team's entity that `catalog:fetch` looked up, say.
    """
    ids = {each.id for each in questions}
    # An expression that is written wrongly is a fact of its own.
    pending = [_intended(step.input.get("values"))]
    # Of two steps of one id the later one's output is kept; each is followed once.
    earlier = {each.id: each for each in read.steps if each.index < step.index}
    while pending:
        for reference in pending.pop():
            # `values: ${{ parameters }}` hands over everything.
            if reference.root == "parameters" and (not reference.path or reference.path[0] in ids):
                return True
            used = (
                earlier.pop(reference.path[0], None) if reference.root == "steps" and reference.path else None
            )
            if used is not None:
                pending.append(_intended(used.input))
    return False


def _intended(value: object) -> list[Reference]:
    return [reference for _, text in texts_in(value, ()) for reference in intended_references(text)]


def repository_steps(read: Template) -> tuple[list[Step], list[Step]]:
    """Return the steps that make the repository on GitHub, and those that put the files into it."""
    return read.doing(PUBLISH, CREATE), read.doing(PUBLISH, PUSH)


def uses_output_of(read: Template, step: Step, sources: list[Step], keys: tuple[str, ...]) -> bool:
    """Whether one of these inputs of a step refers to one of the source steps.

    A step that does not exist counts: it was meant, and is a fact of its own.
    """
    others = {each.id for each in read.steps} - {source.id for source in sources}
    return any(
        reference.root == "steps" and bool(reference.path) and reference.path[0] not in others
        for key in keys
        for _, text in texts_in(step.input.get(key), ())
        for reference in intended_references(text)
    )


def judge_references(exam: Exam, read: Template) -> None:
    """Record every reference that leads nowhere, or that there are none."""
    claim = Text("Every expression refers to something that exists")
    broken = (
        (path, reference, found)
        for index, path, text in read.texts()
        for reference in references(text)
        if (found := _broken(read, index, reference)) is not None
    )
    first = list(islice(broken, MANY))
    for path, reference, (fact, expected, following) in first:
        exam.fact(
            fact,
            claim,
            met=False,
            expected=expected,
            observed=reference.text,
            next=following,
            where=read.at(*path),
        )
    if not first:
        exam.fact("references", claim, met=True, where=read.document)


def _broken(read: Template, index: int | None, reference: Reference) -> tuple[str, Message, Text] | None:
    if reference.root == "values":
        return (
            "values-outside-skeleton",
            Text("parameters in template.yaml, values in the skeleton"),
            Text("In the template answers are called `parameters`; `values` exists in the skeleton only."),
        )
    if reference.hyphen:
        return (
            "hyphen-in-reference",
            Text("names with a hyphen in brackets and quotation marks"),
            Text("Behind a dot a hyphen subtracts: write steps['my-step'] or parameters['my-name']."),
        )
    if not reference.path:
        return None
    if reference.root == "parameters":
        if read.declared(reference.path[0]):
            return None
        return (
            "unknown-parameter",
            Text("one of: {names}", names=listed(each.id for each in read.properties)),
            Text("Ask for it below `spec.parameters`, or correct the name."),
        )
    return _broken_step(read, index, reference)


def _broken_step(read: Template, index: int | None, reference: Reference) -> tuple[str, Message, Text] | None:
    ids = listed(step.id for step in read.steps)
    sources = [step for step in read.steps if step.id == reference.path[0]]
    if not sources:
        return (
            "unknown-step",
            Text("one of: {names}", names=ids),
            Text("Use the `id` of a step, not its name or its action."),
        )
    if index is not None and all(step.index >= index for step in sources):
        return (
            "later-step",
            Text("a step before this one"),
            Text("A step can only use what earlier steps gave: change the order."),
        )
    if len(reference.path) > 1 and reference.path[1] != "output":
        return (
            "reference-without-output",
            f"steps['{reference.path[0]}'].output.…",
            Text("What a step gives is below its `output`."),
        )
    source = sources[0]
    outputs = OUTPUTS.get(source.meant)
    if outputs is None or len(reference.path) < 3 or "each" in source.data or reference.path[2] in outputs:
        return None
    return (
        "unknown-output",
        Text("one of: {names}", names=listed(sorted(outputs))),
        Text("Look up what this action gives: Backstage lists it at /create/actions."),
    )
