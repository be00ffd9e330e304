"""`workshop doctor`: what this machine has for the lab, and what to do about the rest."""

from __future__ import annotations

import argparse
import json

from workshop.cli.common import add_common_arguments, lab_of, language_of, write_output


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_common_arguments(parser, top=False)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Return 0 when everything is fine, else 3: without a tool the lab still goes, only not all of it."""
    from workshop.doctor import State, examine
    from workshop.texts import translate

    language = language_of(args)
    symbols = {State.GOOD: "✓", State.ADVICE: "!", State.MISSING: "✗"}
    findings = examine(lab_of(args))
    code = 3 if any(finding.state is State.MISSING for finding in findings) else 0
    if args.format == "json":
        found = [
            {
                "id": each.id,
                "state": each.state.value,
                "text": translate(each.text, language),
                "remedy": translate(each.remedy, language) if each.remedy is not None else None,
            }
            for each in findings
        ]
        answer = {"schema": "workshop.doctor/v1", "findings": found, "exit_code": code}
        write_output(json.dumps(answer, indent=1, ensure_ascii=False), None)
        return code
    lines = []
    for finding in findings:
        lines.append(f"{symbols[finding.state]} {translate(finding.text, language)}")
        if finding.remedy is not None:
            lines.append(f"    {translate(finding.remedy, language)}")
    write_output("\n".join(lines), None)
    return code
