"""`workshop policy test`: what a policy does to a resource, with no cluster."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workshop.cli.common import UsageError, add_common_arguments, language_of, write_output
from workshop.texts import Text, translate

if TYPE_CHECKING:
    from workshop.kyverno import Admission


def declare(command: argparse.ArgumentParser) -> None:
    """Declare the actions of the command."""
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    parser = actions.add_parser("test", help="what policies do to resources")
    parser.add_argument("policies", nargs="+", metavar="POLICY")
    parser.add_argument("--resource", nargs="+", required=True, metavar="FILE", dest="resources")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_common_arguments(parser, top=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Return 0 when everything is admitted, 1 when something is refused, 3 when it cannot be told."""
    from workshop.kyverno import admit, refusals

    policies = [document for path in args.policies for document in _read(path)]
    resources = [document for path in args.resources for document in _read(path)]
    refused = {_name(policy): reasons for policy in policies if (reasons := refusals(policy))}
    admissions = [(resource, admit(policies, resource)) for resource in resources]
    if args.format == "json":
        write_output(json.dumps(_as_data(refused, admissions), ensure_ascii=False, indent=1), None)
    else:
        write_output(_as_text(refused, admissions, args), None)
    verdicts = {admission.admitted for _, admission in admissions}
    if refused or False in verdicts:
        return 1
    return 3 if None in verdicts else 0


def _read(path: str) -> list[dict[str, Any]]:
    from workshop.workspace import Unreadable, parse_documents
    from workshop.workspace.opening import read_bytes
    from workshop.workspace.textfile import decode

    # Named on the command line, so it may be anywhere; read with the same care as a file of td/.
    file = Path(path).resolve()
    try:
        data, _ = read_bytes(file.parent, file.name)
        documents = parse_documents(decode(path, data), file=path)
    except Unreadable as unreadable:
        position = unreadable.problem.position
        place = f"{path}:{position.line}:{position.column}" if position else path
        raise UsageError(
            Text("{place}: {problem}", place=place, problem=unreadable.problem.text)
        ) from unreadable
    return [document.data for document in documents if isinstance(document.data, dict)]


def _name(resource: dict[str, Any]) -> str:
    metadata = resource.get("metadata")
    name = metadata.get("name") or metadata.get("generateName") if isinstance(metadata, dict) else None
    return f"{resource.get('kind', '?')}/{name or '?'}"


def _patch(before: dict[str, Any], admission: Admission) -> str:
    import difflib

    import yaml

    if before == admission.resource:
        return ""
    old, new = (
        yaml.safe_dump(data, allow_unicode=True, sort_keys=False).splitlines()
        for data in (before, admission.resource)
    )
    return "\n".join(difflib.unified_diff(old, new, "before", "after", lineterm=""))


def _as_data(
    refused: dict[str, list[str]], admissions: list[tuple[dict[str, Any], Admission]]
) -> dict[str, Any]:
    return {
        "schema": "workshop.policy-test/v1",
        "refused_policies": refused,
        "resources": [
            {
                "resource": _name(resource),
                "admitted": admission.admitted,
                "results": [
                    {"policy": each.policy, "rule": each.rule, "result": each.result, "message": each.message}
                    for each in admission.results
                ],
                "mutated": admission.resource,
            }
            for resource, admission in admissions
        ],
    }


def _as_text(
    refused: dict[str, list[str]],
    admissions: list[tuple[dict[str, Any], Admission]],
    args: argparse.Namespace,
) -> str:
    language = language_of(args)
    words = {True: Text("admitted"), False: Text("refused"), None: Text("cannot be told")}
    lines: list[str] = []
    for policy, reasons in refused.items():
        lines.append(translate(Text("{policy} itself would be refused by Kyverno:", policy=policy), language))
        lines += [f"    {reason}" for reason in reasons]
    for resource, admission in admissions:
        lines.append(f"{_name(resource)}: {translate(words[admission.admitted], language)}")
        for each in admission.results:
            lines.append(
                f"  {each.result:8} {each.policy} / {each.rule}"
                + (f"\n           {each.message}" if each.message else "")
            )
        patch = _patch(resource, admission)
        lines += [f"  {line}" for line in patch.splitlines()]
    return "\n".join(lines)
