"""Command-line flags as Go programs (pflag, cobra) read them."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from workshop.tekton.variables import tokens


@dataclass(slots=True)
class Flags:
    """Flags by their long name with every value given, and the words that are none."""

    values: dict[str, list[str]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    def last(self, name: str) -> str | None:
        """Return the value that counts: the last one; None where the flag is not given."""
        given = self.values.get(name)
        return given[-1] if given else None

    def strays(self, key: str, *, but: Set[str] = frozenset()) -> list[str]:
        """Return the values that stand for `key` and seem to belong to a flag.

        A switch that is not known takes the word behind it for its value; `but` names flags that
        really take one.
        """
        return [
            value
            for name, values in self.values.items()
            if name not in but
            for value in values
            if key in tokens(value)
        ]

    def is_on(self, name: str) -> bool | None:
        """Return what a switch says, None where it is not given."""
        value = self.last(name)
        return None if value is None else value.lower() in ("true", "1", "t", "")


def read_flags(
    arguments: Sequence[str], *, switches: Set[str], short: dict[str, str], single_dash: bool = False
) -> Flags:
    """Read the words after the program's name.

    `switches` are the flags that take no word of their own; `short` maps one-letter flags to their
    long names; `single_dash` reads `-name` like `--name`, as Go's own flag package does.
    """
    flags = Flags()
    index = 0
    while index < len(arguments):
        word = arguments[index]
        index += 1
        if word == "--":
            flags.words.extend(arguments[index:])
            break
        if not word.startswith("-") or word == "-":
            flags.words.append(word)
            continue
        if word.startswith("--") or (single_dash and len(word) > 2):
            name, equals, value = word.lstrip("-").partition("=")
        elif word[1] in short:
            name, rest = short[word[1]], word[2:]
            if name in switches:
                flags.values.setdefault(name, []).append("true")
                for letter in rest:
                    flags.values.setdefault(short.get(letter, letter), []).append("true")
                continue
            equals, value = ("=", rest.removeprefix("=")) if rest else ("", "")
        else:
            # `-severity` is no `--severity`: the dash stays, so that no long flag is taken for given.
            name, equals, value = (word if len(word) > 2 else word[1:]).partition("=")
        if not equals:
            if name in switches:
                value = "true"
            elif index < len(arguments):
                value = arguments[index]
                index += 1
        flags.values.setdefault(name, []).append(value)
    return flags
