"""3.4 – what a probe of a chaos experiment measures, and whether it is content for the right reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from workshop.checking import Text

Path = tuple[str | int, ...]
_TYPES: Final = ("httpProbe", "promProbe", "cmdProbe", "k8sProbe", "sloProbe")
_MODES: Final = ("SOT", "EOT", "Edge", "Continuous", "OnChaos")
_CRITERIA: Final = ("==", "!=", "oneOf")
_CODE: Final = re.compile(r"(?<!\d)[1-5]\d\d(?![\w])")
_FINE: Final = re.compile(r"2\d\d")
_SUCCESS: Final = re.compile(r"success", re.IGNORECASE)
#: The hypothesis of the statement, as a ratio; a percentage is a hundred times as much.
_HYPOTHESIS: Final = 0.99


@dataclass(frozen=True)
class Shortcoming:
    """What keeps a probe from deciding on the hypothesis: a stable id, what would do, and where it stands."""

    id: str
    expected: str | Text
    observed: str | Text
    next: Text
    path: Path


def shortcomings(probe: object) -> Iterator[Shortcoming]:
    """Yield what a probe lacks."""
    given = probe if isinstance(probe, dict) else {}
    kind, mode = given.get("type"), given.get("mode")
    if mode not in _MODES:
        yield Shortcoming(
            "probe-without-mode",
            "mode: Continuous",
            f"mode: {mode or '–'}",
            Text("Without a mode nobody knows when to measure: during the chaos is what counts."),
            ("mode",),
        )
    inputs = given.get(f"{kind}/inputs")
    if kind not in _TYPES or not isinstance(inputs, dict) or not inputs:
        yield Shortcoming(
            "probe-without-inputs",
            "type: httpProbe, httpProbe/inputs: …",
            ", ".join(map(str, given)) or Text("an empty probe"),
            Text("A probe needs its type and, below a key of that type, what it asks."),
            (),
        )
        return
    path = (f"{kind}/inputs",)
    if kind == "httpProbe":
        yield from _of_http(inputs, path)
    elif kind == "promProbe":
        yield from _of_prometheus(inputs, path)


def _of_http(inputs: dict[str, Any], path: Path) -> Iterator[Shortcoming]:
    methods = inputs.get("method")
    calls = methods if isinstance(methods, dict) else {}
    name = next((each for each in ("get", "post") if isinstance(calls.get(each), dict)), None)
    call = calls[name] if name else {}
    criteria, code = str(call.get("criteria") or ""), str(call.get("responseCode") or "")
    if not inputs.get("url") or criteria not in _CRITERIA or not _CODE.search(code):
        yield Shortcoming(
            "probe-asks-nothing",
            "url, method.get.criteria, method.get.responseCode",
            f"url: {inputs.get('url') or '–'}, criteria: {criteria or '–'}, responseCode: {code or '–'}",
            Text("Say which address is asked and which answer is a good one."),
            path,
        )
        return
    fine = bool(_FINE.search(code))
    if (criteria == "==" and not fine) or (criteria == "!=" and fine):
        yield Shortcoming(
            "probe-inverted",
            'criteria: "==", responseCode: "200"',
            f'criteria: "{criteria}", responseCode: "{code}"',
            Text("As written, the probe is content when the service fails."),
            (*path, "method", name or "get"),
        )


def _of_prometheus(inputs: dict[str, Any], path: Path) -> Iterator[Shortcoming]:
    found = inputs.get("comparator")
    comparator = found if isinstance(found, dict) else {}
    criteria, value = str(comparator.get("criteria") or ""), str(comparator.get("value") or "")
    query = inputs.get("query") or inputs.get("queryPath")
    if not inputs.get("endpoint") or not query or not criteria or not value:
        yield Shortcoming(
            "probe-asks-nothing",
            "endpoint, query, comparator.criteria, comparator.value",
            ", ".join(inputs) or "–",
            Text("Say which Prometheus is asked what, and which answer is a good one."),
            path,
        )
        return
    if not _SUCCESS.search(str(query)):
        return
    if criteria in ("<", "<=", "!="):
        yield Shortcoming(
            "probe-inverted",
            'criteria: ">="',
            f'criteria: "{criteria}"',
            Text("As written, the probe is content when the service fails."),
            (*path, "comparator", "criteria"),
        )
    elif (threshold := _number(value)) is not None and threshold < _HYPOTHESIS:
        yield Shortcoming(
            "probe-too-lax",
            Text("a success rate above 99 %"),
            f'value: "{value}"',
            Text("The hypothesis asks for more: compare the value with it."),
            (*path, "comparator", "value"),
        )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
