"""The report as JSON, schema `workshop.report/v1`: a contract with tools outside the project."""

from __future__ import annotations

import json
from typing import Any

from workshop.texts import Language, Message, translate
from workshop.verdicts import CheckResult, ExerciseResult, Fact, Finding, Report

SCHEMA = "workshop.report/v1"


def render(report: Report, language: Language) -> str:
    """Return the report as indented JSON."""
    return json.dumps(as_data(report, language), ensure_ascii=False, indent=1)


def as_data(report: Report, language: Language) -> dict[str, Any]:
    """Return the report as plain data, messages in one language."""
    score = report.score
    return {
        "schema": SCHEMA,
        "lab": {"id": report.lab_id, "title": translate(report.lab_title, language)},
        "mode": report.mode.value,
        "language": language,
        "exercises": [_exercise(exercise, language) for exercise in report.exercises],
        "score": {
            "points": score.points,
            "judged_points": score.judged_points,
            "max_points": score.max_points,
            "threshold": score.threshold,
            "reached": score.reached,
        },
        "warnings": [translate(warning, language) for warning in report.warnings],
        "exit_code": report.exit_code,
    }


def _exercise(exercise: ExerciseResult, language: Language) -> dict[str, Any]:
    return {
        "id": exercise.id,
        "slug": exercise.slug,
        "title": translate(exercise.title, language),
        "verdict": exercise.verdict.value,
        "asked": exercise.asked,
        "points": exercise.points,
        "max_points": exercise.max_points,
        "checks": [_check(check, language) for check in exercise.checks],
        "hint": _maybe(exercise.hint, language),
        "diagnosis": [_finding(finding, language) for finding in exercise.diagnosis],
        "unseen": [translate(complaint, language) for complaint in exercise.unseen],
    }


def _check(check: CheckResult, language: Language) -> dict[str, Any]:
    return {
        "id": check.id,
        "title": translate(check.title, language),
        "level": check.level.value,
        "half": check.half.value,
        "verdict": check.verdict.value,
        "reason": check.reason.value if check.reason else None,
        "why": _maybe(check.why, language),
        "seconds": round(check.seconds, 6),
        "facts": [_fact(fact, language) for fact in check.facts],
    }


def _fact(fact: Fact, language: Language) -> dict[str, Any]:
    source = fact.source
    place = (
        {
            key: value
            for key in ("file", "line", "column", "object", "field")
            if (value := getattr(source, key)) is not None
        }
        if source
        else None
    )
    return {
        "id": fact.id,
        "claim": translate(fact.claim, language),
        "expected": _maybe(fact.expected, language),
        "observed": _maybe(fact.observed, language),
        "met": fact.met,
        "reason": fact.reason.value if fact.reason else None,
        "next": _maybe(fact.next, language),
        "source": place,
    }


def _finding(finding: Finding, language: Language) -> dict[str, Any]:
    return {
        "id": finding.id,
        "object": finding.object,
        "message": translate(finding.message, language),
        "since": finding.since,
        "entry": finding.entry,
        "symptom": _maybe(finding.symptom, language),
        "cause": _maybe(finding.cause, language),
        "remedy": _maybe(finding.remedy, language),
    }


def _maybe(message: Message | None, language: Language) -> str | None:
    return None if message is None else translate(message, language)
