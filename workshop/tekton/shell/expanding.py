"""From a word as it is written to the words a command receives, and where its output goes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from workshop.tekton.shell.syntax import Redirect, Word
from workshop.tekton.variables import token, tokens


@dataclass(slots=True, kw_only=True)
class State(ABC):
    """What a shell knows. A variable that is None is set to something unknown.

    `output` is where standard output goes, the innermost last; `substituted` is the status of the
    last command substitution.
    """

    variables: dict[str, str | None]
    arguments: list[str]
    errexit: bool = False
    pipefail: bool = False
    last: int = 0
    substituted: int | None = None
    output: list[tuple[str, ...]] = field(default_factory=lambda: [("",)])

    @abstractmethod
    def substitute(self, script: str) -> int:
        """Run the script of a command substitution and return its status."""

    def push(self, redirects: Sequence[Redirect]) -> None:
        """Send standard output where the redirections say, until the next pop of `output`."""
        current = self.output[-1]
        for redirect in redirects:
            if redirect.operator in (">", ">>", ">|", "&>", "&>>") and redirect.stream in ("", "1"):
                current = (self.joined(redirect.target),)
            elif (
                redirect.operator == ">&"
                and redirect.stream in ("", "1")
                and self.joined(redirect.target) == "2"
            ):
                current = ("",)
        self.output.append(current)

    def joined(self, word: Word) -> str:
        """Expand a word that stays one word: a file name, the value of an assignment."""
        return "".join(text for text, _ in self._pieces(word))

    def split(self, word: Word) -> list[str]:
        """Expand a word into the words it becomes: what is unquoted and has blanks falls apart."""
        if len(word) == 1 and word[0].kind == "variable" and word[0].value in ("@", "*"):
            return list(self.arguments)
        words: list[str] = []
        current: str | None = None
        for text, splits in self._pieces(word):
            if not splits:
                current = (current or "") + text
                continue
            parts = text.split()
            if not parts:
                continue
            if text[0].isspace() and current is not None:
                words.append(current)
                current = None
            current = (current or "") + parts[0]
            for part in parts[1:]:
                words.append(current)
                current = part
        if current is not None:
            words.append(current)
        return words

    def _pieces(self, word: Word) -> list[tuple[str, bool]]:
        found: list[tuple[str, bool]] = []
        for piece in word:
            match piece.kind:
                case "text":
                    found.append((piece.value, False))
                case "variable":
                    found.append((self._variable(piece.value, piece.rest), not piece.quoted))
                case "command":
                    self.output.append(("|",))
                    self.substituted = self.substitute(piece.value)
                    self.output.pop()
                    found.append((token("$(…)"), False))
                case "arithmetic":
                    found.append((token("$((…))"), False))
        return found

    def _variable(self, name: str, rest: str) -> str:
        if name == "?":
            return str(self.last)
        if name == "#":
            return str(len(self.arguments))
        value: str | None = None  # the image or the cluster may set it
        if name in ("@", "*"):
            value = " ".join(self.arguments)
        elif name.isdecimal() and name != "0":
            value = self.arguments[int(name) - 1] if int(name) <= len(self.arguments) else ""
        elif name in self.variables:
            value = self.variables[name]
        elif rest[:2] == ":-" or rest[:1] == "-":
            value = ""
        if value is None:
            return token(f"${name}")
        if rest[:2] in (":-", ":=") or rest[:1] in ("-", "="):
            return value or rest.lstrip(":").lstrip("-=")
        if rest[:2] == ":?" or rest[:1] in ("?", ""):
            return value
        # A value cut to size: still made of what it was made of.
        return value if tokens(value) else token(f"${{{name}{rest}}}")
