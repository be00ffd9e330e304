"""What is wrong on the cluster: each trouble with the object that shows it, its words, cause and remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from textual.content import Content
from textual.reactive import reactive

from workshop.guide import in_logs
from workshop.texts import Message, Text
from workshop.tui.state import State
from workshop.tui.widgets.wrapped_list import WrappedList
from workshop.tui.words import MUTED, hanging, labelled, prose
from workshop.verdicts import ExerciseResult, Finding, Mode, Verdict

_OBJECT: Final = re.compile(r"([A-Z][A-Za-z]+)/(?:([a-z0-9.-]+)/)?([a-z0-9.-]+)")


class DiagnosisList(WrappedList):
    """One option per trouble. Choosing one asks for the command that shows more of its object."""

    state: reactive[State | None] = reactive(None, init=False)
    result: reactive[ExerciseResult | None] = reactive(None, init=False)

    def watch_state(self) -> None:
        """Draw again."""
        self.redraw()

    def watch_result(self) -> None:
        """Draw again."""
        self.redraw()

    @property
    def selected(self) -> Finding | None:
        """The highlighted trouble, None where there is none."""
        findings = self.result.diagnosis if self.result else ()
        place = self.highlighted or 0
        return findings[place] if place < len(findings) else None

    def lines(self, width: int) -> Iterator[tuple[str, Content]]:
        """Yield every trouble and what could not be looked at, or why there is none; then the logs."""
        if self.state is None:
            return
        result = self.result
        for index, finding in enumerate(result.diagnosis if result else ()):
            yield f"finding-{index}", self._finding(self.state, finding, width)
        for index, complaint in enumerate(result.unseen if result else ()):
            sign = Content.styled(" ? ", MUTED)
            yield f"unseen-{index}", hanging(sign, prose(self.state.say(complaint), MUTED), width)
        if result is None or not (result.diagnosis or result.unseen):
            nothing = self.state.say(_nothing(self.state, result))
            yield "nothing", hanging(Content(" "), prose(nothing, MUTED), width)
        if result is not None and result.verdict is not Verdict.PASSED:
            yield from self._in_logs(self.state, result.id, width)

    def _in_logs(self, state: State, exercise_id: str, width: int) -> Iterator[tuple[str, Content]]:
        """Yield what nothing but a log would show, with the command that reads it."""
        exercise = state.lab.exercise(exercise_id)
        # The guide has been read by whoever judged: nothing is read here while drawing.
        if exercise is None or state.mode is Mode.OFFLINE:
            return
        entries = in_logs(state.lab, exercise)
        if entries:
            yield "logs", Content.styled(f" {state.say(Text('Only a log can tell:'))}", MUTED)
        for entry in entries:
            said = Content.assemble((state.say(entry.symptom), "bold"), " – ", prose(state.say(entry.shows)))
            yield f"log-{entry.id}", hanging(Content.styled(" · ", MUTED), said, width)

    def _finding(self, state: State, finding: Finding, width: int) -> Content:
        head = state.say(finding.symptom if finding.symptom is not None else finding.id)
        rows = [hanging(Content.styled(" ✗ ", "$text-error"), prose(head, "bold"), width)]
        since = f" ({_moment(finding.since)})" if finding.since else ""
        rows += labelled(
            (
                (state.say(Text("where")), f"{finding.object}{since}", "$text-accent"),
                (state.say(Text("found")), state.say(finding.message), "$text-error"),
                (state.say(Text("why")), _said(state, finding.cause), ""),
                (state.say(Text("try")), _said(state, finding.remedy), "$text-success"),
                (state.say(Text("more")), command_for(finding), MUTED),
            ),
            width,
        )
        return Content("\n").join([*rows, Content("")])


def command_for(finding: Finding) -> str | None:
    """Return the command that shows all about a finding's object; None where it is no object."""
    match = _OBJECT.fullmatch(finding.object)
    if match is None:
        return None
    kind, namespace, name = match.groups()
    return f"kubectl describe {kind.lower()} {name}" + (f" -n {namespace}" if namespace else "")


def _nothing(state: State, result: ExerciseResult | None) -> Message:
    if state.mode is Mode.OFFLINE:
        return Text("Only files are looked at in this mode: w on the map chooses a cluster or the sandbox.")
    if result is None:
        return Text("checking…")
    if result.verdict is Verdict.PASSED:
        return Text("Nothing to explain: the exercise is passed.")
    return Text("Status, conditions and events show nothing wrong with what this exercise has there.")


def _said(state: State, message: Message | None) -> str | None:
    return None if message is None else state.say(message)


def _moment(since: str) -> str:
    """Return a time of the cluster for reading: it is given in UTC, to the second."""
    return since.replace("T", " ").partition(".")[0].removesuffix("Z") + " UTC"
