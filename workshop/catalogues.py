"""Are the translations complete? Reads the message ids off the code and holds them against the catalogues."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from workshop.content import Lab
from workshop.engine import load_checks
from workshop.paths import content_root
from workshop.texts import LANGUAGES, catalogue_files, read_catalogue

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def catalogue_findings(lab: Lab) -> list[str]:
    """Return what is missing, left over, or has other placeholders, in every language but English."""
    wanted = set(_in_code()) | set(_in_checks(lab))
    found: list[str] = []
    for language in LANGUAGES:
        if language == "en":
            continue
        known: dict[str, str] = {}
        for path in catalogue_files(language):
            for english, translation in read_catalogue(path).items():
                if english in known and known[english] != translation:
                    found.append(f"{path.name}: another translation of {english!r} is in another catalogue")
                known[english] = translation
        found += [f"{language}: no translation of {english!r}" for english in sorted(wanted - set(known))]
        found += [f"{language}: nothing says {english!r} any more" for english in sorted(set(known) - wanted)]
        found += [
            f"{language}: other placeholders than in {english!r}"
            for english, translation in sorted(known.items())
            if set(_PLACEHOLDER.findall(english)) != set(_PLACEHOLDER.findall(translation))
        ]
    return found


def _in_code() -> Iterator[str]:
    """Yield the literal messages of the runner and the check modules: `Text(…)`, and what keys do."""
    for root in (Path(__file__).parent, content_root() / "checks"):
        for path in sorted(root.rglob("*.py")):
            if "_content" in path.parts and root == Path(__file__).parent:
                continue
            yield from _texts_of(path)


def _texts_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        # A Textual Binding is made of key, action and description.
        place = {"Text": 0, "Binding": 2}.get(node.func.id)
        if place is None or len(node.args) <= place:
            continue
        argument = node.args[place]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value:
            yield argument.value


def _in_checks(lab: Lab) -> Iterator[str]:
    """Yield title and reason of every check: they come from its docstring."""
    for exercise in lab.exercises:
        for check in load_checks(lab, exercise):
            yield check.title.english
            if check.why is not None:
                yield check.why.english
