"""From a script's text to its words, operators and redirections; here-documents are skipped."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from workshop.tekton.shell.syntax import Beyond, Piece, Redirect, Word

_OPERATORS: Final = re.compile(r"&&|\|\||;;|\|&|[;&|()\n]")
_REDIRECT: Final = re.compile(r"(\d*)(&>>|&>|>>|>\||>&|<&|<<<|<<-|<<|>|<)")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACED: Final = re.compile(r"(#?)([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])((?:[:%#/+=?-][^}]*)?)")


@dataclass(slots=True)
class Lexer:
    """Tokens: an operator as str, a redirection, or a word."""

    text: str
    place: int = 0
    heredocs: list[tuple[str, bool]] = field(default_factory=list)

    def tokens(self) -> list[str | Word | Redirect]:
        """Return all tokens. Raises Beyond."""
        found: list[str | Word | Redirect] = []
        while True:
            self._skip_blanks()
            if self.place >= len(self.text):
                return found
            operator = _OPERATORS.match(self.text, self.place)
            if operator and not self.text.startswith("&>", self.place):
                self.place = operator.end()
                found.append(operator[0])
                if operator[0] == "\n":
                    self._skip_heredocs()
                continue
            if redirect := _REDIRECT.match(self.text, self.place):
                self.place = redirect.end()
                self._skip_blanks()
                target = self._word()
                if redirect[2] in ("<<", "<<-"):
                    self.heredocs.append(("".join(piece.value for piece in target), redirect[2] == "<<-"))
                else:
                    found.append(Redirect(redirect[1], redirect[2], target))
                continue
            found.append(self._word())

    def _skip_blanks(self) -> None:
        while self.place < len(self.text):
            if self.text[self.place] in " \t\r":
                self.place += 1
            elif self.text.startswith("\\\n", self.place):
                self.place += 2
            elif self.text[self.place] == "#":
                end = self.text.find("\n", self.place)
                self.place = len(self.text) if end < 0 else end
            else:
                return

    def _skip_heredocs(self) -> None:
        for delimiter, tabs in self.heredocs:
            while True:
                if self.place >= len(self.text):
                    break
                end = self.text.find("\n", self.place)
                end = len(self.text) if end < 0 else end
                line = self.text[self.place : end]
                self.place = min(end + 1, len(self.text))
                if (line.lstrip("\t") if tabs else line) == delimiter:
                    break
        self.heredocs.clear()

    def _word(self) -> Word:
        pieces: list[Piece] = []
        plain: list[str] = []

        def flush() -> None:
            if plain:
                pieces.append(Piece("text", "".join(plain)))
                plain.clear()

        while self.place < len(self.text):
            character = self.text[self.place]
            if character in " \t\r\n;&|()<>":
                if character == "(" and plain and plain[-1][-1:] in "@?+*!":
                    raise Beyond("pattern")
                break
            if character == "\\":
                if not self.text.startswith("\\\n", self.place):
                    plain.append(self.text[self.place + 1 : self.place + 2])
                self.place += 2
            elif character == "'":
                end = self._find("'", self.place + 1)
                flush()
                pieces.append(Piece("text", self.text[self.place + 1 : end], quoted=True))
                self.place = end + 1
            elif character == '"':
                flush()
                self.place += 1
                pieces.extend(self._double_quoted())
            elif character in "$`":
                piece = self._expansion(quoted=False)
                if piece.kind == "text":
                    plain.append(piece.value)
                else:
                    flush()
                    pieces.append(piece)
            else:
                plain.append(character)
                self.place += 1
        flush()
        if not pieces:
            raise Beyond("a word was expected")
        return tuple(pieces)

    def _double_quoted(self) -> list[Piece]:
        pieces: list[Piece] = []
        plain: list[str] = []
        while True:
            if self.place >= len(self.text):
                raise Beyond("a quote is not closed")
            character = self.text[self.place]
            if character == '"':
                self.place += 1
                break
            if character == "\\":
                following = self.text[self.place + 1 : self.place + 2]
                plain.append(
                    following if following in '"\\$`' else "" if following == "\n" else "\\" + following
                )
                self.place += 2
            elif character in "$`":
                piece = self._expansion(quoted=True)
                if piece.kind != "text":
                    if plain:
                        pieces.append(Piece("text", "".join(plain), quoted=True))
                        plain.clear()
                    pieces.append(piece)
                else:
                    plain.append(piece.value)
            else:
                plain.append(character)
                self.place += 1
        if plain or not pieces:
            pieces.append(Piece("text", "".join(plain), quoted=True))
        return pieces

    def _expansion(self, *, quoted: bool) -> Piece:
        text, start = self.text, self.place
        if text[start] == "`":
            end = self._find("`", start + 1)
            self.place = end + 1
            return Piece("command", text[start + 1 : end], quoted)
        if text.startswith("$((", start):
            end = self._find("))", start + 3)
            self.place = end + 2
            return Piece("arithmetic", text[start + 3 : end], quoted)
        if text.startswith("$(", start):
            end = self._closing(start + 2)
            self.place = end + 1
            return Piece("command", text[start + 2 : end], quoted)
        if text.startswith("${", start):
            end = self._find("}", start + 2)
            braced = _BRACED.fullmatch(text[start + 2 : end])
            if braced is None or braced[1]:
                raise Beyond(text[start : end + 1])
            self.place = end + 1
            return Piece("variable", braced[2], quoted, braced[3])
        if name := _NAME.match(text, start + 1):
            self.place = name.end()
            return Piece("variable", name[0], quoted)
        if text[start + 1 : start + 2] and text[start + 1] in "0123456789@*#?$!-":
            self.place = start + 2
            return Piece("variable", text[start + 1], quoted)
        self.place += 1
        return Piece("text", "$", quoted)

    def _closing(self, start: int) -> int:
        """Return where the parenthesis that is open at `start` closes, quotes respected."""
        depth, place, quote = 1, start, ""
        while place < len(self.text):
            character = self.text[place]
            if character == "\\":
                place += 1
            elif quote:
                quote = "" if character == quote else quote
            elif character in "'\"":
                quote = character
            elif character == "(":
                depth += 1
            elif character == ")":
                depth -= 1
                if depth == 0:
                    return place
            place += 1
        raise Beyond("a parenthesis is not closed")

    def _find(self, what: str, start: int) -> int:
        place = self.text.find(what, start)
        if place < 0:
            raise Beyond(f"no closing {what}")
        return place
