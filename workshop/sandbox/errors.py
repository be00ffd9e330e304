"""What can go wrong with the sandbox, in words for the person in front of it."""

from __future__ import annotations

from workshop.texts import Message, Text


class SandboxError(Exception):
    """The sandbox could not do what it was asked: what happened, and what to try.

    `details` are lines a program wrote itself (the end of a log); they are shown as they are.
    """

    def __init__(
        self, problem: Message, remedy: Message | None = None, details: tuple[str, ...] = ()
    ) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.remedy = remedy
        self.details = details

    @property
    def text(self) -> Text:
        """The problem and its remedy as one message."""
        if self.remedy is None:
            return Text("{problem}", problem=self.problem)
        return Text("{problem} {remedy}", problem=self.problem, remedy=self.remedy)
