"""`workshop sandbox`: a control plane of our own, without Docker."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.cli.common import UsageError, add_common_arguments, language_of, write_output
from workshop.sandbox.errors import SandboxError
from workshop.texts import Message, Text, translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.sandbox.api import Sandbox, Status

_COULD_NOT = 3


def declare(command: argparse.ArgumentParser) -> None:
    """Declare the actions of the command."""
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)

    build = _action(actions, "build", _build, "build the programs, or take them from an archive", named=False)
    build.add_argument("--with", metavar="NAMES", dest="with_", default="", help="also: tekton,rollouts")
    archive = build.add_mutually_exclusive_group()
    archive.add_argument("--export", metavar="FILE", help="pack what was built into one file, for the class")
    archive.add_argument("--from", metavar="FILE", dest="source", help="take the programs from such a file")

    up = _action(actions, "up", _up, "bring it up; returns when a Pod can be judged")
    up.add_argument("--with", metavar="NAMES", dest="with_", default="", help="also: tekton,rollouts")

    _action(actions, "status", _status, "what is up, and how much memory it takes")
    _action(actions, "reset", _reset, "back to pristine: whatever was applied is gone")
    logs = _action(actions, "logs", _logs, "what a component said last")
    logs.add_argument("component", metavar="COMPONENT")
    logs.add_argument("--lines", type=int, default=100, metavar="N", help="how many lines (0: all)")
    _action(actions, "kubeconfig", _kubeconfig, "the line that points kubectl at it")
    _action(actions, "down", _down, "end it; what was applied is there again at the next start")


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    help_text: str,
    *,
    named: bool = True,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=help_text)
    if named:
        parser.add_argument("--name", metavar="N", default="default", help="one of several sandboxes")
    add_common_arguments(parser, top=False)
    parser.set_defaults(run=_explaining(run))
    return parser


def _explaining(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    def explained(args: argparse.Namespace) -> int:
        try:
            return run(args)
        except SandboxError as error:
            _say(args, error.problem)
            for line in error.details:
                print(f"  | {line}", file=sys.stderr)
            if error.remedy is not None:
                _say(args, error.remedy)
            return _COULD_NOT

    return explained


def run(args: argparse.Namespace) -> int:
    """Run the chosen action and return its exit code: 0, 3 when it could not be done."""
    return int(args.run(args))


def _say(args: argparse.Namespace, message: Message) -> None:
    print(translate(message, language_of(args)), file=sys.stderr, flush=True)


def _wanted(args: argparse.Namespace) -> tuple[str, ...]:
    from workshop.sandbox.components import ON_DEMAND

    names = tuple(name for name in args.with_.replace(" ", "").split(",") if name)
    unknown = [name for name in names if name not in ON_DEMAND]
    if unknown:
        raise UsageError(
            Text(
                "there is no part {unknown} of the sandbox (known: {known})",
                unknown=", ".join(unknown),
                known=", ".join(ON_DEMAND),
            )
        )
    return names


def _sandbox(args: argparse.Namespace) -> Sandbox:
    from workshop.sandbox.api import Sandbox

    try:
        return Sandbox(args.name)
    except SandboxError as error:
        raise UsageError(error.text) from error


def _build(args: argparse.Namespace) -> int:
    from workshop.sandbox import archive
    from workshop.sandbox.building import build
    from workshop.sandbox.components import CORE, families
    from workshop.sandbox.places import Cache

    chosen, cache = families((*CORE, *_wanted(args))), Cache.of_user()

    def progress(message: Message) -> None:
        _say(args, message)

    if args.source:
        source = Path(args.source)
        if not source.is_file():
            raise UsageError(Text("there is no file {file}", file=args.source))
        everything = families((*CORE, "tekton", "rollouts"))
        archive.take(source, everything, cache, progress)
        _say(args, Text("The programs are in place: {folder}", folder=str(cache.programs)))
        return 0
    build(chosen, cache, progress)
    if args.export:
        checksum = archive.export(chosen, cache, Path(args.export), progress)
        write_output(f"{checksum}  {args.export}", None)
    else:
        _say(args, Text("The programs are in place: {folder}", folder=str(cache.programs)))
    return 0


def _up(args: argparse.Namespace) -> int:
    from workshop.sandbox.api import Sandbox

    name = _sandbox(args).name
    sandbox = Sandbox.up(name, _wanted(args), progress=lambda message: _say(args, message))
    _give(sandbox)
    write_output(_export_line(sandbox), None)
    kubectl = sandbox.program("kubectl")
    if shutil.which("kubectl") is None and kubectl is not None:
        _say(args, Text("There is no kubectl on PATH; here is one: {path}", path=str(kubectl)))
    return 0


def _give(sandbox: Sandbox) -> None:
    from workshop.content import load_lab
    from workshop.sandbox.client import ApiError
    from workshop.stand_ins import give

    try:
        give(sandbox, load_lab())
    except ApiError as error:
        raise SandboxError(Text("The control plane refused: {error}", error=str(error))) from error


def _export_line(sandbox: Sandbox) -> str:
    import shlex

    return f"export KUBECONFIG={shlex.quote(str(sandbox.kubeconfig))}"


def _kubeconfig(args: argparse.Namespace) -> int:
    sandbox = _sandbox(args)
    if not sandbox.status().up:
        raise _not_running(sandbox)
    write_output(_export_line(sandbox), None)
    return 0


def _status(args: argparse.Namespace) -> int:
    status = _sandbox(args).status()
    write_output("\n".join(_describe(status, args)), None)
    return 0 if status.up else _COULD_NOT


def _describe(status: Status, args: argparse.Namespace) -> list[str]:
    language = language_of(args)
    if not status.running:
        return [translate(Text("The sandbox “{name}” is not running.", name=status.name), language)]
    state = Text("up") if status.up else Text("coming up")
    lines = [f"{status.name}: {translate(state, language)}, {status.resident / 2**20:.0f} MiB"]
    for one in status.components:
        alive = "" if one.alive else f"  {translate(Text('has ended'), language)}"
        lines.append(f"  {one.name:<26}{one.resident / 2**20:6.0f} MiB{alive}")
    lines += [f"  ! {translate(death, language)}" for death in status.deaths]
    return [*lines, f"  KUBECONFIG={status.kubeconfig}"]


def _reset(args: argparse.Namespace) -> int:
    sandbox = _sandbox(args)
    sandbox.reset(lambda message: _say(args, message))
    if sandbox.status().up:
        _give(sandbox)
    _say(args, Text("The sandbox is pristine again."))
    return 0


def _logs(args: argparse.Namespace) -> int:
    path = _sandbox(args).logs(args.component)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    write_output("\n".join(lines[-args.lines :] if args.lines > 0 else lines), None)
    return 0


def _down(args: argparse.Namespace) -> int:
    _sandbox(args).down()
    _say(args, Text("The sandbox is down; nothing of it runs."))
    return 0


def _not_running(sandbox: Sandbox) -> SandboxError:
    return SandboxError(
        Text("The sandbox “{name}” is not running.", name=sandbox.name),
        Text("Bring it up: “workshop sandbox up”."),
    )
