"""2.6 on the network – the policy really asks the registry: it lets your signed image in, and no other."""

from __future__ import annotations

import os
import re
from typing import Final

from workshop.checking import Exam, Stop, Text, check, must, network
from workshop.cluster import Decision
from workshop.cluster.denials import proves_nothing
from workshop.network import Image, Signatures
from workshop.verdicts import Reason, Source, Verdict

from .. import _policies as policies
from .._policies import Found
from .._probes import running
from ..on_cluster._policies import namespaces
from ..on_cluster._policy_there import need_standing, standing
from ..verify_image_signature import NAME, PATH
from ._image import own_image, published

_PRIVATE: Final = re.compile(r"\b40[13]\b|UNAUTHORIZED|DENIED|unauthorized|denied: ")
_MAY_NOT_LOOK: Final = Text(
    "Kyverno may not look at the package: make it public, or give Kyverno a pull secret."
)


def _found(exam: Exam) -> Found:
    return policies.find(exam, PATH, policies.IMAGES, named=NAME)


@check(level=must, half=network)
def unsigned_is_refused_for_its_signature(exam: Exam) -> None:
    """An image without a signature is refused because it has none.

    A cluster without a way out refuses everything: then the refusal says nothing about the image.
    """
    found = _found(exam)
    need_standing(exam, found)
    image = f"{own_image(exam).rpartition(':')[0]}:lab-none-{os.urandom(4).hex()}"
    decision = _tried(exam, found, image)
    told = decision.admitted or (_has_a_say(found, decision) and not _could_not_see(decision))
    refused = not decision.admitted if told else None
    exam.fact(
        "unsigned-admitted" if decision.admitted else "registry-not-asked",
        Text("{image} is refused by the policy, which has asked the registry", image=image),
        refused,
        expected=Text("refused by {policy}", policy=NAME),
        observed=_said(decision),
        next=_ways_out(decision),
        where=found.document.at("spec"),
        reason=Reason.UNAVAILABLE if refused is None else None,
    )


@check(level=must, half=network, needs=[unsigned_is_refused_for_its_signature])
def signed_is_admitted(exam: Exam) -> None:
    """Your signed image gets in.

    A policy that refuses everybody is easily written; it has to know you.
    """
    found = _found(exam)
    reference = own_image(exam)
    image, signatures = _signed(exam, reference)
    decision = _tried(exam, found, reference)
    admitted = None if _could_not_ask(decision) else bool(decision.admitted)
    if admitted is False and not _has_a_say(found, decision):
        admitted = None  # somebody else refuses: another policy, a quota
    legacy = (standing(exam, found) or {}).get("kind") == "ClusterPolicy"
    fact, advice = _why(signatures, decision, legacy=legacy)
    exam.fact(
        fact,
        Text("{image} is admitted", image=reference),
        admitted,
        expected=Text("admitted"),
        observed=_said(decision),
        next=advice,
        where=found.document.at("spec"),
        reason=Reason.UNAVAILABLE if admitted is None else None,
    )
    _judge_digest(exam, image, decision)


def _signed(exam: Exam, reference: str) -> tuple[Image, Signatures]:
    """Return the signed image of 2.5; the check waits for that exercise, without deciding this one."""
    with_facts = len(exam.facts)
    try:
        image = published(exam, reference)
        signatures = exam.network.signatures(image)
    except Stop as stop:
        if stop.verdict is not Verdict.UNFINISHED:
            raise
        del exam.facts[with_facts:]
        signatures = None
    if signatures is None or not signatures.any:
        exam.blocked(
            "nothing-signed-yet",
            Text("{image} is there and signed: exercise 2.5", image=reference),
            reason=Reason.MISSING_FILE,
            observed=Text("the registry has no signature of it yet"),
        )
    return image, signatures


def _tried(exam: Exam, found: Found, image: str) -> Decision:
    namespace = namespaces(exam, found)[0]
    return exam.cluster.try_create(running(image, namespace=namespace))


def _has_a_say(found: Found, decision: Decision) -> bool:
    return str(found.document.get("metadata", "name")) in decision.policies


def _could_not_ask(decision: Decision) -> bool:
    return decision.admitted is None or (not decision.admitted and proves_nothing(decision.message))


def _could_not_see(decision: Decision) -> bool:
    """Whether the registry has told Kyverno nothing: who is turned away does not learn what is signed."""
    return _could_not_ask(decision) or bool(_PRIVATE.search(decision.message))


def _why(signatures: Signatures, decision: Decision, *, legacy: bool) -> tuple[str, Text]:
    """Return the fact and the advice for a signed image that is refused."""
    if _could_not_ask(decision):
        return "registry-not-asked", _ways_out(decision)
    if _PRIVATE.search(decision.message):
        return "package-private", _MAY_NOT_LOOK
    if signatures.bundle and not signatures.classic and legacy:
        return "bundle-signature", Text(
            "The image has a bundle of Cosign 3, which a ClusterPolicy does not find on GHCR: sign it in "
            "the older format, or use an ImageValidatingPolicy."
        )
    return "signed-refused", Text(
        "Compare subject and issuer of the policy with what `cosign verify` prints, letter by letter. "
        "Kyverno remembers results for an hour: after signing again, restart its admission controller."
    )


def _judge_digest(exam: Exam, image: Image, decision: Decision) -> None:
    """Record which digest the policy has written into the Pod, where it has."""
    containers = (decision.object or {}).get("spec", {}).get("containers", [])
    _, pinned, digest = str(containers[0].get("image") if containers else "").partition("@")
    if pinned:
        exam.fact(
            "other-digest-verified",
            Text("What was verified is what the tag stands for"),
            digest in (image.digest, *image.platforms),
            expected=image.digest,
            observed=digest,
            next=Text("Kyverno remembers an older answer: try again in an hour, or restart its controller."),
            where=Source(object=image.reference),
        )


def _ways_out(decision: Decision) -> Text:
    if decision.admitted:
        return Text("The reference is compared with the whole image name: end it with a wildcard.")
    if _PRIVATE.search(decision.message):
        return _MAY_NOT_LOOK
    return Text("Has the cluster a way out to ghcr.io and Sigstore? Allow the webhook 30 seconds, too.")


def _said(decision: Decision) -> Text:
    message = " ".join(decision.message.split())[:400]
    return Text("admitted") if decision.admitted else Text("refused: {message}", message=message)
