"""Which images a policy asks to verify: all of the student's account, and none of anybody else."""

from __future__ import annotations

import re
from typing import Final

from workshop.checking import Exam, Text

from ._identity import account as expected_account
from ._judging import unknown
from ._policies import Found
from ._signers import Request, Untold, requests_of

_DIGEST: Final = "@sha256:" + "4c0fdaa8b6341bfdeca5f18f7837462c80cff90527ee35ef185571e1c327beac"
_OTHERS: Final = (
    ("other-images-caught", "nginx:1.27.5"),
    ("other-images-caught", "docker.io/library/nginx:1.27.5"),
    ("other-images-caught", "registry.k8s.io/pause:3.10"),
    ("other-accounts-caught", "ghcr.io/kyverno/kyverno:v1.19.1"),
)
_ACCOUNT: Final = re.compile(r"ghcr\.io/([A-Za-z0-9][A-Za-z0-9-]{0,38})(?=/)")


def image_of(account: str) -> str:
    """Return the image of the payment-service under an account."""
    return f"ghcr.io/{account}/payment-service:v1.0.0"


def _own_images(account: str) -> list[str]:
    own = f"ghcr.io/{account}"
    others = (f"{own}/payment-service:v1.0.1", f"{own}/frontend-app:2.3", f"{own}/tools/migrate:7")
    return [image_of(account), *others, f"{own}/payment-service{_DIGEST}"]


def verifying_rules(found: Found, account: str) -> list[frozenset[int]]:
    """Return which rules (by index) verify an image of the account together; none for CEL kinds."""
    requests = [request for request in requests_of(found.written[0]) if not request.cel]
    groups = [
        frozenset(int(request.path[2]) for request in requests if asked([request], image))
        for image in _own_images(account)
    ]
    return [group for group in dict.fromkeys(groups) if group]


def judge_own_images(exam: Exam, found: Found) -> None:
    """Record whether the images of the account are verified, whatever their name and tag."""
    account = _account(exam, found)
    requests = requests_of(found.written[0])
    for image in [*_own_images(account), *_taken_out(requests, account)]:
        fact = "payment-service-free" if image == image_of(account) else "account-not-covered"
        verified = asked(requests, image)
        diagnosis = _diagnosis(requests, image, account)
        fact, advice = diagnosis or (
            fact,
            Text("The comparison is with the whole name: end it with a wildcard."),
        )
        patterns = references(found)
        exam.fact(
            fact,
            Text(
                "{image} is verified", image=image.partition("@")[0] + ("@sha256:…" if "@" in image else "")
            ),
            verified,
            expected=Text("a reference that matches it"),
            observed=Text("`skipImageReferences` matches it too")
            if fact == "skipped-images"
            else Text("the references {patterns} leave it out", patterns=", ".join(patterns[:5]) or "–"),
            next=advice,
            where=found.document.at(*references_at(requests)),
            reason=unknown(verified),
        )
        if verified is False and diagnosis:
            return


def _taken_out(requests: list[Request], account: str) -> list[str]:
    """Return an image of the account for each pattern that takes some of them out again."""
    own = f"ghcr.io/{account}/"
    found = []
    for request in requests:
        for pattern in request.skipped:
            rest = pattern.removeprefix("*")
            likely = (pattern, pattern.replace("*", account, 1), f"ghcr.io{rest}", f"{own}x{rest}")
            images = [each.replace("*", "x").replace("?", "x") for each in likely]
            found += [each for each in images if each.startswith(own) and request.skips(each)][:1]
    return found[:20]


def judge_other_images(exam: Exam, found: Found) -> None:
    """Record whether images of others are left alone."""
    requests = requests_of(found.written[0])
    for fact, image in _OTHERS:
        verified = asked(requests, image)
        exam.fact(
            fact,
            Text("{image} gets through", image=image),
            None if verified is None else not verified,
            expected=Text("no reference that matches it"),
            observed=Text("the references are {patterns}", patterns=", ".join(references(found)[:5]) or "–"),
            next=Text("Begin the reference with the registry and your account."),
            where=found.document.at(*references_at(requests)),
            reason=unknown(verified),
        )
    by = _lets_by(requests)
    exam.fact(
        "pods-without-own-images-refused",
        Text("A Pod without an image of yours gets through"),
        by,
        expected=Text("admitted"),
        observed=Text("the validations do not hold when there is no image to verify"),
        next=Text(
            "They are evaluated for every Pod. Ask something of each image, with `all`, not that one exists."
        ),
        where=found.document.at("spec", "validations"),
        reason=unknown(by),
    )


def _lets_by(requests: list[Request]) -> bool | None:
    try:
        return all(request.lets_by() for request in requests)
    except Untold:
        return None


def _account(exam: Exam, found: Found) -> str:
    """Return the account whose images count; td/ must name one alone."""
    expected = expected_account(exam)
    if expected is None and len(exam.accounts_used()) > 1:
        exam.fact(
            "accounts-differ",
            Text("td/ names one account"),
            met=False,
            expected=Text("the same account in every file"),
            observed=Text("found {accounts}", accounts=", ".join(sorted(exam.accounts_used()))),
            next=Text("Write your own account everywhere, or tell the workshop which one is yours."),
            where=found.document.at(*references_at(requests_of(found.written[0]))),
        )
    if expected is not None:
        return expected
    named = [match[1] for match in map(_ACCOUNT.match, references(found)) if match]
    return named[0].lower() if named else "someone"


def covered_account(exam: Exam, found: Found) -> str:
    """Return an account the references cover, so that signers can be judged even if it is the wrong one."""
    named = [match[1].lower() for match in map(_ACCOUNT.match, references(found)) if match]
    expected = expected_account(exam)
    return named[0] if named and expected not in named else expected or "someone"


def references(found: Found) -> list[str]:
    """Return the patterns a policy names images by."""
    return [pattern for request in requests_of(found.written[0]) for pattern in request.references]


def references_at(requests: list[Request]) -> tuple[str | int, ...]:
    """Return the path of the first of them."""
    if not requests:
        return ("spec",)
    return (*requests[0].path, "matchImageReferences" if requests[0].cel else "imageReferences")


def asked(requests: list[Request], image: str) -> bool | None:
    """Return whether any request is about an image, None when that cannot be told."""
    told: list[bool | None] = []
    for request in requests:
        try:
            told.append(request.asks_for(image))
        except Untold:
            told.append(None)
    return True if True in told else None if None in told else False


def _diagnosis(requests: list[Request], image: str, account: str) -> tuple[str, Text] | None:
    """Return the fact and the advice for the reason why no reference matches any image of the account."""
    patterns = [pattern for request in requests for pattern in request.references]
    named = {match[1] for match in map(_ACCOUNT.match, patterns) if match}
    if any(request.skips(image) for request in requests):
        return "skipped-images", Text("`skipImageReferences` takes the image out again: remove it there.")
    if any("{{" in pattern or "$(" in pattern for pattern in patterns):
        return "variables-in-references", Text(
            "Kyverno allows no variables in references: write the account out."
        )
    if any("*" not in pattern and pattern.endswith("/") for pattern in patterns):
        return "reference-without-wildcard", Text(
            "This matches no image at all, so everything is let in unseen. Add a wildcard after the slash."
        )
    if named and account not in named:
        if account in {name.lower() for name in named}:
            return "uppercase-account", Text(
                "Image names are all lower case, whatever GitHub shows: so is the reference."
            )
        return "wrong-account", Text("Name your own account, the one the rest of td/ uses.")
    return None
