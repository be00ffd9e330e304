"""`workshop install`: what the lab needs on its cluster, by pinned commands that are shown first."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.cli.common import UsageError, add_common_arguments, lab_of, language_of, write_output
from workshop.cli.consent import COULD_NOT, carried_out, confirmed, say, tell_in
from workshop.texts import Text, translate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workshop.components import Component
    from workshop.content import Lab
    from workshop.provisioning.installing import Planned
    from workshop.provisioning.target import Target
    from workshop.texts import Message


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("components", nargs="*", metavar="COMPONENT", help="what to install (none: the list)")
    parser.add_argument("--context", metavar="C", help="the kubeconfig context to install into")
    parser.add_argument("--dry-run", action="store_true", help="show the commands, run none")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_common_arguments(parser, top=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Install, and return 0; 2 when it was not confirmed, 3 when a step failed, 130 when interrupted."""
    from workshop.components import load_components

    lab = lab_of(args)
    known = load_components(lab)
    if not args.components:
        write_output("\n".join(_listed(known, args)) or "–", None)
        return 0
    chosen = [_known(known, name) for name in dict.fromkeys(args.components)]
    return _install(args, lab, chosen)


def _install(args: argparse.Namespace, lab: Lab, chosen: list[Component]) -> int:
    from workshop.cluster.port import Unreachable
    from workshop.provisioning.installing import install, plan

    tell = tell_in(args)
    try:
        target = _target(args, lab, must_answer=not args.dry_run)
    except Unreachable as unreachable:
        tell(unreachable.text)
        tell(Text("Make the lab's cluster first: “workshop cluster up”; or name one with --context."))
        return COULD_NOT
    steps = plan(chosen, target)
    write_output("\n".join(_described(chosen, steps, args)), None)
    if args.dry_run:
        return 0
    if not confirmed(args, Text("Run this on {context}?", context=target.context)):
        return 2
    with carried_out(tell) as outcome:
        install(steps, target, tell=tell, say=say)
        tell(Text("Done. “workshop check {ids}” looks at it.", ids=" ".join(_exercises(chosen))))
    return outcome.code


def _target(args: argparse.Namespace, lab: Lab, *, must_answer: bool) -> Target:
    """Return the cluster to change: the lab's, or one that was confirmed. Raises Unreachable."""
    from workshop.cluster.choosing import choose, kubeconfig_of
    from workshop.cluster.port import Unreachable
    from workshop.cluster.remembering import remembered_context
    from workshop.provisioning.target import Target

    remembered = remembered_context(Path(args.workspace or "."))
    try:
        cluster = choose(lab.contexts, asked=args.context, remembered=remembered)
        if must_answer:
            cluster.serves("Namespace")
    except Unreachable:
        if must_answer:
            raise
        return Target(args.context or lab.contexts[0])
    return Target(cluster.context, kubeconfig_of(cluster.context))


def _described(chosen: list[Component], steps: list[Planned], args: argparse.Namespace) -> list[str]:
    language = language_of(args)

    def shown(message: Message) -> str:
        return translate(message, language)

    lines = []
    for component in chosen:
        lines += [f"# {shown(component.title)}", f"#   {shown(component.about)}"]
        for planned in steps:
            if planned.component is component:
                lines.append(planned.line)
                if planned.left_out is not None:
                    lines.append(f"#   ^ {shown(planned.left_out)}")
    return lines


def _listed(known: Mapping[str, Component], args: argparse.Namespace) -> list[str]:
    language = language_of(args)
    return [
        f"{each.id:<18}{translate(each.title, language)} ({', '.join(each.exercises)})"
        for each in known.values()
    ]


def _exercises(chosen: list[Component]) -> list[str]:
    return list(dict.fromkeys(each for component in chosen for each in component.exercises))


def _known(known: Mapping[str, Component], name: str) -> Component:
    if name not in known:
        names = ", ".join(known) or "–"
        raise UsageError(Text("there is no component {name}; known: {known}", name=name, known=names))
    return known[name]
