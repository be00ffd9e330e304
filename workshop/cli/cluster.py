"""`workshop cluster`: the lab's kind cluster, made and deleted by explicit commands."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.cli.common import UsageError, add_common_arguments, lab_of
from workshop.cli.consent import COULD_NOT, carried_out, confirmed, say, tell_in
from workshop.texts import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.provisioning.kind import KindCluster
    from workshop.texts import Message


def declare(command: argparse.ArgumentParser) -> None:
    """Declare the actions of the command."""
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    up = actions.add_parser("up", help="make the lab's kind cluster; returns when it is usable")
    up.add_argument("--wait", type=float, default=300.0, metavar="S", help="wait up to S seconds for that")
    up.set_defaults(run=_up)
    down = actions.add_parser("down", help="delete the lab's kind cluster, and no other")
    down.set_defaults(run=_down)
    for action in (up, down):
        action.add_argument("--yes", action="store_true", help="do not ask")
        add_common_arguments(action, top=False)


def _up(args: argparse.Namespace) -> int:
    cluster, tell = _cluster(args), tell_in(args)
    with carried_out(tell) as outcome:
        exists = cluster.exists()
        if exists:
            tell(Text("The kind cluster {name} exists: it is started and looked at.", name=cluster.name))
            cluster.bring_back(tell, say)
        else:
            tell(Text("This makes a kind cluster, a container of your Docker, with:"))
            say(f"  {shlex.join(cluster.creation)}")
            tell(
                Text(
                    "kind adds the context {context} to your kubeconfig and makes it the current one.",
                    context=cluster.target.context,
                )
            )
            if not confirmed(args, Text("Make it?")):
                return 2
            cluster.create(tell, say)
        outcome.code = _wait(cluster, tell, args.wait)
    return outcome.code


def _wait(cluster: KindCluster, tell: Callable[[Message], None], seconds: float) -> int:
    from workshop.cluster.live import LiveCluster
    from workshop.provisioning.readiness import NotUsableError, wait_until_usable

    context = cluster.target.context
    try:
        wait_until_usable(lambda: LiveCluster(context), tell, seconds=seconds)
    except NotUsableError as error:
        tell(Text("Not usable after {seconds} s:", seconds=f"{seconds:g}"))
        for each in error.missing:
            tell(each)
        tell(Text("Run the same command again to go on waiting; “workshop cluster down” begins anew."))
        return COULD_NOT
    tell(Text("The cluster is usable: kubectl --context {context} get nodes", context=context))
    return 0


def _down(args: argparse.Namespace) -> int:
    cluster, tell = _cluster(args), tell_in(args)
    with carried_out(tell) as outcome:
        if not cluster.exists():
            tell(Text("There is no kind cluster {name}: nothing to do.", name=cluster.name))
            return 0
        tell(Text("This deletes the kind cluster {name} with everything in it; no other.", name=cluster.name))
        say(f"  {shlex.join(cluster.deletion)}")
        if not confirmed(args, Text("Delete it?")):
            return 2
        cluster.delete(tell, say)
        tell(Text("It is gone; your files and your images are untouched."))
    return outcome.code


def _cluster(args: argparse.Namespace) -> KindCluster:
    from workshop.provisioning.kind import KindCluster

    cluster = KindCluster.of(lab_of(args), Path(args.workspace or "."))
    if cluster is None:
        raise UsageError(Text("this lab brings no kind cluster"))
    return cluster
