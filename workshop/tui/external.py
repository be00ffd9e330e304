"""The student's own programs: which editor and which shell, and how they are called."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_USUAL_EDITORS: Final = ("nano", "vim", "nvim", "vi", "micro", "hx", "emacs")
_PLUS_LINE: Final = frozenset(
    {
        *("emacs", "emacsclient", "gedit", "gvim", "jed", "joe", "kak", "kate", "less"),
        *("mg", "micro", "nano", "ne", "nvi", "nvim", "vi", "view", "vim"),
    }
)
_GOTO: Final = frozenset({"code", "code-insiders", "codium", "cursor", "vscodium", "windsurf"})
_COLON: Final = frozenset({"helix", "hx", "subl", "zed", "zeditor"})
# These open a window of their own: the terminal stays ours.
_WINDOWED: Final = _GOTO | {
    "gedit",
    "gvim",
    "kate",
    "subl",
    "zed",
    "zeditor",
    "idea",
    "pycharm",
    "xdg-open",
    "open",
}


@dataclass(frozen=True, slots=True)
class Launch:
    """A program to start. `windowed` ones run beside us, the others take the terminal."""

    argv: tuple[str, ...]
    windowed: bool = False


class CannotStart(Exception):
    """The program could not be started; `program` names it."""

    def __init__(self, program: str, problem: str) -> None:
        super().__init__(f"{program}: {problem}")
        self.program, self.problem = program, problem


def editor(
    path: Path, line: int | None = None, environment: Mapping[str, str] | None = None
) -> Launch | None:
    """Return how to edit `path`, at `line` (from 1) where the editor can; None when there is no editor.

    $VISUAL comes first, then $EDITOR, both with their arguments, then what is usually installed.
    """
    environment = os.environ if environment is None else environment
    wanted = (environment.get("VISUAL") or environment.get("EDITOR") or "").strip()
    try:
        command = shlex.split(wanted)
    except ValueError:
        command = [wanted]
    if not command:
        search = environment.get("PATH")
        usual = next((name for name in _USUAL_EDITORS if shutil.which(name, path=search)), None)
        if usual is None:
            return None
        command = [usual]
    name = Path(command[0]).name
    windowed = name in _WINDOWED
    if line is None:
        return Launch((*command, str(path)), windowed)
    if name in _PLUS_LINE:
        return Launch((*command, f"+{line}", str(path)), windowed)
    if name in _GOTO:
        return Launch((*command, "--goto", f"{path}:{line}"), windowed)
    if name in _COLON:
        return Launch((*command, f"{path}:{line}"), windowed)
    return Launch((*command, str(path)), windowed)


def shell(environment: Mapping[str, str] | None = None) -> Launch:
    """Return how to open a shell: $SHELL, else sh."""
    environment = os.environ if environment is None else environment
    return Launch((environment.get("SHELL") or "sh",))


def start(
    launch: Launch,
    folder: Path,
    suspended: AbstractContextManager[object],
    greeting: str = "",
    variables: Mapping[str, str] | None = None,
) -> None:
    """Start the program in `folder`; one that needs the terminal is waited for inside `suspended`.

    `variables` are added to the environment. Raises CannotStart.
    """
    environment = {**os.environ, **(variables or {})}
    try:
        if launch.windowed:
            subprocess.Popen(  # noqa: S603 (the student's own choice of editor, never a shell string)
                launch.argv,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            return
        with suspended:
            if greeting:
                sys.stdout.write(f"{greeting}\n")
                sys.stdout.flush()
            subprocess.run(launch.argv, cwd=folder, env=environment, check=False)  # noqa: S603 (as above)
    except OSError as error:
        raise CannotStart(launch.argv[0], error.strerror or str(error)) from error
