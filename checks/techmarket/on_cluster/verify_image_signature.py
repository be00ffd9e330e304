"""2.6 on a cluster – whom the policy looks at, shown by images that nobody ever pushed.

The registry's answer is not needed: a tag that does not exist cannot be verified, so a policy that looks at
it refuses it, and says so. A signature itself is proven by the network half alone.
"""

from __future__ import annotations

import os

from workshop.checking import Exam, Text, check, cluster, must, should
from workshop.cluster import Decision

from .. import _policies as policies
from .._identity import account as expected_account
from .._policies import Found
from .._probes import PINNED, running
from .._references import covered_account
from ..verify_image_signature import NAME, PATH
from ._kyverno import judge_kind_carried_out
from ._policies import namespaces, record_decision
from ._policy_there import judge_present, standing


def _found(exam: Exam) -> Found:
    return policies.find(exam, PATH, policies.IMAGES, named=NAME)


@check(level=must, half=cluster)
def policy_in_force(exam: Exam) -> None:
    """The cluster has the policy and enforces it.

    A file protects nothing until it is applied and its webhook is ready.
    """
    judge_present(exam, _found(exam))


@check(level=should, half=cluster, containers=True)
def kind_is_carried_out(exam: Exam) -> None:
    """The Kyverno that is installed still carries out this kind of policy.

    From 1.20 on the older kinds are stored at most: they look right and do nothing.
    """
    judge_kind_carried_out(exam, _found(exam))


@check(level=must, half=cluster, needs=[policy_in_force])
def own_images_are_looked_at(exam: Exam) -> None:
    """Unknown images of your account do not get in.

    A reference without a wildcard matches no image at all, and lets every unsigned one pass.
    """
    found = _found(exam)
    account = expected_account(exam) or covered_account(exam, found)
    tag = f"lab-none-{os.urandom(4).hex()}"
    images = (
        ("unsigned-admitted", f"ghcr.io/{account}/payment-service:{tag}"),
        ("account-not-covered", f"ghcr.io/{account}/frontend-app:{tag}"),
    )
    for namespace in namespaces(exam, found):
        for fact, image in images:
            decision = exam.cluster.try_create(running(image, namespace=namespace))
            record_decision(
                exam,
                found,
                decision,
                _held_back(exam, found, decision),
                fact,
                Text("{image} is held back in the namespace {namespace}", image=image, namespace=namespace),
                Text("The reference is compared with the whole image name: end it with a wildcard."),
                refused=True,
            )


@check(level=must, half=cluster, needs=[policy_in_force])
def other_images_get_in(exam: Exam) -> None:
    """Images of others are admitted.

    Nobody signs nginx with your e-mail: a reference that is too wide stops the whole cluster.
    """
    found = _found(exam)
    images = (("others-refused", PINNED), ("other-accounts-caught", "ghcr.io/kyverno/kyverno:v1.19.1"))
    for namespace in namespaces(exam, found):
        for fact, image in images:
            decision = exam.cluster.try_create(running(image, namespace=namespace))
            record_decision(
                exam,
                found,
                decision,
                False if _looked_at(found, decision) else True if decision.admitted else None,
                fact,
                Text("{image} is admitted in the namespace {namespace}", image=image, namespace=namespace),
                Text("Name the account in the reference: ghcr.io, your account, then a wildcard."),
                refused=False,
            )


def _held_back(exam: Exam, found: Found, decision: Decision) -> bool | None:
    """Whether the policy held an image back because it could not verify it."""
    if not _looked_at(found, decision):
        return False if decision.admitted else None
    # Of an image it skips, a ClusterPolicy asks for the digest alone: with one there is it lets it in.
    skipped = "failed to update digest" in decision.message and "failed to verify" not in decision.message
    return not (skipped and (standing(exam, found) or {}).get("kind") == "ClusterPolicy")


def _looked_at(found: Found, decision: Decision) -> bool:
    """Whether the policy had a say: it is named even where the registry or the log could not be asked."""
    return str(found.document.get("metadata", "name")) in decision.policies
