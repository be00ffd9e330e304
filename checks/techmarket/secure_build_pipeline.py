"""4.6 – the Pipeline: clone, build, scan, take stock, sign – in this order, and with a gate that holds."""

from __future__ import annotations

from workshop.checking import Document, Exam, Text, check, must, remark, should
from workshop.tekton import PipelineSpec, View

from . import _tekton as shared
from ._tekton_flow import (
    clone_is_told,
    clone_reaches_build,
    gate_holds,
    images_reach,
    judge_fit,
    resolvers_told,
    same_folder,
    signs_digest,
)
from ._tekton_order import judge_order
from ._tekton_stages import CLONE, STAGES, Stages, reference_of, tasks_at_hand

PATH, NAME = "td/tekton/pipeline-secure-build.yaml", "secure-build-pipeline"


def _document(exam: Exam) -> Document:
    document = exam.resource(PATH, kinds=["Pipeline.tekton.dev"], named=NAME)
    if document.has("spec", "tasks") and not document.get("spec", "tasks"):
        exam.unfinished(
            "no-tasks",
            Text("The Pipeline has tasks"),
            observed=Text("nothing below spec.tasks"),
            next=Text("Write one entry for each of the five stages."),
            where=document.at("spec", "tasks"),
        )
    return document


def _stages(exam: Exam) -> tuple[Document, Stages]:
    document = _document(exam)
    return document, Stages(PipelineSpec.of(document), tasks_at_hand(exam))


@check(level=must)
def pipeline_named(exam: Exam) -> None:
    """The Pipeline is called secure-build-pipeline.

    The PipelineRun finds it by this name.
    """
    shared.is_named(exam, _document(exam), NAME, "pipeline-name")


@check(level=must)
def declares_inputs(exam: Exam) -> None:
    """It takes IMAGE, GIT_REPO and GIT_REVISION, and a workspace.

    What a Pipeline does not declare it cannot hand to its Tasks.
    """
    document = _document(exam)
    pipeline = PipelineSpec.of(document)
    for name in ("IMAGE", "GIT_REPO", "GIT_REVISION"):
        parameter = pipeline.parameters.get(name)
        there = exam.fact(
            "param-missing",
            Text("The Pipeline has the parameter {name}", name=name),
            parameter is not None,
            expected=Text("an entry of spec.params named {name}", name=name),
            observed=Text("parameters: {names}", names=", ".join(pipeline.parameters) or "–"),
            next=Text("Declare it under `spec.params`. Capital letters count."),
            where=document.at("spec", "params"),
        )
        if there and parameter is not None:
            exam.fact(
                "param-type",
                Text("{name} is a text", name=name),
                parameter.type == "string",
                expected="type: string",
                observed=f"type: {parameter.type}",
                next=Text("The type is `string`, which is also what you get without one."),
                where=parameter.view.at("type"),
            )
    revision = pipeline.parameters.get("GIT_REVISION")
    if revision is not None:
        exam.fact(
            "revision-default",
            Text("GIT_REVISION is main unless somebody says otherwise"),
            revision.default == "main",
            expected="default: main",
            observed=f"default: {revision.default if not revision.required else '–'}",
            next=Text("Give the parameter a `default`."),
            where=revision.view.at("default"),
        )
    exam.fact(
        "workspace-missing",
        Text("The Pipeline has the workspace {name}", name="shared-workspace"),
        "shared-workspace" in pipeline.workspaces,
        expected=Text("an entry of spec.workspaces named {name}", name="shared-workspace"),
        observed=Text("workspaces: {names}", names=", ".join(pipeline.workspaces) or "–"),
        next=Text("Declare it under the Pipeline's own `spec.workspaces`."),
        where=document.at("spec", "workspaces"),
    )


@check(level=must)
def tekton_accepts(exam: Exam) -> None:
    """Tekton accepts the Pipeline.

    What the webhook refuses never reaches the cluster.
    """
    shared.accepted(exam, _document(exam))


@check(level=must)
def five_stages(exam: Exam) -> None:
    """All five stages are there.

    They are told apart by the Task they run; what you call them in the Pipeline is up to you.
    """
    document, stages = _stages(exam)
    for task in stages.pipeline.all_tasks:
        version = task.view.text("taskRef", "apiVersion")
        if version:
            # Seen on Tekton 1.9: it becomes a CustomRun, which nobody carries out, and the run never ends.
            exam.fact(
                "custom-task",
                Text("{task} refers to a Task", task=task.name),
                met=False,
                expected=Text("taskRef with a name and no apiVersion"),
                observed=f"taskRef.apiVersion: {version}",
                next=Text("With an apiVersion Tekton takes it for a kind of somebody else's: leave it out."),
                where=document.at(*task.view.path, "taskRef", "apiVersion"),
            )
    references = ", ".join(filter(None, (reference_of(task) for task in stages.pipeline.all_tasks))) or "–"
    for stage in STAGES:
        exam.fact(
            "stage-missing",
            Text("A task of the Pipeline runs {stage}", stage=stage),
            bool(stages.by_stage[stage]),
            expected=f"taskRef: {{name: {stage}}}"
            if stage != CLONE
            else Text("git-clone by name, resolver or taskSpec"),
            observed=Text("Tasks referred to: {names}", names=references),
            next=Text("Compare the reference with metadata.name of the Task, letter by letter."),
            where=document.at("spec", "tasks"),
        )


@check(level=must)
def in_order(exam: Exam) -> None:
    """Clone, build, scan, SBOM, signature run in this order.

    Tekton starts everything at once that waits for nothing: the list's order has no effect.
    """
    document, stages = _stages(exam)
    judge_order(exam, document, stages)


@check(level=must)
def gate_closed(exam: Exam) -> None:
    """Nothing is signed that the scan did not let through.

    The signature says that the image passed: a way around the gate makes it a lie.
    """
    document, stages = _stages(exam)
    gate_holds(exam, document, stages)


@check(level=must)
def image_handed_on(exam: Exam) -> None:
    """The image reaches build, scan, SBOM and signature.

    A Task sees only the parameters its pipeline task gives it.
    """
    document, stages = _stages(exam)
    images_reach(exam, document, stages)


@check(level=must)
def repository_cloned(exam: Exam) -> None:
    """The repository and the revision of the run are cloned.

    Otherwise every run builds the same sources, whatever it is asked for.
    """
    document, stages = _stages(exam)
    clone_is_told(exam, document, stages)


@check(level=must)
def sources_shared(exam: Exam) -> None:
    """Clone and build share the workspace.

    Each Task runs in a Pod of its own: without a common volume the build finds an empty folder.
    """
    document, stages = _stages(exam)
    clone_reaches_build(exam, document, stages)


@check(level=must)
def tasks_fit(exam: Exam) -> None:
    """Each Task gets what it asks for.

    Tekton compares Pipeline and Tasks only when a run begins, and then the run fails.
    """
    document, stages = _stages(exam)
    judge_fit(exam, document, stages)
    resolvers_told(exam, document, stages)


@check(level=should)
def other_tasks_exist(exam: Exam) -> None:
    """Every other Task that is referred to exists.

    One Task that cannot be found, and no task of the run starts.
    """
    document, stages = _stages(exam)
    unknown = [
        task
        for task in stages.pipeline.all_tasks
        if task.reference and task.reference not in stages.at_hand and task.reference not in STAGES
    ]
    if not unknown:
        exam.fact("tasks-known", Text("Every Task that is referred to exists"), met=True)
    for task in unknown:
        exam.fact(
            "task-unknown",
            Text("The Task {name} exists", name=task.reference),
            met=False,
            expected=Text("a Task of this name in td/tekton"),
            observed=Text("none there; it may be installed in the cluster"),
            next=Text("Write it, correct its name, or use a resolver that brings it along."),
            where=document.at(*task.view.path, "taskRef"),
        )


@check(level=should)
def same_namespace(exam: Exam) -> None:
    """Pipeline and Tasks are in one namespace.

    A Task is found in the namespace of the run and in no other.
    """
    document, stages = _stages(exam)
    mine = document.get("metadata", "namespace")
    for task in stages.pipeline.all_tasks:
        target = stages.at_hand.get(task.reference)
        if target is not None:
            theirs = View(target.view.document).get("metadata", "namespace")
            exam.fact(
                "other-namespace",
                Text("{name} is in the Pipeline's namespace", name=target.name),
                theirs == mine,
                expected=f"namespace: {mine or '–'}",
                observed=f"namespace: {theirs or '–'}",
                next=Text(
                    "Leave the namespace out everywhere and apply with -n, or write the same one everywhere."
                ),
                where=target.view.document.at("metadata", "namespace"),
            )
    if not exam.facts:
        exam.fact("one-namespace", Text("Pipeline and Tasks are in one namespace"), met=True)


@check(level=remark)
def one_folder(exam: Exam) -> None:
    """Clone and build mean the same folder of the workspace.

    The Dockerfile is looked for where the build says, not where the clone has put it.
    """
    document, stages = _stages(exam)
    same_folder(exam, document, stages)


@check(level=remark)
def signs_what_was_built(exam: Exam) -> None:
    """Scan and signature speak of the digest that was built.

    A tag can be moved between build and signature; a digest names one image for ever.
    """
    document, stages = _stages(exam)
    signs_digest(exam, document, stages)
