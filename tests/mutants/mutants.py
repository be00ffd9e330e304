"""Mutants: each file an exercise asks for, as the reference solution has it, with one edit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from tests.agreement.edits import edits
from workshop.content import Exercise, Lab
from workshop.verdicts import Half

_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)?")
_HEADING: Final = re.compile(r"#+ ")


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  (the signature is PyYAML's)
        return True


@dataclass(frozen=True)
class Mutant:
    """One edited file. `path` is where the edit was made: ``document:path``, or the line of a text."""

    exercise: str
    file: str
    edit: str
    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.exercise} {self.file.rpartition('/')[2]} {self.path}: {self.edit}"


def mutants(lab: Lab, only: frozenset[str] = frozenset()) -> Iterator[Mutant]:
    """Every mutant of every exercise that files decide, in a fixed order."""
    for exercise in lab.exercises:
        if Half.FILES in exercise.halves and (not only or exercise.id in only):
            for file in exercise.deliverables:
                yield from _of_file(exercise, file, (lab.solutions / file).read_text(encoding="utf-8"))


def _of_file(exercise: Exercise, file: str, text: str) -> Iterator[Mutant]:
    if not file.endswith(".yaml"):
        for edit, path, edited in text_edits(text):
            yield Mutant(exercise.id, file, edit, path, edited)
        return
    documents = list(yaml.safe_load_all(text))
    for index, document in enumerate(documents):
        for name, edited_document in edits(document):
            edit, _, path = name.rpartition(" ")
            changed = [*documents[:index], edited_document, *documents[index + 1 :]]
            yield Mutant(exercise.id, file, edit, f"{index}:{path}", dumped(changed))
        if len(documents) > 1:
            rest = [*documents[:index], *documents[index + 1 :]]
            yield Mutant(exercise.id, file, "drop document", f"{index}:", dumped(rest))
    if len(documents) > 1:
        yield Mutant(exercise.id, file, "reverse documents", "", dumped(documents[::-1]))


def dumped(documents: list[Any]) -> str:
    """Documents as a YAML stream without anchors, in the order of their keys."""
    return yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, allow_unicode=True)


def text_edits(text: str) -> Iterator[tuple[str, str, str]]:
    """Systematic edits of a Markdown text: (edit, where, edited text)."""
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        where = f"line {index + 1}"
        yield "drop", where, _joined([*lines[:index], *lines[index + 1 :]])
        for found in _NUMBER.finditer(line):
            number = found.group()
            changed = line[: found.start()] + _increased(number) + line[found.end() :]
            yield f"increase {number} in", where, _joined([*lines[:index], changed, *lines[index + 1 :]])
        if _HEADING.match(line):
            end = next((i for i in range(index + 1, len(lines)) if _HEADING.match(lines[i])), len(lines))
            yield "drop section", where, _joined([*lines[:index], *lines[end:]])
            if any(each.strip() for each in lines[index + 1 : end]):
                yield "empty section", where, _joined([*lines[: index + 1], "", *lines[end:]])
        if index + 1 < len(lines) and lines[index + 1].strip():
            swapped = [*lines[:index], lines[index + 1], line, *lines[index + 2 :]]
            yield "swap with the next", where, _joined(swapped)


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _increased(number: str) -> str:
    """The number with its first digit one higher: another one, beyond any rounding."""
    return str(int(number[0]) + 1) + number[1:]
