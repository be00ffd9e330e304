"""What `cosign verify` printed, as far as a kept file shows it. Weak evidence: anybody can write a file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from workshop.checking import Exam, TextFile
from workshop.workspace import Unreadable

PATH: Final = "td/evidence/cosign-verify.json"
_SUFFIXES: Final = (".json", ".txt", ".log", ".md", ".out")
# No file name is imposed: these words in a path are enough.
_WORDS: Final = ("cosign", "verify", "signature")
CLASSIC: Final = "cosign container image signature"
BUNDLE: Final = "https://sigstore.dev/cosign/sign/v1"
_REFERENCE: Final = re.compile(
    r"([a-z0-9.-]{1,100}(?::\d{1,5})?/[a-z0-9][a-z0-9._/-]{0,200})((?::[\w.-]{1,128})?(?:@sha256:[0-9a-f]{64})?)"
)
_LONGEST: Final = 200_000


class Signature(NamedTuple):
    """One entry of the output. What a Cosign 3 bundle does not show (subject, issuer) is None."""

    image: str | None
    digest: str | None
    type: str | None
    subject: str | None
    issuer: str | None

    @property
    def reference(self) -> str | None:
        """The image with a tag, None where the entry names no image that could be compared."""
        match = _REFERENCE.fullmatch(self.image or "")
        return None if match is None else f"{match[1]}{match[2] or ':v1.0.0'}"

    @property
    def bundle(self) -> bool:
        """Whether it is a Sigstore bundle, the format of Cosign 3."""
        return self.type == BUNDLE


class Output(NamedTuple):
    """A kept output: its file, its text and the signatures it lists."""

    file: TextFile
    signatures: tuple[Signature, ...]

    def names(self, word: str) -> bool:
        """Whether a word (an issuer, an e-mail) stands anywhere in the output or the command above it."""
        return word in self.file.text


def verify_output(exam: Exam) -> Output | None:
    """Return the kept output of `cosign verify`, None where there is none. Unreadable files do not count."""
    best: Output | None = None
    for path in _candidates(exam):
        try:
            file = exam.workspace.text(path)
        except Unreadable:
            continue
        output = Output(file, tuple(signatures_in(file.text[:_LONGEST])))
        if output.signatures:
            return output
        best = best or output
    return best


def _candidates(exam: Exam) -> Iterator[str]:
    paths = [path for path in exam.workspace.files("td", _SUFFIXES) if path != PATH]
    if exam.workspace.exists(PATH):
        yield PATH
    yield from (path for path in paths if any(word in path.lower() for word in _WORDS))


def signatures_in(text: str) -> Iterator[Signature]:
    """Yield the signatures that an output lists, whatever else stands in it."""
    for entry in _entries(text):
        critical, optional = _mapping(entry, "critical"), _mapping(entry, "optional")
        if critical:
            yield Signature(
                image=_text(_mapping(critical, "identity").get("docker-reference")),
                digest=_text(_mapping(critical, "image").get("docker-manifest-digest")),
                type=_text(critical.get("type")),
                subject=_text(optional.get("Subject")),
                issuer=_text(optional.get("Issuer")),
            )


def _entries(text: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of the JSON arrays in a text that may hold a prompt and a header as well."""
    decoder = json.JSONDecoder()
    position, tries = 0, 0
    while (start := _next_start(text, position)) >= 0 and tries < 100:
        tries += 1
        try:
            value, position = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            position = start + 1
            continue
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, dict):
                yield entry


def _next_start(text: str, position: int) -> int:
    found = [index for index in (text.find("[", position), text.find("{", position)) if index >= 0]
    return min(found, default=-1)


def _mapping(of: dict[str, Any], key: str) -> dict[str, Any]:
    value = of.get(key)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
