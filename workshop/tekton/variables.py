"""Tekton's variables – `$(params.X)`, `$(workspaces.Y.path)`, `$(tasks.T.results.R)` – and their look-alikes.

A value that is known only when the Task runs is carried through a command line as a token made of
private-use characters, so that no shell or flag parser mistakes it for anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_OPEN, _CLOSE = "\ue000", "\ue001"
_ITEM = "\ue002"
_TOKEN: Final = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")

_REFERENCE: Final = re.compile(r"\$\(([^()\s]+)\)")
_ACCESSOR: Final = re.compile(r"""\.([A-Za-z0-9_/-]+)|\["([^"\]]+)"\]|\['([^'\]]+)'\]|\[(\d+|\*)\]""")
# The words a substitution may begin with; `inputs.params` is an old spelling that Tasks still know.
SCOPES: Final = frozenset(
    {
        "params",
        "workspaces",
        "results",
        "tasks",
        "finally",
        "context",
        "steps",
        "step",
        "credentials",
        "outputs",
    }
)

# params.IMAGE on its own, at the beginning of a value or after `=`
_BARE: Final = re.compile(
    r"(?:(?<=^)|(?<==)|(?<=\s)|(?<=[\"']))(?:params|workspaces)\.[A-Za-z_][A-Za-z0-9_.-]*(?=$|[\s\"'/:@])"
)
_COMMENT: Final = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_MISTAKES: Final = (
    # ${params.X}: the shell's braces. Without the dot it is the shell's own variable.
    re.compile(r"\$\{\s*(?:inputs\.)?(?:params?|workspaces?|results?|tasks?|context)\s*[.\[][^}]*\}"),
    # $params.X: no brackets at all
    re.compile(r"\$(?:params?|workspaces?)[.\[][A-Za-z_\"'][A-Za-z0-9_.\[\]\"'-]*"),
    # $( params.X ): blanks inside
    re.compile(r"\$\(\s+(?:params|workspaces|results|tasks)[.\[][^)]*\)|\$\((?:params|workspaces)[.\[][^)\s]*\s+\)"),
    # $(param.X), $(workspace.X.path), $(Params.X): not the word Tekton looks for
    re.compile(r"\$\((?:param|parameters?|workspace|Params|PARAMS|Workspaces|WORKSPACES|inputs\.workspaces)[.\[][^)]*\)"),
    re.compile(r"\$\((?:result\.[\w-]+\.path|task\.[\w-]+\.results\.[^)]*)\)"),
    # {{ params.X }}, $[params.X], %(params.X): other tools' templates
    re.compile(r"\{\{-?\s*\$?(?:params|workspaces|tasks|inputs|parameters)\.[^}]*\}\}"),
    re.compile(r"\$\[(?:params|workspaces|tasks)\.[^\]]*\]|%\((?:params|workspaces)\.[^)]*\)"),
    _BARE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reference:
    """One substitution: its text, the word it begins with, and the names after it.

    `index` is the array index (`*` for all of it), None for a plain reference.
    """

    text: str
    scope: str
    names: tuple[str, ...]
    index: str | None = None

    @property
    def name(self) -> str:
        """The first name: the parameter, workspace, result or task that is meant."""
        return self.names[0] if self.names else ""

    @property
    def key(self) -> str:
        """One spelling for all syntaxes: `params.IMAGE`, `workspaces.source.path`."""
        return ".".join((self.scope, *self.names)) + (f"[{self.index}]" if self.index is not None else "")


def references(text: str) -> list[Reference]:
    """Return the substitutions that Tekton makes or refuses in a text, in their order."""
    found = []
    for match in _REFERENCE.finditer(text):
        reference = _parse(match[0], match[1])
        if reference is not None:
            found.append(reference)
    return found


def mistaken(text: str, *, script: bool = False) -> list[str]:
    """Return the parts of a text that look like a variable but reach the program as they are.

    In a script, comments are passed over, and words without any sign around them are only words.
    """
    found: list[tuple[int, str]] = []
    if script:
        text = _COMMENT.sub("", text)
    for pattern in _MISTAKES:
        if script and pattern is _BARE:
            continue
        for match in pattern.finditer(text):
            if not any(start <= match.start() < start + len(part) for start, part in found):
                found.append((match.start(), match[0]))
    return [part for _, part in sorted(found)]


def fill(text: str, known: Mapping[str, str | None]) -> str:
    """Substitute: keys as of `Reference.key`; None stands for a value not known before the run.

    A reference that `known` does not hold stays as it is written, as it does in Tekton.
    """

    def value(match: re.Match[str]) -> str:
        reference = _parse(match[0], match[1])
        if reference is None or reference.key not in known:
            return match[0]
        text = known[reference.key]
        return token(reference.key) if text is None else text

    return _REFERENCE.sub(value, text)


def packed(items: Iterable[str]) -> str:
    """Return an array's items as one value for `fill`; `unpacked` takes them apart again."""
    return _ITEM + "".join(item + _ITEM for item in items)


def unpacked(word: str) -> list[str]:
    """Return the words that stand where a word stood before `fill`: an array's items, or the word."""
    return word.split(_ITEM)[1:-1] if word.startswith(_ITEM) else [word]


def token(key: str) -> str:
    """Return the stand-in for a value that is not known yet.

    A key with a sign before it: `$X` is the shell's, `!…` stays as it is written, `?X` is never set.
    """
    return f"{_OPEN}{key}{_CLOSE}"


def tokens(text: str) -> list[str]:
    """Return the keys of the values a text stands for in part."""
    return _TOKEN.findall(text)


def shown(text: str) -> str:
    """Return the text as a person would write it, tokens as the variables they stand for."""
    return _TOKEN.sub(lambda match: _shown(match[1]), text)


def _shown(key: str) -> str:
    if key[:1] == "?":
        return f"${key[1:]}"
    return key.removeprefix("!") if key[:1] in "$!" else f"$({key})"


def _parse(text: str, inner: str) -> Reference | None:
    if inner.startswith("inputs.params"):
        inner = inner.removeprefix("inputs.")
    head = re.match(r"[A-Za-z]+", inner)
    if head is None or head[0] not in SCOPES:
        return None
    scope, position = head[0], head.end()
    names: list[str] = []
    index: str | None = None
    while position < len(inner):
        part = _ACCESSOR.match(inner, position)
        if part is None or index is not None:
            return None
        if part[4] is not None:
            index = part[4]
        else:
            names.append(part[1] or part[2] or part[3])
        position = part.end()
    return Reference(text, scope, tuple(names), index) if names else None
