"""An image of the student's in its registry, and what is attached to it."""

from __future__ import annotations

from workshop.checking import Exam, Stop, Text
from workshop.network import Image, NoRegistry
from workshop.verdicts import Reason, Source, Verdict

from .._identity import account
from .._references import image_of


def own_image(exam: Exam) -> str:
    """Return the payment-service image of the student's account; the check ends where nobody knows it."""
    owner = account(exam)
    if owner is None:
        exam.fact(
            "account-unknown",
            Text("Your GitHub account is known"),
            met=None,
            observed=Text("td/ names no account yet, or several equally often"),
            next=Text("Tell the workshop: workshop init --github-user YOUR_ACCOUNT"),
            reason=Reason.NEEDS,
        )
        raise Stop(Verdict.UNKNOWN, Reason.NEEDS)
    return image_of(owner)


def published(exam: Exam, reference: str) -> Image:
    """Return an image that everybody can pull; the check ends where it is not there, or not to be seen."""
    try:
        image = exam.network.image(reference)
    except NoRegistry as refused:
        if refused.reason not in (Reason.UNAUTHORIZED, Reason.FORBIDDEN):
            raise
        exam.fact(
            "package-private",
            Text("Everybody can see {image}", image=reference),
            met=None,
            expected=Text("a public package"),
            observed=refused.text,
            next=Text(
                "A private package looks like one that is not there. Have you pushed it? Then make it public "
                "in the package's settings: the cluster could not pull it either."
            ),
            where=Source(object=reference),
            reason=refused.reason,
        )
        raise Stop(Verdict.UNKNOWN, refused.reason) from refused
    if image is None:
        exam.unfinished(
            "image-not-pushed",
            Text("{image} is in the registry", image=reference),
            observed=Text("the registry has no such tag"),
            next=Text("Push it: docker push {image}", image=reference),
            where=Source(object=reference),
        )
    return image


def judge_published(exam: Exam, reference: str) -> None:
    """Record that an image is in its registry, for everybody to pull."""
    image = published(exam, reference)
    exam.fact(
        "published",
        Text("{image} is in the registry", image=reference),
        met=True,
        observed=image.digest,
        where=Source(object=reference),
    )


def judge_signed(exam: Exam, reference: str) -> None:
    """Record whether what a reference stands for now carries a signature, of whichever format."""
    image = published(exam, reference)
    signatures = exam.network.signatures(image)
    claim = Text("{image} is signed", image=reference)
    where = Source(object=f"{image.name}@{image.digest}")
    if signatures.any:
        form = Text("a signature tag") if signatures.classic else Text("a Sigstore bundle (Cosign 3)")
        exam.fact("signed", claim, met=True, observed=form, where=where)
    elif signatures.stale:
        exam.fail(
            "signed-then-pushed-again",
            claim,
            expected=Text("a signature of {digest}", digest=image.digest),
            observed=Text(
                "signatures of other digests alone: {digests}", digests=", ".join(signatures.stale[:3])
            ),
            next=Text(
                "A signature belongs to a digest. Was the tag pushed again? Sign what it stands for now."
            ),
            where=where,
        )
    else:
        exam.unfinished(
            "not-signed",
            claim,
            observed=Text("neither a signature tag nor a Sigstore bundle is attached to it"),
            next=Text("Sign it: cosign sign {image}", image=f"{image.name}@{image.digest[:15]}…"),
            where=where,
        )
