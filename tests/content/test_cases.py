"""Every case of `cases/` gets the verdict it names, for the reasons it names."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.content.case import Case, cases, lay_out
from workshop.content import Lab, load_lab
from workshop.engine import Run, judge_exercise
from workshop.verdicts import ExerciseResult, Level, Mode, Source, Verdict
from workshop.workspace import Workspace


def _judged(lab: Lab, case: Case, folder: Path) -> ExerciseResult:
    exercise = lay_out(case, lab, folder)
    return judge_exercise(Run.of(lab, Workspace(folder), Mode.OFFLINE), exercise)


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.slug}:{case.name}")
def test_case(case: Case, tmp_path: Path) -> None:
    result = _judged(load_lab("techmarket"), case, tmp_path)
    unmet = {
        f"{check.id.removeprefix(result.id + '.')}/{fact.id}": check
        for check in result.checks
        for fact in check.unmet
    }
    story = {name: (check.verdict.value, check.level.value) for name, check in unmet.items()}
    assert result.verdict is case.verdict, story
    assert not [check.id for check in result.checks if check.verdict is Verdict.ERROR]
    for name in case.unmet:
        assert name in unmet, story
        if case.level is not None:
            assert unmet[name].level is case.level
    if case.only:
        decisive = {name for name, check in unmet.items() if check.level is Level.MUST}
        assert decisive == set(case.unmet), "the mistake is charged once, for its own reason"
    assert _silent(result, tmp_path) == []
    if case.verdict is Verdict.FAILED:
        assert case.unmet, "a case that fails names the fact that says why"
    if case.verdict is Verdict.PASSED:
        assert set(case.unmet) == set(unmet), "a case that passes lists every advice and remark it earns"


def test_cases_are_named_once() -> None:
    names = [(case.slug, case.name) for case in cases()]
    assert len(names) == len(set(names))


def _silent(result: ExerciseResult, folder: Path) -> list[str]:
    """The failures that lack what was expected or observed, what to try next, or a place in the file."""
    return [
        f"{check.id}/{fact.id}: {fact}"
        for check in result.checks
        if check.level is Level.MUST and check.verdict is Verdict.FAILED
        for fact in check.unmet
        if None in (fact.expected, fact.observed, fact.next) or not _inside(folder, fact.source)
    ]


def _inside(folder: Path, source: Source | None) -> bool:
    """Whether a place is one in a file, at a character or right behind the last one of its line."""
    if source is None or source.file is None or source.line is None or source.column is None:
        return False
    path = folder / source.file
    if not path.exists():
        return False
    lines = path.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").split("\n")
    return 1 <= source.line <= len(lines) and 1 <= source.column <= len(lines[source.line - 1]) + 1


_AUDIT = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: disallow-latest-tag}
spec:
  validationFailureAction: Audit
  rules:
    - name: no-latest
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate: {message: no latest, pattern: {spec: {containers: [{image: "!*:latest"}]}}}
"""
_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: beside}\n"
_DEEP = textwrap.indent(_AUDIT.strip(), "    ").replace("    apiV", "  - apiV", 1)
_MERGED = _AUDIT.replace(
    "spec:\n  validationFailureAction: Audit\n",
    "x-base: &base\n  validationFailureAction: Audit\nspec:\n  <<: *base\n",
)
_RULES = """
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus-slo-rules, namespace: monitoring}
data:
  slo-rules.yml: |
    groups:
    - name: slo
      rules:
      - record: payment_service:success_rate:ratio
        expr: sum(rate(errors_total{app="payment-service"}[5m]))
      - record: payment_service:latency:p95
        expr: |
          histogram_quantile(
            0.5,
            sum by (le) (rate(http_request_duration_seconds_bucket{app="payment-service"}[5m]))
          )
"""
_PLACES = {
    "a second document": ("disallow-latest-tag", f"{_MAP}---{_AUDIT}", "validationFailureAction: Audit"),
    "an item of a List": (
        "disallow-latest-tag",
        f"apiVersion: v1\nkind: List\nitems:\n{_DEEP}\n",
        "validationFailureAction: Audit",
    ),
    "a misspelt field": ("disallow-latest-tag", _AUDIT.replace("pattern:", "patern:"), "patern:"),
    "a merge key": ("disallow-latest-tag", _MERGED, "validationFailureAction: Audit"),
    "a block scalar in a block scalar": ("slo-recording-rules", _RULES, "expr: |"),
}


@pytest.mark.parametrize("name", _PLACES)
def test_the_deciding_value_is_shown_wherever_it_stands(name: str, lab: Lab, tmp_path: Path) -> None:
    slug, text, shown = _PLACES[name]
    exercise = lab.exercise(slug)
    assert exercise is not None
    file = exercise.deliverables[0]
    case = Case(slug, name, {file: text}, {}, Verdict.FAILED, [], None, alone=True)
    sources = [
        fact.source
        for check in _judged(lab, case, tmp_path).checks
        if check.level is Level.MUST
        for fact in check.unmet
    ]
    lines = text.split("\n")
    seen = [lines[source.line - 1] for source in sources if source is not None and source.line]
    assert any(shown in line for line in seen), seen
