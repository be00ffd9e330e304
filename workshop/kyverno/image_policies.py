"""Reading policies about images: which images they ask to verify, from whom, and whether they refuse.

What an image's signature says only a registry knows; everything before that question is answered here, for
``verifyImages`` rules and ImageValidatingPolicies alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from workshop.kyverno.enforcement import cel_actions, enforces
from workshop.kyverno.images import CONTAINERS, POD_SPEC, parse_image
from workshop.kyverno.match import Request, as_list, as_map
from workshop.kyverno.outcome import Beyond, KyvernoError, work
from workshop.kyverno.values import wildcard


@dataclass(frozen=True)
class Identity:
    """Who must have signed without keys: exact values, or regular expressions."""

    subject: str = ""
    subject_regex: str = ""
    issuer: str = ""
    issuer_regex: str = ""
    rekor_url: str = ""
    roots: bool = False


@dataclass(frozen=True)
class Verification:
    """One request of a policy to verify images.

    `references` and `skipped` are patterns over the normalized reference (``globs`` over the written one
    for CEL policies); `attestors` are the raw attestors, `identities` the keyless ones among them.
    """

    policy: str
    rule: str
    references: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()
    attestors: tuple[dict[str, Any], ...] = ()
    identities: tuple[Identity, ...] = ()
    enforce: bool = False
    required: bool = True
    mutate_digest: bool = True
    verify_digest: bool = True
    cel: bool = field(default=False)

    def asks_for(self, image: str) -> bool | None:
        """Would this image be verified? None when an expression decides that cannot be evaluated here."""
        with work():
            try:
                if self.cel:
                    return self._cel_asks(image)
                reference = parse_image(image).reference
                return any(wildcard(p, reference) for p in self.references) and not any(
                    wildcard(p, reference) for p in self.skipped
                )
            except (KyvernoError, Beyond, RecursionError):
                return None

    def _cel_asks(self, image: str) -> bool:
        if not self.references and not self.expressions:
            return True
        if any(glob(pattern, image) for pattern in self.references):
            return True
        from workshop.kyverno.cel.evaluation import Scope, evaluate

        scope = Scope({"ref": image})
        return any(evaluate(source, scope) is True for source in self.expressions)


def glob(pattern: str, text: str) -> bool:
    """The globs of ImageValidatingPolicy: ``*`` and ``**`` any run, ``?`` one character, ``{one,two}``."""
    alternatives = re.search(r"\{([^{}]*)\}", pattern)
    if alternatives:
        if pattern.count("{") > 4:
            raise Beyond("beyond-evaluator", "glob with many alternatives")
        head, tail = pattern[: alternatives.start()], pattern[alternatives.end() :]
        return any(glob(f"{head}{choice}{tail}", text) for choice in alternatives[1].split(","))
    if "[" in pattern or "\\" in pattern:
        raise Beyond("beyond-evaluator", "glob with character classes")
    return wildcard(pattern, text)


def verifications(policy: dict[str, Any], *, namespace: str = "default") -> list[Verification]:
    """What a policy asks to verify for Pods of a namespace; [] for any other, or a broken, policy."""
    try:
        if str(policy.get("kind")).endswith("ImageValidatingPolicy"):
            return [_of_cel_policy(policy)]
        request = Request({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": namespace}})
        rules = as_list(as_map(policy.get("spec")).get("rules"))
        return [
            _of_rule(policy, rule, item, request)
            for rule in rules
            if isinstance(rule, dict)
            for item in as_list(rule.get("verifyImages"))
            if isinstance(item, dict)
        ]
    except (AttributeError, TypeError, RecursionError):
        return []


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in as_list(value))


def _name(policy: dict[str, Any]) -> str:
    return str(as_map(policy.get("metadata")).get("name") or "")


def _of_rule(
    policy: dict[str, Any], rule: dict[str, Any], item: dict[str, Any], request: Request
) -> Verification:
    entries = [
        entry
        for attestors in as_list(item.get("attestors"))
        for entry in as_list(as_map(attestors).get("entries"))
        if isinstance(entry, dict)
    ]
    references = _texts(item.get("imageReferences")) + ((str(item["image"]),) if item.get("image") else ())
    return Verification(
        policy=_name(policy),
        rule=str(rule.get("name") or ""),
        references=references,
        skipped=_texts(item.get("skipImageReferences")),
        attestors=tuple(entries),
        identities=tuple(_keyless(as_map(entry["keyless"])) for entry in entries if "keyless" in entry),
        enforce=enforces(policy, rule, request),
        required=item.get("required") is not False,
        mutate_digest=item.get("mutateDigest") is not False,
        verify_digest=item.get("verifyDigest") is not False,
    )


def _keyless(keyless: dict[str, Any]) -> Identity:
    return Identity(
        subject=str(keyless.get("subject") or ""),
        subject_regex=str(keyless.get("subjectRegExp") or ""),
        issuer=str(keyless.get("issuer") or ""),
        issuer_regex=str(keyless.get("issuerRegExp") or ""),
        rekor_url=str(as_map(keyless.get("rekor")).get("url") or ""),
        roots=bool(keyless.get("roots")),
    )


def _of_cel_policy(policy: dict[str, Any]) -> Verification:
    spec = as_map(policy.get("spec"))
    matched = [as_map(item) for item in as_list(spec.get("matchImageReferences"))]
    attestors = [item for item in as_list(spec.get("attestors")) if isinstance(item, dict)]
    keyless = [as_map(as_map(item.get("cosign")).get("keyless")) for item in attestors]
    settings = as_map(spec.get("validationConfigurations"))
    return Verification(
        policy=_name(policy),
        rule="",
        references=tuple(str(item["glob"]) for item in matched if item.get("glob")),
        expressions=tuple(str(item["expression"]) for item in matched if item.get("expression")),
        attestors=tuple(attestors),
        identities=tuple(
            _keyless(as_map(identity)) for item in keyless for identity in as_list(item.get("identities"))
        ),
        enforce="Deny" in cel_actions(spec),
        required=settings.get("required") is not False,
        mutate_digest=settings.get("mutateDigest") is not False,
        verify_digest=settings.get("verifyDigest") is not False,
        cel=True,
    )


def asked_images(policy: dict[str, Any], resource: dict[str, Any]) -> list[str]:
    """The images of a workload an ImageValidatingPolicy asks to verify; Beyond when it cannot be told."""
    verification = _of_cel_policy(policy)
    if as_map(policy.get("spec")).get("images"):
        raise Beyond("needs-registry", "images are taken from expressions")
    node: Any = resource
    for part in POD_SPEC.get(str(resource.get("kind")), ("spec",)):
        node = as_map(node).get(part)
    written = [as_map(item).get("image") for name in CONTAINERS for item in as_list(as_map(node).get(name))]
    return sorted({image for image in written if isinstance(image, str) and verification._cel_asks(image)})
