"""Overlay patterns: how `validate.pattern` walks a resource, and what anchors change.

Source: pkg/engine/validate and pkg/engine/anchor. ``(key)`` is a condition, ``<(key)`` a global one,
``=(key)`` "if present", ``^(key)`` "at least one of the list", ``X(key)`` "must be absent", ``+(key)`` adds
while mutating.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from workshop.kyverno.outcome import spend
from workshop.kyverno.pattern import matches
from workshop.kyverno.values import go_text, has_wildcard, wildcard

_ANCHOR = re.compile(r"([+<=X^])?\(([^\n]+)\)")
_MARKS = {
    "X": "negation anchor matched in resource",
    "": "conditional anchor mismatch",
    "<": "global anchor mismatch",
}


def parse_anchor(key: str) -> tuple[str, str] | None:
    """(modifier, key) of an anchor, None for a plain key: ``=(image)`` → ("=", "image")."""
    match = _ANCHOR.fullmatch(key.strip())
    return (match[1] or "", match[2]) if match else None


@dataclass(frozen=True)
class Mismatch:
    """Why a pattern does not hold. `anchor` is the modifier that raised it, None for an ordinary mismatch.

    `grouped`: it stands for several elements that were all skipped; Kyverno treats such an error differently.
    """

    path: str
    message: str
    anchor: str | None = None
    grouped: bool = False

    def by(self, modifier: str) -> bool:
        """Was it raised by this kind of anchor? Kyverno falls back on the text, which survives wrapping."""
        return self.anchor == modifier if self.anchor is not None else _MARKS[modifier] in self.message

    @property
    def skips(self) -> bool:
        """A condition did not hold: the rule does not apply here."""
        return self.by("") or self.by("<")


@dataclass(frozen=True)
class Verdict:
    """What a whole pattern says: `status` pass, fail, skip or error, with the deciding path and a message."""

    status: str
    path: str = ""
    message: str = ""


def match_pattern(resource: object, pattern: object) -> Verdict:
    """Match a resource against a pattern already free of variables."""
    seen: dict[str, bool] = {}
    problem = _Walk(seen).element(resource, pattern, "/")
    if problem is None:
        return Verdict("pass")
    if problem.skips:
        return Verdict("skip", problem.path, problem.message)
    if problem.by("X"):
        return Verdict("fail", problem.path, problem.message)
    if any(not present and key.strip()[0] != "X" for key, present in seen.items()):
        return Verdict("error", "", problem.message)
    return Verdict("fail" if problem.path else "error", problem.path, problem.message)


class _Walk:
    """One comparison; `seen` notes for each (), ^() or X() anchor whether its key was there."""

    def __init__(self, seen: dict[str, bool]) -> None:
        self.seen = seen

    def element(self, resource: object, pattern: object, path: str) -> Mismatch | None:
        spend()
        if isinstance(pattern, dict):
            if not isinstance(resource, dict):
                return Mismatch(path, f"pattern and resource have different structures. Path: {path}.")
            for key in pattern:
                anchor = parse_anchor(key)
                if anchor and anchor[0] in {"", "^", "X"}:
                    self.seen[key] = self.seen.get(key, False) or anchor[1] in resource
            return self.mapping(resource, pattern, path)
        if isinstance(pattern, list):
            if not isinstance(resource, list):
                return Mismatch(
                    path, f"resource does not satisfy the expected overlay pattern at path {path}"
                )
            return self.sequence(resource, pattern, path)
        values = resource if isinstance(resource, list) else [resource]
        if all(matches(value, pattern) for value in values):
            return None
        return Mismatch(
            path, f"resource value '{go_text(resource)}' does not match '{go_text(pattern)}' at path {path}"
        )

    def mapping(self, resource: dict[str, Any], pattern: dict[str, Any], path: str) -> Mismatch | None:
        pattern = expand_in_metadata(pattern, resource)
        anchors = {k: v for k, v in pattern.items() if (a := parse_anchor(k)) and a[0] in {"", "^", "=", "X"}}
        skipped: list[Mismatch] = []
        applied = 0
        for key in sorted(anchors):
            problem = self.handle(key, anchors[key], resource, path)
            if problem is None:
                applied += 1
            elif problem.skips:
                skipped.append(problem)
            elif all(skip.grouped for skip in skipped):
                return problem
        if skipped and (not applied or not all(skip.grouped for skip in skipped)):
            return Mismatch(path, "; ".join(skip.message for skip in skipped), grouped=True)
        plain = {key: value for key, value in pattern.items() if key not in anchors}
        for key in _anchored_first(plain):
            if problem := self.handle(key, plain[key], resource, path):
                return problem
        return None

    def handle(self, key: str, pattern: object, resource: dict[str, Any], path: str) -> Mismatch | None:
        modifier, name = parse_anchor(key) or (None, key)
        here = f"{path}{name if modifier != '+' else key}/"
        if modifier is None or modifier == "+":
            if pattern == "*":
                return None if resource.get(key) is not None else Mismatch(path, f"{path}/{key} not found")
            return self.element(resource.get(key), pattern, here)
        if modifier == "X":
            if name not in resource:
                return None
            return Mismatch(here, f"{_MARKS['X']}: {here} is not allowed", "X")
        if name not in resource:
            return Mismatch(here, f"{_MARKS['']}: key not in the resource", "") if modifier == "" else None
        if modifier == "^":
            return self.existence(resource[name], pattern, here)
        problem = self.element(resource[name], pattern, here)
        if problem is None or modifier == "=":
            return problem
        return Mismatch(problem.path, f"{_MARKS[modifier]}: {problem.message}", modifier)

    def existence(self, resource: object, pattern: object, path: str) -> Mismatch | None:
        if not isinstance(resource, list):
            return Mismatch(path, "existence anchor ^() can be used only on a list")
        if not isinstance(pattern, list) or not all(isinstance(item, dict) for item in pattern):
            return Mismatch(path, "the pattern under an existence anchor ^() must be a list of maps")
        for wanted in pattern:
            if all(self.element(item, wanted, f"{path}{i}/") for i, item in enumerate(resource)):
                return Mismatch(path, f"existence anchor validation failed at path {path}")
        return None

    def sequence(self, resource: list[Any], pattern: list[Any], path: str) -> Mismatch | None:
        if not pattern:
            return Mismatch(path, "pattern Array empty")
        if isinstance(pattern[0], dict):
            pairs = [(item, pattern[0]) for item in resource]
        elif not isinstance(pattern[0], list):
            return self.element(resource, pattern[0], path)
        elif len(resource) < len(pattern):
            return Mismatch(
                "", f"array length mismatch: {len(resource)} in the resource, {len(pattern)} asked"
            )
        else:
            pairs = list(zip(resource, pattern, strict=False))
        skipped: list[Mismatch] = []
        for index, (item, wanted) in enumerate(pairs):
            problem = self.element(item, wanted, f"{path}{index}/")
            if problem is not None and not problem.skips:
                return problem
            if problem is not None:
                skipped.append(problem)
        if skipped and len(skipped) == len(pairs):
            return Mismatch(path, "; ".join(skip.message for skip in skipped), grouped=True)
        return None


def _anchored_first(pattern: dict[str, Any]) -> list[str]:
    """Keys that hold anchors come first (the last of them first), as they may make the rule skip."""
    first: list[str] = []
    last: list[str] = []
    for key in sorted(pattern):
        anchor = parse_anchor(key)
        front = (anchor is not None and anchor[0] == "<") or _has_nested_anchor(pattern[key])
        (first if front else last).append(key)
    return first[::-1] + last


def _has_nested_anchor(pattern: object) -> bool:
    if isinstance(pattern, dict):
        return any(
            ((anchor := parse_anchor(key)) and anchor[0] != "+") or _has_nested_anchor(value)
            for key, value in pattern.items()
        )
    return isinstance(pattern, list) and any(map(_has_nested_anchor, pattern))


def expand_in_metadata(pattern: dict[str, Any], resource: dict[str, Any]) -> dict[str, Any]:
    """Wildcards in the keys of metadata.labels and metadata.annotations stand for a key the resource has."""
    key, metadata = _by_name("metadata", pattern)
    if not isinstance(metadata, dict) or not isinstance(resource.get("metadata"), dict):
        return pattern
    metadata = dict(metadata)
    for tag in ("labels", "annotations"):
        tag_key, wanted = _by_name(tag, metadata)
        _, actual = _by_name(tag, resource["metadata"])
        if isinstance(wanted, dict) and isinstance(actual, dict):
            metadata[tag_key] = {
                _expanded(name, actual): value for name, value in wanted.items() if isinstance(value, str)
            }
    return {**pattern, key: metadata}


def _by_name(name: str, mapping: dict[str, Any]) -> tuple[str, Any]:
    for key, value in mapping.items():
        anchor = parse_anchor(key)
        if key == name or (anchor and anchor[1] == name):
            return key, value
    return "", None


def _expanded(name: str, actual: dict[str, Any]) -> str:
    if not has_wildcard(name):
        return name
    modifier, bare = parse_anchor(name) or (None, name)
    found = next((k for k, v in actual.items() if isinstance(v, str) and wildcard(bare, k)), bare)
    return found if modifier is None else f"{modifier}({found})"
