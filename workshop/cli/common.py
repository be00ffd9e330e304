"""What several commands share: workspace, lab, language, where the output goes."""

from __future__ import annotations

import argparse
import os
import sys

# What type checkers take for true wherever it stands; importing `typing` for it is a tenth of `--help`.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from workshop.content import Lab
    from workshop.texts import Language, Message
    from workshop.workspace import Workspace


class UsageError(Exception):
    """The command cannot start as it was called: exit code 2, one line on stderr."""

    def __init__(self, text: Message) -> None:
        super().__init__(text)
        self.text = text


def add_common_arguments(parser: argparse.ArgumentParser, *, top: bool = True) -> None:
    """Declare --workspace, --lab and --lang; a sub-command keeps what was given before its name."""
    default = {"default": None} if top else {"default": argparse.SUPPRESS}
    parser.add_argument(
        "--workspace", metavar="DIR", help="the folder that holds td/ (default: here)", **default
    )
    parser.add_argument("--lab", metavar="LAB", help="which lab (default: techmarket)", **default)
    parser.add_argument("--lang", choices=("en", "fr"), help="language of the messages", **default)


def language_of(args: argparse.Namespace) -> Language:
    """Return the language asked for, else the environment's, else English."""
    wanted = getattr(args, "lang", None) or os.environ.get("WORKSHOP_LANG")
    if not wanted:
        wanted = next(
            (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "en"
        )
    return "fr" if wanted.lower().startswith("fr") else "en"


def chosen_language(args: argparse.Namespace) -> Language | None:
    """Return the language that was asked for on the command line or by WORKSHOP_LANG, None if none was."""
    return language_of(args) if getattr(args, "lang", None) or os.environ.get("WORKSHOP_LANG") else None


def lab_of(args: argparse.Namespace) -> Lab:
    """Return the lab asked for. Raises UsageError when there is none of that name."""
    from workshop.content import ContentError, load_lab

    try:
        return load_lab(args.lab or "techmarket")
    except ContentError as error:
        raise UsageError(str(error)) from error


def workspace_of(args: argparse.Namespace) -> Workspace:
    """Return the workspace asked for. Raises UsageError when the folder holds no readable td/."""
    from pathlib import Path

    from workshop.workspace import NotAWorkspace, Workspace

    try:
        return Workspace(Path(args.workspace or "."))
    except NotAWorkspace as error:
        raise UsageError(error.text) from error


def write_output(text: str, output: str | None) -> None:
    """Write a whole result to stdout or to a file that appears complete or not at all."""
    if not text.endswith("\n"):
        text += "\n"
    if output is None or output == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    from contextlib import suppress
    from pathlib import Path

    from workshop.texts import Text

    target = Path(output)
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise UsageError(
            Text("cannot write {path}: {problem}", path=output, problem=error.strerror or error)
        ) from error
