"""The arithmetic of an error budget, and finding its three numbers in what a student wrote.

Two months are in use: 30 days, and the mean month of 30.436875 days from which the statement's
43 min 49 s come. Either will do, if all numbers are of the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from workshop.prose.markdown import Line, Section, folded, plain, sections, statements
from workshop.prose.quantities import Quantity, quantities

Topic = Literal["total", "remaining", "percentage"]
TOPICS: Final[tuple[Topic, ...]] = ("total", "remaining", "percentage")
USED: Final = 15.0
MINUTES: Final = 0.1
POINTS: Final = 0.5
DAYS: Final = (30.0, 30.436875)

_REMAINING: Final = re.compile(
    r"\brest(?:e|es|ant|ants|ante|antes|ait|era|eront)\b|\bremain|\bleft\b|\bsolde\b|disponible"
)
_CONSUMED: Final = re.compile(r"consomm|utilis|consum|\bused\b|\bspent\b|depens|deja")
_TOTAL: Final = re.compile(r"\btotal|budget|\ballowed\b|autoris|toler|\bmax")
_WHOLE: Final = re.compile(r"\btotal|\ballowed\b|autoris")
_PERCENTAGE: Final = re.compile(r"pourcent|pour cent|percent|per cent|%|\bpart\b")
_EXTRA: Final = re.compile(
    r"supplementaire|additional|\bextra\b|\bmore\b|\bde plus\b|\+ ?30\b|depass|overr|overs|exceed"
    r"|epuis|exhaust|negati|viol|availab|\b45\b"
)
_NUMBERING: Final = re.compile(
    r"^\s*(?:[-*+•>]\s+)*(?:\(?\d{1,2}[.)]\s+|Q\d\b|question \d)?\s*(?:\[[ xX]?\]\s*)?", re.IGNORECASE
)
# The fourth answer, where answers go by their numbers: its minutes are none of the first three.
_FOURTH: Final = re.compile(r"^[\s#>|*+•-]*(?:q(?:uestion)?\s?)?4\s?(?:[.):|]|$)", re.IGNORECASE)
_BULLET: Final = re.compile(r"(\s*)(?:[-*+•]|\d{1,2}[.)])\s")
# Who mentions the number of the statement does not yet answer with it.
_QUOTED: Final = re.compile(r"\benonce|\bstatement|\bconsigne|\bsujet\b")
_PARENTHESES: Final = re.compile(r"\([^()]{0,200}\)")
_OPERATOR: Final = re.compile(
    r"[\s()\[\]]*(?:[-−–+×x*/÷]|(?P<word>sur|of|de)|moins|fois|minus|times)[\s()\[\]]*", re.IGNORECASE
)
# Without a result behind it, “28 minutes of 43” is no calculation: the 28 are what is said.
_RESULT: Final = re.compile(
    r"[^\d\n]{0,20}(?:[=≈→]|->|\bsoit\b|\bdonc\b|\bis\b|\bgives?\b|\bdonne\b)", re.IGNORECASE
)
# Numbers of the statement itself: never an answer where anything else is given.
_GIVEN_MINUTES: Final = (15.0, 30.0, 45.0, 43_200.0, 43_829.1)
_GIVEN_PLAIN: Final = (
    *_GIVEN_MINUTES,
    24.0,
    60.0,
    100.0,
    0.001,
    0.1,
    99.9,
    0.999,
    1.0,
    1440.0,
    720.0,
    3600.0,
)
_GIVEN_PERCENT: Final = (99.9, 0.1, 100.0)


def right(topic: Topic, days: float) -> float:
    """Return the number asked for, in minutes or per cent, for a month of so many days."""
    total = days * 24 * 60 * 0.001
    return {"total": total, "remaining": total - USED, "percentage": (total - USED) / total * 100}[topic]


def tolerance(topic: Topic) -> float:
    """Return how far off an answer may be: minutes or points."""
    return POINTS if topic == "percentage" else MINUTES


def fits(topic: Topic, quantity: Quantity, days: float) -> bool:
    """Whether a quantity is the number asked for; a share of 1 (0.6528) is as good as per cent."""
    if quantity.dimension not in (_dimension(topic), "plain"):
        return False
    if quantity.near(right(topic, days), tolerance(topic)):
        return True
    share = topic == "percentage" and quantity.dimension == "plain"
    return share and quantity.near(right(topic, days) / 100, POINTS / 100)


class Given(NamedTuple):
    """The numbers a student gives for one question; `line` is where the first stands, None in an answer."""

    topic: Topic
    quantities: tuple[Quantity, ...]
    line: int | None
    shown: str

    def right_for(self) -> list[float]:
        """Return the lengths of month for which one of the numbers is right."""
        return [days for days in DAYS if any(fits(self.topic, each, days) for each in self.quantities)]

    def in_another_unit(self) -> bool:
        """Whether one of the numbers would be right if only its unit were."""
        return any(
            each.near(right(self.topic, days), tolerance(self.topic))
            for each in self.quantities
            for days in DAYS
        )

    def says(self, *values: float, slack: float = 0.011) -> bool:
        """Whether one of the numbers is close to one of these values (relative, 1 % by default)."""
        return any(
            each.near(value, max(abs(value) * slack, 1e-4)) for each in self.quantities for value in values
        )


def typed(topic: Topic, text: str) -> Given:
    """Return the number of an answer that was typed into its own field."""
    found = quantities(plain(text))
    wanted = [each for each in found if each.dimension in (_dimension(topic), "plain")]
    results = _results(plain(text), wanted or found, ())
    return Given(topic, tuple(results), None, text.strip()[:80])


def written(topic: Topic, text: str) -> Given | None:
    """Return the numbers a text gives for a question; None when it gives none.

    A statement that names the question itself outranks one that merely stands under its heading.
    """
    found: list[tuple[Line, list[Quantity], bool]] = []
    for line, topics, named in _by_topic(text):
        if topic in topics:
            results = _answers(topic, line.text)
            # “28 minutes remain of 43” is about minutes, though per cent may remain as well.
            sure = topics == {topic} or any(each.dimension == _dimension(topic) for each in results)
            if results:
                found.append((line, results, named and sure))
    for section in sections(text):
        # A heading may hold the answer itself; a number that is not it is taken for part of the question.
        results = _answers(topic, section.title) if topic in _of_title(section) else []
        if _any_right(topic, results) and not section.title.rstrip().endswith("?"):
            found.append((Line(section.number, section.title), results, True))
    # A number of the statement, “43,200 minutes a month”, answers only where nothing else does.
    found = [each for each in found if not _all_given(each[1])] or found
    outspoken = [each for each in found if each[2]] or found
    good = [each for each in outspoken if _any_right(topic, each[1])]
    chosen = [(line, results) for line, results, _ in good or outspoken]
    if not good and not any(each.dimension == _dimension(topic) for _, results in chosen for each in results):
        chosen = list(_in_another_unit(topic, text)) or list(_anywhere(topic, text)) or chosen
    if not chosen:
        return None
    everything = tuple(quantity for _, each in chosen for quantity in each)
    return Given(topic, everything, chosen[0][0].number, chosen[0][0].text.strip()[:120])


def _all_given(found: Sequence[Quantity]) -> bool:
    given = {"percent": _GIVEN_PERCENT, "plain": _GIVEN_PLAIN}
    return all(
        any(each.near(value, 1e-6) for value in given.get(each.dimension, _GIVEN_MINUTES)) for each in found
    )


def _any_right(topic: Topic, found: Sequence[Quantity]) -> bool:
    return any(fits(topic, each, days) for each in found for days in DAYS)


def _in_another_unit(topic: Topic, text: str) -> Iterator[tuple[Line, list[Quantity]]]:
    """Yield what stands under the heading of a question and of no other, in a unit that answers none."""
    for line, topics, named in _by_topic(text):
        if topics == {topic} and not named:
            results = _results(line.text, quantities(_NUMBERING.sub("", line.text, count=1)), ())
            if results:
                yield line, results


def _anywhere(topic: Topic, text: str) -> Iterator[tuple[Line, list[Quantity]]]:
    """Yield right numbers that stand under no word of their question."""
    for section in sections(text):
        for line in statements(section.lines):
            results = [each for each in _answers(topic, line.text) if _any_right(topic, [each])]
            # Only with a unit: a bare 28.2 in a calculation is no answer yet.
            results = [each for each in results if each.dimension == _dimension(topic)]
            # “The month has 43,200 minutes” says nothing about the budget.
            results = [each for each in results if not any(each.near(v, 1e-6) for v in _GIVEN_MINUTES)]
            if results:
                yield line, results


def _by_topic(text: str) -> Iterator[tuple[Line, set[Topic], bool]]:
    """Yield statements, what they are about, and whether their own words say so (not only the heading)."""
    for section in sections(text):
        for line, above, fourth in _with_what_is_above(section):
            if line.text.rstrip().endswith("?"):
                continue
            if _QUOTED.search(folded(line.text)):
                # An aside in parentheses leaves what stands before it an answer.
                line = Line(line.number, _PARENTHESES.sub(" ", line.text))
            if _QUOTED.search(folded(line.text)):
                continue
            topics = _topics(line.text)
            if fourth and (topics is None or topics == {"total"}) and not _WHOLE.search(folded(line.text)):
                continue
            yield line, topics if topics is not None else above, topics is not None


def _with_what_is_above(section: Section) -> Iterator[tuple[Line, set[Topic], bool]]:
    """Yield statements, what the item above or else the heading is about, and whether it is the fourth."""
    items: list[tuple[int, set[Topic]]] = []
    for line in section.lines:
        bullet = _BULLET.match(line.text)
        if bullet or not line.text.startswith(" "):
            indent = len(bullet[1]) if bullet else 0
            items = [each for each in items if each[0] < indent]
        above = items[-1][1] if items else _of_title(section)
        for statement in statements([line]):
            yield statement, above, bool(_FOURTH.match(line.text) or _FOURTH.match(section.title))
        if bullet:
            own = None if quantities(_NUMBERING.sub("", line.text, count=1)) else _topics(line.text)
            items.append((len(bullet[1]), above if own is None else own))


def _of_title(section: Section) -> set[Topic]:
    return _topics(section.title) or set()


def _topics(text: str) -> set[Topic] | None:
    """Return what a statement is about: None when its words do not say, empty for something else."""
    words = folded(text).replace("_", " ")
    if _EXTRA.search(words):
        return set()
    if _REMAINING.search(words):
        return {"remaining", "percentage"}
    if _CONSUMED.search(words):
        return set()
    if _PERCENTAGE.search(re.sub(r"\d[\d.,\s]*%", "", words)):
        return {"percentage"}
    if _TOTAL.search(words):
        return {"total"}
    return None


def _dimension(topic: Topic) -> str:
    return "percent" if topic == "percentage" else "time"


def _answers(topic: Topic, text: str) -> list[Quantity]:
    """Return the numbers of a statement that are results: no operands, nothing the statement gave."""
    bare = _NUMBERING.sub("", text, count=1)
    outside = _PARENTHESES.sub(lambda match: " " * len(match[0]), bare)
    # What the statement gave is an answer only where nothing else stands.
    for given_too in (False, True):
        for each in (outside, bare):
            # What is below zero answers the fourth question.
            found = [quantity for quantity in quantities(each) if max(quantity.values) >= 0]
            wanted = [quantity for quantity in found if quantity.dimension == _dimension(topic)]
            unitless = [quantity for quantity in found if quantity.dimension == "plain"]
            for candidates in (wanted, unitless):
                results = _results(each, candidates, _others(topic), given_too=given_too)
                if results:
                    return results
    return []


def _others(topic: Topic) -> tuple[float, ...]:
    """Return the right numbers of the other questions: they may stand beside the answer."""
    return tuple(right(other, days) for other in TOPICS for days in DAYS if other != topic)


def _results(
    text: str, candidates: Sequence[Quantity], others: Sequence[float], *, given_too: bool = True
) -> list[Quantity]:
    everything = quantities(text)
    operands = set()
    for left, following in pairwise(everything):
        operator = _OPERATOR.fullmatch(text[left.end : following.start])
        if operator and (operator["word"] is None or _RESULT.match(text, following.end)):
            operands |= {left.start, following.start}
    free = [each for each in candidates if each.start not in operands]
    given = {"percent": _GIVEN_PERCENT, "plain": _GIVEN_PLAIN}
    new = [
        each
        for each in free
        if not any(each.near(v, 1e-6) for v in given.get(each.dimension, _GIVEN_MINUTES))
    ]
    own = [each for each in new if not any(each.near(other, 0.02) for other in others)]
    return own or new or (free if given_too else [])


def nothing_worked_out(text: str) -> bool:
    """Whether a text holds no number but those of the statement."""
    known = {*_GIVEN_PLAIN, *_GIVEN_PERCENT, 43 + 49 / 60, 3.0, 2.0, 4.0}
    return not any(
        not any(each.near(value, 1e-6) for value in known)
        for section in sections(text)
        for line in section.lines
        for each in quantities(_NUMBERING.sub("", line.text, count=1))
        if each.dimension != "days"
    )
