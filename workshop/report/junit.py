"""The report as JUnit XML: one suite per exercise, one case per check."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from workshop.texts import Language, translate
from workshop.verdicts import CheckResult, Level, Report, Verdict

# What XML 1.0 cannot hold at all, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report, language: Language) -> str:
    """Return JUnit XML. Advice and remarks never fail a build: they go to `system-out`."""
    root = ET.Element("testsuites", name=_clean(translate(report.lab_title, language)))
    for exercise in report.exercises:
        suite = ET.SubElement(
            root, "testsuite", name=_clean(f"{exercise.id} {translate(exercise.title, language)}")
        )
        counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
        for check in exercise.checks:
            counts["tests"] += 1
            case = ET.SubElement(
                suite,
                "testcase",
                classname=f"{report.lab_id}.{exercise.slug}",
                name=_clean(f"{check.id} {translate(check.title, language)}"),
                time=f"{check.seconds:.4f}",
            )
            kind = _kind(check)
            text = _clean(_story(check, language))
            if kind == "system-out":
                ET.SubElement(case, kind).text = text
            elif kind:
                counts[{"failure": "failures", "error": "errors", "skipped": "skipped"}[kind]] += 1
                message = check.reason.value if check.reason else check.verdict.value
                ET.SubElement(case, kind, message=message).text = text
        for name, count in counts.items():
            suite.set(name, str(count))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode")


def _kind(check: CheckResult) -> str | None:
    match check.verdict:
        case Verdict.PASSED:
            return None
        case Verdict.FAILED | Verdict.UNFINISHED:
            return "failure" if check.level is Level.MUST else "system-out"
        case Verdict.ERROR:
            return "error"
        case _:
            return "skipped"


def _story(check: CheckResult, language: Language) -> str:
    lines = []
    for fact in check.facts:
        if fact.met is True:
            continue
        parts = [
            fact.claim,
            fact.expected,
            fact.observed,
            str(fact.source) if fact.source else None,
            fact.next,
        ]
        lines.append(" · ".join(translate(part, language) for part in parts if part is not None))
    return "\n".join(lines)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
