"""bonus-3 – builds in the portal: an annotation, the plugin's own one, labelled runs, rights on them."""

from __future__ import annotations

from typing import Final

from workshop.checking import Document, Exam, Text, check, must, remark, should
from workshop.verdicts import Reason

from ._backstage import KUBERNETES_ID, LABEL_SELECTOR, PAYMENT, annotated, component, listed, named, shown
from ._backstage_config import app_configs, objects, waiting
from ._backstage_rights import NEEDED_FOR_TEKTON, judge_rights

PIPELINE: Final = "tekton.dev/pipeline"
CICD: Final = "tekton.dev/cicd"
_DEPRECATED: Final = "janus-idp.io/tekton"
_KEYS: Final = (PIPELINE, CICD, _DEPRECATED)
RESOURCES: Final = ("pipelineruns", "taskruns")


@check(level=must)
def builds_are_announced(exam: Exam) -> None:
    """The payment service says that its builds run on Tekton.

    A plugin shows its tab on the entities that carry its annotation, and on no others.
    """
    entity = component(exam, PAYMENT)
    named(exam, entity, PAYMENT)
    annotations = entity.get("metadata", "annotations")
    there = {key: annotations[key] for key in _KEYS if isinstance(annotations, dict) and key in annotations}
    for key, value in there.items():
        # An entity with any annotation that is no text is refused as a whole.
        if not isinstance(value, str):
            annotated(exam, entity, PAYMENT, key)
    if all(isinstance(value, str) for value in there.values()):
        _judge_value(exam, entity, there)


def _judge_value(exam: Exam, entity: Document, there: dict[str, str]) -> None:
    switched_on = there.get(CICD, "").strip() == "true" or bool(there.get(_DEPRECATED, "").strip())
    if PIPELINE in there and (there[PIPELINE].strip() or not switched_on):
        annotated(exam, entity, PAYMENT, PIPELINE)
    elif switched_on:
        exam.fact(
            "annotation-present",
            Text("{name} has the annotation {key}", name=PAYMENT, key=CICD),
            met=True,
            where=entity.at("metadata", "annotations"),
        )
    elif CICD in there:
        exam.fact(
            "annotation-switched-off",
            Text("{name} has the annotation {key}", name=PAYMENT, key=CICD),
            met=False,
            expected=f'{CICD}: "true"',
            observed=f"{CICD}: {there[CICD]}",
            next=Text("The plugin compares the value with the text true, in lower case."),
            where=entity.at("metadata", "annotations", CICD),
        )
    else:
        annotated(exam, entity, PAYMENT, PIPELINE)


@check(level=should)
def the_plugin_reads_it(exam: Exam) -> None:
    """It carries the annotation that the Tekton plugin really reads.

    The one of the statement is a label Tekton puts on its runs; today's plugin does not look at it.
    """
    entity = component(exam, PAYMENT)
    annotations = entity.get("metadata", "annotations", default={})
    value = annotations.get(CICD) if isinstance(annotations, dict) else None
    deprecated = annotations.get(_DEPRECATED) if isinstance(annotations, dict) else None
    exam.fact(
        "plugin-annotation",
        Text("The Tekton plugin recognises {name}", name=PAYMENT),
        value == "true" or (isinstance(deprecated, str) and bool(deprecated)),
        expected=f'{CICD}: "true"',
        observed=f"{CICD}: {shown(value)}",
        next=Text("Add it beside the other one, in quotation marks."),
        where=entity.key_at("metadata", "annotations", CICD),
    )
    pods = (
        [annotations.get(key) for key in (KUBERNETES_ID, LABEL_SELECTOR)]
        if isinstance(annotations, dict)
        else []
    )
    exam.fact(
        "kubernetes-annotation",
        Text("It also says which objects are its own"),
        any(isinstance(each, str) and each.strip() for each in pods),
        expected=f"{KUBERNETES_ID}: {PAYMENT}",
        observed=Text("no such annotation"),
        next=Text("The plugin finds runs the way the Kubernetes plugin finds Pods: exercise 1.2."),
        where=entity.key_at("metadata", "annotations", KUBERNETES_ID),
    )


@check(level=should)
def runs_carry_the_label(exam: Exam) -> None:
    """The PipelineRun carries the label by which the portal finds it.

    Runs are found like Pods, by the label of the same name and value.
    """
    entity = component(exam, PAYMENT)
    wanted = entity.get("metadata", "annotations", KUBERNETES_ID)
    if not isinstance(wanted, str) or not wanted.strip():
        exam.blocked("no-annotation", Text("The service says which Pods are its own"), reason=Reason.NEEDS)
    runs = list(objects(exam, "PipelineRun.tekton.dev"))
    if not runs:
        waiting(exam, Text("A PipelineRun is in td/tekton"))
    claim = Text("A PipelineRun has the label {key}", key=KUBERNETES_ID)
    labelled = [each for each in runs if each.get("metadata", "labels", KUBERNETES_ID) == wanted.strip()]
    exam.fact(
        "run-unlabelled",
        claim,
        bool(labelled),
        expected=f"metadata.labels: {KUBERNETES_ID}: {wanted}",
        observed=shown(runs[0].get("metadata", "labels", KUBERNETES_ID)),
        next=Text("Label the run: Tekton passes labels on to its TaskRuns and their Pods."),
        where=(labelled or runs)[0].key_at("metadata", "labels"),
    )


@check(level=should)
def backstage_asks_for_runs(exam: Exam) -> None:
    """Backstage's configuration makes it ask for PipelineRuns and TaskRuns.

    The Kubernetes plugin fetches the usual kinds; Tekton's are custom resources, it has to be told.
    """
    configs = app_configs(exam)
    found: set[str] = set()
    for config in configs:
        resources = config.get("kubernetes", "customResources")
        for each in resources if isinstance(resources, list) else ():
            if isinstance(each, dict) and each.get("group") == "tekton.dev":
                found.add(str(each.get("plural")))
    missing = [each for each in RESOURCES if each not in found]
    exam.fact(
        "custom-resources",
        Text("It asks for Tekton's runs"),
        not missing,
        expected=Text("kubernetes.customResources with group tekton.dev, apiVersion v1 and each plural"),
        observed=Text("left out: {names}", names=listed(missing)),
        next=Text("Add an entry for each of them to the app-config."),
        where=configs[0].at("kubernetes"),
    )


@check(level=should)
def backstage_may_read_runs(exam: Exam) -> None:
    """Backstage's service account may list Tekton's runs and read their logs.

    Rights on Pods do not reach custom resources.
    """
    judge_rights(exam, NEEDED_FOR_TEKTON)


@check(level=remark)
def names_a_pipeline_that_exists(exam: Exam) -> None:
    """The annotation names a Pipeline of yours.

    Its value is free; a name that leads nowhere misleads the next reader.
    """
    entity = component(exam, PAYMENT)
    value = entity.get("metadata", "annotations", PIPELINE)
    pipelines = [str(each.get("metadata", "name")) for each in objects(exam, "Pipeline.tekton.dev")]
    if not isinstance(value, str) or not pipelines:
        waiting(exam, Text("The annotation and a Pipeline are both there"))
    exam.fact(
        "pipeline-unknown",
        Text("The Pipeline exists"),
        value.strip() in pipelines,
        expected=Text("one of: {names}", names=listed(pipelines)),
        observed=value,
        next=Text("Copy the name of the Pipeline of exercise 4.6."),
        where=entity.at("metadata", "annotations", PIPELINE),
    )
