"""2.5 on the network – the image is published, it is signed, and the signature is yours."""

from __future__ import annotations

import re
from typing import Final

from workshop.checking import Exam, Text, check, must, network, should
from workshop.cluster.port import Object
from workshop.cluster.reading import items, name_of
from workshop.network import Image
from workshop.verdicts import Reason, Source
from workshop.workspace import Unreadable

from ._image import judge_published, judge_signed, own_image, published
from ._signer import judge_signer

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_IMAGE_POLICIES: Final = ("ImageValidatingPolicy", "NamespacedImageValidatingPolicy")


@check(level=must, half=network)
def image_is_published(exam: Exam) -> None:
    """The image of the payment-service is in GitHub's registry, for everybody to pull.

    Neither the cluster nor a policy can look at an image that only you can see.
    """
    judge_published(exam, own_image(exam))


@check(level=must, half=network, needs=[image_is_published])
def image_is_signed(exam: Exam) -> None:
    """What the tag stands for now is signed.

    A signature belongs to a digest: push again under the same tag, and the new image is unsigned.
    """
    judge_signed(exam, own_image(exam))


@check(level=must, half=network, needs=[image_is_signed])
def signature_is_yours(exam: Exam) -> None:
    """The signature is yours, without a key.

    Anybody can sign: it is the name in the certificate that makes a signature worth something.
    """
    judge_signer(exam, published(exam, own_image(exam)))


@check(level=should, half=network, needs=[image_is_signed])
def found_where_the_policy_looks(exam: Exam) -> None:
    """Kyverno finds the signature where it looks for one.

    A ClusterPolicy looks for a tag that ends in .sig; Cosign 3 writes a bundle unless it is told otherwise.
    """
    image = published(exam, own_image(exam))
    signatures = exam.network.signatures(image)
    exam.fact(
        "bundle-signature",
        Text("The signature has the format that the policy of 2.6 reads"),
        signatures.classic or _reads_bundles(exam),
        expected=Text("the tag {tag}", tag=f"{image.digest.replace(':', '-')[:19]}….sig"),
        observed=Text(
            "a Sigstore bundle (Cosign 3) and no .sig tag: signed, but not where a ClusterPolicy looks"
        ),
        next=Text(
            "Sign with Cosign 2.6, or with version 3 and `--new-bundle-format=false "
            "--use-signing-config=false`, or use an ImageValidatingPolicy in 2.6."
        ),
        where=Source(object=f"{image.name}@{image.digest}"),
    )


def _reads_bundles(exam: Exam) -> bool:
    """Whether 2.6 is answered with a kind that reads bundles."""
    for path in exam.workspace.files("td/kyverno", suffixes=(".yaml", ".yml")):
        try:
            documents = exam.workspace.documents(path)
        except Unreadable:
            continue
        if any(each.get("kind") in _IMAGE_POLICIES for each in documents):
            return True
    return False


@check(level=should, half=network, needs=[image_is_signed])
def deployed_is_what_was_signed(exam: Exam) -> None:
    """What runs on the cluster is what was signed.

    A tag may have moved between signing and deploying; the digest of a running container has not.
    """
    image = published(exam, own_image(exam))
    running = [
        (pod, digest)
        for pod in exam.cluster.list("Pod", labels="app=payment-service")
        for digest in _running(pod, image)
    ]
    if not running:
        exam.blocked(
            "not-deployed",
            Text("The payment-service runs from this image"),
            reason=Reason.NEEDS,
            observed=Text("no Pod labelled app=payment-service tells a digest of it"),
        )
    for pod, digest in running[:3]:
        exam.fact(
            "deployed-digest-differs",
            Text("The Pod {name} runs what was signed", name=name_of(pod)),
            digest in (image.digest, *image.platforms),
            expected=image.digest,
            observed=digest,
            next=Text(
                "Restart the Deployment, or deploy by digest: a tag that moved is pulled anew only then."
            ),
            where=Source(object=f"Pod/{name_of(pod)}", field="status.containerStatuses"),
        )


def _running(pod: Object, image: Image) -> list[str]:
    """Return the digests that a Pod says it runs of an image."""
    found = []
    for status in items(pod, "status", "containerStatuses"):
        digest = _DIGEST.search(str(status.get("imageID")))
        if digest and f"{image.name}@" in str(status.get("imageID")):
            found.append(digest[0])
    return found
