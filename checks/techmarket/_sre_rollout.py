"""The Rollout of bonus 1 as its checks read it: its steps, and the analyses that decide about the first."""

from __future__ import annotations

from typing import Final

from workshop.checking import Document, Exam, Text
from workshop.rollouts import (
    ROLLOUT,
    TEMPLATES,
    Analysis,
    Metric,
    Step,
    analyses,
    canary_steps,
    metrics,
    template_named,
    templates_of,
)
from workshop.verdicts import Reason
from workshop.workspace import Unreadable

PATH: Final = "td/bonus/rollout-canary.yaml"
SERVICE: Final = "payment-service"
WEIGHT: Final = 10


def rollout_of(exam: Exam) -> Document:
    """Return the Rollout of the payment-service; without one the check ends."""
    return exam.resource(PATH, kinds=[ROLLOUT], named=SERVICE)


def files_of(exam: Exam) -> list[Document]:
    """Return every document of the bonus folder that can be read."""
    found: list[Document] = []
    for path in exam.workspace.files("td/bonus", (".yaml", ".yml")):
        try:
            found.extend(exam.workspace.documents(path))
        except Unreadable:
            continue
    return found


def objects(exam: Exam, rollout: Document) -> list[Document]:
    """Return the Rollout, and the templates beside it in its file."""
    return [
        rollout,
        *(
            each
            for each in exam.documents(rollout.file)
            if str(each.get("kind")) in TEMPLATES and str(each.get("apiVersion")).startswith("argoproj.io/")
        ),
    ]


def steps_of(exam: Exam) -> tuple[Document, list[Step], int]:
    """Return the rollout, its steps, and the index of the first weight; without one the check ends.

    Smaller weights may lead up to the 10 %: then that is the one.
    """
    rollout = rollout_of(exam)
    steps = canary_steps(rollout)
    weights = [index for index, step in enumerate(steps) if step.kind == "setWeight"]
    first = weights[0] if weights else None
    for index in weights:
        if steps[index].content == WEIGHT:
            first = index
        if not isinstance(steps[index].content, int) or steps[index].content >= WEIGHT:
            break
    if first is None:
        canary = rollout.get("spec", "strategy", "canary") is not None
        exam.fail(
            "no-weight" if canary else "not-canary",
            Text("The canary has steps with a weight"),
            expected=Text("strategy.canary.steps with setWeight"),
            observed=Text("no setWeight") if canary else Text("no canary strategy"),
            next=Text("Write the steps under spec.strategy.canary: without them everything changes at once."),
            where=rollout.at("spec", "strategy", "canary", "steps"),
        )
    return rollout, steps, first


def gate(steps: list[Step], first: int) -> list[tuple[int, Step]]:
    """Return the steps between the first weight and the next one: what decides about going on."""
    following = next((i for i in range(first + 1, len(steps)) if steps[i].kind == "setWeight"), len(steps))
    return [(index, steps[index]) for index in range(first + 1, following)]


def deciding_analyses(exam: Exam) -> tuple[Document, list[Analysis]]:
    """Return the analyses that decide about the first weight; without one the check ends."""
    rollout, steps, first = steps_of(exam)
    before_the_next = [index for index, _ in gate(steps, first)]
    end = before_the_next[-1] if before_the_next else first
    found = analyses(rollout)
    deciding = [
        each
        for each in found
        if (each.starting_step <= end if each.background else each.starting_step in before_the_next)
    ]
    if not deciding:
        early = any(not each.background and each.starting_step < first for each in found)
        exam.fail(
            "no-analysis" if not found else "analysis-too-early" if early else "analysis-too-late",
            Text("An analysis decides while 10 % go to the new version"),
            expected=Text("an analysis step beside the pause, or canary.analysis in the background"),
            observed=Text("no analysis")
            if not found
            else Text("it runs before the first 10 %")
            if early
            else Text("it runs after more than 10 % were sent"),
            next=Text("Put it before the next weight: what it finds must still be able to stop the rollout."),
            where=found[0].position if found else rollout.at("spec", "strategy", "canary"),
        )
    return rollout, deciding


def deciding_metrics(exam: Exam) -> list[Metric]:
    """Return the metrics of the deciding analyses; without a template the check ends."""
    _, deciding = deciding_analyses(exam)
    documents = files_of(exam)
    found: list[Metric] = []
    cluster_wide = False
    for analysis in deciding:
        for name, cluster in analysis.templates:
            templates = templates_of(documents, [(name, cluster)])
            here = template_named(documents, name, cluster=not cluster)
            cluster_wide = cluster_wide or (cluster and not templates and here is None)
            for template in templates:
                found.extend(metrics(template))
    if not found:
        names = ", ".join(name for each in deciding for name, _ in each.templates)
        exam.fact(
            "template-not-found",
            Text("The analysis refers to a template that exists"),
            None if cluster_wide else False,
            expected=Text("an AnalysisTemplate of that name, with metrics"),
            observed=names or Text("no template named"),
            next=Text(
                "Compare `templateName` with the template's metadata.name, and `clusterScope` with its kind."
            ),
            where=deciding[0].position,
            reason=Reason.BEYOND_EVALUATOR if cluster_wide else None,
        )
    return found
