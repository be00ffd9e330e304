"""Whose signature opens the door: the student's and nobody else's. Imagined signers meet the policy."""

from __future__ import annotations

import re
from typing import Any, Final

from workshop.accounts import expected_account
from workshop.checking import Exam, Position, Text

from ._evidence import Output, verify_output
from ._judging import unknown
from ._policies import Found
from ._signers import Signer, Untold, lets_in, requests_of

GITHUB: Final = "https://github.com/login/oauth"
ACTIONS: Final = "https://token.actions.githubusercontent.com"
# Where anybody can get a certificate of the public Sigstore instance.
ISSUERS: Final = (GITHUB, ACTIONS, "https://accounts.google.com", "https://login.microsoftonline.com")
_STRANGER: Final = "mallory@example.net"
_STRANGERS_WORKFLOW: Final = "https://github.com/mallory/copy/.github/workflows/release.yml@refs/heads/main"
_WORKFLOW: Final = "techmarket-payment/.github/workflows/build.yml@refs/heads/main"
_EMAIL: Final = re.compile(r"[^@\s*?]+@[^@\s*?]+\.[^@\s*?]+")


def account(exam: Exam) -> str | None:
    """Return the account td/ should name, None when nobody can tell."""
    return expected_account(exam.workspace, exam.account)


def written(policy: dict[str, Any]) -> str:
    """Return the identities a policy wants, as a line of text."""
    parts = []
    for keyless in _identities(policy)[:3]:
        subject = keyless.get("subject") or keyless.get("subjectRegExp") or "–"
        parts.append(
            f"subject {subject}, issuer {keyless.get('issuer') or keyless.get('issuerRegExp') or '–'}"
        )
    return "; ".join(parts) or "–"


def place(found: Found, key: str = "subject") -> Position:
    """Return where the first identity of a policy says its subject (or issuer)."""
    for request in requests_of(found.written[0]):
        for keyless, path in request.keyless():
            for name in (key, f"{key}RegExp"):
                if name in keyless:
                    return found.document.at(*path, name)
            return found.document.at(*path)
    return found.document.key_at("spec")


def judge_identity(exam: Exam, found: Found, policy: dict[str, Any], image: str) -> None:
    """Record whether the student's signature of an image is let in, and that nobody else's is."""
    output = verify_output(exam)
    own = _own_signers(exam, policy, output)
    accepted = next((signer for signer in own if _lets_in(policy, image, signer)), None)
    if accepted is None:
        _explain(exam, found, policy, image, own)
    else:
        exam.fact(
            "wrong-subject",
            Text("Your signature is let in"),
            met=True,
            observed=Text(
                "subject {subject}, issuer {issuer}", subject=accepted.subject, issuer=accepted.issuer
            ),
            where=place(found),
        )
    _judge_strangers(exam, found, policy, image, accepted)


def _judge_strangers(
    exam: Exam, found: Found, policy: dict[str, Any], image: str, accepted: Signer | None
) -> None:
    strangers = [Signer(_STRANGER, issuer) for issuer in ISSUERS] + [Signer(_STRANGERS_WORKFLOW, ACTIONS)]
    if _judge_nobody(
        exam,
        found,
        policy,
        image,
        strangers,
        "anyone-accepted",
        Text("A stranger's signature is not enough"),
        Text("Anyone can have this subject, or an attestor asks for less. Name yourself, and nobody else."),
    ):
        return
    if accepted is None:
        return
    local, at, domain = accepted.subject.partition("@")
    # Of the same provider, of the same name elsewhere, and of a name that merely begins like it.
    subjects = (f"mallory@{domain}", f"{local}@example.net", f"{local}.mallory@{domain}") if at else ()
    neighbours = [Signer(each, accepted.issuer) for each in subjects]
    if accepted.issuer == ACTIONS:
        neighbours = [Signer(_STRANGERS_WORKFLOW, ACTIONS)]
    _judge_nobody(
        exam,
        found,
        policy,
        image,
        neighbours,
        "subject-too-wide",
        Text("A neighbour's signature is not enough"),
        Text("Your identity is asked for, not everybody's at the same provider. Write the whole e-mail."),
    )
    _judge_nobody(
        exam,
        found,
        policy,
        image,
        [Signer(accepted.subject, "https://login.example.net")],
        "issuer-not-checked",
        Text("The same name from another login service is not enough"),
        Text("Anybody can run a service that calls them by your name. Say which one you trust: `issuer`."),
    )


def judge_ends(exam: Exam, found: Found) -> None:
    """Record whether every expression is tied to both ends of what it is compared with."""
    for request in requests_of(found.written[0]):
        for keyless, path in request.keyless():
            for key in ("subjectRegExp", "issuerRegExp"):
                pattern = keyless.get(key)
                if pattern is not None:
                    exam.fact(
                        "expression-not-anchored",
                        Text("The expression is compared from the first character to the last"),
                        str(pattern).startswith(("^", "(?i)^")) and str(pattern).endswith("$"),
                        expected=Text("^ at the beginning, $ at the end"),
                        observed=f"{key}: {pattern}",
                        next=Text("Without them a longer name that merely contains yours fits as well."),
                        where=found.document.at(*path, key),
                    )


def _judge_nobody(
    exam: Exam,
    found: Found,
    policy: dict[str, Any],
    image: str,
    signers: list[Signer],
    fact: str,
    claim: Text,
    advice: Text,
) -> bool:
    """Record that none of these signers is let in; return whether one is."""
    told = [(_lets_in(policy, image, signer), signer) for signer in signers]
    culprit = next((signer for answer, signer in told if answer), None)
    met = False if culprit else None if any(answer is None for answer, _ in told) else True
    exam.fact(
        fact,
        claim,
        met,
        expected=Text("refused"),
        observed=Text(
            "let in: subject {subject}, issuer {issuer}", subject=culprit.subject, issuer=culprit.issuer
        )
        if culprit
        else Text("cannot be told from the file alone")
        if met is None
        else Text("refused"),
        next=advice,
        where=place(found, "issuer" if fact == "issuer-not-checked" else "subject"),
        reason=unknown(met),
    )
    return culprit is not None


def _explain(exam: Exam, found: Found, policy: dict[str, Any], image: str, own: list[Signer]) -> None:
    """Record why none of the student's possible signatures is let in."""
    if any(_lets_in(policy, image, signer) is None for signer in own) or (
        not own and not _identities(policy)
    ):
        exam.fact(
            "wrong-subject",
            Text("Your signature is let in"),
            None,
            observed=Text("cannot be told from the file alone"),
            where=place(found),
            reason=unknown(None),
        )
        return
    subjects = _subjects(policy)
    issuers = [str(each.get("issuer")) for each in _identities(policy) if each.get("issuer")]
    if any(_lets_in(policy, image, Signer(signer.subject, issuer)) for signer in own for issuer in issuers):
        exam.fact(
            "wrong-issuer",
            Text("The issuer is the service you log in with"),
            met=False,
            expected=f"issuer: {GITHUB}",
            observed=f"issuer: {', '.join(dict.fromkeys(issuers))}",
            next=Text(
                "Copy the issuer letter by letter, without a slash at the end. Another service counts "
                "where the output of exercise 2.5 names it."
            ),
            where=place(found, "issuer"),
        )
        return
    known = sorted({signer.subject for signer in own}) or ["…@…"]
    named = [subject for subject in subjects if "*" not in subject]
    if len(_identities(policy)) > 1 and set(known) & set(named):
        exam.fact(
            "every-signer-required",
            Text("Your signature alone is let in"),
            met=False,
            expected=Text("one signature of yours to be enough"),
            observed=Text("several are required together: {wanted}", wanted=written(policy)),
            next=Text(
                "Entries of a set are all required unless `count: 1` says otherwise. Keep only your own."
            ),
            where=place(found),
        )
        return
    email = any(_EMAIL.fullmatch(subject) for subject in named)
    exam.fact(
        "wrong-subject" if email else "subject-not-an-email",
        Text("The subject is your e-mail"),
        met=False,
        expected=f"subject: {known[0]}",
        observed=Text("the policy wants {wanted}", wanted=written(policy)),
        next=Text("Write the e-mail that `cosign verify` accepted: the certificate carries no user name."),
        where=place(found),
    )


def _own_signers(exam: Exam, policy: dict[str, Any], output: Output | None) -> list[Signer]:
    """Return the signatures the student may have made, the likeliest first."""
    shown = [
        Signer(each.subject, each.issuer)
        for each in (output.signatures if output else ())
        if each.subject and each.issuer
    ]
    issuers = [
        GITHUB,
        *(issuer for issuer in ISSUERS if issuer != GITHUB and output and output.names(issuer)),
    ]
    emails = [subject for subject in _subjects(policy) if _EMAIL.fullmatch(subject)]
    if exam.account.email:
        declared = exam.account.email
        emails = [email for email in emails if email.lower() == declared.lower()] or [declared]
    signers = [Signer(email, issuer) for email in emails for issuer in issuers if issuer != ACTIONS]
    if ACTIONS in issuers:
        signers += [
            Signer(each, ACTIONS) for each in _subjects(policy) if each.startswith("https://github.com/")
        ]
    return [*shown, *signers]


def _subjects(policy: dict[str, Any]) -> list[str]:
    """Return a subject for each identity of a policy: as written, or one that its pattern is meant for."""
    found = []
    for keyless in _identities(policy):
        for key in ("subject", "subjectRegExp"):
            value = keyless.get(key)
            if value is None:
                continue
            text = str(value)
            if key == "subjectRegExp":
                text = re.sub(r"\\(.)", r"\1", text.removeprefix("(?i)").removeprefix("^").removesuffix("$"))
                text = text.replace(".*", "*").replace(".+", "*").replace("[^/]+", "*").replace("[^/]*", "*")
            if text.startswith("https://github.com/") and "*" in text:
                text = _workflow_like(text)
            found.append(text)
    return found


def _workflow_like(pattern: str) -> str:
    """Return a workflow's URL that a pattern with wildcards is meant for."""
    owner = pattern.removeprefix("https://github.com/").partition("/")[0]
    if "*" in owner or pattern.count("*") > 1 or not pattern.endswith("*"):
        return pattern.replace("*", "x")
    head = pattern.removesuffix("*")
    wanted = f"https://github.com/{owner}/{_WORKFLOW}"
    return wanted if wanted.startswith(head) else f"{head}refs/heads/main"


def _identities(policy: dict[str, Any]) -> list[dict[str, Any]]:
    return [keyless for request in requests_of(policy) for keyless, _ in request.keyless()]


def _lets_in(policy: dict[str, Any], image: str, signer: Signer) -> bool | None:
    try:
        return lets_in(policy, image, signer)
    except Untold:
        return None
