"""4.6 on a cluster – what Tekton's webhook says to the Pipeline, and what its controller makes of it."""

from __future__ import annotations

from workshop.checking import Exam, Text, check, cluster, must
from workshop.tekton import PipelineSpec
from workshop.verdicts import Reason

from ..secure_build_pipeline import NAME, PATH
from ._objects import judge_taken
from ._tekton_run import judge_run, need_tasks, newest_run


@check(level=must, half=cluster)
def taken_by_tekton(exam: Exam) -> None:
    """Tekton takes the Pipeline.

    Its webhook is the judge that counts: what it refuses is never stored.
    """
    judge_taken(exam, exam.resource(PATH, kinds=["Pipeline.tekton.dev"], named=NAME))


@check(level=must, half=cluster, needs=[taken_by_tekton])
def stages_follow_each_other(exam: Exam) -> None:
    """A run goes through clone, build, scan, SBOM and signature, one after the other.

    The controller starts whatever waits for nothing. What counts is what it does, not the order of the list.
    """
    document = exam.resource(PATH, kinds=["Pipeline.tekton.dev"], named=NAME)
    pipeline = PipelineSpec.of(document)
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
