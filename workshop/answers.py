"""The student's answers to the lab's questions: `td/answers.yaml`, written by the TUI or by hand.

account:
  github: lea-devops
  email: lea@example.org
answers:
  "1.1":
    url: http://localhost:30000
    pods: 2
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from workshop.accounts import Account
from workshop.workspace import Document, Position, Unreadable, Workspace

PATH: Final = "td/answers.yaml"


class Answer(NamedTuple):
    """One answer: `value` as YAML has it (text, number or list), `text` as a line of text."""

    value: Any
    position: Position

    @property
    def text(self) -> str:
        """The answer as text, list items on lines of their own."""
        if isinstance(self.value, list):
            return "\n".join(str(item) for item in self.value)
        return str(self.value)


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers of a workspace. `problem` is set when the file is there but cannot be read."""

    account: Account = field(default_factory=Account)
    problem: Unreadable | None = None
    _document: Document | None = None

    def get(self, exercise: str, question: str) -> Answer | None:
        """Return the answer, or None when there is none or it is empty."""
        if self._document is None:
            return None
        value = self._document.get("answers", exercise, question)
        if value is None or value == [] or (isinstance(value, str) and not value.strip()):
            return None
        return Answer(value, self._document.at("answers", exercise, question))

    def all(self) -> dict[str, dict[str, Any]]:
        """Return exercise id → question id → value, whatever is well-formed."""
        found = self._document.get("answers", default={}) if self._document else {}
        return {
            str(exercise): dict(given)
            for exercise, given in (found.items() if isinstance(found, dict) else ())
            if isinstance(given, dict)
        }


def read_answers(workspace: Workspace) -> Answers:
    """Read the answers of a workspace; a missing or empty file is simply no answers yet."""
    try:
        documents = workspace.documents(workspace.spelling(PATH), dialect="core")
    except Unreadable as unreadable:
        if unreadable.problem.kind in ("missing", "empty"):
            return Answers()
        return Answers(problem=unreadable)
    document = documents[0]
    return Answers(account=_account(document.get("account")), _document=document)


def render_answers(account: Account, answers: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of `td/answers.yaml`."""
    import yaml

    known = {"github": account.github, "email": account.email}
    data = {
        "account": {key: value for key, value in known.items() if value},
        "answers": {exercise: dict(given) for exercise, given in answers.items() if given},
    }
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False)


def _account(data: object) -> Account:
    if not isinstance(data, dict):
        return Account()
    return Account(github=_word(data.get("github")), email=_word(data.get("email")))


def _word(value: object) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None
