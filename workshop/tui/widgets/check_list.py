"""The checks of an exercise with their verdicts, the one that needs attention first in the eye."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content
from textual.reactive import reactive

from workshop.texts import Language, Text
from workshop.tui.widgets.wrapped_list import WrappedList
from workshop.tui.words import FAINT, LEVEL_WORDS, MUTED, hanging, prose, say, style, symbol
from workshop.verdicts import CheckResult, ExerciseResult, Level, Verdict

_BAD = (Verdict.FAILED, Verdict.UNFINISHED, Verdict.ERROR)


class CheckList(WrappedList):
    """One option per check; its id is the check's."""

    result: reactive[ExerciseResult | None] = reactive(None, init=False)
    language: reactive[Language] = reactive("en", init=False)

    def watch_result(self, before: ExerciseResult | None, after: ExerciseResult | None) -> None:
        """Draw the verdicts; the first time, go to the first check that asks for work."""
        if after is not None and (before is None or before.id != after.id):
            self.wanted = _first_problem(after)
        self.redraw()

    def watch_language(self) -> None:
        """Draw in another language."""
        self.redraw()

    @property
    def selected(self) -> CheckResult | None:
        """The highlighted check."""
        if self.result is None or self.highlighted is None or self.highlighted >= len(self.result.checks):
            return None
        return self.result.checks[self.highlighted]

    def lines(self, width: int) -> Iterator[tuple[str, Content]]:
        """Yield sign, title and, where it is not `must`, the level of every check."""
        for check in self.result.checks if self.result else ():
            sign = Content.assemble(
                (f" {symbol(check.verdict, check.level)} ", style(check.verdict, check.level))
            )
            title = prose(say(check.title, self.language), MUTED if check.left_out else "")
            if check.level is not Level.MUST:
                word = say(LEVEL_WORDS[check.level], self.language)
                title = Content.assemble(title, (f"  {word}", FAINT))
            elif check.left_out:
                title = Content.assemble(title, (f"  {say(Text('not verified'), self.language)}", FAINT))
            yield check.id, hanging(sign, title, width)


def _first_problem(result: ExerciseResult) -> str | None:
    """Return the id of the first check that is not passed, `must` checks before the others."""
    ranked = sorted(
        result.checks, key=lambda check: (check.verdict not in _BAD, check.level is not Level.MUST)
    )
    return ranked[0].id if ranked else None
