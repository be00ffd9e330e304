"""``x.orValue(y)`` as the engines have it: x need not be optional, and Kyverno evaluates y in any case."""

from __future__ import annotations

from workshop.kyverno.cel.tokens import CLOSING, Token, ends_value, partner, tokens


def depends_on_its_argument(source: str) -> bool:
    """Is there an orValue whose argument is more than literals, so that it may fail?"""
    found = tokens(source)
    spans = [found[index + 2 : partner(found, index + 1)] for index in _calls(found)]
    return any(token.kind == "name" and token.text != "null" for span in spans for token in span)


def _calls(found: list[Token]) -> list[int]:
    return [
        index
        for index, token in enumerate(found)
        if token.text == "orValue" and found[index - 1].text == "." and found[index + 1].text == "("
    ]


def with_plain_receivers(source: str, *, eager: bool) -> str:
    """The expression with every orValue made to take any receiver, which is named to be looked at twice.

    `eager`: the argument is evaluated first, as the element of a list.
    """
    found = tokens(source)
    before: dict[int, str] = {}
    after: dict[int, str] = {}
    dropped: set[int] = set()
    for index in _calls(found):
        name, start, end = f"or{index}__", _start(found, index - 2), partner(found, index + 1)
        # What begins at the same place and ends later stands outside.
        before[start] = f"cel.bind({name}, {before.get(start, '')}"
        if eager:
            before[index - 1] = ", ["
            dropped |= {index - 1, index, index + 1, end}
            choice = f"type({name}) == optional_type ? {name}.orValue(y__) : {name}"
            after[end] = f"].map(y__, {choice})[0])"
        else:
            before[index - 1] = f", type({name}) == optional_type ? {name}"
            after[end] = f" : {name})"
    pieces = []
    for index, token in enumerate(found):
        text = "" if index in dropped else token.text
        pieces += [before.get(index, ""), text, after.get(index, ""), " "]
    return "".join(pieces)


def _start(found: list[Token], index: int) -> int:
    """Where the chain of calls, indexes and fields begins that ends with this token."""
    while True:
        if found[index].text in CLOSING:
            index = partner(found, index)
            called = found[index].text == "(" and found[index - 1].kind == "name"
            indexed = found[index].text == "[" and ends_value(found, index - 1)
            if called or indexed:
                index -= 1
                if indexed:
                    continue
        if index < 2 or found[index - 1].text not in {".", ".?"} or not ends_value(found, index - 2):
            return index
        index -= 2
