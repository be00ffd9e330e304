"""Following a script: which commands it runs, with which words, and what it exits with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from typing import Final

from workshop.tekton.shell.conditions import UNKNOWN, evaluate
from workshop.tekton.shell.expanding import State
from workshop.tekton.shell.invoking import ShellScript, shell_script, unwrapped
from workshop.tekton.shell.outcome import Ran, Way
from workshop.tekton.shell.parsing import parse
from workshop.tekton.shell.syntax import (
    Beyond,
    Block,
    Case,
    Chain,
    Function,
    If,
    Loop,
    Node,
    Pipeline,
    Simple,
)
from workshop.tekton.variables import tokens

_MAX_WAYS: Final = 64
_MAX_STEPS: Final = 2_000
_MAX_ROUNDS: Final = 6

Status = Callable[[Sequence[str]], int]


class _Exit(Exception):
    def __init__(self, status: int) -> None:
        self.status = status & 0xFF


class _Return(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


class _LoopControl(Exception):
    def __init__(self, kind: str) -> None:
        self.kind = kind


def follow(
    script: str,
    *,
    variables: Mapping[str, str | None] | None = None,
    arguments: Sequence[str] = (),
    errexit: bool = False,
    pipefail: bool = False,
    status: Status = lambda _: 0,
) -> list[Way]:
    """Return every way a script may go. `variables` with None are set to something unknown. Raises Beyond."""
    body = parse(script)
    start = partial(_Shell, status=status, errexit=errexit, pipefail=pipefail)
    return _every_way(start, variables or {}, arguments, lambda shell: shell.run_list(body))


def follow_argv(
    argv: Sequence[str], *, variables: Mapping[str, str | None] | None = None, status: Status = lambda _: 0
) -> list[Way]:
    """Return every way a command line may go that is started without a shell. Raises Beyond."""
    start = partial(_Shell, status=status, errexit=False, pipefail=False)
    return _every_way(start, variables or {}, (), lambda shell: shell.run_program(argv))


def _every_way(
    start: Callable[..., _Shell],
    variables: Mapping[str, str | None],
    arguments: Sequence[str],
    run: Callable[[_Shell], int],
) -> list[Way]:
    ways: list[Way] = []
    pending: list[list[bool]] = [[]]
    while pending:
        if len(ways) >= _MAX_WAYS:
            raise Beyond("too many ways")
        shell = start(variables=dict(variables), arguments=list(arguments), decided=pending.pop())
        try:
            ended = run(shell)
        except _Exit as leaving:
            ended = leaving.status
        except (_Return, _LoopControl) as stray:
            raise Beyond("return or break outside") from stray
        except RecursionError as endless:
            raise Beyond("endless recursion") from endless
        ways.append(Way(tuple(shell.ran), ended))
        pending.extend([*shell.decided[:index], False] for index in shell.opened)
    return ways


@dataclass(slots=True, kw_only=True)
class _Shell(State):
    status: Status
    decided: list[bool]
    ran: list[Ran] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    functions: dict[str, Node] = field(default_factory=dict)
    decisions: int = 0
    steps: int = 0
    guarded: int = 0

    def substitute(self, script: str) -> int:
        return self._apart(parse(script))

    # --- lists -----------------------------------------------------------------------------------

    def run_list(self, chains: Sequence[Chain]) -> int:
        """Run commands one after the other and return the status of the last."""
        self.last = 0 if not chains else self.last
        for chain in chains:
            self._chain(chain)
        return self.last

    def _condition(self, chains: Sequence[Chain]) -> int:
        self.guarded += 1
        try:
            return self.run_list(chains)
        finally:
            self.guarded -= 1

    def _chain(self, chain: Chain) -> None:
        if chain.background:
            self.guarded += 1
        for index, (operator, pipeline) in enumerate(chain.parts):
            if (operator == "&&" and self.last != 0) or (operator == "||" and self.last == 0):
                continue
            final = index == len(chain.parts) - 1
            self.guarded += not final or pipeline.negated
            try:
                self.last = self._pipeline(pipeline)
            finally:
                self.guarded -= not final or pipeline.negated
            if final and not pipeline.negated:
                self._maybe_leave()
        if chain.background:
            self.guarded -= 1
            self.last = 0

    def _maybe_leave(self) -> None:
        if self.errexit and self.last != 0 and not self.guarded:
            raise _Exit(self.last)

    def _pipeline(self, pipeline: Pipeline) -> int:
        statuses = []
        for index, command in enumerate(pipeline.commands):
            if index < len(pipeline.commands) - 1:
                self.output.append(("|",))
                statuses.append(self._apart(command))
                self.output.pop()
            elif len(pipeline.commands) > 1:
                statuses.append(self._apart(command))
            else:
                statuses.append(self._command(command))
        ended = statuses[-1]
        if self.pipefail:
            ended = next((each for each in reversed(statuses) if each), 0)
        return int(not ended) if pipeline.negated else ended

    def _apart(self, command: Node | Sequence[Chain]) -> int:
        """Run in a shell of its own: variables and exit stay there."""
        kept, last = dict(self.variables), self.last
        options = self.errexit, self.pipefail
        try:
            if isinstance(command, Sequence):
                return self.run_list(command)
            return self._command(command)
        except _Exit as leaving:
            return leaving.status
        finally:
            self.variables, self.last = kept, last
            self.errexit, self.pipefail = options

    # --- commands --------------------------------------------------------------------------------

    def _command(self, command: Node) -> int:
        self.steps += 1
        if self.steps > _MAX_STEPS:
            raise Beyond("too many commands")
        if isinstance(command, Simple):
            return self._simple(command)
        if isinstance(command, Function):
            self.functions[command.name] = command.body
            return 0
        self.push(command.redirects)
        try:
            match command:
                case Block(body=body, subshell=True):
                    return self._apart(body)
                case Block(body=body):
                    return self.run_list(body)
                case If():
                    return self._if(command)
                case Loop():
                    return self._loop(command)
                case Case():
                    return self._case(command)
        finally:
            self.output.pop()

    def _if(self, command: If) -> int:
        for condition, body in command.branches:
            if self._condition(condition) == 0:
                return self.run_list(body)
        self.last = 0
        return self.run_list(command.otherwise) if command.otherwise else 0

    def _loop(self, loop: Loop) -> int:
        ended = 0
        words: list[str] = []
        if loop.kind == "for":
            words = (
                self.arguments
                if loop.words is None
                else [text for word in loop.words for text in self.split(word)]
            )
        for round_number in range(len(words) if loop.kind == "for" else _MAX_ROUNDS + 1):
            if loop.kind == "for":
                self.variables[loop.variable] = words[round_number]
            elif (self._condition(loop.condition) == 0) != (loop.kind == "while"):
                break
            elif round_number == _MAX_ROUNDS:
                raise Beyond("a loop without an end in sight")
            try:
                ended = self.run_list(loop.body)
            except _LoopControl as control:
                if control.kind == "break":
                    ended = 0
                    break
        return ended

    def _case(self, command: Case) -> int:
        word = self.joined(command.word)
        for patterns, body in command.arms:
            written = [self.joined(pattern) for pattern in patterns]
            known = not tokens(word + "".join(written))
            matches = any(fnmatchcase(word, pattern) for pattern in written)
            if matches if known or "*" in written else self._decide():
                self.last = 0
                return self.run_list(body)
        return 0

    def _simple(self, command: Simple) -> int:
        self.substituted = None
        words = [text for word in command.words for text in self.split(word)]
        assigned = {name: self.joined(word) for name, word in command.assignments}
        if not words:
            self.variables.update(assigned)
            return self.substituted or 0
        self.push(command.redirects)
        try:
            return self._run(words, {**self.variables, **assigned})
        finally:
            self.output.pop()

    def run_program(self, argv: Sequence[str]) -> int:
        """Run a command line that no shell has read: no builtins, no functions."""
        words = unwrapped(argv)
        script = shell_script(words)
        if script is not None:
            return self._inner(script, self.variables)
        self.ran.append(Ran(tuple(words), dict(self.variables)))
        return self.status(words)

    def _run(self, words: list[str], variables: Mapping[str, str | None]) -> int:
        name, *arguments = words
        if name in self.functions:
            return self._call(self.functions[name], arguments)
        builtin = self._builtin(name, arguments)
        if builtin is not None:
            return builtin
        inner = unwrapped(words)
        if inner != words:
            ended = self._run(inner, variables) if inner else 0
            if name == "exec":
                raise _Exit(ended)
            return ended
        script = shell_script(words)
        if script is not None:
            return self._inner(script, variables)
        self.ran.append(Ran(tuple(words), dict(variables), self.output[-1]))
        return self.status(words)

    def _call(self, body: Node, arguments: list[str]) -> int:
        kept, self.arguments = self.arguments, arguments
        try:
            return self._command(body)
        except _Return as back:
            return back.status
        finally:
            self.arguments = kept

    def _inner(self, script: ShellScript, variables: Mapping[str, str | None]) -> int:
        kept = self.variables, self.arguments, self.errexit, self.pipefail, self.guarded, self.functions
        self.variables, self.arguments = dict(variables), list(script.arguments)
        self.errexit, self.pipefail, self.guarded, self.functions = script.errexit, script.pipefail, 0, {}
        try:
            return self.run_list(parse(script.text))
        except _Exit as leaving:
            return leaving.status
        finally:
            self.variables, self.arguments, self.errexit, self.pipefail, self.guarded, self.functions = kept

    def _builtin(self, name: str, arguments: list[str]) -> int | None:
        match name:
            case ":" | "true":
                return 0
            case "false":
                return 1
            case "exit" | "return":
                code = arguments[0] if arguments else str(self.last)
                if not code.isdecimal():
                    raise Beyond(f"{name} {code}")
                raise _Exit(int(code)) if name == "exit" else _Return(int(code))
            case "break" | "continue":
                raise _LoopControl(name)
            case "set":
                self._set(arguments)
                return 0
            case "export" | "readonly" | "local" | "declare" | "typeset":
                for argument in arguments:
                    key, equals, value = argument.partition("=")
                    if equals:
                        self.variables[key] = value
                return 0
            case "unset":
                for argument in arguments:
                    self.variables.pop(argument, None)
                return 0
            case "shift":
                del self.arguments[: int(arguments[0]) if arguments and arguments[0].isdecimal() else 1]
                return 0
            case "test" | "[" | "[[":
                return self._test(name, arguments)
            case "trap":
                if any("exit" in argument for argument in arguments[:1]):
                    raise Beyond("trap")
                return 0
            case "eval":
                return self.run_list(parse(" ".join(arguments)))
            case "." | "source" | "read" | "wait":
                raise Beyond(name)
        return None

    def _test(self, name: str, arguments: list[str]) -> int:
        closing = {"[": "]", "[[": "]]"}.get(name)
        if closing:
            if arguments[-1:] != [closing]:
                return 2
            arguments = arguments[:-1]
        answer = evaluate(arguments)
        return int(not (self._decide() if answer is UNKNOWN else answer))

    def _set(self, arguments: list[str]) -> None:
        for index, argument in enumerate(arguments):
            if argument[:1] not in "-+" or len(argument) < 2:
                if argument and argument[0] not in "-+" and arguments[index - 1][-1:] != "o":
                    return
                continue
            on = argument[0] == "-"
            if "e" in argument[1:] and not argument.startswith("--"):
                self.errexit = on
            if argument[-1] == "o" and index + 1 < len(arguments):
                option = arguments[index + 1]
                if option == "errexit":
                    self.errexit = on
                elif option == "pipefail":
                    self.pipefail = on

    def _decide(self) -> bool:
        """Answer a question nobody can answer: first yes, on another way no."""
        if self.decisions == len(self.decided):
            self.opened.append(self.decisions)
            self.decided.append(True)
        self.decisions += 1
        return self.decided[self.decisions - 1]
