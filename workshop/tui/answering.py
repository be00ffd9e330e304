"""Read and keep the answers to an exercise's questions in `td/answers.yaml`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from workshop.content import Exercise, Question
from workshop.texts import Message, Text

_NUMBER: Final = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?")


class AnswersError(Exception):
    """The answers cannot be read or written; `text` says why, and nothing was changed."""

    def __init__(self, text: Message) -> None:
        super().__init__(str(text))
        self.text = text


def known(folder: Path, exercise: Exercise) -> dict[str, str]:
    """Return question id → answer as it is typed. Raises AnswersError when the file cannot be read."""
    answers = _read(folder)
    found = {}
    for question in exercise.questions:
        answer = answers.get(exercise.id, question.id)
        if answer is not None:
            found[question.id] = answer.text
    return found


def keep(folder: Path, exercise: Exercise, typed: Mapping[str, str]) -> None:
    """Write the answers of one exercise; those of the others and the account stay as they are.

    The file appears complete or not at all, and a link in its place is replaced, not followed. Raises
    AnswersError.
    """
    from workshop.answers import PATH, render_answers

    before = _read(folder)
    answers = before.all()
    given = dict(answers.get(exercise.id, {}))
    for question in exercise.questions:
        value = _value(question, typed.get(question.id, ""))
        if value is None:
            given.pop(question.id, None)
        else:
            given[question.id] = value
    target = folder / PATH
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if target.parent.is_symlink():
            raise AnswersError(Text("td/ is a link; it must be a real folder"))
        partial.unlink(missing_ok=True)
        with partial.open("x", encoding="utf-8") as file:
            file.write(render_answers(before.account, {**answers, exercise.id: given}))
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        problem = error.strerror or str(error)
        raise AnswersError(Text("cannot write {path}: {problem}", path=PATH, problem=problem)) from error


def _read(folder: Path) -> Any:
    from workshop.answers import read_answers
    from workshop.workspace import NotAWorkspace, Workspace

    try:
        answers = read_answers(Workspace(folder))
    except NotAWorkspace as error:
        raise AnswersError(error.text) from error
    if answers.problem is not None:
        # Writing would lose what the student has there.
        problem = answers.problem.problem
        where = f" ({problem.position})" if problem.position else ""
        raise AnswersError(
            Text("{problem}{where}. Mend the file by hand first.", problem=problem.text, where=where)
        )
    return answers


def _value(question: Question, typed: str) -> Any:
    """Return the answer as YAML should have it; None when there is none."""
    text = typed.strip()
    if not text:
        return None
    if question.kind == "lines":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if question.kind == "number" and _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text
