"""Command lines that run another command line: `sh -c '…'`, `exec`, `env A=b`, `timeout 5m`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_SHELLS: Final = frozenset({"sh", "bash", "ash", "dash", "ksh", "zsh"})
# Commands that run the command behind their own options; the number is how many words of theirs follow.
_WRAPPERS: Final = {
    "exec": 0,
    "command": 0,
    "nohup": 0,
    "time": 0,
    "sudo": 0,
    "builtin": 0,
    "timeout": 1,
    "nice": 0,
    "env": 0,
}
_OPTIONS_WITH_VALUE: Final = frozenset({"-k", "-s", "--signal", "--kill-after", "-u", "-n", "-C", "-a"})


@dataclass(frozen=True, slots=True)
class ShellScript:
    """What `sh -ec 'text' name argument…` runs."""

    text: str
    arguments: tuple[str, ...] = ()
    errexit: bool = False
    pipefail: bool = False


def shell_script(argv: Sequence[str]) -> ShellScript | None:
    """Return the script that a command line gives to a shell, None where it does not."""
    if not argv or argv[0].rpartition("/")[2] not in _SHELLS:
        return None
    errexit = pipefail = command = False
    index = 1
    while index < len(argv) and argv[index][:1] in ("-", "+") and len(argv[index]) > 1:
        option = argv[index]
        index += 1
        if option == "--":
            break
        if option.startswith("--"):
            continue
        errexit |= "e" in option and option[0] == "-"
        command |= "c" in option
        if option[-1] == "o" and index < len(argv):
            errexit |= argv[index] == "errexit"
            pipefail |= argv[index] == "pipefail"
            index += 1
    if not command or index >= len(argv):
        return None
    return ShellScript(argv[index], tuple(argv[index + 2 :]), errexit, pipefail)


def unwrapped(argv: Sequence[str]) -> list[str]:
    """Return the command line behind `exec`, `env A=b`, `timeout 5m` and their kin."""
    words = list(argv)
    while words and words[0].rpartition("/")[2] in _WRAPPERS:
        name = words.pop(0).rpartition("/")[2]
        while words and words[0].startswith("-"):
            takes_value = words.pop(0) in _OPTIONS_WITH_VALUE
            if takes_value and words:
                words.pop(0)
        if name == "env":
            while words and "=" in words[0] and not words[0].startswith("="):
                words.pop(0)
        del words[: _WRAPPERS[name]]
        if name == "env" and len(words) == 1 and " " in words[0]:
            words = shlex.split(words[0])
    return words
