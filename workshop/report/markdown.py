"""The report as Markdown, for a pull request or a hand-in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workshop.report.text import VERDICT_WORDS
from workshop.texts import Language, Message, Text, translate
from workshop.verdicts import ExerciseResult, Fact, Finding, Report, Verdict

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#])")


def render(report: Report, language: Language) -> str:
    """Return a table of all exercises, then what is not met in each."""

    def say(message: Message) -> str:
        return _escaped(translate(message, language))

    score = report.score
    lines = [
        f"# {say(report.lab_title)}",
        "",
        f"**{score.points:g} / {score.max_points:g}** · {say(Text('mode'))}: {report.mode.value}",
        "",
        f"| | {say(Text('exercise'))} | {say(Text('verdict'))} | {say(Text('points'))} |",
        "|---|---|---|---|",
    ]
    for exercise in report.exercises:
        verdict = say(VERDICT_WORDS[exercise.verdict])
        points = f"{exercise.points:g}/{exercise.max_points:g}"
        lines.append(f"| {exercise.id} | {say(exercise.title)} | {verdict} | {points} |")
    for exercise in report.exercises:
        lines.extend(_details(exercise, language))
    return "\n".join(lines)


def _details(exercise: ExerciseResult, language: Language) -> list[str]:
    open_checks = [
        check for check in exercise.checks if check.verdict is not Verdict.PASSED and not check.left_out
    ]
    if not open_checks:
        return []
    lines = ["", f"## {exercise.id} {_escaped(translate(exercise.title, language))}", ""]
    for check in open_checks:
        word = translate(VERDICT_WORDS[check.verdict], language)
        lines.append(f"- **{_escaped(translate(check.title, language))}** – {word} ({check.level.value})")
        lines.extend(f"  - {_line(fact, language)}" for fact in check.facts if fact.met is not True)
    if exercise.diagnosis:
        lines += ["", f"**{translate(Text('Seen on the cluster:'), language)}**", ""]
        lines += [f"- {_seen(finding, language)}" for finding in exercise.diagnosis]
    lines += [f"- {_escaped(translate(complaint, language))}" for complaint in exercise.unseen]
    return lines


def _seen(finding: Finding, language: Language) -> str:
    said = f"{finding.object}: {translate(finding.message, language)}"
    return _joined([(None, said), (Text("Why:"), finding.cause), (Text("Try:"), finding.remedy)], language)


def _line(fact: Fact, language: Language) -> str:
    return _joined(
        [
            (None, fact.claim),
            (Text("Expected:"), fact.expected),
            (Text("Found:"), fact.observed),
            (Text("Where:"), str(fact.source) if fact.source else None),
            (Text("Try:"), fact.next),
        ],
        language,
    )


def _joined(parts: Sequence[tuple[Message | None, Message | None]], language: Language) -> str:
    said = [
        (f"{translate(label, language)} " if label else "") + _escaped(translate(message, language))
        for label, message in parts
        if message is not None
    ]
    return " — ".join(said)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
