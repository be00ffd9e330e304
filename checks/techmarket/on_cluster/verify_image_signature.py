"""2.6 on a cluster – whom the policy looks at, shown by an image that nobody ever pushed.

The registry's answer is not needed: a tag that does not exist cannot be verified, so whoever looks at it
refuses it. A signature itself is proven by the network half alone.
"""

from __future__ import annotations

import secrets

from workshop.checking import Exam, Text, check, cluster, must
from workshop.verdicts import Reason

from .. import _policies as policies
from .._policies import Found
from .._probes import PINNED, running
from .._references import covered_account
from ..verify_image_signature import NAME, PATH
from ._policies import judge_admitted, judge_present, namespaces


def _found(exam: Exam) -> Found:
    return policies.find(exam, PATH, policies.IMAGES, named=NAME)


@check(level=must, half=cluster)
def policy_in_force(exam: Exam) -> None:
    """The cluster has the policy and enforces it.

    A file protects nothing until it is applied and its webhook is ready.
    """
    judge_present(exam, _found(exam))


@check(level=must, half=cluster, needs=[policy_in_force])
def own_images_are_looked_at(exam: Exam) -> None:
    """An unknown image of your account does not get in.

    A reference without a wildcard matches no image at all, and lets every unsigned one pass.
    """
    found = _found(exam)
    name = str(found.document.get("metadata", "name"))
    account = covered_account(exam, found)
    image = f"ghcr.io/{account}/payment-service:lab-none-{secrets.token_hex(4)}"
    for namespace in namespaces(exam):
        decision = exam.cluster.try_create(running(image, namespace=namespace))
        looked_at = name in decision.policies
        exam.fact(
            "unsigned-admitted",
            Text("{image} is held back by the policy", image=image),
            True if looked_at else (False if decision.admitted else None),
            expected=Text("refused by {policy}", policy=name),
            observed=Text("admitted") if decision.admitted else " ".join(decision.message.split())[:400],
            next=Text("The reference is compared with the whole image name: end it with a wildcard."),
            where=found.document.at("spec"),
            reason=None if looked_at or decision.admitted else Reason.UNAVAILABLE,
        )


@check(level=must, half=cluster, needs=[policy_in_force])
def other_images_get_in(exam: Exam) -> None:
    """Images of others are admitted.

    Nobody signs nginx with your e-mail: a reference that is too wide stops the whole cluster.
    """
    found = _found(exam)
    for namespace in namespaces(exam):
        judge_admitted(
            exam,
            found,
            running(PINNED, namespace=namespace),
            "others-refused",
            Text("{image} is admitted in the namespace {namespace}", image=PINNED, namespace=namespace),
            Text("Name the account in the reference: ghcr.io, your account, then a wildcard."),
        )
