"""What must hold of every input; each trial raises where it does not."""

from __future__ import annotations

import copy
from typing import Any

from tests.mutants.judging import Bench
from tests.workspace.test_workspace_fuzz import check, in_range
from workshop.kyverno import Admission, admit, refusals
from workshop.verdicts import Verdict
from workshop.workspace import Dialect, Unreadable, parse_documents

#: What the readers give up for want of time or room; an input of ordinary size never earns it.
GIVEN_UP = ("too-large", "too-deep", "too-many-nodes")


def read(text: str, dialect: Dialect) -> None:
    """Documents with positions inside the text, or a problem that says where and what to do."""
    try:
        documents = parse_documents(text, file="td/x.yaml", dialect=dialect)
    except Unreadable as unreadable:
        problem = unreadable.problem
        assert problem.kind not in GIVEN_UP, problem
        assert str(problem.text)
        assert str(problem.remedy)
        assert problem.position is None or in_range(problem.position, text)
        return
    check(documents, text)


def evaluate(policies: list[dict[str, Any]], resource: Any) -> None:
    """An admission and refusals, of plain data, with the input untouched and no work left undone."""
    before = repr((policies, resource))
    admission = admit(copy.copy(policies), resource)
    assert isinstance(admission, Admission)
    assert not [one for one in admission.results if one.reason == "too-much-work"], policies
    assert all(isinstance(reason, str) for policy in policies for reason in refusals(policy))
    assert repr((policies, resource)) == before


def judge(bench: Bench, file: str, text: str) -> None:
    """A verdict from every exercise that asks for the file, and none that is a defect of ours."""
    for exercise in bench.lab.exercises:
        if file in exercise.deliverables:
            outcome = bench.judge(exercise.id, {file: text})
            assert outcome.verdict is not Verdict.ERROR, sorted(outcome.told)
