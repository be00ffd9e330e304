"""Reading Argo Rollouts: canary steps, durations, analyses and the conditions they end on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from workshop.workspace import Document, Position

ROLLOUT: Final = "Rollout.argoproj.io"
TEMPLATES: Final = ("AnalysisTemplate", "ClusterAnalysisTemplate")
PROVIDERS: Final = frozenset(
    {
        "prometheus", "datadog", "newRelic", "wavefront", "web", "job", "kayenta", "cloudWatch", "graphite",
        "influxdb", "skywalking", "plugin",
    }
)  # fmt: skip
_ARGUMENT: Final = re.compile(r"\{\{\s*args\.([\w-]{1,60})\s*\}\}")
_DURATION: Final = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?(?:ns|us|µs|ms|s|m|h))+")
_PART: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ns|us|µs|ms|s|m|h)")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: object) -> float | None:
    """Return a pause's duration in seconds: `2m`, `120s`, `1m30s`, `120`, `"120"`; None when it is none."""
    if isinstance(duration, int | float) and not isinstance(duration, bool):
        return float(duration)
    if not isinstance(duration, str):
        return None
    if re.fullmatch(r"\d{1,9}", duration):
        return float(duration)
    if not _DURATION.fullmatch(duration):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(duration))


class Step(NamedTuple):
    """One canary step: what it is (`setWeight`, `pause`, `analysis` …) and its content."""

    kind: str
    content: Any
    position: Position


STEP_KINDS: Final = frozenset(
    {
        "setWeight", "pause", "analysis", "experiment", "plugin", "setCanaryScale", "setHeaderRoute",
        "setMirrorRoute",
    }
)  # fmt: skip
#: What a Rollout may take its Pod template from.
WORKLOADS: Final = frozenset({("apps/v1", "Deployment"), ("apps/v1", "ReplicaSet"), ("v1", "PodTemplate")})


def invalid_steps(rollout: Document) -> list[Position]:
    """Return the places of steps that are not exactly one kind of step: the controller refuses them."""
    path = ("spec", "strategy", "canary", "steps")
    entries = rollout.get(*path)
    return [
        rollout.at(*path, index)
        for index, entry in enumerate(entries if isinstance(entries, list) else ())
        if not isinstance(entry, dict)
        or len([key for key in entry if key in STEP_KINDS and entry[key] is not None]) != 1
    ]


def canary_steps(rollout: Document) -> list[Step]:
    """Return the canary's steps in order; what is no step is left out."""
    path = ("spec", "strategy", "canary", "steps")
    entries = rollout.get(*path)
    return [
        Step(kind, entry[kind], rollout.at(*path, index, kind))
        for index, entry in enumerate(entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
        for kind in entry
    ]


class Analysis(NamedTuple):
    """A place where the rollout is analysed: the step of that index, or the background from it on."""

    templates: tuple[tuple[str, bool], ...]
    position: Position
    background: bool
    starting_step: int
    arguments: frozenset[str]
    dry_runs: tuple[str, ...] = ()


def analyses(rollout: Document) -> list[Analysis]:
    """Return the analyses of the canary: those in steps and the one in the background.

    A template is (name, whether it is cluster-wide); `arguments` are the names of those it gives a value,
    `dry_runs` the metrics it measures without minding them.
    """
    found = [
        Analysis(
            _templates(step.content),
            step.position,
            False,
            index,
            _named(step.content, valued=True),
            _dry_runs(step.content),
        )
        for index, step in enumerate(canary_steps(rollout))
        if step.kind == "analysis"
    ]
    path = ("spec", "strategy", "canary", "analysis")
    content = rollout.get(*path)
    if isinstance(content, dict):
        start = content.get("startingStep")
        start = start if isinstance(start, int) and not isinstance(start, bool) else 0
        named = _named(content, valued=True)
        trials = _dry_runs(content)
        found.append(Analysis(_templates(content), rollout.at(*path), True, start, named, trials))
    return found


def _templates(content: object) -> tuple[tuple[str, bool], ...]:
    entries = content.get("templates") if isinstance(content, dict) else None
    return tuple(
        (str(entry.get("templateName")), entry.get("clusterScope") is True)
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and entry.get("templateName")
    )


def _dry_runs(content: object) -> tuple[str, ...]:
    entries = content.get("dryRun") if isinstance(content, dict) else None
    return tuple(
        str(entry.get("metricName"))
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    )


def _named(content: object, *, valued: bool = False) -> frozenset[str]:
    """Return the names of a content's `args`; with `valued` only those that have a value of their own."""
    entries = content.get("args") if isinstance(content, dict) else None
    return frozenset(
        str(entry.get("name"))
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and (not valued or "value" in entry or "valueFrom" in entry)
    )


def template_named(documents: Iterable[Document], name: str, *, cluster: bool) -> Document | None:
    """Return the AnalysisTemplate (or the cluster-wide one) of that name."""
    kind = "ClusterAnalysisTemplate" if cluster else "AnalysisTemplate"
    found = None
    for document in documents:
        served = str(document.get("apiVersion")).startswith("argoproj.io/")
        if served and document.get("kind") == kind and document.get("metadata", "name") == name:
            found = document  # applied later, it replaces one of the same name
    return found


def templates_of(documents: Sequence[Document], names: Iterable[tuple[str, bool]]) -> list[Document]:
    """Return the templates of those names, and what they include in `spec.templates`, each once."""
    found: list[Document] = []
    pending = list(names)
    while pending:
        name, cluster = pending.pop(0)
        template = template_named(documents, name, cluster=cluster)
        if template is not None and template not in found:
            found.append(template)
            pending += _templates(template.get("spec"))
    return found


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of an analysis template."""

    template: Document
    index: int

    def get(self, *path: str | int) -> Any:
        """Return a value of the metric."""
        return self.template.get("spec", "metrics", self.index, *path)

    def at(self, *path: str | int) -> Position:
        """Return where a value of the metric stands."""
        return self.template.at("spec", "metrics", self.index, *path)

    @property
    def provider(self) -> str | None:
        """Return the name of its provider, None when it has none that is known."""
        content = self.get("provider")
        names = [name for name in content if name in PROVIDERS] if isinstance(content, dict) else []
        return names[0] if names else None

    def arguments(self) -> set[str]:
        """Return the names of the `{{args.…}}` the metric refers to."""
        return {name for text in _texts(self.get()) for name in _ARGUMENT.findall(text)}

    def declared(self, *, valued: bool = False) -> frozenset[str]:
        """Return the arguments its template declares; with `valued` those that have a default."""
        return _named(self.template.get("spec"), valued=valued)

    def template_dry_runs(self) -> tuple[str, ...]:
        """Return the metrics that its template measures without minding them."""
        return _dry_runs(self.template.get("spec"))

    def query(self) -> str:
        """Return the text that is asked of the provider, as far as it is one text."""
        content = self.get("provider", str(self.provider))
        return "\n".join(_texts(content))


def metrics(template: Document) -> list[Metric]:
    """Return the metrics of an analysis template."""
    entries = template.get("spec", "metrics")
    return [Metric(template, index) for index in range(len(entries) if isinstance(entries, list) else 0)]


def _texts(content: object) -> Iterator[str]:
    pending = [content]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition of the form `result[0] >= 0.99`; `indexed` when it takes an element of a vector."""

    operator: str
    threshold: float
    indexed: bool


_RESULT: Final = (
    r"(?:result(?P<index>\[0\])?(?:\.[A-Za-z_]\w{0,40})?|(?P<each>\#)|(?:asFloat|float)\(\s*result(?P<wrapped>\[0\])?\s*\)"
    r"|default\(\s*result(?P<defaulted>\[0\])?\s*,[^(),]{1,20}\))"
)
_NUMBER: Final = r"(?<![\w.])(?P<number>\d{1,4}(?:\.\d{1,9})?|\.\d{1,9})(?![\w.])"
_FORWARD: Final = re.compile(rf"{_RESULT}\s*(?P<op>>=|<=|>|<|==|!=)\s*{_NUMBER}")
_BACKWARD: Final = re.compile(rf"{_NUMBER}\s*(?P<op>>=|<=|>|<)\s*{_RESULT}")
_NEGATED: Final = re.compile(r"(?:!|not\b)\s*\((?P<inner>[^()&|]{1,100})\)")
# isNaN and len are asked for beside the comparison: they negate no number.
_NEGATION: Final = re.compile(r"(?:!(?!=)|\bnot\b)\s*(?!\s|isNaN|isInf)")
_OPPOSITE: Final = {">": "<=", "<": ">=", ">=": "<", "<=": ">", "==": "!=", "!=": "=="}
_MIRRORED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


def comparisons(condition: str) -> list[Comparison]:
    """Return the comparisons of the result with a number in a condition, written either way round.

    `!(result[0] < 0.99)` says `>=`; a negation of anything else is not taken apart, and yields none.
    """
    negated = _NEGATED.fullmatch(condition.strip())
    if negated:
        inner = comparisons(negated["inner"])
        return [replace(each, operator=_OPPOSITE[each.operator]) for each in inner] if len(inner) == 1 else []
    if _NEGATION.search(condition):
        return []
    found = []
    for pattern in (_FORWARD, _BACKWARD):
        for match in pattern.finditer(condition):
            operator = match["op"] if pattern is _FORWARD else _MIRRORED[match["op"]]
            indexed = bool(match["index"] or match["wrapped"] or match["defaulted"] or match["each"])
            found.append(Comparison(operator, float(match["number"]), indexed))
    return found
