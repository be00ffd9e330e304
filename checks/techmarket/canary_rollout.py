"""Bonus 1 – a canary: 10 %, two minutes, an analysis that decides."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text, check, must, remark, should
from workshop.rollouts import seconds, templates_of

from ._objects import taken_by_the_api
from ._sre_canary import (
    judge_arguments,
    judge_condition,
    judge_dry_run,
    judge_limit,
    judge_metric,
    judge_query,
    judge_strategy,
    judge_workload,
)
from ._sre_controller import judge_canary, judge_pods
from ._sre_rollout import (
    SERVICE,
    WEIGHT,
    deciding_analyses,
    deciding_metrics,
    files_of,
    gate,
    objects,
    rollout_of,
    steps_of,
)

PAUSE: Final = 120.0


@check(level=must)
def a_rollout_of_the_payment_service(exam: Exam) -> None:
    """The file holds a Rollout that runs the payment-service.

    A Rollout takes the place of a Deployment: same Pods, another way to change them.
    """
    rollout = rollout_of(exam)
    exam.fact(
        "wrong-api-version",
        Text("The Rollout is of the API version that Argo Rollouts serves"),
        rollout.get("apiVersion") == "argoproj.io/v1alpha1",
        expected="apiVersion: argoproj.io/v1alpha1",
        observed=f"apiVersion: {rollout.get('apiVersion')}",
        next=Text("Copy it from the documentation of Argo Rollouts."),
        where=rollout.at("apiVersion"),
    )
    for document in objects(exam, rollout):
        taken_by_the_api(exam, document)
    judge_strategy(exam, rollout)
    judge_canary(exam, rollout)
    judge_workload(exam, rollout)
    judge_pods(exam, rollout)
    template = rollout.get("spec", "template")
    labels = rollout.get("spec", "template", "metadata", "labels", default={})
    names = [rollout.get("metadata", "name"), rollout.get("spec", "workloadRef", "name")]
    values = list(labels.values()) if isinstance(labels, dict) else []
    exam.fact(
        "other-service",
        Text("It is the {name}", name=SERVICE),
        SERVICE in [*names, *values],
        expected=f"metadata.name: {SERVICE}",
        observed=f"metadata.name: {names[0]}",
        next=Text("Name it after the service, or label its Pods so."),
        where=rollout.at("metadata", "name"),
    )
    selector = rollout.get("spec", "selector", "matchLabels", default={})
    pairs = selector.items() if isinstance(selector, dict) and isinstance(template, dict) else ()
    astray = [key for key, value in pairs if not isinstance(labels, dict) or labels.get(key) != value]
    exam.fact(
        "selector-mismatch",
        Text("The selector finds the Pods of the template"),
        not astray,
        expected=Text("every label of the selector, on the template too"),
        observed=Text("not on the template: {labels}", labels=", ".join(astray) or "–"),
        next=Text("Use the same labels in spec.selector.matchLabels and in spec.template.metadata.labels."),
        where=rollout.at("spec", "selector"),
    )


@check(level=must)
def ten_percent_first(exam: Exam) -> None:
    """The new version first gets 10 % of the traffic.

    If it is bad, nine users of ten never see it.
    """
    _, steps, first = steps_of(exam)
    weight = steps[first].content
    number = isinstance(weight, int) and not isinstance(weight, bool)
    exam.fact(
        "wrong-weight" if number else "weight-not-a-number",
        Text("The first weight is 10"),
        number and weight == WEIGHT,
        expected="setWeight: 10",
        observed=f"setWeight: {weight}",
        next=Text("One user in ten comes first; the other weights follow.")
        if number
        else Text("A whole number of per cent, without a sign behind it."),
        where=steps[first].position,
    )


@check(level=must)
def two_minutes_pause(exam: Exam) -> None:
    """It waits two minutes and then goes on by itself.

    Long enough for a few hundred requests, and nobody has to press a button.
    """
    _, steps, first = steps_of(exam)
    pauses = [step for _, step in gate(steps, first) if step.kind == "pause"]
    for step in (step for step in steps if step.kind == "pause"):
        duration = step.content.get("duration") if isinstance(step.content, dict) else None
        if duration is None or seconds(duration) is None:
            exam.fail(
                "pause-forever" if duration is None else "pause-not-a-duration",
                Text("Every pause ends by itself"),
                expected="pause: {duration: 2m}",
                observed="pause: {}" if duration is None else f"duration: {duration}",
                next=Text("A pause without duration waits for a person.")
                if duration is None
                else Text("Write a number and its unit without a space: 2m, 120s – or 120."),
                where=step.position,
            )
    total = sum(seconds(step.content.get("duration")) or 0.0 for step in pauses)
    exam.fact(
        "wrong-pause" if pauses else "no-pause",
        Text("There are two minutes between the 10 % and what follows"),
        total == PAUSE,
        expected="pause: {duration: 2m}",
        observed=Text("{seconds} s", seconds=f"{total:g}")
        if pauses
        else Text("no pause after the first weight"),
        next=Text("The pause stands right behind the weight it is about."),
        where=pauses[0].position if pauses else steps[first].position,
    )


@check(level=must)
def an_analysis_decides(exam: Exam) -> None:
    """An analysis decides whether it goes on.

    A failed analysis aborts the rollout: that is the automatic rollback, and needs no other field.
    """
    found = deciding_metrics(exam)
    if found:
        exam.fact(
            "template",
            Text("The analysis refers to a template that exists"),
            met=True,
            where=found[0].template,
        )
        home = found[0].template
        rollout = rollout_of(exam)
        spaces = [each.get("metadata", "namespace", default="default") for each in (rollout, home)]
        exam.fact(
            "template-elsewhere",
            Text("Template and Rollout stand in the same namespace"),
            home.get("kind") == "ClusterAnalysisTemplate" or spaces[0] == spaces[1],
            expected=f"namespace: {spaces[0]}",
            observed=f"namespace: {spaces[1]}",
            next=Text("An AnalysisTemplate is only found in the Rollout's own namespace."),
            where=home.at("metadata", "namespace"),
        )


@check(level=must)
def on_the_success_rate(exam: Exam) -> None:
    """It measures the success rate and goes on above 99 %.

    The gate decides on what users feel, not on whether Pods are up.
    """
    found = deciding_metrics(exam)
    fitting = [metric for metric in found if metric.provider is not None]
    if found and not fitting:
        exam.fail(
            "no-provider",
            Text("The metric has a provider"),
            expected=Text("provider.prometheus with a query"),
            observed=Text("no provider that Argo Rollouts knows"),
            next=Text("Say under `provider` whom to ask, and what."),
            where=found[0].at("provider"),
        )
    # Further metrics are welcome; one of them must be the success rate's gate.
    rated = [metric for metric in fitting if "success" in str(metric.get("name")).lower()] or fitting[:1]
    for metric in rated[:1]:
        judge_condition(exam, metric, judge_query(exam, metric))
        judge_arguments(exam, metric, deciding_analyses(exam)[1])
    for metric in found:
        same = [each.get("name") for each in found if each.template is metric.template]
        judge_metric(exam, metric, same)


@check(level=must)
def failures_stop_it(exam: Exam) -> None:
    """Failed measurements stop the rollout.

    An analysis that may fail for ever decides nothing.
    """
    for metric in deciding_metrics(exam):
        limit = metric.get("failureLimit")
        ignored = isinstance(limit, int | str) and str(limit).strip().startswith("-")
        exam.fact(
            "failure-limit-endless",
            Text("The number of failures is limited"),
            not ignored,
            expected=Text("failureLimit absent (none is allowed), or a small number"),
            observed=f"failureLimit: {limit}",
            next=Text("A negative limit means that failures are never counted."),
            where=metric.at("failureLimit"),
        )
        judge_dry_run(exam, metric, deciding_analyses(exam)[1])


@check(level=must)
def the_analysis_ends(exam: Exam) -> None:
    """An analysis that is a step comes to an end.

    With an interval and no count it would measure for ever: the controller refuses such a Rollout.
    """
    _, deciding = deciding_analyses(exam)
    documents = files_of(exam)
    inline = {
        template.get("metadata", "name")
        for each in deciding
        if not each.background
        for template in templates_of(documents, each.templates)
    }
    for metric in deciding_metrics(exam):
        if metric.template.get("metadata", "name") not in inline:
            continue
        exam.fact(
            "analysis-never-ends",
            Text("The number of measurements is limited"),
            metric.get("interval") is None or metric.get("count") is not None,
            expected=Text("`count` beside `interval`"),
            observed=Text("an interval without count"),
            next=Text("Say how often is measured, or run the analysis in the background."),
            where=metric.at("interval"),
        )
    if not exam.facts:
        exam.fact("background", Text("The analysis runs in the background"), met=True)


@check(level=should)
def failures_can_stop_it(exam: Exam) -> None:
    """More measurements are made than may fail.

    A limit that can never be passed stops nothing.
    """
    for metric in deciding_metrics(exam):
        judge_limit(exam, metric)
    if not exam.facts:
        exam.fact("no-limit", Text("More failures are possible than are allowed"), met=True)


@check(level=should)
def nothing_beside_it(exam: Exam) -> None:
    """No Deployment of the same name runs beside the Rollout.

    Both would own the same Pods' traffic, and the old version would stay.
    """
    rollout = rollout_of(exam)
    reference = rollout.get("spec", "workloadRef", "name")
    beside = [
        each
        for each in files_of(exam)
        if each.get("kind") == "Deployment"
        and each.get("metadata", "name") == rollout.get("metadata", "name")
        and each.get("metadata", "name") != reference
        and each.get("spec", "replicas") != 0
    ]
    exam.fact(
        "deployment-left",
        Text("No Deployment of the same name is left"),
        not beside,
        expected=Text("the Rollout alone, or workloadRef"),
        observed=Text("a Deployment with Pods of its own") if beside else Text("none"),
        next=Text("Scale it to 0 and delete it, or let the Rollout refer to it."),
        where=beside[0] if beside else rollout,
    )


@check(level=remark)
def ten_percent_are_ten_percent(exam: Exam) -> None:
    """10 % can really be 10 %.

    Without a router for traffic the weight is made of Pods: one of three is a third.
    """
    rollout = rollout_of(exam)
    routed = isinstance(rollout.get("spec", "strategy", "canary", "trafficRouting"), dict)
    replicas = rollout.get("spec", "replicas", default=1)
    enough = isinstance(replicas, int) and replicas >= 10
    exam.fact(
        "weight-by-pods",
        Text("Traffic is routed, or there are ten Pods"),
        routed or enough,
        expected=Text("trafficRouting, or about 10 replicas"),
        observed=Text("{replicas} replicas, no trafficRouting", replicas=replicas),
        next=Text("With few replicas one canary Pod gets far more than 10 % of the requests."),
        where=rollout.at("spec", "replicas"),
    )
