"""A run over written, edited and drawn policies, in a mix that a seed decides."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml

from . import corpus
from .comparison import Disagreement, Figures, Subject, compare
from .generated import generated
from .probes import Field

_DECIDED: Final = ("admitted", "changed", "refused")


def subjects(start: int, count: int) -> list[Subject]:
    """`count` sets of policies: a fifth as people wrote them, two fifths with an edit, two fifths drawn."""
    chooser = random.Random(start)  # noqa: S311  (a choice that can be repeated, no secret)
    written = corpus.written()
    chooser.shuffle(written)
    some = written[: count // 5]
    rest = count - len(some)
    mixed = [*some, *corpus.edited(start, rest // 2), *generated(start, rest - rest // 2)]
    chooser.shuffle(mixed)
    return mixed


def run(
    field: Field, *, start: int, policies: int, pairs: int, told: Callable[[Figures], None] = lambda _: None
) -> Figures:
    """Compare until `pairs` policy–resource pairs or `policies` sets of policies are done."""
    figures = Figures()
    probes = field.probes()
    for subject in subjects(start, policies):
        compare(field, subject, probes, figures)
        told(figures)
        if figures.pairs >= pairs:
            break
    return figures


def report(figures: Figures) -> str:
    """The figures, one a line."""
    decided = sum(figures.verdicts[name] for name in _DECIDED)
    lines = [
        f"sets of policies       {figures.subjects}",
        f"policies accepted      {figures.accepted_policies}",
        f"policies refused       {figures.refused_policies}",
        f"pairs                  {figures.pairs}",
        f"  with a rule applied  {figures.acted}",
        f"  decided              {decided}",
        *(f"    {name:20} {figures.verdicts[name]}" for name in _DECIDED),
        (
            f"  unknown              {figures.verdicts['unknown']}"
            f" ({100 * figures.verdicts['unknown'] / max(1, figures.pairs):.1f} %): {dict(figures.unknown)}"
        ),
        f"Kyverno broke off      {figures.verdicts['broken']}",
        f"disagreements          {len(figures.disagreements)}",
    ]
    return "\n".join(lines)


def record(disagreements: list[Disagreement], folder: Path) -> None:
    """Write each disagreement as a regression case would be, for a person to look at and to name."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, one in enumerate(disagreements):
        case: dict[str, Any] = {"name": one.subject.name, "ours": one.ours, "engine": one.engine}
        case["policies"] = list(one.subject.policies)
        if one.probe is not None:
            case["request"] = {
                "name": one.probe.name,
                "operation": one.probe.operation,
                "object": one.probe.object,
                "old": one.probe.old,
                "namespaceLabels": one.probe.namespace_labels,
            }
        text = yaml.safe_dump([case], sort_keys=False, allow_unicode=True)
        (folder / f"{index:04}.yaml").write_text(text, encoding="utf-8")
