"""What the selected check found: expected, found, where, what to try."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content
from textual.reactive import reactive

from workshop.texts import Language, Message, Text
from workshop.tui.widgets.wrapped_list import WrappedList
from workshop.tui.words import MUTED, NOT_JUDGED, hanging, labelled, prose, say
from workshop.verdicts import CheckResult, Fact, Verdict

_SIGNS = {True: ("✓", "$text-success"), False: ("✗", "$text-error"), None: ("?", MUTED)}
_EXPECTED, _FOUND, _WHERE, _TRY = Text("expected"), Text("found"), Text("where"), Text("try")


class FactList(WrappedList):
    """One option per fact, those that do not hold first. Choosing one asks for its place in the file."""

    check: reactive[CheckResult | None] = reactive(None, init=False)
    language: reactive[Language] = reactive("en", init=False)

    def watch_check(self, before: CheckResult | None, after: CheckResult | None) -> None:
        """Draw; another check starts at its first fact."""
        self.redraw()
        if after is not None and self.option_count and (before is None or before.id != after.id):
            self.highlighted = 0
            self.scroll_home(animate=False)

    def watch_language(self) -> None:
        """Draw in another language."""
        self.redraw()

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts in the order they are shown."""
        facts = self.check.facts if self.check else ()
        return tuple(sorted(facts, key=lambda fact: (fact.met is True, fact.met is None)))

    @property
    def selected(self) -> Fact | None:
        """The highlighted fact, else the first one."""
        facts = self.facts
        return facts[self.highlighted or 0] if (self.highlighted or 0) < len(facts) else None

    def lines(self, width: int) -> Iterator[tuple[str, Content]]:
        """Yield every fact."""
        for index, fact in enumerate(self.facts):
            yield f"fact-{index}", self._fact(fact, width)

    def _fact(self, fact: Fact, width: int) -> Content:
        sign, colour = _SIGNS[fact.met]
        rows = [
            hanging(
                Content.assemble((f" {sign} ", colour)),
                prose(self._say(fact.claim), "" if fact.met else "bold"),
                width,
            )
        ]
        if fact.met is not True:
            values: tuple[tuple[Text, Message | None, str], ...] = (
                (_EXPECTED, fact.expected, "$text-success"),
                (_FOUND, fact.observed, "$text-error"),
                (_WHERE, str(fact.source) if fact.source is not None else None, "$text-accent"),
                (_TRY, fact.next, ""),
            )
            rows += labelled(
                (
                    (self._say(label), None if value is None else self._say(value), value_style)
                    for label, value, value_style in values
                ),
                width,
            )
            rows.append(Content(""))
        return Content("\n").join(rows)

    def _say(self, message: Message) -> str:
        return say(message, self.language)


def why(check: CheckResult) -> Message | None:
    """Return what is said before the facts: why nothing was judged, or why it matters."""
    if check.reason in NOT_JUDGED and check.verdict is not Verdict.PASSED:
        return NOT_JUDGED[check.reason]
    return check.why
