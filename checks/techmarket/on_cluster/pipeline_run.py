"""4.7 on a cluster – the run: taken by Tekton's webhook, carried through by its controller."""

from __future__ import annotations

from workshop.checking import Document, Exam, Text, check, cluster, must, should
from workshop.cluster.port import Object
from workshop.cluster.reading import name_of
from workshop.tekton import PipelineRun
from workshop.verdicts import Reason, Source

from .._tekton_run import PIPELINE, pipeline_of
from ..pipeline_run import PATH
from ._applied import in_sandbox
from ._objects import judge_taken, named
from ._tekton_run import built, judge_run, need_tasks, newest_run


def _document(exam: Exam) -> Document:
    return exam.resource(PATH, kinds=["PipelineRun.tekton.dev"], where_else=True)


def _run(exam: Exam, document: Document) -> Object | None:
    """Return the run to judge: in the sandbox the one just created, elsewhere the best of the pipeline's."""
    if not in_sandbox(exam):
        return newest_run(exam, f"tekton.dev/pipeline={PIPELINE}")
    return named(exam, document)


@check(level=must, half=cluster)
def taken_by_tekton(exam: Exam) -> None:
    """Tekton takes the run.

    Its webhook is the judge that counts: what it refuses never starts.
    """
    document = _document(exam)
    if in_sandbox(exam) or newest_run(exam, f"tekton.dev/pipeline={PIPELINE}") is None:
        judge_taken(exam, document)
    else:
        exam.fact("taken", Text("The cluster has a run of {name}", name=PIPELINE), met=True)


@check(level=must, half=cluster, needs=[taken_by_tekton])
def run_is_carried_through(exam: Exam) -> None:
    """The run goes through all five stages, one after the other.

    Reasons and messages of a run are the controller's own account of what it could not do.
    """
    document = _document(exam)
    parsed = PipelineRun.of(document)
    pipeline = pipeline_of(exam, parsed)
    if pipeline is None:
        exam.blocked(
            "pipeline-missing",
            Text("The Pipeline of exercise 4.6 is there"),
            reason=Reason.MISSING_FILE,
            observed=Text("td/tekton holds no Pipeline named {name}", name=parsed.reference or PIPELINE),
        )
    mine = document.get("metadata", "namespace")
    theirs = mine if parsed.embedded is not None else pipeline.view.document.get("metadata", "namespace")
    if in_sandbox(exam) and mine != theirs and None in (mine, theirs):
        exam.blocked(
            "namespace-open",
            Text("Run and Pipeline are applied to one namespace"),
            reason=Reason.MISSING_FILE,
            observed=Text("one of them names {namespace}, the other none", namespace=mine or theirs),
        )
    if mine == theirs:
        need_tasks(exam, pipeline, str(mine or "default"))
    run = _run(exam, document)
    if run is None:
        exam.unfinished(
            "not-run",
            Text("The pipeline has run"),
            observed=Text("there is no PipelineRun of {name}", name=PIPELINE),
            next=Text("Apply your file: kubectl apply -f {file}", file=document.file),
            where=Source(object=f"Pipeline/{PIPELINE}"),
        )
    judge_run(exam, document, pipeline, run)


@check(level=should, half=cluster, containers=True, needs=[run_is_carried_through])
def digest_is_known(exam: Exam) -> None:
    """The build says which digest it has pushed.

    A tag can be moved the minute after; the digest is what was scanned and signed.
    """
    document = _document(exam)
    run = _run(exam, document)
    results = built(exam, document, run)
    exam.fact(
        "no-digest",
        Text("A result of the build is the image's digest"),
        any(value.startswith("sha256:") for value in results),
        expected="sha256:…",
        observed=", ".join(results) or "–",
        next=Text("Let kaniko write it: --digest-file with the path of a result of the Task."),
        where=Source(object=f"PipelineRun/{name_of(run)}"),
    )
