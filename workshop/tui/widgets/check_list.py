"""The checks of an exercise with their verdicts, the one that needs attention first in the eye."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content
from textual.reactive import reactive

from workshop.texts import Language, Text
from workshop.tui.widgets.wrapped_list import WrappedList
from workshop.tui.words import LEVEL_WORDS, hanging, prose, say, style, symbol
from workshop.verdicts import CheckResult, ExerciseResult, Level, Verdict

_BAD = (Verdict.FAILED, Verdict.UNFINISHED, Verdict.ERROR)


class CheckList(WrappedList):
    """One option per check; its id is the check's."""

    result: reactive[ExerciseResult | None] = reactive(None, init=False)
    language: reactive[Language] = reactive("en", init=False)

    def watch_result(self, before: ExerciseResult | None, after: ExerciseResult | None) -> None:
        """Draw the verdicts; the first time, go to the first check that asks for work."""
        self.redraw()
        if after is not None and (before is None or before.id != after.id):
            self.go_to_first_problem()

    def watch_language(self) -> None:
        """Draw in another language."""
        self.redraw()

    def go_to_first_problem(self) -> None:
        """Put the highlight on the first check that is not passed, `must` checks first."""
        checks = self.result.checks if self.result else ()
        ranked = sorted(
            range(len(checks)),
            key=lambda index: (
                checks[index].verdict not in _BAD,
                checks[index].level is not Level.MUST,
                index,
            ),
        )
        if ranked and self.option_count == len(checks):
            self.highlighted = ranked[0]

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
            title = prose(say(check.title, self.language), "$text-muted" if check.left_out else "")
            if check.level is not Level.MUST:
                word = say(LEVEL_WORDS[check.level], self.language)
                title = Content.assemble(title, (f"  {word}", "$text-disabled"))
            elif check.left_out:
                title = Content.assemble(
                    title, (f"  {say(Text('not verified'), self.language)}", "$text-disabled")
                )
            yield check.id, hanging(sign, title, width)
