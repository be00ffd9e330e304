"""4.7 on the network – what the pipeline has left in the registry: the image, and its signature."""

from __future__ import annotations

from typing import Final

from workshop.checking import Document, Exam, Text, check, must, network, should
from workshop.tekton import PipelineRun
from workshop.verdicts import Reason, Source

from .._tekton_run import PIPELINE, given
from ..on_cluster._tekton_run import built, newest_run
from ..pipeline_run import PATH
from ._image import judge_published, judge_signed, published

_REGISTRY: Final = "ghcr.io/"


def _document(exam: Exam) -> Document:
    return exam.resource(PATH, kinds=["PipelineRun.tekton.dev"], where_else=True)


def _image(exam: Exam) -> str:
    """Return the image that the run is to build; the check ends where the file half has a say first."""
    run = PipelineRun.of(_document(exam))
    before = len(exam.facts)
    found = given(exam, run, "IMAGE")
    del exam.facts[before:]  # what is wrong with the parameter is the file half's to say
    if found is None or not found[0].startswith(_REGISTRY):
        exam.blocked(
            "no-image-named",
            Text("The run names an image on ghcr.io"),
            reason=Reason.NEEDS,
            observed=found[0] if found else Text("no value for IMAGE"),
        )
    return found[0]


@check(level=must, half=network)
def image_was_pushed(exam: Exam) -> None:
    """The image that the run builds is in the registry.

    A run that succeeded and pushed nothing has built for nobody.
    """
    judge_published(exam, _image(exam))


@check(level=must, half=network, needs=[image_was_pushed])
def image_was_signed(exam: Exam) -> None:
    """What the run pushed is signed.

    The run overwrites the tag of exercise 2.5: the signature of before belongs to another digest.
    """
    judge_signed(exam, _image(exam))


@check(level=should, half=network, needs=[image_was_pushed])
def registry_has_what_was_built(exam: Exam) -> None:
    """The registry has what the run built.

    Whoever pushes under the same tag afterwards replaces what was scanned by something that was not.
    """
    image = published(exam, _image(exam))
    run = newest_run(exam, f"tekton.dev/pipeline={PIPELINE}")
    digests = [each for each in built(exam, _document(exam), run) if each.startswith("sha256:")]
    if not digests:
        exam.blocked(
            "no-digest-known",
            Text("The run says which digest it has pushed"),
            reason=Reason.NEEDS,
            observed=Text("no result of the build is a digest"),
        )
    exam.fact(
        "other-digest-published",
        Text("The tag stands for what the run has pushed"),
        bool({image.digest, *image.platforms} & set(digests)),
        expected=", ".join(digests[:3]),
        observed=image.digest,
        next=Text("Run the pipeline again, or give each run a tag of its own."),
        where=Source(object=image.reference),
    )
