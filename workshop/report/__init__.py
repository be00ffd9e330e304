"""A Report as text, JSON, JUnit, Markdown or GitHub annotations: one module per format."""

from __future__ import annotations

import importlib
from typing import cast

from workshop.texts import Language
from workshop.verdicts import Report


def render(report: Report, format: str, language: Language, *, colour: bool = False) -> str:
    """Return the report in a format: text, json, junit, markdown or github.

    `colour` asks for terminal colours and only concerns text.
    """
    module = importlib.import_module(f"workshop.report.{format}")
    if format == "text":
        return cast(str, module.render(report, language, colour=colour))
    return cast(str, module.render(report, language))
