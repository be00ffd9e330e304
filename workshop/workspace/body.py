"""Where the content of a scalar begins in the text it was written in."""

from __future__ import annotations

from workshop.workspace.nodes import Scalar


def body_place(text: str, scalar: Scalar) -> int:
    """Return the index in `text` of the first character of the scalar's content.

    Of a block scalar: of the first line below its header, after the indentation that YAML removes.
    """
    if scalar.style in ("'", '"'):
        return scalar.start + 1
    if scalar.style not in ("|", ">"):
        return scalar.start
    begin = text.find("\n", scalar.start, scalar.end) + 1
    if begin == 0:
        return scalar.start
    # Blank lines at the beginning are content, but they do not show the indentation.
    indent, line = 0, begin
    while line < scalar.end:
        end = text.find("\n", line, scalar.end)
        end = scalar.end if end < 0 else end
        written = text[line:end]
        if written.strip(" "):
            indent = _stripped(written, scalar.value)
            break
        line = end + 1
    return begin + indent if text[begin : begin + indent].strip(" ") == "" else begin


def _stripped(written: str, value: object) -> int:
    """Return how many columns of a line are indentation: what the value does not have of it."""
    first = next((line for line in str(value).split("\n") if line.strip(" ")), "")
    spaces, kept = len(written) - len(written.lstrip(" ")), len(first) - len(first.lstrip(" "))
    return max(0, spaces - kept)
