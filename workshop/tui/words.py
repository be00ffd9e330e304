"""How words, verdicts and durations look: the one place that turns messages into styled text.

Styles are names of theme variables, so that a change of theme needs no redrawing of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual.content import Content

from workshop.report.text import VERDICT_WORDS
from workshop.texts import Language, Message, Text, translate
from workshop.verdicts import Level, Mode, Reason, Verdict

__all__ = ["VERDICT_WORDS"]

# Not Textual's $text-muted: its automatic colour loses its transparency inside styled text.
MUTED: Final = "$foreground 65%"
FAINT: Final = "$foreground 40%"
# A verdict that nobody asked for yet is None.
_SYMBOLS: Final = {
    None: "○",
    Verdict.PASSED: "✓",
    Verdict.FAILED: "✗",
    Verdict.UNFINISHED: "◐",
    Verdict.BLOCKED: "⊘",
    Verdict.UNKNOWN: "?",
    Verdict.ERROR: "!",
}
_STYLES: Final = {
    None: MUTED,
    Verdict.PASSED: "$text-success",
    Verdict.FAILED: "$text-error",
    Verdict.UNFINISHED: "$text-warning",
    Verdict.BLOCKED: MUTED,
    Verdict.UNKNOWN: MUTED,
    Verdict.ERROR: "bold $text-error",
}
LOCK: Final = "·"
LEVEL_WORDS: Final = {
    Level.MUST: Text("required"),
    Level.SHOULD: Text("advised"),
    Level.REMARK: Text("remark"),
}
MODE_WORDS: Final = {
    Mode.OFFLINE: Text("files only"),
    Mode.SANDBOX: Text("sandbox"),
    Mode.CLUSTER: Text("kind cluster"),
}
NOT_JUDGED: Final = {
    Reason.OFFLINE: Text("Only files are looked at in this mode."),
    Reason.NO_CONTAINERS: Text("This needs containers that run, which the sandbox does not have."),
    Reason.NO_NETWORK: Text("This needs the network, which is not looked at here."),
    Reason.NO_CLUSTER: Text("No cluster answers, so nothing can be said about it."),
    Reason.NO_SANDBOX: Text("No sandbox is running here, so nothing can be said about it."),
    Reason.BEYOND_EVALUATOR: Text("What is written here is beyond what the workshop can evaluate."),
    Reason.NOT_BUILT: Text("This version of the workshop does not look there yet."),
}


def symbol(verdict: Verdict | None, level: Level = Level.MUST) -> str:
    """Return the one-cell sign of a verdict; advice that is not followed is no failure."""
    return "–" if verdict is Verdict.FAILED and level is not Level.MUST else _SYMBOLS[verdict]


def style(verdict: Verdict | None, level: Level = Level.MUST) -> str:
    """Return the style of a verdict."""
    return "$text-warning" if verdict is Verdict.FAILED and level is not Level.MUST else _STYLES[verdict]


def say(message: Message, language: Language) -> str:
    """Return the message in that language, safe to print: control characters of files are shown, not sent."""
    return printable(translate(message, language))


def printable(text: str) -> str:
    """Replace what would reach the terminal as a command by its escape."""
    return "".join(char if char.isprintable() or char == "\n" else f"\\x{ord(char):02x}" for char in text)


def prose(text: str, base: str = "") -> Content:
    """Return text whose `code spans` stand out. Nothing in it is read as markup."""
    parts: list[tuple[str, str]] = []
    for index, piece in enumerate(text.split("`")):
        if piece:
            parts.append((piece, "$text-accent" if index % 2 else base))
    return Content.assemble(*parts)


def hanging(lead: Content, text: Content, width: int) -> Content:
    """Return text wrapped to `width` cells behind a lead, its further lines indented below the first."""
    indent = lead.cell_length
    lines = text.wrap(max(10, width - indent)) or [Content("")]
    pad = Content(" " * indent)
    return Content("\n").join([lead + lines[0].rstrip(), *(pad + line.rstrip() for line in lines[1:])])


def labelled(rows: Iterable[tuple[str, str | None, str]], width: int) -> list[Content]:
    """Return lines of label, text and its style, the texts in one column; a text of None has no line."""
    rows = list(rows)
    column = max((len(label) for label, _, _ in rows), default=0)
    return [
        hanging(Content.styled(f"   {label:<{column}}  ", MUTED), prose(text, text_style), width)
        for label, text, text_style in rows
        if text is not None
    ]


def gauge(done: float, total: float, width: int) -> Content:
    """Return a bar of `width` cells, filled in proportion; full only when everything is done."""
    filled = 0 if total <= 0 else min(width, int(width * done / total + 1e-9))
    return Content.assemble(("━" * filled, "$text-success"), ("─" * (width - filled), FAINT))


def minutes(seconds: float) -> int:
    """Return whole minutes: clocks that tick every second would draw the eye all afternoon."""
    return int(seconds // 60)
