"""Whether the policy of 2.6 and the signature of 2.5 agree: image, signer and format."""

from __future__ import annotations

from workshop.checking import Exam, Text
from workshop.verdicts import Reason

from . import _identity as identity
from ._evidence import Signature, verify_output
from ._judging import unknown
from ._policies import Found
from ._references import asked, covered_account, references, references_at
from ._signers import Signer, Untold, lets_in, requests_of


def signatures_of(exam: Exam) -> list[Signature]:
    """Return the signatures of exercise 2.5's output that name an image; without any, the check waits."""
    output = verify_output(exam)
    signatures = [each for each in output.signatures if each.reference] if output else []
    if not signatures:
        exam.blocked(
            "no-verify-output",
            Text("The output of exercise 2.5 is there to compare with"),
            reason=Reason.MISSING_FILE,
            observed=Text("no output of `cosign verify` in td/"),
        )
    return signatures


def judge_covered(exam: Exam, found: Found, signatures: list[Signature]) -> None:
    """Record whether the policy asks about the images that were signed."""
    requests = requests_of(found.written[0])
    own = f"ghcr.io/{covered_account(exam, found)}/"
    for signature in signatures:
        covered = asked(requests, str(signature.reference))
        exam.fact(
            "signed-image-free",
            Text("The signed image {image} is verified", image=signature.image),
            covered,
            expected=Text("a reference that matches it"),
            observed=Text("the references are {patterns}", patterns=", ".join(references(found)[:5]) or "–"),
            next=Text("The comparison is with the whole name: end it with a wildcard.")
            if str(signature.reference).startswith(own)
            else Text("Sign and verify the image of the same account."),
            where=found.document.at(*references_at(requests)),
            reason=unknown(covered),
        )


def judge_signer(exam: Exam, found: Found, signatures: list[Signature]) -> None:
    """Record whether the policy lets in what one of the signers signed; nothing when none is named."""
    named = [each for each in signatures if each.subject and each.issuer]
    if named:
        accepted = [
            _accepted(found, str(each.reference), Signer(each.subject or "", each.issuer or ""))
            for each in named
        ]
        met = True if True in accepted else None if None in accepted else False
        exam.fact(
            "identity-differs",
            Text("The signer of exercise 2.5 is let in"),
            met,
            expected=Text(
                "subject {subject}, issuer {issuer}", subject=named[0].subject, issuer=named[0].issuer
            ),
            observed=Text("the policy wants {wanted}", wanted=identity.written(found.written[0])),
            next=Text("Copy subject and issuer from the output of `cosign verify` into the policy."),
            where=identity.place(found),
            reason=unknown(met),
        )


def judge_format(exam: Exam, found: Found, signatures: list[Signature]) -> None:
    """Record whether the rules read the format in which the signatures are kept."""
    bundles = [signature.bundle for signature in signatures]
    for request in requests_of(found.written[0]):
        wanted = "Cosign" if request.cel else str(request.data.get("type") or "Cosign")
        readable = request.cel or (True in bundles if wanted == "SigstoreBundle" else False in bundles)
        exam.fact(
            "format-mismatch",
            Text("The signature has the format that the rule reads"),
            readable,
            expected=Text("type {type}", type=wanted),
            observed=Text("a Cosign 3 bundle")
            if True in bundles
            else Text("a signature of the older format"),
            next=Text(
                "Sign with Cosign 2.6 (or version 3 told to write the older format) and leave `type` out, "
                "or take an ImageValidatingPolicy."
            ),
            where=found.document.at(*request.path, "type"),
        )


def _accepted(found: Found, image: str, signer: Signer) -> bool | None:
    try:
        return lets_in(found.written[0], image, signer)
    except Untold:
        return None
