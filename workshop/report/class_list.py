"""A graded class as text, CSV, JSON or HTML: one row a submission, one column an exercise."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Sequence

from workshop.content import Lab
from workshop.grading import Graded
from workshop.report.json import as_data
from workshop.report.text import VERDICT_WORDS
from workshop.texts import Language, Text, translate
from workshop.verdicts import ExerciseResult, Report, Verdict

FORMATS = ("text", "csv", "json", "html")
_MARKS = {
    Verdict.PASSED: "✓",
    Verdict.FAILED: "✗",
    Verdict.UNFINISHED: "…",
    Verdict.BLOCKED: "⊘",
    Verdict.UNKNOWN: "?",
    Verdict.ERROR: "!",
}


def render_class(graded: Sequence[Graded], lab: Lab, format: str, language: Language) -> str:
    """Return the class in a format; rows are sorted by name."""
    rows = sorted(graded, key=lambda each: each.name)
    match format:
        case "csv":
            return _csv(rows, lab, language)
        case "json":
            return _json(rows, language)
        case "html":
            return _html(rows, lab, language)
        case _:
            return _text(rows, language)


def _text(rows: Sequence[Graded], language: Language) -> str:
    width = max([len(row.name) for row in rows], default=4)
    lines = []
    for row in rows:
        if row.report is None:
            problem = translate(row.problem, language) if row.problem else ""
            lines.append(f"{row.name:{width}}  –  {problem}")
            continue
        marks = "".join(_MARKS[result.verdict] for result in row.report.exercises)
        lines.append(f"{row.name:{width}}  {row.report.score.points:6g}  {marks}")
    return "\n".join(lines) or translate(Text("no submission found"), language)


def _csv(rows: Sequence[Graded], lab: Lab, language: Language) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    ids = [exercise.id for exercise in lab.exercises]
    writer.writerow(["name", "points", "judged_points", "max_points", "reached", *ids, "problem"])
    for row in rows:
        if row.report is None:
            problem = translate(row.problem, language) if row.problem else ""
            writer.writerow([_cell(row.name), "", "", "", "", *[""] * len(ids), _cell(problem)])
            continue
        score, by_id = row.report.score, _by_id(row.report)
        verdicts = [by_id[each].verdict.value if each in by_id else "" for each in ids]
        writer.writerow(
            [
                _cell(row.name),
                score.points,
                score.judged_points,
                score.max_points,
                score.reached,
                *verdicts,
                "",
            ]
        )
    return out.getvalue()


def _cell(text: str) -> str:
    """Keep a spreadsheet from taking a folder's name for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _json(rows: Sequence[Graded], language: Language) -> str:
    data = {
        "schema": "workshop.class/v1",
        "submissions": [
            {
                "name": row.name,
                "problem": translate(row.problem, language) if row.problem else None,
                "report": as_data(row.report, language) if row.report else None,
            }
            for row in rows
        ],
    }
    return json.dumps(data, ensure_ascii=False, indent=1)


_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 2rem; } table { border-collapse: collapse; }
th, td { padding: .2rem .5rem; border-bottom: 1px solid #8884; text-align: center; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: Canvas; }
.passed { color: #1a7f37; } .failed { color: #cf222e; } .unfinished { color: #9a6700; }
.error { color: #fff; background: #cf222e; } .blocked, .unknown { color: #6e7781; }
details { margin: .5rem 0 0 1rem; } summary { cursor: pointer; }
"""


def _html(rows: Sequence[Graded], lab: Lab, language: Language) -> str:
    def say(message: object) -> str:
        return html.escape(translate(message, language) if isinstance(message, Text) else str(message))

    title = html.escape(translate(lab.title, language))
    exercises = lab.exercises
    head = "".join(
        f'<th title="{html.escape(translate(each.title, language))}">{html.escape(each.id)}</th>'
        for each in exercises
    )
    body = []
    for row in rows:
        if row.report is None:
            problem = say(row.problem or "")
            body.append(
                f'<tr><td>{say(row.name)}</td><td>–</td><td colspan="{len(exercises)}">{problem}</td></tr>'
            )
            continue
        by_id = _by_id(row.report)
        cells = "".join(_html_cell(by_id.get(each.id), language) for each in exercises)
        body.append(f"<tr><td>{say(row.name)}</td><td>{row.report.score.points:g}</td>{cells}</tr>")
    details = "".join(_html_details(row, language) for row in rows if row.report)
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style>"
        f"<h1>{title}</h1><table><thead><tr><th>{say(Text('name'))}</th><th>{say(Text('points'))}</th>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table>{details}</html>"
    )


def _html_cell(result: ExerciseResult | None, language: Language) -> str:
    if result is None:
        return "<td></td>"
    word = html.escape(translate(VERDICT_WORDS[result.verdict], language))
    return f'<td class="{result.verdict.value}" title="{word}">{_MARKS[result.verdict]}</td>'


def _html_details(row: Graded, language: Language) -> str:
    if row.report is None:
        return ""
    items = []
    for exercise in row.report.exercises:
        for check in exercise.checks:
            for fact in check.unmet:
                parts = [fact.claim, fact.expected, fact.observed, str(fact.source) if fact.source else None]
                said = " · ".join(translate(part, language) for part in parts if part is not None)
                items.append(
                    f'<li class="{check.verdict.value}">{html.escape(check.id)}: {html.escape(said)}</li>'
                )
        for finding in exercise.diagnosis:
            words = [finding.object, finding.message, finding.remedy]
            said = " · ".join(translate(part, language) for part in words if part is not None)
            items.append(f"<li>{html.escape(exercise.id)}: {html.escape(said)}</li>")
    return f"<details><summary>{html.escape(row.name)}</summary><ul>{''.join(items)}</ul></details>"


def _by_id(report: Report) -> dict[str, ExerciseResult]:
    return {result.id: result for result in report.exercises}
