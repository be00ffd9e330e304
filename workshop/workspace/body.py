"""Where the lines of a scalar's text stand in the file it was written in."""

from __future__ import annotations

from workshop.workspace.nodes import Scalar


def line_places(text: str, scalar: Scalar) -> list[int]:
    """Return the index in `text` at which each line of the scalar's value begins.

    Exact for literal blocks and for what is written on one line; of a folded block the line it was
    folded from; of a quoted text of several lines, where it begins.
    """
    lines = scalar.text.split("\n")
    if not scalar.text:
        return [scalar.start]
    if scalar.style not in ("|", ">"):
        return [scalar.start + len(scalar.style)] * len(lines)
    begin = text.find("\n", scalar.start, scalar.end) + 1
    if begin == 0:
        return [scalar.start] * len(lines)
    written = _written_lines(text, begin, scalar.end)
    indent = _indentation([line for _, line in written], lines)
    starts = [start + min(indent, len(line) - len(line.lstrip(" "))) for start, line in written]
    if scalar.style == ">" and starts:
        starts = _folded(starts, [line.strip() for _, line in written], lines)
    last = starts[-1] if starts else begin
    return (starts + [last] * len(lines))[: len(lines)]


def _written_lines(text: str, begin: int, end: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    while begin < end:
        stop = text.find("\n", begin, end)
        stop = end if stop < 0 else stop
        found.append((begin, text[begin:stop]))
        begin = stop + 1
    return found


def _indentation(written: list[str], lines: list[str]) -> int:
    """Return how many columns YAML removed: what the first written line has more than the value's."""
    first_written = next((line for line in written if line.strip(" ")), "")
    first = next((line for line in lines if line.strip(" ")), "")
    return max(0, _leading(first_written) - _leading(first))


def _leading(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _folded(starts: list[int], written: list[str], lines: list[str]) -> list[int]:
    """Return for each line of the value the start of the written line it begins with."""
    found: list[int] = []
    at = 0
    for line in lines:
        missing = len(line.strip())
        while missing and at < len(written) and not written[at]:
            at += 1
        found.append(starts[min(at, len(starts) - 1)])
        while missing > 0 and at < len(written):
            missing -= len(written[at]) + 1
            at += 1
    return found
