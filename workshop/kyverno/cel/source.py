"""The text of an expression, made ready for the library: what cel-go and Kubernetes know beyond it.

Objects of mutations (``Object.spec{…}``), lists of one type, what is refused though it parses, and names that
stand for something else while an expression is checked or evaluated. Places lead back to the text as written.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from workshop.kyverno.cel.tokens import (
    CLOSING,
    LOOPS,
    NAMING,
    OPENING,
    CelSyntaxError,
    Token,
    ends_value,
    partner,
    tokens,
)

#: Functions whose argument of this number is a list of attestors: it is handed on as a text of their names.
_VERIFYING = {"verifyImageSignatures": 1, "verifyAttestationSignatures": 2}
_TEXTS_OF_PATCH = ("op", "from", "path")
_TYPES = {
    "text": "string",
    "int": "int",
    "uint": "uint",
    "double": "double",
    "bool": "bool",
    "bytes": "bytes",
}
_CONVERSIONS = frozenset(["duration", "timestamp", "int", "uint", "double", "bool"])
#: The key that says which object a map was written as.
TYPE_KEY = "$type"
#: What it says of a map that is written out, and of a map or list inside such a one.
MAP, PLAIN = "map", "plain"


@dataclass(frozen=True)
class Path:
    """A name that no macro binds, and what is plainly selected from it: ``request.kind.group``."""

    head: str
    fields: tuple[str, ...]
    #: The token after the path.
    after: str
    #: The path is the argument of has(): its last field is asked for, not read.
    presence: bool


@dataclass
class Prepared:
    """Text for the library, and what it is made of."""

    text: str = ""
    calls: set[str] = field(default_factory=set)
    #: A field is written between backquotes.
    quoted: bool = False
    #: What the library would take and cel-go does not.
    problems: list[str] = field(default_factory=list)
    #: Parts without variables that cel-go evaluates while it compiles, each with the error it gives.
    constants: list[tuple[str, str]] = field(default_factory=list)
    _places: list[tuple[int, int]] = field(default_factory=list)

    def write(self, text: str, start: int) -> None:
        """Append text that stands for what the source has at `start`."""
        self._places.append((len(self.text), start))
        self.text += text

    def source_offset(self, offset: int) -> int:
        """Where in the source a place of the text comes from."""
        index = bisect_right(self._places, (offset, 1 << 60)) - 1
        if index < 0:
            return 0
        begins, start = self._places[index]
        return start + offset - begins


@dataclass
class _Bracket:
    """An open bracket: what it is, and where its current entry began."""

    mark: str
    struct: str = ""
    literal: bool = False
    entry: int = 0
    closes: str = ""
    kind: str = ""
    attestors: int = 0


def prepared(
    source: str,
    stands_for: Callable[[Path], str | None],
    *,
    checking: bool,
    replaced: frozenset[str] = frozenset(),
) -> Prepared:
    """The text for the library; `stands_for` says what replaces the head of a path, None for nothing.

    `replaced`: methods of the library that ours stand in for, under a name of their own.
    """
    return _Writer(source, stands_for, replaced, checking=checking).run()


class _Writer:
    def __init__(
        self,
        source: str,
        stands_for: Callable[[Path], str | None],
        replaced: frozenset[str],
        *,
        checking: bool,
    ) -> None:
        self.source = source
        self.replaced = replaced
        self.tokens = tokens(source)
        self.stands_for = stands_for
        self.checking = checking
        self.result = Prepared()
        self.open: list[_Bracket] = []
        self.at = 0
        found = self.tokens
        self.bound = {
            found[index + place].text
            for index, token in enumerate(found)
            for place in (2, 4)
            if token.text in LOOPS | NAMING
            and [each.text for each in found[index + 1 : index + 2]] == ["("]
            and [each.text for each in found[index + place + 1 : index + place + 2]] == [","]
        }

    def run(self) -> Prepared:
        end = 0
        while (token := self.tokens[self.at]).kind != "end":
            self.result.write(self.source[end : token.start], end)
            self.step(token)
            end = self.tokens[self.at - 1].start + len(self.tokens[self.at - 1].text)
        self.result.write(self.source[end:], end)
        return self.result

    def text(self, offset: int) -> str:
        """The text of a token relative to the current one."""
        index = self.at + offset
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def put(self, text: str, count: int = 1) -> None:
        """Write what stands for the next `count` tokens, and go on behind them."""
        self.result.write(text, self.tokens[self.at].start)
        self.at += count

    def step(self, token: Token) -> None:
        bracket = self.open[-1] if self.open else None
        if token.text in OPENING and token.kind == "mark":
            literal = token.text == "{" or (token.text == "[" and not ends_value(self.tokens, self.at - 1))
            arguments = self.text(-1) == "(" and self.text(-2) == "format"
            bracket = _Bracket(token.text, literal=literal and not arguments, entry=self.at + 1)
            bracket.attestors = 0 if self.checking else _VERIFYING.get(self.text(-1), 0)
            self.open.append(bracket)
            self.put(token.text + self.plain(literal))
        elif token.text in CLOSING and token.kind == "mark" and bracket:
            self.end_entry(bracket)
            self.open.pop()
            self.put(f"{bracket.closes}{token.text}{')' if bracket.struct and self.checking else ''}")
        elif token.text == "," and bracket:
            self.end_entry(bracket)
            bracket.entry = self.at + 1
            bracket.attestors -= 1
            names = bracket.attestors == 0
            self.put(f"{bracket.closes},{'(' if names else ''}")
            bracket.closes = r").map(a__, string(a__)).join('\n')" if names else ""
        elif bracket and bracket.struct and self.at == bracket.entry + (self.text(-1) == "?"):
            self.field(token, bracket)
        elif token.kind == "name":
            self.name(token)
        else:
            self.result.quoted |= token.kind == "quoted"
            self.put(token.text)

    def plain(self, literal: bool) -> str:
        """What marks a map or list as written out, or inside another, in an object that is merged."""
        merged = any(bracket.struct.startswith("Object") for bracket in self.open)
        outer = self.open[-2] if len(self.open) > 1 else _Bracket("")
        inside = outer.literal and not outer.struct
        written = inside or (bool(outer.struct) and self.text(0) == "{")
        if not (literal and merged and written) or self.checking or self.text(-1) not in {":", ",", "["}:
            return ""
        end = partner(self.tokens, self.at)
        if self.text(end + 1 - self.at) not in {",", "]", "}"}:
            return ""
        marker = f"'{TYPE_KEY}':'{PLAIN if inside else MAP}',"
        return marker if self.text(0) == "{" else f"{{{marker}}},"

    def field(self, token: Token, bracket: _Bracket) -> None:
        """The name of a field of an object: a key of the map that stands for it."""
        if token.text == "?" and token.kind == "mark":
            self.put("?")
            return
        name = token.text.strip("`")
        if token.kind not in {"name", "quoted"} or self.text(1) != ":":
            raise CelSyntaxError(
                f"Syntax error: unexpected '{token.text or 'end'}' where a field is expected"
            )
        is_text = bracket.struct == "JSONPatch" and name in _TEXTS_OF_PATCH
        if bracket.struct == "JSONPatch" and name not in (*_TEXTS_OF_PATCH, "value"):
            self.result.problems.append(f"undefined field '{name}'")
        wrapped = is_text and self.checking and self.text(-1) != "?"
        bracket.closes = ")" if wrapped else ""
        self.put(f"'{name}':{'text__(' if wrapped else ''}", 2)

    def name(self, token: Token) -> None:
        before, after = self.text(-1), self.text(1)
        if after == "(":
            self.result.calls.add(token.text)
            self.constant(token)
        if before in {".", ".?"} and ends_value(self.tokens, self.at - 2):
            renamed = {"orValue"} if self.checking else self.replaced
            self.put(f"{token.text}__" if token.text in renamed and after == "(" else token.text)
            return
        count, fields = 1, []
        while self.text(count) == "." and self.tokens[self.at + count + 1].kind in {"name", "quoted"}:
            if self.text(count + 2) == "(":
                break
            fields.append(self.text(count + 1).strip("`"))
            count += 2
        if token.text in {"Object", "JSONPatch"} and self.text(count) == "{":
            self.struct(".".join([token.text, *fields]), count)
            return
        presence = before == "(" and self.text(-2) == "has" and self.text(count) == ")"
        path = Path(token.text, tuple(fields), self.text(count), presence)
        replaced = None if token.text in self.bound or after == "(" else self.stands_for(path)
        if replaced is not None and after == "." and replaced.endswith("?"):
            # A variable that holds an optional: the one element, or none, of a list.
            self.put(f"{token.text}.{fields[0]}[?0]", 3)
        else:
            self.put(token.text if replaced is None else replaced)

    def struct(self, name: str, count: int) -> None:
        """``Object.spec{``: a map that says what it is; to the checker, what a function makes of a map."""
        function = name if name in {"Object", "JSONPatch"} else "Part"
        opening = f"{function}__({{" if self.checking else f"{{'{TYPE_KEY}':'{name}',"
        self.open.append(_Bracket("{", struct=name, entry=self.at + count + 1))
        self.put(opening, count + 1)

    def constant(self, token: Token) -> None:
        """Remember a call on literals that cel-go makes while it compiles."""
        of_text = self.tokens[self.at + 2].kind == "text" and self.text(3) == ")"
        go_bool = token.text == "bool" and self.text(2)[1:-1].lower() in {"t", "f", "1", "0", "true", "false"}
        if token.text in _CONVERSIONS and of_text and self.text(-1) != "." and not go_bool:
            self.result.constants.append((f"{token.text}({self.text(2)})", f"invalid {token.text} argument"))
        if token.text == "matches" and of_text and self.text(-1) == ".":
            self.result.constants.append((f"''.matches({self.text(2)})", "invalid matches argument"))
        if token.text == "format" and self.text(-1) == "." and self.text(2) == "[":
            end = self.at + 3
            while self.tokens[end].kind in _TYPES or self.tokens[end].text == ",":
                end += 1
            if self.tokens[self.at - 2].kind == "text" and self.tokens[end].text == "]":
                begins, ends = self.tokens[self.at - 2].start, self.tokens[end].start
                self.result.constants.append((f"{self.source[begins:ends]}])", "error during formatting"))

    def end_entry(self, bracket: _Bracket) -> None:
        """The values of a list or map must be of one type, as far as that shows in the text."""
        if not bracket.literal or not self.checking:
            return
        entry = self.tokens[bracket.entry : self.at]
        if bracket.mark == "{":
            colon = next((i for i, token in enumerate(entry) if token.text == ":"), len(entry))
            entry = entry[colon + 1 :]
        kind = _plain_type(entry)
        if kind and bracket.kind and kind != bracket.kind:
            self.result.problems.append(f"expected type '{bracket.kind}' but found '{kind}'")
        bracket.kind = bracket.kind or kind


def _plain_type(entry: list[Token]) -> str:
    """The type of a literal or of something selected from the object; "" where only a checker can tell."""
    if entry and entry[0].text == "-":
        entry = entry[1:]
    if len(entry) == 1:
        return _TYPES.get(entry[0].kind, "")
    selected = all(token.kind in {"name", "quoted"} or token.text == "." for token in entry)
    return "dyn" if selected and entry and entry[0].text in {"object", "oldObject"} else ""
