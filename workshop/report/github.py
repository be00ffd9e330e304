"""The report as GitHub Actions workflow commands: annotations at the lines they speak of."""

from __future__ import annotations

from workshop.texts import Language, Message, translate
from workshop.verdicts import CheckResult, Fact, Level, Report, Verdict


def render(report: Report, language: Language) -> str:
    """Return one `::error`, `::warning` or `::notice` per unmet fact, and a last line with the points."""
    lines = [
        _command(check, fact, language)
        for exercise in report.exercises
        for check in exercise.checks
        if check.verdict is not Verdict.PASSED and not check.left_out
        for fact in check.facts
        if fact.met is not True
    ]
    score = report.score
    lines.append(f"{report.lab_id}: {score.points:g}/{score.max_points:g}")
    return "\n".join(lines)


def _command(check: CheckResult, fact: Fact, language: Language) -> str:
    if fact.met is None or check.level is Level.REMARK:
        severity = "notice"
    else:
        severity = "error" if check.level is Level.MUST else "warning"
    properties = [f"title={_property(check.id)}"]
    source = fact.source
    if source is not None and source.file is not None:
        properties.append(f"file={_property(source.file)}")
        if source.line is not None:
            properties.append(f"line={source.line}")
        if source.column is not None:
            properties.append(f"col={source.column}")
    said: list[Message | None] = [fact.claim, fact.expected, fact.observed, fact.next]
    message = "\n".join(translate(part, language) for part in said if part is not None)
    return f"::{severity} {','.join(properties)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
