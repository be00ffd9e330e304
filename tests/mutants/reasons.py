"""Why a mutant may pass: classes of edits that keep an answer right, with reasons (`reasons.yaml`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from .judging import Outcome
from .mutants import Mutant

_FILE = Path(__file__).with_name("reasons.yaml")
_KEYS = {"exercises", "files", "paths", "edits", "told", "reason"}


@dataclass(frozen=True)
class Reason:
    """A class of mutants that need not be caught.

    All of `exercises`, `files`, `paths` and `edits` are patterns. `told` is what the checks below `must`
    have to say, so that a class of advice does not cover silence; without it the class covers both.
    """

    exercises: tuple[str, ...]
    files: tuple[str, ...]
    paths: tuple[str, ...]
    edits: tuple[str, ...]
    told: tuple[str, ...]
    reason: str

    def covers(self, mutant: Mutant, outcome: Outcome) -> bool:
        name = mutant.file.rpartition("/")[2]
        return (
            _any(mutant.exercise, self.exercises)
            and _any(name, self.files)
            and _any(mutant.path, self.paths)
            and _any(mutant.edit, self.edits)
            and (not self.told or any(_any(word, self.told) for word in outcome.told))
        )


def reasons() -> list[Reason]:
    """All classes, in the order of the file: the first that covers a mutant is its reason."""
    found = []
    for entry in yaml.safe_load(_FILE.read_text(encoding="utf-8")):
        unknown = set(entry) - _KEYS
        if unknown or "reason" not in entry:
            raise ValueError(f"reasons.yaml: {entry}: unknown keys {unknown} or no reason")
        found.append(
            Reason(
                exercises=_patterns(entry.get("exercises"), ("*",)),
                files=_patterns(entry.get("files"), ("*",)),
                paths=_patterns(entry.get("paths"), ("*",)),
                edits=_patterns(entry.get("edits"), ("*",)),
                told=_patterns(entry.get("told"), ()),
                reason=" ".join(entry["reason"].split()),
            )
        )
    return found


def reason_for(known: Iterable[Reason], mutant: Mutant, outcome: Outcome) -> Reason | None:
    """The first class that covers a mutant."""
    return next((reason for reason in known if reason.covers(mutant, outcome)), None)


def _patterns(value: Any, default: tuple[str, ...]) -> tuple[str, ...]:
    if value is None:
        return default
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _any(text: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
