"""From a script's words and operators to its commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from workshop.tekton.shell.lexing import Lexer
from workshop.tekton.shell.syntax import (
    Beyond,
    Block,
    Case,
    Chain,
    Function,
    If,
    Loop,
    Node,
    Piece,
    Pipeline,
    Redirect,
    Simple,
    Word,
)

_RESERVED: Final = frozenset({"then", "else", "elif", "fi", "do", "done", "esac", "}", "in"})
_SEPARATORS: Final = frozenset({";", "\n", "&"})
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\+?=")
_MAX_SCRIPT: Final = 64 * 1024
_MAX_DEEP: Final = 40


def parse(script: str) -> tuple[Chain, ...]:
    """Return the commands of a script. Raises Beyond."""
    if len(script) > _MAX_SCRIPT:
        raise Beyond("too long")
    return Parser(Lexer(script).tokens(), _MAX_DEEP).script()


def plain(word: Word) -> str | None:
    """Return the text of a word that is one unquoted text, None for any other."""
    return word[0].value if len(word) == 1 and word[0].kind == "text" and not word[0].quoted else None


@dataclass(slots=True)
class Parser:
    """Recursive descent over the tokens; `deep` bounds how far blocks may nest."""

    tokens: list[str | Word | Redirect]
    deep: int
    place: int = 0

    def script(self) -> tuple[Chain, ...]:
        """Return everything. Raises Beyond where something is left over."""
        body = self._list(frozenset())
        if self.place < len(self.tokens):
            raise Beyond("something does not belong here")
        return body

    # --- tokens ----------------------------------------------------------------------------------

    def _peek(self) -> str | Word | Redirect | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def _word(self) -> str | None:
        """Return the next token's text when it is a plain word, such as a reserved one."""
        token = self._peek()
        return plain(token) if isinstance(token, tuple) else None

    def _expect(self, word: str) -> None:
        if self._word() != word and self._peek() != word:
            raise Beyond(f"{word} expected")
        self.place += 1

    def _newlines(self) -> None:
        while self._peek() == "\n":
            self.place += 1

    # --- lists -----------------------------------------------------------------------------------

    def _list(self, ends: frozenset[str]) -> tuple[Chain, ...]:
        if self.deep <= 0:
            raise Beyond("too deep")
        self.deep -= 1
        found: list[Chain] = []
        while True:
            while self._peek() in (";", "\n"):
                self.place += 1
            token = self._peek()
            if token is None or token in (")", ";;") or self._word() in ends or (self._word() in _RESERVED):
                break
            chain = self._chain()
            if self._peek() == "&":
                chain = Chain(chain.parts, background=True)
            if self._peek() in _SEPARATORS:
                self.place += 1
            found.append(chain)
        self.deep += 1
        return tuple(found)

    def _chain(self) -> Chain:
        parts = [("", self._pipeline())]
        while (operator := self._peek()) in ("&&", "||"):
            self.place += 1
            self._newlines()
            parts.append((str(operator), self._pipeline()))
        return Chain(tuple(parts))

    def _pipeline(self) -> Pipeline:
        negated = False
        while self._word() == "!":
            negated = not negated
            self.place += 1
        if self._word() == "time":
            self.place += 1
        commands = [self._command()]
        while self._peek() in ("|", "|&"):
            self.place += 1
            self._newlines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated)

    # --- commands --------------------------------------------------------------------------------

    def _command(self) -> Node:
        if self._peek() == "(":
            self.place += 1
            body = self._list(frozenset())
            self._expect(")")
            return Block(body, subshell=True, redirects=self._redirects())
        match self._word():
            case "{":
                self.place += 1
                body = self._list(frozenset({"}"}))
                self._expect("}")
                return Block(body, redirects=self._redirects())
            case "if":
                return self._if()
            case "while" | "until":
                return self._while()
            case "for":
                return self._for()
            case "case":
                return self._case()
            case "select" | "coproc":
                raise Beyond(str(self._word()))
            case "function":
                self.place += 1
                return self._function(parentheses=False)
        if self._word() and self.tokens[self.place + 1 : self.place + 3] == ["(", ")"]:
            return self._function(parentheses=True)
        return self._simple()

    def _if(self) -> If:
        branches: list[tuple[tuple[Chain, ...], tuple[Chain, ...]]] = []
        otherwise: tuple[Chain, ...] = ()
        while self._word() in ("if", "elif"):
            self.place += 1
            condition = self._list(frozenset({"then"}))
            self._expect("then")
            branches.append((condition, self._list(frozenset({"elif", "else", "fi"}))))
        if self._word() == "else":
            self.place += 1
            otherwise = self._list(frozenset({"fi"}))
        self._expect("fi")
        return If(tuple(branches), otherwise, self._redirects())

    def _while(self) -> Loop:
        kind: Literal["while", "until"] = "while" if self._word() == "while" else "until"
        self.place += 1
        condition = self._list(frozenset({"do"}))
        return Loop(kind, self._body(), condition, redirects=self._redirects())

    def _for(self) -> Loop:
        self.place += 1
        variable = self._word() or ""
        if not _NAME.fullmatch(variable):
            raise Beyond("for")
        self.place += 1
        self._newlines()
        words: list[Word] | None = None
        if self._word() == "in":
            self.place += 1
            words = []
            while isinstance(token := self._peek(), tuple):
                words.append(token)
                self.place += 1
        while self._peek() in (";", "\n"):
            self.place += 1
        body = self._body()
        return Loop("for", body, (), variable, None if words is None else tuple(words), self._redirects())

    def _case(self) -> Case:
        self.place += 1
        word = self._peek()
        if not isinstance(word, tuple):
            raise Beyond("case")
        self.place += 1
        self._newlines()
        self._expect("in")
        arms: list[tuple[tuple[Word, ...], tuple[Chain, ...]]] = []
        while True:
            self._newlines()
            if self._word() == "esac":
                break
            if self._peek() == "(":
                self.place += 1
            patterns: list[Word] = []
            while isinstance(token := self._peek(), tuple):
                patterns.append(token)
                self.place += 1
                if self._peek() == "|":
                    self.place += 1
            self._expect(")")
            arms.append((tuple(patterns), self._list(frozenset({"esac"}))))
            if self._peek() == ";;":
                self.place += 1
        self._expect("esac")
        return Case(word, tuple(arms), self._redirects())

    def _body(self) -> tuple[Chain, ...]:
        self._expect("do")
        body = self._list(frozenset({"done"}))
        self._expect("done")
        return body

    def _function(self, *, parentheses: bool) -> Function:
        name = self._word() or ""
        self.place += 1
        if parentheses or self._peek() == "(":
            self._expect("(")
            self._expect(")")
        self._newlines()
        return Function(name, self._command())

    def _redirects(self) -> tuple[Redirect, ...]:
        found: list[Redirect] = []
        while isinstance(token := self._peek(), Redirect):
            found.append(token)
            self.place += 1
        return tuple(found)

    def _simple(self) -> Simple:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while isinstance(token := self._peek(), tuple | Redirect):
            self.place += 1
            if isinstance(token, Redirect):
                redirects.append(token)
            elif not words and (assigned := _assigned(token)):
                assignments.append(assigned)
            else:
                words.append(token)
        if not (assignments or words or redirects):
            raise Beyond("a command was expected")
        return Simple(tuple(assignments), tuple(words), tuple(redirects))


def _assigned(word: Word) -> tuple[str, Word] | None:
    first = word[0]
    if first.kind != "text" or first.quoted:
        return None
    match = _ASSIGNMENT.match(first.value)
    if match is None:
        return None
    rest = first.value[match.end() :]
    return match[1], ((Piece("text", rest),) if rest else ()) + word[1:]
