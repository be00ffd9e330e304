"""Does an expression compile, and to the type its place asks for? As the engines' own checker would say.

Sources: pkg/cel/compiler (Kyverno), k8s.io/apiserver/pkg/admission/plugin/cel.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from workshop.kyverno.cel import library
from workshop.kyverno.cel.declarations import PROFILES
from workshop.kyverno.cel.library import CelError
from workshop.kyverno.cel.source import Path, Prepared, prepared
from workshop.kyverno.cel.tokens import CelSyntaxError
from workshop.kyverno.outcome import Beyond

_TYPED: Final = frozenset(["request", "namespaceObject", "variables"])
#: Overloads that cel-go has and the library lets nobody declare beside its own.
_TAKEN: Final = re.compile(
    r"'string' applied to '\(net\.|'_[<>]=?_' applied to '\((?:int|uint|double), (?:int|uint|double)\)'"
)
#: The API server forgets the types of variables that are none of CEL's own.
_FOREIGN: Final = re.compile(r"optional_type<[^<>]*>|\w+\.[\w.]+")


class Checker:
    """Checks the expressions of one policy, whose variables may be used by those that come after them."""

    def __init__(self, profile: str) -> None:
        self.profile = profile
        self.variables: dict[str, str] = {}

    def variable(self, name: str, source: str) -> str | None:
        """Why the expression of a variable does not compile; None when it does: then it is known."""
        problem, kind = self._compiled(source)
        if self.profile.startswith("native"):
            while (own := _FOREIGN.sub("dyn", kind)) != kind:
                kind = own
        if problem is None and re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            self.variables[name] = kind or "dyn"
        return problem

    def error(self, source: str, outputs: Iterable[str] = ()) -> str | None:
        """Why an expression does not compile to one of the types `outputs` (any, when there are none)."""
        problem, kind = self._compiled(source)
        if problem is None and kind and outputs and kind not in outputs:
            words = f"output is expected to be of type {' or '.join(outputs)}, but is {kind}"
            return words.replace("<", "(").replace(">", ")")
        return problem

    def _compiled(self, source: str) -> tuple[str | None, str]:
        """The first complaint, and the type of an expression that compiles ("" when that cannot be told)."""
        text: Prepared | None = None
        try:
            text = prepared(source, self._stands_for, checking=True)
            if self.profile.startswith("native") and text.quoted:
                return "ERROR: unsupported syntax: '`'", ""
            kind = library.check(text.text, self.profile, self.variables)
            for constant, complaint in text.constants:
                if _fails(constant):
                    return f"ERROR: {complaint}", ""
        except CelSyntaxError as error:
            rounded = text is not None and "round" in text.calls and "'math'" in str(error)
            if _TAKEN.search(str(error)) or (rounded and not self.profile.startswith("native")):
                return None, ""
            return f"ERROR: {_placed(error, text, source)}", ""
        except (Beyond, RecursionError):
            return None, ""
        return (f"ERROR: {text.problems[0]}", "") if text.problems else (None, kind)

    def _stands_for(self, path: Path) -> str | None:
        if path.head not in _TYPED:
            return None
        declared = {*PROFILES[self.profile][2], *(f"variables.{name}" for name in self.variables)}
        known = f"{path.head}.{path.fields[0]}" in declared if path.fields else True
        whole = not path.fields or path.presence or path.after in {".?", "["}
        if whole and known and f"{path.head}__" in declared:
            return f"{path.head}__"
        return None


def _fails(constant: str) -> bool:
    try:
        library.run(constant, {})
    except (CelError, CelSyntaxError):
        return True
    return False


def _placed(error: CelSyntaxError, text: Prepared | None, source: str) -> str:
    """The complaint with the place in the expression as it was written, and in its words."""
    words = re.sub(r"\b(\w+)__\b", r"\1", str(error))
    words = re.sub(r"undeclared reference to 'variables\.(\w+)'", r"undefined field '\1'", words)
    if text is None or error.place is None or error.place[0] < 1:
        return words
    line, column = error.place
    before = text.text.split("\n")[: line - 1]
    offset = min(text.source_offset(sum(len(each) + 1 for each in before) + column - 1), len(source))
    head = source[:offset]
    return f"{words} ({head.count(chr(10)) + 1}:{offset - (head.rfind(chr(10)) + 1) + 1})"
