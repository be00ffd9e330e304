"""What is judged of the way a template of 1.3 goes: skeleton, repository, catalogue, in that order."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qs

from workshop.backstage import Step, Template
from workshop.backstage.actions import CREATE, FETCH, FETCH_WITH_VALUES, PUBLISH, PUSH, REGISTER
from workshop.backstage.expressions import expressions, references
from workshop.backstage.templates import texts_in
from workshop.checking import Exam, Text

from ._backstage import shown
from ._backstage_template import handed_over, repository_steps, uses_output_of

_STEPS: Final = ("spec", "steps")
_REGISTERED: Final = ("repoContentsUrl", "catalogInfoUrl")
# What stands right behind an expression, and begins neither a path nor another expression.
_RUN_ON: Final = re.compile(r"\}\}[^\s/?#$]")


def judge_fetching(exam: Exam, read: Template) -> None:
    """Record whether a step fetches the skeleton and hands it the answers."""
    fetches = read.doing(*FETCH_WITH_VALUES)
    if not fetches:
        plain = read.doing(*FETCH)
        exam.fail(
            "fetch-without-values" if plain else "skeleton-not-fetched",
            Text("A step fetches the skeleton and fills it in"),
            expected="action: fetch:template",
            observed=f"action: {plain[0].action}" if plain else Text("no such step"),
            next=Text("`fetch:plain` copies files as they are; `fetch:template` fills the answers in.")
            if plain
            else Text("Begin with a step that fetches the skeleton next to this file."),
            where=read.at(*(plain[0].path if plain else _STEPS)),
        )
    _one_runs(exam, read, fetches)
    for step in fetches:
        url = step.input.get("url")
        exam.fact(
            "fetch-url-missing",
            Text("The step says where the skeleton is"),
            isinstance(url, str) and bool(url.strip()),
            expected=Text("input.url, such as ./skeleton"),
            observed=f"input.url: {shown(url)}",
            next=Text("Give the folder's path relative to this file."),
            where=read.at(*step.path, "input", "url"),
        )
    for key, questions in (("name", read.names), ("owner", read.owners)):
        if questions:
            exam.fact(
                f"{key}-not-handed-over",
                Text("The skeleton is given the answer to {id}", id=questions[0].id),
                any(handed_over(read, step, questions) for step in fetches),
                expected=Text("input.values with ${{ parameters.{id} }}", id=questions[0].id),
                observed=Text("no value refers to it"),
                next=Text("Add a line to the step's `values` that reads the answer."),
                where=read.at(*fetches[0].path, "input", "values"),
            )


def judge_repository(exam: Exam, read: Template) -> None:
    """Record whether the repository is created on GitHub, filled and named."""
    making, filling = repository_steps(read)
    claim = Text("A step creates the repository on GitHub")
    if not making:
        others = [step for step in read.steps if step.meant.startswith(("publish:", "github:", "gitlab:"))]
        pull_request = any(step.meant == "publish:github:pull-request" for step in others)
        exam.fail(
            "pull-request-only" if pull_request else "repository-not-created",
            claim,
            expected="action: publish:github",
            observed=f"action: {others[0].action}" if others else Text("no such step"),
            next=Text("A pull request needs a repository that exists; this service has none yet.")
            if pull_request
            else Text("Add `publish:github`, or `github:repo:create` followed by `github:repo:push`."),
            where=read.at(*(others[0].path if others else _STEPS)),
        )
    _one_runs(exam, read, making)
    exam.fact("created", claim, met=True, where=read.at(*making[0].path))
    exam.fact(
        "repository-not-filled",
        Text("The generated files are pushed to it"),
        bool(filling),
        expected="action: github:repo:push",
        observed=Text("the repository stays empty"),
        next=Text("`github:repo:create` makes an empty repository: push the files in a step after it."),
        where=read.at(*making[0].path),
    )
    for step in read.doing(PUBLISH, CREATE, PUSH):
        _names_the_repository(exam, read, step)
        exam.fact(
            "allowed-hosts",
            Text("The step takes no input it does not know"),
            "allowedHosts" not in step.input,
            expected=Text("no allowedHosts in the step's input"),
            observed="allowedHosts",
            next=Text("The action refuses it: it belongs to the picker's `ui:options` in the form."),
            where=read.document.key_at(*step.path, "input", "allowedHosts"),
        )


def _names_the_repository(exam: Exam, read: Template, step: Step) -> None:
    path = (*step.path, "input", "repoUrl")
    url = step.input.get("repoUrl")
    claim = Text("The step says which repository")
    where = read.at(*path)
    if not isinstance(url, str) or not url.strip():
        exam.fact(
            "repo-url-missing",
            claim,
            met=False,
            expected="input.repoUrl",
            observed=shown(url),
            next=Text("Take it from a RepoUrlPicker, or write github.com?owner=…&repo=…"),
            where=where,
        )
        return
    # Expressions may stand for any part; what is written out must have the picker's form.
    plain = re.sub(r"\$\{\{.*?\}\}", "x", url.strip(), flags=re.DOTALL)
    host, _, query = plain.partition("?")
    asked = parse_qs(query)
    whole = bool(expressions(url)) and plain == "x"
    formed = host in ("github.com", "x") and bool(asked.get("owner")) and bool(asked.get("repo"))
    exam.fact(
        "repo-url-form",
        claim,
        whole or formed,
        expected="github.com?owner=ACCOUNT&repo=NAME",
        observed=shown(url),
        next=Text("It is no web address: no https://, account and name behind the question mark."),
        where=where,
    )


def judge_registration(exam: Exam, read: Template) -> None:
    """Record whether what is registered comes from the repository just created."""
    registering = read.doing(REGISTER)
    if not registering:
        exam.fail(
            "not-registered",
            Text("A step registers the service"),
            expected=f"action: {REGISTER}",
            observed=Text("no such step"),
            next=Text("End with the action of the statement's list that adds to the catalogue."),
            where=read.at(*_STEPS),
        )
    _one_runs(exam, read, registering)
    making, filling = repository_steps(read)
    sources = [*making, *filling]
    for step in registering:
        given = [key for key in _REGISTERED if step.input.get(key) is not None]
        claim = Text("What is registered comes from the repository just created")
        where = read.at(*step.path, "input", *given[:1])
        if not given:
            exam.fact(
                "register-input-missing",
                claim,
                met=False,
                expected=Text("input.repoContentsUrl, or input.catalogInfoUrl"),
                observed=Text("neither"),
                next=Text("Give it the address that the publishing step returned."),
                where=where,
            )
        elif sources:
            exam.fact(
                "register-hard-coded",
                claim,
                uses_output_of(read, step, sources, _REGISTERED),
                expected=f"${{{{ steps['{sources[-1].id}'].output.repoContentsUrl }}}}",
                observed=shown(step.input[given[0]]),
                next=Text("A written address fits one service only: refer to the output of the step before."),
                where=where,
            )
        else:
            exam.fact("registered", Text("A step registers the service"), met=True, where=where)
        altered = [key for key in given if _RUN_ON.search(str(step.input[key]))]
        if altered:
            exam.fact(
                "register-url-altered",
                Text("The address that is registered is the one the step before it gave"),
                met=False,
                expected=Text("nothing behind the expression, or a path that begins with /"),
                observed=shown(step.input[altered[0]]),
                next=Text("What stands right behind }} becomes part of the address: remove it."),
                where=read.at(*step.path, "input", altered[0]),
            )


def judge_contents(exam: Exam, read: Template) -> None:
    """Record whether a registration's `repoContentsUrl` is what a step that pushes files returned."""
    actions = {step.id: step.meant for step in read.steps}
    claim = Text("The registration reads the branch the files were pushed to")
    for step in read.doing(REGISTER):
        for _, text in texts_in(step.input.get("repoContentsUrl"), ()):
            for reference in references(text):
                action = actions.get(reference.path[0]) if reference.path else None
                if reference.root != "steps" or action not in (PUBLISH, CREATE, PUSH):
                    continue
                exam.fact(
                    "not-the-contents",
                    claim,
                    action != CREATE and reference.path[1:3] == ("output", "repoContentsUrl"),
                    expected=Text("repoContentsUrl, from the step that pushes the files"),
                    observed=f"{action}: {reference.text}",
                    next=Text(
                        "The address to clone from names no branch; creating alone returns no contents."
                    ),
                    where=read.at(*step.path, "input", "repoContentsUrl"),
                )
    if not exam.facts:
        exam.fact("contents", claim, met=True, where=read.at(*_STEPS))


def _one_runs(exam: Exam, read: Template, steps: list[Step]) -> None:
    """Record whether one of the steps that do a thing is not switched off."""
    off = steps[0]
    exam.fact(
        "step-never-runs",
        Text("The step {id} can run", id=off.id),
        not all(step.switched_off for step in steps),
        expected=Text("no condition, or one that an answer can meet"),
        observed=f"if: {shown(off.data.get('if'))}",
        next=Text("Remove `if`: with this condition the step is always left out."),
        where=read.at(*off.path, "if"),
    )


def judge_order(exam: Exam, read: Template) -> None:
    """Record whether the steps that need each other come in that order."""
    making, filling = repository_steps(read)
    pairs = (
        ("publish-before-fetch", read.doing(*FETCH_WITH_VALUES), filling,
         Text("The skeleton is fetched before it is published"),
         Text("An empty workspace makes an empty repository: move the fetching step up.")),
        ("push-before-create", making, read.doing(PUSH),
         Text("The repository exists before files are pushed"),
         Text("Create the repository first.")),
        ("register-before-publish", filling, read.doing(REGISTER),
         Text("The repository is filled before it is registered"),
         Text("Move the registration to the end: the catalogue reads the file from the repository.")),
    )  # fmt: skip
    compared = False
    for fact, first, second, claim, following in pairs:
        if not first or not second:
            continue
        compared = True
        late = next((step for step in second if step.index <= first[0].index and step not in first), None)
        exam.fact(
            fact,
            claim,
            late is None,
            expected=Text("{first} before {second}", first=first[0].action, second=second[0].action),
            observed=Text("step {number}: {action}", number=late.index + 1, action=late.action)
            if late
            else None,
            next=following,
            where=read.at(*(late or second[0]).path),
        )
    if not compared:
        exam.fact("order", Text("There is nothing to put in order yet"), met=True, where=read.at(*_STEPS))
