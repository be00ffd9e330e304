"""What `test` and `[ … ]` answer, as far as the values are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from workshop.tekton.variables import tokens


class _Unknown:
    """The answer depends on a file or on a value of the run."""


UNKNOWN: Final = _Unknown()
Answer = bool | _Unknown

_NUMBERS: Final[dict[str, Callable[[int, int], bool]]] = {
    "-eq": int.__eq__,
    "-ne": int.__ne__,
    "-gt": int.__gt__,
    "-ge": int.__ge__,
    "-lt": int.__lt__,
    "-le": int.__le__,
}


def evaluate(words: Sequence[str]) -> Answer:
    """Return the answer to the words between the brackets."""
    for operator in ("||", "-o", "&&", "-a"):
        if operator in words[1:-1]:
            place = list(words).index(operator)
            return _both(operator, evaluate(words[:place]), evaluate(words[place + 1 :]))
    match list(words):
        case []:
            return False
        case ["!", *rest]:
            answer = evaluate(rest)
            return answer if isinstance(answer, _Unknown) else not answer
        case [word]:
            return UNKNOWN if tokens(word) else bool(word)
        case ["-z", word]:
            return UNKNOWN if tokens(word) else not word
        case ["-n", word]:
            return UNKNOWN if tokens(word) else bool(word)
        case [left, "=" | "==", right]:
            return UNKNOWN if tokens(left + right) or "*" in right else left == right
        case [left, "!=", right]:
            return UNKNOWN if tokens(left + right) or "*" in right else left != right
        case [left, operator, right] if operator in _NUMBERS:
            if left.lstrip("-").isdecimal() and right.lstrip("-").isdecimal():
                return _NUMBERS[operator](int(left), int(right))
    return UNKNOWN


def _both(operator: str, left: Answer, right: Answer) -> Answer:
    decisive = operator in ("||", "-o")
    if left is decisive or right is decisive:
        return decisive
    if isinstance(left, _Unknown) or isinstance(right, _Unknown):
        return UNKNOWN
    return not decisive
