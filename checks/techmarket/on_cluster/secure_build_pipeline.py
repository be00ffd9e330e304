"""4.6 on a cluster – what Tekton's webhook says to the Pipeline, and what its controller makes of it."""

from __future__ import annotations

from workshop.checking import Document, Exam, Text, check, cluster, must
from workshop.tekton import PipelineSpec
from workshop.verdicts import Reason

from .._tekton_order import judge_order
from .._tekton_stages import Stages, tasks_at_hand
from ..secure_build_pipeline import NAME, PATH
from ._applied import in_sandbox
from ._objects import is_as_written, judge_taken, named, need_applied
from ._tekton_run import judge_run, judge_stages_present, need_tasks, newest_run
from ._tekton_there import another_version, document_of


@check(level=must, half=cluster)
def taken_by_tekton(exam: Exam) -> None:
    """Tekton takes the Pipeline.

    Its webhook is the judge that counts: what it refuses is never stored.
    """
    judge_taken(exam, exam.resource(PATH, kinds=["Pipeline.tekton.dev"], named=NAME))


@check(level=must, half=cluster, needs=[taken_by_tekton])
def stages_follow_each_other(exam: Exam) -> None:
    """On the cluster clone, build, scan, SBOM and signature follow each other.

    The controller starts whatever waits for nothing. What counts is what the cluster has, not the order of
    the list.
    """
    document = exam.resource(PATH, kinds=["Pipeline.tekton.dev"], named=NAME)
    pipeline = PipelineSpec.of(document)
    if not in_sandbox(exam):
        _judge_there(exam, document)
        return
    need_tasks(exam, pipeline, str(document.get("metadata", "namespace", default="default")))
    run = newest_run(exam, f"tekton.dev/pipeline={document.get('metadata', 'name')}")
    if run is None:
        exam.blocked(
            "no-run-yet",
            Text("The Pipeline has run"),
            reason=Reason.MISSING_FILE,
            observed=Text("there is no PipelineRun of it; that is exercise 4.7"),
        )
    judge_run(exam, document, pipeline, run)


def _judge_there(exam: Exam, document: Document) -> None:
    """Judge the Pipeline that the cluster has; whether a run of it succeeds is the matter of 4.7."""
    current = named(exam, document)
    if current is None:
        need_applied(exam, document)
    if is_as_written(exam, document, current):
        _judge_stages(exam, document)
        return
    with another_version(exam, f"Pipeline/{NAME}", document.file):
        _judge_stages(exam, document_of(current))


def _judge_stages(exam: Exam, document: Document) -> None:
    stages = Stages(PipelineSpec.of(document), tasks_at_hand(exam))
    judge_stages_present(exam, stages)
    judge_order(exam, document, stages)
