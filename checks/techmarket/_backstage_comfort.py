"""1.3 – what makes a template comfortable: fields that pick, an owner, links, nothing that needs a plugin."""

from __future__ import annotations

import difflib

from workshop.backstage import Template
from workshop.backstage.actions import CREATE, KNOWN, PUBLISH, is_misspelt
from workshop.backstage.expressions import references
from workshop.backstage.templates import FIELDS, REPOSITORY_FIELD
from workshop.checking import Exam, Text


def judge_comfort(exam: Exam, read: Template) -> None:
    """Record what people who fill in the form would miss."""
    if read.owners:
        owner = read.owners[0]
        exam.fact(
            "owner-typed",
            Text("The owner is picked from the catalogue or from a list"),
            bool(owner.field) or "enum" in owner.schema,
            expected="ui:field: OwnerPicker",
            observed=Text("a plain text field"),
            next=Text("An OwnerPicker offers the groups that exist."),
            where=read.at(*owner.path),
        )
    _judge_pickers(exam, read)
    exam.fact(
        "template-without-owner",
        Text("The template has an owner itself"),
        isinstance(read.document.get("spec", "owner"), str),
        expected="spec.owner",
        observed=Text("no owner"),
        next=Text("Somebody has to keep the golden path in order: name the team."),
        where=read.at("spec", "owner"),
    )
    exam.fact(
        "no-output-links",
        Text("The last page leads to the new service"),
        bool(read.document.get("spec", "output", "links")),
        expected="spec.output.links",
        observed=Text("no links"),
        next=Text("Link the repository and the entity, both are outputs of your steps."),
        where=read.at("spec", "output"),
    )
    _judge_plugins(exam, read)


def _judge_pickers(exam: Exam, read: Template) -> None:
    for question in read.properties:
        near = difflib.get_close_matches(question.field, FIELDS, n=1, cutoff=0.85)
        if near and question.field not in FIELDS:
            exam.fact(
                "picker-misspelt",
                Text("Fields of the form are called as Backstage calls them"),
                met=False,
                expected=f"ui:field: {near[0]}",
                observed=f"ui:field: {question.field}",
                next=Text("A field nobody knows becomes a plain text field."),
                where=read.at(*question.path, "ui:field"),
            )
    urls = [str(step.input.get("repoUrl")) for step in read.doing(PUBLISH, CREATE)]
    asked = {
        reference.path[0]
        for url in urls
        for reference in references(url)
        if reference.root == "parameters" and reference.path
    }
    for question in read.properties:
        if question.id in asked and "repo=" not in str(urls) and not question.field:
            exam.fact(
                "repo-url-typed",
                Text("The repository is picked, not typed"),
                met=False,
                expected=f"ui:field: {REPOSITORY_FIELD}",
                observed=Text("a plain text field"),
                next=Text("Nobody types github.com?owner=…&repo=… without a mistake: the picker does."),
                where=read.at(*question.path),
            )


def _judge_plugins(exam: Exam, read: Template) -> None:
    own = [
        step
        for step in read.steps
        if step.action and step.action not in KNOWN and not is_misspelt(step.action)
    ]
    for step in own:
        exam.fact(
            "action-of-a-plugin",
            Text("Step {number} runs on a plain Backstage", number=step.index + 1),
            met=False,
            expected=Text("an action of the list at /create/actions"),
            observed=f"action: {step.action}",
            next=Text("It needs a plugin in the backend: make sure that yours has it."),
            where=read.at(*step.path, "action"),
        )
