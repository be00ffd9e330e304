"""Write the parts of the documentation that the code knows best: `make docs`.

docs/reference/command-line.md   from the parsers
docs/reference/checks.md         from the checks' own docstrings
docs/architecture.md             the table of modules, from their first lines
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BEGIN, _END = "<!-- generated: modules -->", "<!-- end of what is generated -->"


def main() -> int:
    """Write every generated page; with --check, only say which are out of date."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    only_check = parser.parse_args().check
    stale = []
    for path, content in pages():
        current = path.read_text(encoding="utf-8") if path.is_file() else ""
        if current == content:
            continue
        stale.append(path.relative_to(ROOT).as_posix())
        if not only_check:
            path.write_text(content, encoding="utf-8")
    print("\n".join(stale) or "up to date")  # noqa: T201 (a command's answer)
    return 1 if stale and only_check else 0


def pages() -> Iterator[tuple[Path, str]]:
    """Yield every generated page and what it should say."""
    yield ROOT / "docs/reference/command-line.md", command_line()
    yield ROOT / "docs/reference/checks.md", checks()
    architecture = ROOT / "docs/architecture.md"
    text = architecture.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    yield architecture, f"{before}{_BEGIN}\n{modules()}{_END}{after}"


def command_line() -> str:
    """Return the reference of the command line."""
    os.environ["COLUMNS"] = "88"
    from workshop.cli import build_parser

    parser = build_parser()
    lines = ["# Command line", "", "Written by `make docs` from the program itself.", ""]
    lines += _command(parser)
    for name, command in _subcommands(parser):
        lines += ["", f"## {name}", "", *_command(command)]
        for action, subcommand in _subcommands(command):
            lines += ["", f"### {name} {action}", "", *_command(subcommand)]
    return "\n".join(lines) + "\n"


def _command(parser: argparse.ArgumentParser) -> list[str]:
    return ["```text", parser.format_help().rstrip(), "```"]


def _subcommands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def checks() -> str:
    """Return what every check of every lab says and why."""
    from workshop.content import lab_ids, load_lab
    from workshop.engine import load_checks

    lines = ["# Checks", "", "Written by `make docs` from the checks. Only `must` decides an exercise.", ""]
    for lab_id in lab_ids():
        lab = load_lab(lab_id)
        for exercise in lab.exercises:
            lines += [f"## {exercise.id} {exercise.title.en}", ""]
            rows = [
                f"| `{check.name}` | {check.level} | {check.half} | {_cell(check.title.english)} |"
                for check in load_checks(lab, exercise)
            ]
            if rows:
                lines += ["| check | level | half | what it says |", "|---|---|---|---|", *rows, ""]
            else:
                lines += ["No check of this version judges it.", ""]
    return "\n".join(lines).rstrip() + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def modules() -> str:
    """Return the table of the runner's modules: name and first line."""
    lines = ["| module | purpose |", "|---|---|"]
    package = ROOT / "workshop"
    for path in sorted(package.rglob("*.py"), key=lambda each: (each.parent != package, each.as_posix())):
        name = path.relative_to(ROOT).with_suffix("").as_posix().removesuffix("/__init__").replace("/", ".")
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        first = docstring.split("\n\n")[0].replace("\n", " ")
        if first:
            lines.append(f"| `{name}` | {_cell(first)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
