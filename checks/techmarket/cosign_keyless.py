"""2.5 – what the kept output of `cosign verify` shows. A file proves little: the registry decides."""

from __future__ import annotations

import re
from typing import Final

from workshop.checking import Exam, Text, check, remark
from workshop.verdicts import Reason

from ._evidence import PATH, Output, Signature, verify_output
from ._identity import ACTIONS, GITHUB, ISSUERS, account

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_IMAGE: Final = re.compile(r"ghcr\.io/([a-z0-9](?:[a-z0-9-]{0,38}))/payment-service(?:[:@].*)?")
_ERRORS: Final = ("Error:", "error:", "main.go:", "no matching signatures", "no signatures found")


def _output(exam: Exam) -> Output:
    output = verify_output(exam)
    if output is None:
        exam.blocked(
            "evidence-not-kept",
            Text("The output of cosign verify is kept in {path}", path=PATH),
            reason=Reason.MISSING_FILE,
            observed=Text("no such file yet"),
        )
    return output


@check(level=remark)
def output_is_a_success(exam: Exam) -> None:
    """The kept output is that of a successful verification.

    Success prints JSON, one entry for each signature that was found good.
    """
    output = _output(exam)
    failed = next((line.strip() for line in output.file.lines if any(word in line for word in _ERRORS)), None)
    observed = Text("no JSON with a signature in it")
    if failed and not output.signatures:
        observed = Text("an error: {line}", line=failed[:200])
    exam.fact(
        "error-output" if failed else "not-verify-output",
        Text("The output lists a signature"),
        bool(output.signatures),
        expected=Text("the JSON that `cosign verify` prints when it succeeds"),
        observed=observed,
        next=Text(
            "Verify again with your e-mail and the issuer you logged in with, and keep what is printed."
        ),
        where=output.file,
    )


@check(level=remark, needs=[output_is_a_success])
def output_is_about_the_image(exam: Exam) -> None:
    """The signature belongs to the payment-service image of your account.

    A signature of something else says nothing about what is deployed.
    """
    output = _output(exam)
    owner = account(exam)
    for signature in output.signatures:
        match = _IMAGE.fullmatch(signature.image or "")
        exam.fact(
            "wrong-image",
            Text("The image is {image}", image=f"ghcr.io/{owner or '…'}/payment-service"),
            match is not None and owner in (None, match[1]),
            expected=f"docker-reference: ghcr.io/{owner or '…'}/payment-service",
            observed=f"docker-reference: {signature.image}",
            next=Text("Verify the image of your own account, all in lower case."),
            where=output.file,
        )
        exam.fact(
            "digest-missing",
            Text("It is tied to one digest"),
            _DIGEST.fullmatch(signature.digest or "") is not None,
            expected="docker-manifest-digest: sha256:…",
            observed=f"docker-manifest-digest: {signature.digest}",
            next=Text("Keep the output whole: the digest is what has been signed."),
            where=output.file,
        )


@check(level=remark, needs=[output_is_a_success])
def output_names_the_signer(exam: Exam) -> None:
    """The signer is you, confirmed by the service you logged in with.

    Keyless means: not who owns a key, but who could prove to be this person.
    """
    output = _output(exam)
    for signature in output.signatures:
        if signature.bundle and signature.subject is None and signature.issuer is None:
            exam.fact(
                "identity-not-shown",
                Text("Cosign has checked the identity"),
                met=True,
                observed=Text("a Cosign 3 bundle, whose output shows no names"),
                where=output.file,
            )
            continue
        _judge_signer(exam, output, signature)


def _judge_signer(exam: Exam, output: Output, signature: Signature) -> None:
    issuer, subject = signature.issuer or "", signature.subject or ""
    exam.fact(
        "signed-with-a-key" if not issuer else "issuer-unexpected",
        Text("A login service vouches for the signer"),
        issuer in ISSUERS,
        expected=f"Issuer: {GITHUB}",
        observed=f"Issuer: {signature.issuer or '–'}",
        next=Text(
            "Sign without a key: `cosign sign` then asks you to log in; the certificate names the issuer."
        ),
        where=output.file,
    )
    workflow = issuer == ACTIONS
    shape = subject.startswith("https://") if workflow else "@" in subject
    mine = exam.account.email is None or workflow or subject.lower() == exam.account.email.lower()
    exam.fact(
        "subject-unexpected",
        Text("The signer is the identity you gave"),
        shape and mine,
        expected=Text("the URL of a workflow") if workflow else f"Subject: {exam.account.email or '…@…'}",
        observed=f"Subject: {signature.subject or '–'}",
        next=Text(
            "The certificate carries your account's main verified e-mail: note the one that was printed."
        ),
        where=output.file,
    )


@check(level=remark, needs=[output_is_a_success])
def format_kyverno_reads(exam: Exam) -> None:
    """Kyverno's ClusterPolicy can read the signature.

    Cosign 3 attaches bundles, which a ClusterPolicy does not find on GitHub's registry.
    """
    output = _output(exam)
    exam.fact(
        "bundle-signature",
        Text("The signature has the format that a ClusterPolicy reads"),
        any(not signature.bundle for signature in output.signatures),
        expected=Text("at least one signature of the older format"),
        observed=Text("Cosign 3 bundles only"),
        next=Text(
            "Sign with Cosign 2.6, or with version 3 and `--new-bundle-format=false "
            "--use-signing-config=false`, or use an ImageValidatingPolicy in 2.6."
        ),
        where=output.file,
    )
