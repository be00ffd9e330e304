"""The command lines a step really runs, from image, command, args, script and environment.

Sources: Tekton's handling of `script` (a default `#!/bin/sh` with `set -e`, none of that with a shebang
of one's own) and Kubernetes' expansion of `$(NAME)` in command and args.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from workshop.tekton.images import Known, known_image, parse_image
from workshop.tekton.shell import Beyond, Ran, Way, follow, follow_argv
from workshop.tekton.task import Step
from workshop.tekton.variables import fill, mistaken, token, unpacked

_SHELLS: Final = re.compile(
    r"#!\s*(?:/usr)?(?:/bin/|/busybox\d?/|/usr/local/bin/)(env\s+(?:-S\s+)?)?([a-z]+)(.*)"
)
_NAMES: Final = frozenset({"sh", "bash", "ash", "dash", "ksh", "zsh"})
# What sets variables without naming them in the script itself, or from what it reads.
_SETS: Final = re.compile(r"(?:^|[\s;&|])(?:read|source|eval|getopts|mapfile|printf\s+-v|\.\s)", re.MULTILINE)
_VARIABLE: Final = re.compile(r"\$\$|\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)")


@dataclass(frozen=True)
class Program:
    """What a step runs. `values` are those of its Task, see `Task.values`."""

    step: Step
    values: Mapping[str, str | None]

    @cached_property
    def image(self) -> str:
        """The image, as far as it is known before the run."""
        return fill(self.step.image, self.values)

    @cached_property
    def known(self) -> Known | None:
        """What is known about the image."""
        return known_image(self.image)

    @cached_property
    def environment(self) -> dict[str, str | None]:
        """The variables a process of the step sees."""
        found: dict[str, str | None] = {}
        for name, value in self.step.environment.items():
            found[name] = None if value is None else _expand(fill(value, self.values), found)
        return found

    @cached_property
    def argv(self) -> list[str]:
        """The command line, when the step has no script."""
        filled = self._filled([*(self.step.command or ()), *self.step.arguments])
        if self.step.command:
            return filled
        entry = self.known.entrypoint if self.known else (parse_image(self.image).name,)
        return [*entry, *filled]

    @cached_property
    def ways(self) -> list[Way]:
        """Every way the step may go when nothing fails. Raises Beyond."""
        return self.follow(lambda _: 0)

    @cached_property
    def commands(self) -> list[Ran]:
        """Every command that some way runs, each once. Empty where the step cannot be followed."""
        try:
            ways = self.ways
        except Beyond:
            return []
        return list({(ran.argv, ran.outputs): ran for way in ways for ran in way.commands}.values())

    @property
    def followed(self) -> bool:
        """Whether it could be followed at all."""
        try:
            return bool(self.ways)
        except Beyond:
            return False

    @property
    def start(self) -> str:
        """The folder the step starts in, variables as tokens; empty leaves it to the image."""
        return fill(self.step.working_folder, self.values)

    def folder(self, ran: Ran) -> str:
        """Return the folder one of its commands works in: where its script went, or where the step starts."""
        before = self.commands[: self.commands.index(ran)]
        went = [each.argv[1] for each in before if each.argv[0] == "cd" and len(each.argv) > 1]
        return went[-1] if went else self.start

    def follow(self, status: Callable[[Sequence[str]], int]) -> list[Way]:
        """Return every way the step may go, given what its commands exit with. Raises Beyond."""
        if self.step.view.has("ref"):
            raise Beyond("a StepAction")
        if not self.step.script:
            return follow_argv(self.argv, variables=self.environment, status=status)
        script = self.step.script
        for part in mistaken(script, script=True):
            # `${params.X}` is a syntax error for the shell and would end the reading: take it for text.
            script = script.replace(part, token(f"!{part}"))
        for name in self._unset(script):
            script = re.sub(rf"\$(?:{name}\b|\{{{name}\}})", token(f"?{name}"), script)
        script = fill(script, self.values)
        arguments = self._filled(self.step.arguments)
        first, _, rest = script.lstrip().partition("\n")
        errexit, body = True, script
        if first.startswith("#!"):
            shell = _SHELLS.match(first)
            if shell is None or shell[2] not in _NAMES:
                raise Beyond("not a shell script")
            errexit, body = "e" in shell[3].replace("pipefail", ""), rest
        return follow(body, variables=self.environment, arguments=arguments, errexit=errexit, status=status)

    def _unset(self, script: str) -> list[str]:
        """Return the parameters a script takes for variables of its shell (`$IMAGE`) that nothing sets."""
        if any(view.has("envFrom") for view in (self.step.view, self.step.template)) or _SETS.search(script):
            return []
        names = [key.removeprefix("params.") for key in self.values if key.startswith("params.")]
        return [
            name
            for name in names
            if re.fullmatch(r"[A-Za-z_]\w{0,60}", name)
            and name not in self.environment
            and not re.search(rf"(?:^|[\s;&|(]){name}\+?=|\bfor\s+{name}\b", script)
        ]

    def _filled(self, words: Sequence[str]) -> list[str]:
        return [
            _expand(part, self.environment) for word in words for part in unpacked(fill(word, self.values))
        ]

    @property
    def needs_shell(self) -> bool:
        """Whether it starts a shell of its image."""
        first = (self.step.command or [""])[0].rpartition("/")[2]
        return bool(self.step.script and not _other_language(self.step.script)) or first in _NAMES


def _other_language(script: str) -> bool:
    first = script.lstrip().partition("\n")[0]
    shell = _SHELLS.match(first)
    return first.startswith("#!") and (shell is None or shell[2] not in _NAMES)


def _expand(text: str, environment: Mapping[str, str | None]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        if match[1] not in environment:
            return match[0]
        known = environment[match[1]]
        return token(f"${match[1]}") if known is None else known

    return _VARIABLE.sub(value, text)
