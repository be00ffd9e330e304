"""Whose signature a policy would accept for an image: read from the policy, without a registry.

A signer is imagined and the policy's attestors are asked one by one, as the engine does: every entry of
`verifyImages` that is about the image, every set of attestors in it, as many entries of a set as it counts.
Source: pkg/engine/internal/imageverifier.go and pkg/image/verifiers of Kyverno 1.19.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from workshop.kyverno.image_policies import Verification, verifications
from workshop.kyverno.images import CONTAINERS, parse_image
from workshop.kyverno.match import Request as Admitted
from workshop.kyverno.outcome import Beyond, KyvernoError, work
from workshop.kyverno.values import regex_match, wildcard

from ._probes import PINNED, container, pod

_DEEPEST: Final = 20


class Untold(Exception):
    """Only the real engine knows."""


class Signer(NamedTuple):
    """What a keyless certificate says: subject (e-mail or URL of a workflow) and issuer. Empty: unsigned."""

    subject: str
    issuer: str


NOBODY: Final = Signer("", "")


class Request(NamedTuple):
    """One entry of `verifyImages` (with its indexes) or an ImageValidatingPolicy (without)."""

    data: dict[str, Any]
    path: tuple[str | int, ...]
    cel: bool = False

    @property
    def references(self) -> list[str]:
        """The patterns it names images by."""
        if self.cel:
            matches = _maps(self.data.get("matchImageReferences"))
            return [str(each["glob"]) for each in matches if each.get("glob")]
        old = [self.data["image"]] if self.data.get("image") else []
        return [str(each) for each in [*_list(self.data.get("imageReferences")), *old]]

    def asks_for(self, image: str) -> bool:
        """Whether it verifies this image at all. Raises Untold."""
        with _told():
            if self.cel:
                answer = _verification(self.data).asks_for(image)
                if answer is None:
                    raise Untold
                return answer
            return _any_matches(self.references, parse_image(image).reference) and not self.skips(image)

    @property
    def skipped(self) -> list[str]:
        """The patterns of `skipImageReferences`."""
        return [] if self.cel else [str(each) for each in _list(self.data.get("skipImageReferences"))]

    def skips(self, image: str) -> bool:
        """Whether `skipImageReferences` takes the image out again."""
        try:
            with _told():
                return _any_matches(self.skipped, parse_image(image).reference)
        except Untold:
            return False

    def accepts(self, image: str, signer: Signer, containers: str = "containers") -> bool:
        """Whether an image it asks for gets in with this signature. Raises Untold."""
        with _told():
            if self.cel:
                return _holds(self.data, signer, image, containers)
            return all(_set_accepts(each, signer, 0) for each in _list(self.data.get("attestors")))

    def lets_by(self) -> bool:
        """Whether a Pod gets in that has no image it asks for. Raises Untold."""
        with _told():
            return not self.cel or _holds(self.data, NOBODY, None, "containers")

    def keyless(self) -> Iterator[tuple[dict[str, Any], tuple[str | int, ...]]]:
        """Yield every keyless identity with its path below the policy."""
        if self.cel:
            for index, attestor in enumerate(_list(self.data.get("attestors"))):
                keyless = _map(_map(_map(attestor).get("cosign")).get("keyless"))
                path = (*self.path, "attestors", index, "cosign", "keyless", "identities")
                for number, identity in enumerate(_list(keyless.get("identities"))):
                    yield _map(identity), (*path, number)
            return
        for index, attestors in enumerate(_list(self.data.get("attestors"))):
            yield from _keyless_in(attestors, (*self.path, "attestors", index), 0)


def requests_of(policy: dict[str, Any]) -> list[Request]:
    """Return everything a policy asks to verify."""
    spec = _map(policy.get("spec"))
    if str(policy.get("kind")).endswith("ImageValidatingPolicy"):
        return [Request(spec, ("spec",), cel=True)]
    rules = _list(spec.get("rules"))
    return [
        Request(_converted(item), ("spec", "rules", index, "verifyImages", number))
        for index, rule in enumerate(rules)
        if isinstance(rule, dict)
        for number, item in enumerate(_list(rule.get("verifyImages")))
        if isinstance(item, dict)
    ]


def _converted(item: dict[str, Any]) -> dict[str, Any]:
    """Return an entry whose identity, written in the fields of old, stands among the attestors."""
    keyless = {
        key: item[key] for key in ("subject", "issuer", "roots", "additionalExtensions") if item.get(key)
    }
    if item.get("attestors") or not keyless:
        return item
    return {**item, "attestors": [{"entries": [{"keyless": keyless}]}]}


def lets_in(policy: dict[str, Any], image: str, signer: Signer, containers: str = "containers") -> bool:
    """Whether a policy lets an image in that this signer has signed. Raises Untold."""
    return all(
        request.accepts(image, signer, containers)
        for request in requests_of(policy)
        if request.asks_for(image)
    )


def about_every_image(policy: dict[str, Any], image: str) -> dict[str, Any]:
    """Return a policy that asks about an image for certain: itself, or a copy whose references match any.

    References that miss the image are a mistake of their own; whom the attestors trust is another matter.
    """
    try:
        if any(request.asks_for(image) for request in requests_of(policy)):
            return policy
    except Untold:
        return policy
    wide = copy.deepcopy(policy)
    spec = _map(wide.get("spec"))
    if str(wide.get("kind")).endswith("ImageValidatingPolicy"):
        spec["matchImageReferences"] = [{"glob": "*"}]
    for rule in _maps(spec.get("rules")):
        for item in _maps(rule.get("verifyImages")):
            item.pop("image", None)
            item.pop("skipImageReferences", None)
            item["imageReferences"] = ["*"]
    return wide


# --- attestors of verifyImages -----------------------------------------------------------------------


def _set_accepts(attestors: object, signer: Signer, depth: int) -> bool:
    if depth > _DEEPEST:
        raise Untold
    entries = _maps(_map(attestors).get("entries"))
    count = _map(attestors).get("count")
    wanted = count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else len(entries)
    return sum(_entry_accepts(entry, signer, depth) for entry in entries) >= wanted


def _entry_accepts(entry: dict[str, Any], signer: Signer, depth: int) -> bool:
    if entry.get("attestor") is not None:
        return _set_accepts(entry["attestor"], signer, depth + 1)
    if "keyless" not in entry or signer == NOBODY:
        return False  # a key or a certificate that nobody here has
    keyless = _map(entry["keyless"])
    subject, subject_pattern = _word(keyless, "subject"), _word(keyless, "subjectRegExp")
    issuer, issuer_pattern = _word(keyless, "issuer"), _word(keyless, "issuerRegExp")
    by_subject = bool(subject) and wildcard(subject, signer.subject)
    by_pattern = bool(subject_pattern) and _fits(subject_pattern, signer.subject)
    return (
        (by_subject or by_pattern or not (subject or subject_pattern))
        and (not issuer or wildcard(issuer, signer.issuer))
        and (not issuer_pattern or _fits(issuer_pattern, signer.issuer))
    )


def _keyless_in(
    attestors: object, path: tuple[str | int, ...], depth: int
) -> Iterator[tuple[dict[str, Any], tuple[str | int, ...]]]:
    for index, entry in enumerate(_list(_map(attestors).get("entries"))):
        here = (*path, "entries", index)
        if isinstance(entry, dict) and isinstance(entry.get("keyless"), dict):
            yield entry["keyless"], (*here, "keyless")
        if isinstance(entry, dict) and depth < _DEEPEST:
            yield from _keyless_in(entry.get("attestor"), (*here, "attestor"), depth + 1)


# --- ImageValidatingPolicy ---------------------------------------------------------------------------


def _holds(spec: dict[str, Any], signer: Signer, image: str | None, containers: str) -> bool:
    """Evaluate the validations for a Pod of which this image alone is asked for, or none."""
    # A library of its own, and policies with expressions are rare.
    from workshop.kyverno.cel.match import scope_of
    from workshop.kyverno.cel.policies import check_validations

    attestors = {str(each.get("name")): _map(each.get("cosign")) for each in _maps(spec.get("attestors"))}

    def verify(_image: object, asked: object) -> int:
        return sum(_cosign_accepts(attestor, signer) for attestor in _maps(asked))

    one = container("asked", image or PINNED)
    resource = pod(init=[one]) if containers == "initContainers" else pod(one)
    scope = scope_of(Admitted(resource), spec.get("variables"), deleting=False)
    scope.values["images"] = {kind: [image] if image and kind == containers else [] for kind in CONTAINERS}
    scope.attestors = attestors
    scope.functions["verifyImageSignatures"] = verify
    return check_validations(spec.get("validations"), scope).result == "pass"


def _cosign_accepts(cosign: dict[str, Any], signer: Signer) -> bool:
    keyless = cosign.get("keyless")
    if not isinstance(keyless, dict) or signer == NOBODY:
        return False
    identities = _maps(keyless.get("identities"))
    return not identities or any(_identity_accepts(each, signer) for each in identities)


def _identity_accepts(identity: dict[str, Any], signer: Signer) -> bool:
    for exact, pattern, value in (
        ("subject", "subjectRegExp", signer.subject),
        ("issuer", "issuerRegExp", signer.issuer),
    ):
        if _word(identity, pattern):
            if not _fits(_word(identity, pattern), value):
                return False
        elif _word(identity, exact) and _word(identity, exact) != value:
            return False
    return not identity.get("subjectExpression")


def _verification(spec: dict[str, Any]) -> Verification:
    return verifications({"kind": "ImageValidatingPolicy", "spec": spec})[0]


# --- odd shapes --------------------------------------------------------------------------------------


@contextmanager
def _told() -> Iterator[None]:
    """Count the work done inside; what the evaluator cannot do becomes Untold."""
    try:
        with work():
            yield
    except (KyvernoError, Beyond, RecursionError) as error:
        raise Untold from error


def _any_matches(patterns: list[Any], reference: str) -> bool:
    return any(wildcard(str(pattern), reference) for pattern in patterns)


def _fits(pattern: str, text: str) -> bool:
    """Whether an expression finds something; one that does not compile finds nothing, for anybody."""
    try:
        return regex_match(pattern, text)
    except KyvernoError:
        return False


def _word(of: dict[str, Any], key: str) -> str:
    value = of.get(key)
    return "" if value is None else str(value)


def _map(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _maps(value: object) -> list[dict[str, Any]]:
    return [each for each in _list(value) if isinstance(each, dict)]
