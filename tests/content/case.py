"""Every right variant and every typical mistake, as data: `cases/<slug>.yaml`.

A case is the reference solution with some files replaced. It says the verdict of the exercise, the
facts that must be unmet (`check/fact`), and at which level.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml

from workshop.content import Exercise, Lab
from workshop.verdicts import Level, Verdict

CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    slug: str
    name: str
    files: dict[str, str | None]
    replace: dict[str, list[list[str]]]
    verdict: Verdict
    unmet: list[str]
    level: Level | None
    alone: bool
    only: bool = False


def cases() -> list[Case]:
    found = []
    for path in sorted(CASES.glob("*.yaml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
            unknown = set(entry) - {
                "name",
                "files",
                "replace",
                "verdict",
                "unmet",
                "level",
                "alone",
                "only",
                "why",
            }
            assert not unknown, f"{path.name}: {entry.get('name')}: unknown keys {unknown}"
            found.append(
                Case(
                    slug=path.stem,
                    name=entry["name"],
                    files=entry.get("files", {}),
                    replace=entry.get("replace", {}),
                    verdict=Verdict(entry["verdict"]),
                    unmet=entry.get("unmet", []),
                    level=Level(entry["level"]) if "level" in entry else None,
                    alone=entry.get("alone", False),
                    only=entry.get("only", False),
                )
            )
    return found


def lay_out(case: Case, lab: Lab, folder: Path) -> Exercise:
    """Write the files of a case into an empty folder and return its exercise."""
    exercise = lab.exercise(case.slug)
    assert exercise is not None, f"no exercise {case.slug}"
    if case.alone:
        (folder / "td").mkdir()
    else:
        shutil.copytree(lab.solutions / "td", folder / "td")
    for name, content in case.files.items():
        target = folder / name
        if content is None:
            target.unlink(missing_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    for name, edits in case.replace.items():
        text = (folder / name).read_text(encoding="utf-8")
        for old, new in edits:
            assert old in text, f"{case.name}: {name} does not contain {old!r}"
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
    return exercise
