"""4.7 on the network – what the pipeline has left in the registry: the image, and its signature."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text, check, must, network
from workshop.tekton import PipelineRun
from workshop.verdicts import Reason

from .._tekton_run import given
from ..pipeline_run import PATH
from ._image import judge_published, judge_signed

_REGISTRY: Final = "ghcr.io/"


def _image(exam: Exam) -> str:
    """Return the image that the run is to build; the check ends where the file half has a say first."""
    run = PipelineRun.of(exam.resource(PATH, kinds=["PipelineRun.tekton.dev"], where_else=True))
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
