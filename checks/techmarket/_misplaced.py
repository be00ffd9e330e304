"""Where a policy says whose signature it wants: present, keyless, and nested as the engine reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from workshop.checking import Document, Exam, Text

Path = tuple[str | int, ...]
_IDENTITY: Final = frozenset({"subject", "issuer", "subjectRegExp", "issuerRegExp", "rekor"})
_USED: Final = re.compile(r"\battestors(?:\.|\[\s*['\"])([\w-]+)")
_DEEPEST: Final = 20


def verifies(document: Document) -> bool:
    """Whether a policy verifies images at all."""
    if str(document.get("kind")).endswith("ImageValidatingPolicy"):
        return True
    return any(True for _ in _items(document))


def stray_verification(document: Document) -> Path | None:
    """Return where `verifyImages` stands although no rule reads it there."""
    places: list[Path] = [("spec", "verifyImages")]
    rules = document.get("spec", "rules")
    for index in range(len(rules) if isinstance(rules, list) else 0):
        rule = ("spec", "rules", index)
        places += [(*rule, part, "verifyImages") for part in ("match", "validate", "exclude", "mutate")]
        places += [(*rule, "match", "resources", "verifyImages"), (*rule, "verifyImages")]
    return next((path for path in places if document.has(*path)), None)


def judge_attestors(exam: Exam, document: Document) -> None:
    """Record whether the policy names a keyless identity where the engine looks for it."""
    before = len(exam.facts)
    if str(document.get("kind")).endswith("ImageValidatingPolicy"):
        _judge_cel(exam, document)
    else:
        for path in _items(document):
            _judge_item(exam, document, path)
    if len(exam.facts) == before:
        exam.fact(
            "attestors-missing", Text("A keyless identity is named"), met=True, where=document.key_at("spec")
        )


def _items(document: Document) -> Iterator[Path]:
    rules = document.get("spec", "rules")
    for index in range(len(rules) if isinstance(rules, list) else 0):
        items = document.get("spec", "rules", index, "verifyImages")
        for number, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict):
                yield ("spec", "rules", index, "verifyImages", number)


def _judge_item(exam: Exam, document: Document, path: Path) -> None:
    item = document.get(*path)
    attestors = item.get("attestors")
    if "key" in item and not attestors:
        _key_instead(exam, document, (*path, "key"))
        return
    if not isinstance(attestors, list) or not attestors:
        if "subject" in item or "issuer" in item:
            return  # the older way to write a keyless identity
        _missing(exam, document, path)
        return
    shapes = [_judge_set(exam, document, (*path, "attestors", index), 0) for index in range(len(attestors))]
    if "key" in shapes and "keyless" not in shapes:
        _key_instead(exam, document, (*path, "attestors"))


def _missing(exam: Exam, document: Document, path: Path) -> None:
    stray = next(
        (
            place
            for place in ((*path[:3], "attestors"), ("spec", "attestors"), ("attestors",))
            if document.has(*place)
        ),
        None,
    )
    exam.fact(
        "attestors-misplaced" if stray else "attestors-missing",
        Text("The entry of verifyImages names its attestors"),
        met=False,
        expected=Text("`attestors` inside the entry, beside `imageReferences`"),
        observed=Text("it stands at {path}", path=".".join(map(str, stray)))
        if stray
        else Text("no attestors"),
        next=Text("Indent `attestors` as far as `imageReferences`, inside the same list item."),
        where=document.key_at(*(stray or path)),
    )


def _judge_set(exam: Exam, document: Document, path: Path, depth: int) -> str:
    """Judge one set of attestors; return `keyless`, `key` or `wrong` for what it holds."""
    entries = document.get(*path, "entries")
    if not isinstance(entries, list) or not entries:
        exam.fact(
            "entries-missing",
            Text("A set of attestors has entries"),
            met=False,
            expected=Text("`entries`, a list, below `attestors`"),
            observed=Text("no list of entries"),
            next=Text("Between `attestors` and `keyless` there is one more level: a list called `entries`."),
            where=document.at(*path),
        )
        return "wrong"
    shapes = [_judge_entry(exam, document, (*path, "entries", index), depth) for index in range(len(entries))]
    return "keyless" if "keyless" in shapes else "key" if "key" in shapes else "wrong"


def _judge_entry(exam: Exam, document: Document, path: Path, depth: int) -> str:
    entry = document.get(*path)
    if not isinstance(entry, dict):
        return "wrong"
    if "attestor" in entry and depth < _DEEPEST:
        return _judge_set(exam, document, (*path, "attestor"), depth + 1)
    if "keyless" in entry:
        _judge_keyless(exam, document, (*path, "keyless"))
        return "keyless"
    if _IDENTITY.intersection(entry):
        _not_a_mapping(exam, document, path, Text("its keys stand beside it"))
        return "keyless"
    return "key" if {"keys", "certificates"}.intersection(entry) else "wrong"


def _judge_keyless(exam: Exam, document: Document, path: Path) -> None:
    keyless = document.get(*path)
    if not isinstance(keyless, dict):
        _not_a_mapping(
            exam, document, path, Text("it is a list") if isinstance(keyless, list) else Text("it is empty")
        )
        return
    rekor = keyless.get("rekor")
    if not keyless.get("roots") and not (isinstance(rekor, dict) and rekor.get("url")):
        exam.fact(
            "rekor-missing",
            Text("The transparency log is named"),
            met=False,
            expected="rekor: {url: https://rekor.sigstore.dev}",
            observed=Text("no `rekor` with a `url`, and no `roots`"),
            next=Text("Add `rekor` to `keyless`, with `url` below it; Kyverno refuses the policy without."),
            where=document.at(*path, "rekor"),
        )


def _not_a_mapping(exam: Exam, document: Document, path: Path, observed: Text) -> None:
    exam.fact(
        "keyless-not-a-mapping",
        Text("`keyless` is one mapping of subject, issuer and rekor"),
        met=False,
        expected=Text("three keys below `keyless`, without dashes, indented further than it"),
        observed=observed,
        next=Text("Remove the dashes before subject, issuer, rekor and url, and indent them."),
        where=document.at(*path),
    )


def _key_instead(exam: Exam, document: Document, path: Path) -> None:
    exam.fact(
        "public-key-instead",
        Text("The signature is asked for without a key"),
        met=False,
        expected=Text("a keyless attestor"),
        observed=Text("a key or a certificate"),
        next=Text("A key can be stolen and must be kept; `keyless` asks for an identity. Use it instead."),
        where=document.at(*path),
    )


def _judge_cel(exam: Exam, document: Document) -> None:
    attestors = document.get("spec", "attestors")
    named: dict[str, Any] = {}
    for index, attestor in enumerate(attestors if isinstance(attestors, list) else ()):
        if isinstance(attestor, dict):
            named[str(attestor.get("name"))] = document.get("spec", "attestors", index, "cosign", "keyless")
    if not named:
        exam.fact(
            "attestors-missing",
            Text("The policy names an attestor"),
            met=False,
            expected=Text("`attestors` with a name and `cosign.keyless.identities`"),
            observed=Text("no attestors"),
            next=Text("Add one attestor to `spec.attestors` and use its name in the expression."),
            where=document.at("spec", "attestors"),
        )
        return
    if not any(isinstance(keyless, dict) for keyless in named.values()):
        _key_instead(exam, document, ("spec", "attestors"))
    _judge_use(exam, document, set(named))


def _judge_use(exam: Exam, document: Document, named: set[str]) -> None:
    parts = (document.get("spec", part) for part in ("validations", "variables"))
    text = " ".join(
        str(each.get("expression"))
        for part in parts
        for each in (part if isinstance(part, list) else ())
        if isinstance(each, dict)
    )
    used = set(_USED.findall(text))
    exam.fact(
        "attestor-not-used",
        Text("An expression verifies signatures against the attestor"),
        "verifyImageSignatures" in text and bool(used) and used <= named,
        expected=Text("a call of verifyImageSignatures with one of {names}", names=", ".join(sorted(named))),
        observed=Text("used are {names}", names=", ".join(sorted(used)) or "–"),
        next=Text("Attestors do nothing by themselves: name them, as `attestors.NAME`, in a validation."),
        where=document.at("spec", "validations"),
    )
