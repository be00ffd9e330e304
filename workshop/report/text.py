"""The report for a person at a terminal of 80 columns: what passed, and for each failure what to do."""

from __future__ import annotations

import shutil
import textwrap
from collections import Counter
from collections.abc import Iterator

from workshop.texts import Language, Message, Text, translate
from workshop.verdicts import CheckResult, ExerciseResult, Fact, Level, Reason, Report, Verdict

_SYMBOLS = {
    Verdict.PASSED: "✓",
    Verdict.FAILED: "✗",
    Verdict.UNFINISHED: "…",
    Verdict.BLOCKED: "⊘",
    Verdict.UNKNOWN: "?",
    Verdict.ERROR: "!",
}
_COLOURS = {
    Verdict.PASSED: "32",
    Verdict.FAILED: "31",
    Verdict.UNFINISHED: "33",
    Verdict.BLOCKED: "35",
    Verdict.UNKNOWN: "36",
    Verdict.ERROR: "91",
}
VERDICT_WORDS = {
    Verdict.PASSED: Text("passed"),
    Verdict.FAILED: Text("failed"),
    Verdict.UNFINISHED: Text("unfinished"),
    Verdict.BLOCKED: Text("blocked"),
    Verdict.UNKNOWN: Text("not verified"),
    Verdict.ERROR: Text("defect of the workshop"),
}
REASON_WORDS = {
    Reason.OFFLINE: Text("only files were looked at"),
    Reason.NO_CONTAINERS: Text("no container runs in the sandbox"),
    Reason.NO_NETWORK: Text("the network was not asked"),
    Reason.NOT_BUILT: Text("this version has no check for it"),
}
_LEVEL_WORDS = {Level.SHOULD: Text("advised"), Level.REMARK: Text("remark")}


def render(report: Report, language: Language, *, colour: bool = False) -> str:
    """Return the report as text no wider than the terminal (80 columns where there is none)."""
    width = max(40, min(shutil.get_terminal_size((80, 24)).columns, 100))
    page = _Page(language, width, colour=colour)
    for exercise in report.exercises:
        page.exercise(exercise)
    page.score(report)
    return "\n".join(page.lines)


class _Page:
    def __init__(self, language: Language, width: int, *, colour: bool) -> None:
        self.lines: list[str] = []
        self._language, self._width, self._colour = language, width, colour
        self._said: set[tuple[str, str]] = set()

    def exercise(self, exercise: ExerciseResult) -> None:
        self._said.clear()
        word = self._say(VERDICT_WORDS[exercise.verdict])
        points = f"  {exercise.points:g}/{exercise.max_points:g}" if exercise.max_points else ""
        head = f"{_SYMBOLS[exercise.verdict]} {exercise.id}  {self._say(exercise.title)}"
        self.lines.append(self._paint(exercise.verdict, head) + f"  [{word}]{points}")
        left_out: Counter[Reason] = Counter()
        for check in exercise.checks:
            if check.left_out and check.reason is not None:
                left_out[check.reason] += 1
            else:
                self._check(check)
        for reason, count in left_out.items():
            said = Text("{count} not judged: {reason}", count=count, reason=REASON_WORDS[reason])
            self._wrapped(self._say(said), 4, "· ")
        self._diagnosis(exercise)
        if exercise.hint is not None:
            self._wrapped(self._say(exercise.hint), 4, self._say(Text("Hint:")) + " ")
        self.lines.append("")

    def _diagnosis(self, exercise: ExerciseResult) -> None:
        """Say what is wrong on the cluster; the remedy of the hint is said there."""
        if exercise.diagnosis:
            self._wrapped(self._say(Text("Seen on the cluster:")), 4)
        for finding in exercise.diagnosis:
            self._wrapped(f"{finding.object}: {self._say(finding.message)}", 6, "· ")
            if finding.cause is not None:
                self._wrapped(self._say(finding.cause), 8, self._say(Text("Why:")) + " ")
            if finding.remedy is not None and finding.remedy != exercise.hint:
                self._wrapped(self._say(finding.remedy), 8, self._say(Text("Try:")) + " ")
        for complaint in exercise.unseen:
            self._wrapped(self._say(complaint), 6, "? ")

    def score(self, report: Report) -> None:
        score = report.score
        self._wrapped(
            self._say(
                Text(
                    "{points} of {max_points} points · {judged} could be judged in this mode ({mode})"
                    " · threshold {threshold}",
                    points=f"{score.points:g}",
                    max_points=f"{score.max_points:g}",
                    judged=f"{score.judged_points:g}",
                    mode=report.mode.value,
                    threshold=f"{score.threshold:g}",
                )
            ),
            0,
        )
        for warning in report.warnings:
            self._wrapped(self._say(warning), 2, "! ")

    def _check(self, check: CheckResult) -> None:
        level = f" ({self._say(_LEVEL_WORDS[check.level])})" if check.level in _LEVEL_WORDS else ""
        symbol = _SYMBOLS[check.verdict]
        if check.verdict is Verdict.FAILED and check.level is not Level.MUST:
            symbol = "–"
        self._wrapped(self._say(check.title) + level, 2, f"{symbol} ", paint=check.verdict)
        if check.verdict is Verdict.PASSED:
            return
        for fact in check.facts:
            # One cause often stops several checks: it is told once an exercise.
            key = (fact.id, str(fact.source))
            if fact.met is not True and key not in self._said:
                self._said.add(key)
                for line_label, message in _lines_of(fact):
                    label = self._say(line_label)
                    self._wrapped(self._say(message), 6, f"{label} " if label else "")
        if check.why is not None and check.verdict is Verdict.FAILED:
            self._wrapped(self._say(check.why), 6, self._say(Text("Why:")) + " ")

    def _wrapped(self, text: str, indent: int, lead: str = "", *, paint: Verdict | None = None) -> None:
        pad = " " * indent
        lines = textwrap.wrap(
            text,
            self._width,
            initial_indent=pad + lead,
            subsequent_indent=pad + " " * min(len(lead), 10),
            break_long_words=True,
            break_on_hyphens=False,
        ) or [pad + lead]
        self.lines.extend(self._paint(paint, line) if paint else line for line in lines)

    def _say(self, message: Message) -> str:
        return _printable(translate(message, self._language))

    def _paint(self, verdict: Verdict, text: str) -> str:
        return f"\x1b[{_COLOURS[verdict]}m{text}\x1b[0m" if self._colour else text


def _lines_of(fact: Fact) -> Iterator[tuple[Message, Message]]:
    yield "", fact.claim
    if fact.expected is not None:
        yield Text("Expected:"), fact.expected
    if fact.observed is not None:
        yield Text("Found:"), fact.observed
    if fact.source is not None:
        yield Text("Where:"), str(fact.source)
    if fact.next is not None:
        yield Text("Try:"), fact.next


def _printable(text: str) -> str:
    """Show control characters of students' files instead of sending them to the terminal."""
    return "".join(char if char.isprintable() or char == "\n" else f"\\x{ord(char):02x}" for char in text)
