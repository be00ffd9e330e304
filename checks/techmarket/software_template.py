"""1.3 – a golden path: a form, a skeleton, a repository, an entry in the catalogue, in that order."""

from __future__ import annotations

from typing import Final

from workshop.backstage import Template, flaws, refusals
from workshop.backstage.actions import (
    CREATE,
    INPUTS,
    PUBLISH,
    is_misspelt,
    meant,
)
from workshop.backstage.expressions import expressions
from workshop.backstage.templates import Property
from workshop.checking import Exam, Text, check, must, remark, should

from . import _backstage_skeleton as skeletons
from ._backstage import MANY, listed, shown, value_at
from ._backstage_comfort import judge_comfort
from ._backstage_flow import judge_contents, judge_fetching, judge_order, judge_registration, judge_repository
from ._backstage_template import (
    NAME,
    judge_references,
    misplaced,
    template,
)
from ._backstage_types import judge_types

_STEPS: Final = ("spec", "steps")


@check(level=must)
def a_scaffolder_template(exam: Exam) -> None:
    """It is a template that Backstage's scaffolder reads.

    A template of another version or shape never appears on the page where services are created.
    """
    read = template(exam)
    found = read.document.get("metadata", "name")
    exam.fact(
        "entity-name",
        Text("The template has the name that was asked"),
        isinstance(found, str) and found == NAME,
        expected=f"metadata.name: {NAME}",
        observed=f"metadata.name: {shown(found)}",
        next=Text("Copy the name from the exercise, letter by letter."),
        where=read.at("metadata", "name"),
    )
    claim = Text("The scaffolder accepts the template")
    for key in ("steps", "parameters"):
        elsewhere = misplaced(read, key)
        if elsewhere:
            exam.fact(
                f"{key}-misplaced",
                claim,
                met=False,
                expected=f"spec.{key}",
                observed=".".join(map(str, elsewhere)),
                next=Text("Indent it below `spec`."),
                where=read.document.key_at(*elsewhere),
            )
    for refusal in refusals(read.document.data)[:MANY]:
        exam.fact(
            f"refused-{refusal.rule}",
            claim,
            met=False,
            expected=refusal.expected,
            observed=value_at(read.document, refusal.path),
            next=Text("Compare with a template of the documentation: kind, apiVersion, the keys below spec."),
            where=read.at(*refusal.path),
        )


@check(level=must)
def asks_for_name_and_owner(exam: Exam) -> None:
    """The form asks for the service's name and for the team that owns it.

    What the form does not ask, somebody has to correct by hand in every service made from it.
    """
    read = template(exam)
    _asked(exam, read, "name", read.names, Text("the name of the service"))
    _asked(exam, read, "owner", read.owners, Text("the team that owns it"))


def _asked(exam: Exam, read: Template, key: str, questions: tuple[Property, ...], what: Text) -> None:
    if not questions:
        exam.fact(
            f"{key}-not-asked",
            Text("The form asks for {what}", what=what),
            met=False,
            expected=Text("a property below spec.parameters for {what}", what=what),
            observed=Text("asked: {names}", names=listed(each.id for each in read.properties)),
            next=Text("Add a property with a telling name or title, and list it under `required`."),
            where=read.at("spec", "parameters"),
        )
        return
    required = [each for each in questions if each.required]
    exam.fact(
        f"{key}-asked" if required else f"{key}-not-required",
        Text("The form insists on {what}", what=what),
        bool(required),
        expected=f"required: [{questions[0].id}]",
        observed=Text("{id} may be left empty", id=questions[0].id),
        next=Text("List it under `required`, beside the `properties` of its page."),
        where=read.at(*questions[0].path),
    )


@check(level=must)
def starts_from_a_skeleton(exam: Exam) -> None:
    """It fetches a skeleton and hands it the answers.

    The skeleton is the service; without the answers every new service would have the same name and owner.
    """
    judge_fetching(exam, template(exam))


@check(level=must)
def creates_the_repository(exam: Exam) -> None:
    """It creates the repository on GitHub and puts the files into it.

    A service without a repository of its own cannot be built, reviewed or found again.
    """
    judge_repository(exam, template(exam))


@check(level=must)
def registers_the_service(exam: Exam) -> None:
    """It registers the new service in the catalogue, wherever its repository came to be.

    A service nobody registers is one nobody finds: that is where this block began.
    """
    judge_registration(exam, template(exam))


@check(level=must)
def steps_in_order(exam: Exam) -> None:
    """First the skeleton, then the repository, then the catalogue.

    Steps run in the order they are written; each one needs what the one before it made.
    """
    judge_order(exam, template(exam))


@check(level=must)
def actions_exist(exam: Exam) -> None:
    """Every step uses an action that Backstage has.

    A run stops at the first action it does not know.
    """
    read = template(exam)
    if not read.steps:
        exam.fact("no-steps", Text("There is no step yet"), met=True, where=read.at(*_STEPS))
    for step in read.steps:
        probably = meant(step.action)
        exam.fact(
            "unknown-action",
            Text("Step {number} uses an action of Backstage", number=step.index + 1),
            bool(step.action) and not is_misspelt(step.action),
            expected=probably
            if probably != step.action
            else Text("an action of the list at /create/actions"),
            observed=f"action: {step.action or '–'}",
            next=Text("Copy the action from the list: first what is done, then where."),
            where=read.at(*step.path, "action"),
        )


@check(level=must)
def expressions_are_read(exam: Exam) -> None:
    """Expressions are written so that the scaffolder reads them.

    Anything else is copied as it stands, braces included.
    """
    read = template(exam)
    following = {
        "no-dollar": Text("Put a dollar sign before the two braces."),
        "braces": Text("Two braces on each side, the dollar sign right before them."),
        "unclosed": Text("Close the expression with two braces."),
    }
    found = [(path, flaw) for _, path, text in read.texts() for flaw in flaws(text)]
    for path, flaw in found[:MANY]:
        exam.fact(
            f"expression-{flaw.kind}",
            Text("Expressions are written ${{ … }}"),
            met=False,
            expected="${{ … }}",
            observed=flaw.text,
            next=following[flaw.kind],
            where=read.at(*path),
        )
    if not found:
        exam.fact("expressions", Text("Expressions are written ${{ … }}"), met=True, where=read.at(*_STEPS))


@check(level=must)
def references_resolve(exam: Exam) -> None:
    """Every expression refers to a question of the form or to an earlier step.

    What does not exist is rendered as nothing, and the mistake shows up somewhere else.
    """
    judge_references(exam, template(exam))


@check(level=should)
def every_service_its_own_repository(exam: Exam) -> None:
    """Every run creates another repository.

    A fixed address works once; the second service is refused because the repository exists.
    """
    read = template(exam)
    urls = [(step, step.input.get("repoUrl")) for step in read.doing(PUBLISH, CREATE)]
    written = [(step, url) for step, url in urls if isinstance(url, str) and url.strip()]
    if not written:
        exam.fact("no-repository", Text("No repository is named yet"), met=True, where=read.at(*_STEPS))
    for step, url in written:
        exam.fact(
            "repo-url-fixed",
            Text("The repository's name comes from the form"),
            bool(expressions(url)),
            expected=Text("an expression in repoUrl"),
            observed=shown(url),
            next=Text("Take the whole address or at least `repo=` from the form."),
            where=read.at(*step.path, "input", "repoUrl"),
        )


@check(level=must)
def types_fit(exam: Exam) -> None:
    """Questions and inputs have the types that the scaffolder takes.

    A form with a question of no type cannot be filled in, and an action refuses an input of another type.
    """
    judge_types(exam, template(exam))


@check(level=should)
def inputs_are_known(exam: Exam) -> None:
    """No step has an input that its action refuses, and no two steps share an id.

    Actions check their input strictly; of two steps of one id only the later one's output is kept.
    """
    read = template(exam)
    seen: set[str] = set()
    for step in read.steps:
        exam.fact(
            "duplicate-step-id",
            Text("Step {number} has an id of its own", number=step.index + 1),
            step.id not in seen,
            expected=Text("an id no other step has"),
            observed=f"id: {step.id}",
            next=Text("Give each step another id."),
            where=read.at(*step.path, "id"),
        )
        seen.add(step.id)
        known = INPUTS.get(step.meant)
        for key in step.input if known is not None else ():
            # `allowedHosts` is charged where the repository is created.
            if known is not None and key not in known and key != "allowedHosts":
                exam.fact(
                    "unknown-input",
                    Text("{action} knows its inputs", action=step.action),
                    met=False,
                    expected=Text("one of: {names}", names=listed(sorted(known))),
                    observed=f"input.{key}",
                    next=Text("Remove it, or look up its name: Backstage lists inputs at /create/actions."),
                    where=read.document.key_at(*step.path, "input", key),
                )
    if not read.steps:
        exam.fact("no-steps", Text("There is no step yet"), met=True, where=read.at(*_STEPS))


@check(level=should)
def contents_are_found(exam: Exam) -> None:
    """The registration looks for the entity's file where the pushed files are.

    `repoContentsUrl` leads to the files of a branch; the address to clone from leads to no file.
    """
    judge_contents(exam, template(exam))


@check(level=should)
def skeleton_is_complete(exam: Exam) -> None:
    """The skeleton next to the template holds a whole service.

    Code, Dockerfile, manifests, catalogue entry: what is missing here is missing from every new service.
    """
    skeletons.judge_parts(exam, template(exam))


@check(level=should)
def skeleton_fits_the_template(exam: Exam) -> None:
    """The skeleton uses what the template hands over, and its parts fit together.

    A value nobody passes is rendered as nothing; an autoscaler without requests measures nothing.
    """
    skeletons.judge_fit(exam, template(exam))


@check(level=remark)
def image_is_optimised(exam: Exam) -> None:
    """The skeleton's Dockerfile is one you would want fifty times.

    A golden path multiplies its Dockerfile, good or bad.
    """
    skeletons.judge_dockerfile(exam, template(exam))


@check(level=remark)
def comfortable_to_use(exam: Exam) -> None:
    """The form is comfortable: owners are picked, the template has an owner, the result is linked.

    People choose the golden path when it is the easiest one.
    """
    judge_comfort(exam, template(exam))
