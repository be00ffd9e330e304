"""Numbers with their units as French and English speakers write them: `43,2 min`, `43 min 12 s`, `0.72 h`.

A comma or a point may separate decimals or thousands; where a number can be read both ways (`43,200`),
both readings are kept.
"""

from __future__ import annotations

import functools
import itertools
import re
from typing import Final, Literal, NamedTuple

_MAX_TEXT: Final = 4_000
_MARKS: Final = {ord("′"): "'", ord("’"): "'", ord("″"): '"', ord("”"): '"'}
_MAX_QUANTITIES: Final = 200
Dimension = Literal["time", "percent", "plain", "days"]
_NUMBER: Final = r"\d{1,3}(?:[  ]\d{3})+(?:[.,]\d{1,12})?|\d{1,12}(?:[.,]\d{1,12})*"
_HOURS: Final = r"(?:heures?|hours?|hrs?|h)"
_MINUTES: Final = r"(?:minutes?|mins?|mn|m|')"
_SECONDS: Final = r"(?:secondes?|seconds?|secs?|s|\"|'')"
_WORD_END: Final = r"(?![A-Za-zÀ-ÿ])"
_SIGN: Final = r"(?P<sign>(?<![\w)%.,])\s?[-−–]\s?)?"
_COMPOUND: Final = re.compile(
    rf"{_SIGN}(?:(?P<h>\d{{1,5}})\s?{_HOURS}\s?(?:et\s|and\s)?)?"
    rf"(?P<m>\d{{1,5}})\s?{_MINUTES}\s?(?:et\s|and\s)?(?P<s>\d{{1,2}}(?:[.,]\d{{1,6}})?)"
    rf"(?:\s?{_SECONDS}{_WORD_END}|(?![\w.,%]))",
    re.IGNORECASE,
)
_HOURS_MINUTES: Final = re.compile(
    rf"{_SIGN}(?P<h>\d{{1,5}})\s?{_HOURS}\s?(?:et\s|and\s)?(?P<m>\d{{1,2}})"
    rf"(?:\s?{_MINUTES}{_WORD_END}|(?![\w.,%]))",
    re.IGNORECASE,
)
# What a number below zero follows: “le budget passe à -1,8 minute”.
_BELONGS: Final = re.compile(r"(?<![\w'])(?:à|a|at|to|de|of|est|is|be|serait|sera|vaut)$", re.IGNORECASE)
_CLOCK: Final = re.compile(r"(?<![\d:])(?P<h>\d{1,2}):(?P<m>\d{2}):(?P<s>\d{2})(?![\d:])")
# 43:12 can be no time of day.
_MINUTES_SECONDS: Final = re.compile(r"(?<![\d:.,])(?P<m>2[4-9]|[3-9]\d):(?P<s>[0-5]\d)(?![\d:]|[.,]\d)")
_SIMPLE: Final = re.compile(
    rf"{_SIGN}(?<![\w.,])(?P<n>{_NUMBER})\s?"
    rf"(?:(?P<pc>%|pour\s?cent|percent|per cent)|(?P<hu>{_HOURS}){_WORD_END}|(?P<mu>{_MINUTES}){_WORD_END}"
    rf"|(?P<su>{_SECONDS}){_WORD_END}|(?P<du>jours?|days?|j|d){_WORD_END}|(?![\w]))",
    re.IGNORECASE,
)


class Quantity(NamedTuple):
    """A number in a text. `values` are its readings: minutes for times, per cent for percentages."""

    values: tuple[float, ...]
    dimension: Dimension
    start: int
    end: int

    def near(self, wanted: float, tolerance: float) -> bool:
        """Whether one of its readings is that value."""
        return any(abs(value - wanted) <= tolerance + 1e-9 for value in self.values)


def quantities(text: str) -> list[Quantity]:
    """Return the quantities of a line or sentence in their order. Times of day (14:00:05) are left out.

    Looks at the first 4,000 characters and 200 quantities: no sentence has more.
    """
    return list(_quantities(text[:_MAX_TEXT]))


# The same sentences are asked for one number after the other.
@functools.lru_cache(maxsize=256)
def _quantities(text: str) -> tuple[Quantity, ...]:
    # Typographic minutes and seconds: 43′12″ or 43’12”.
    text = text.translate(_MARKS)
    found: list[Quantity] = []
    taken = [(match.start(), match.end()) for match in _CLOCK.finditer(text)]
    for match in _CLOCK.finditer(text):
        hours, minutes, seconds = (float(match[name]) for name in "hms")
        if hours == 0:  # 00:43:12 is a duration, 14:00:05 a time of day
            total = minutes + seconds / 60
            found.append(Quantity((total,), "time", match.start(), match.end()))
    for pattern in (_MINUTES_SECONDS, _COMPOUND, _HOURS_MINUTES, _SIMPLE):
        for match in itertools.islice(pattern.finditer(text), _MAX_QUANTITIES):
            if any(
                match.start("n" if pattern is _SIMPLE else "m") < end and start < match.end()
                for start, end in taken
            ):
                continue
            taken.append((match.start(), match.end()))
            found.append(_simple(match) if pattern is _SIMPLE else _compound(match))
    return tuple(sorted(found, key=lambda each: each.start))


def _compound(match: re.Match[str]) -> Quantity:
    parts = match.groupdict()
    total = (
        60 * float(parts.get("h") or 0)
        + float(parts["m"])
        + float((parts.get("s") or "0").replace(",", ".")) / 60
    )
    start = match.start("h") if parts.get("h") else match.start("m")
    return Quantity((_sign(match) * total,), "time", start, match.end())


def _simple(match: re.Match[str]) -> Quantity:
    sign = _sign(match)
    readings = [sign * value for value in readings_of(match["n"])]
    dimension: Dimension = "plain"
    factor = 1.0
    if match["pc"]:
        dimension = "percent"
    elif match["du"]:
        dimension = "days"
    elif match["hu"] or match["mu"] or match["su"]:
        dimension = "time"
        factor = 60.0 if match["hu"] else 1.0 if match["mu"] else 1 / 60
    return Quantity(tuple(value * factor for value in readings), dimension, match.start("n"), match.end())


def _sign(match: re.Match[str]) -> float:
    """Return -1 for a minus sign, 1 where the dash subtracts from what stands before it or there is none."""
    if not match.groupdict().get("sign"):
        return 1.0
    before = match.string[: match.start()].rstrip()
    if _BELONGS.search(before):
        return -1.0
    return 1.0 if before[-1:].isalnum() or before[-1:] in (")", "%") else -1.0


def readings_of(number: str) -> list[float]:
    """Return what a written number may mean: `43,200` is 43.2 to some and 43200 to others."""
    digits = number.replace(" ", "")
    marks = re.findall(r"[.,]", digits)
    if not marks:
        return [float(digits)]
    if len(marks) > 1:
        last = marks[-1]
        other = "," if last == "." else "."
        if marks.count(last) > 1:
            return [float(digits.replace(last, "").replace(other, "."))] if other not in digits else []
        return [float(digits.replace(other, "").replace(last, "."))]
    decimal = float(digits.replace(",", "."))
    whole, _, rest = digits.replace(",", ".").partition(".")
    if len(rest) == 3 and 1 <= len(whole) <= 3 and whole != "0":
        return [decimal, float(whole + rest)]
    return [decimal]
