"""Who signed: what `cosign verify` says of an image, asked for the student's identity and no other."""

from __future__ import annotations

import re
from typing import Final

from workshop.checking import Exam, Text
from workshop.cluster.denials import proves_nothing
from workshop.network import Image, Verification
from workshop.verdicts import Reason, Source

from .._evidence import signatures_in
from .._identity import GITHUB, ISSUERS, account

_INSTALL: Final = "https://docs.sigstore.dev/cosign/system_config/installation/"
# Sigstore's own servers, or the registry's door: says nothing about the signature.
_UNASKED: Final = re.compile(r"TUF|\btuf\b|UNAUTHORIZED|DENIED|unexpected status code 40[13]")
_OTHERS: Final = re.compile(r"none of the expected identities matched|no matching CertificateIdentity")
_KEYED: Final = re.compile(r"no certificate found|public key")
_NO_MATCH: Final = re.compile(r"no matching (?:signatures|attestations)")
_TRY_YOURSELF: Final = Text("Run cosign verify yourself: its message says what it stumbled over.")
_NONE, _ABSENT, _NO_MATCHING, _NO_CERTIFICATE = 10, 11, 12, 13


def judge_signer(exam: Exam, image: Image) -> None:
    """Record whether the image's signature is the student's: keyless, and vouched for by a login service."""
    where = Source(object=f"{image.name}@{image.digest}")
    claim = Text("`cosign verify` finds your signature")
    verification = exam.network.verify(image, identity=_identity(exam), issuer=_either(ISSUERS))
    if verification is None:
        exam.fact(
            "cosign-missing",
            claim,
            met=None,
            observed=Text("the command cosign is not installed here"),
            next=Text("Install it: {url}", url=_INSTALL),
            where=where,
            reason=Reason.UNAVAILABLE,
        )
        return
    fact, met, advice = _outcome(verification, image)
    exam.fact(
        fact,
        claim,
        met,
        expected=Text(
            "identity {identity}, issuer {issuer}", identity=exam.account.email or "…", issuer=GITHUB
        ),
        observed=_signers(verification) if met else verification.complaint or f"exit {verification.code}",
        next=advice,
        where=where,
        reason=Reason.UNAVAILABLE if met is None else None,
    )


def _identity(exam: Exam) -> str:
    """Return an expression for whoever may have signed for the student: their e-mail, or their workflow."""
    email, owner = exam.account.email, account(exam)
    # Without a known e-mail any will do: the output says whose it is.
    person = re.escape(email) if email else r"[^@\s]+@[^@\s]+"
    workflow = rf"https://github\.com/{re.escape(owner)}/.+" if owner else r"https://github\.com/.+"
    return f"^(?i:{person}|{workflow})$"


def _either(texts: tuple[str, ...]) -> str:
    return f"^(?:{'|'.join(re.escape(each) for each in texts)})$"


def _outcome(verification: Verification, image: Image) -> tuple[str, bool | None, Text | None]:
    """Return fact, verdict and advice for an exit code and its message.

    Version 3 exits with 1 for what it finds wrong in a bundle: then the message alone tells. Whatever ends
    well without a word of the image is no cosign that has verified it.
    """
    said, digests = verification.complaint, (image.digest, *image.platforms)
    if verification.code == 0 and any(each in verification.output for each in digests):
        return "verified", True, None
    if proves_nothing(said) or _UNASKED.search(said):
        return (
            "cosign-could-not-ask",
            None,
            Text("Cosign reached neither the registry nor Sigstore: try again."),
        )
    if verification.code == 0:
        return "cosign-could-not-tell", None, _TRY_YOURSELF
    if verification.code == _NONE:
        advice = Text("This cosign sees none: version 2 before 2.6 does not read the bundles of version 3.")
        return "cosign-sees-none", None, advice
    if verification.code == _ABSENT:
        return "image-gone", None, Text("The image was there a moment ago: try again.")
    if verification.code == _NO_CERTIFICATE or (_KEYED.search(said) and _NO_MATCH.search(said)):
        advice = Text("Sign it again without `--key`: Cosign then asks you to log in.")
        return "signed-with-a-key", False, advice
    if _OTHERS.search(said):
        advice = Text(
            "The signature is there, with another name on it. Compare the subject that was found with your "
            "account's main verified e-mail, and the issuer with the service you logged in with."
        )
        return "other-signer", False, advice
    if verification.code == _NO_MATCHING or _NO_MATCH.search(said):
        return "signature-invalid", False, Text("Sign the image again, and keep what cosign verify prints.")
    return "cosign-could-not-tell", None, _TRY_YOURSELF


def _signers(verification: Verification) -> str:
    found = [f"{each.subject}, {each.issuer}" for each in signatures_in(verification.output) if each.subject]
    return "; ".join(dict.fromkeys(found)) or "Verified OK"
