"""The checks of the portal's block come to a verdict whatever the files hold: never to a defect of ours."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from workshop.content import Lab
from workshop.engine import Run, judge_exercise
from workshop.verdicts import Mode, Verdict
from workshop.workspace import Workspace

from .documents import change

EXERCISES = {
    "1.1": ["td/backstage/values.yaml", "td/answers.yaml"],
    "1.2": ["td/backstage/catalog-info-frontend.yaml", "td/backstage/catalog-info-payment.yaml"],
    "1.3": ["td/backstage/template-nodejs-service.yaml", "td/backstage/skeleton/k8s/hpa.yaml"],
    "1.4": [
        "td/backstage/catalog-info-payment.yaml",
        "td/backstage/values.yaml",
        "td/backstage/kubernetes-rbac.yaml",
        "td/backstage/payment-service.yaml",
    ],
    "bonus-3": ["td/backstage/catalog-info-payment.yaml", "td/backstage/values.yaml"],
}


@pytest.mark.parametrize("exercise_id", EXERCISES)
def test_random_changes_never_break_a_check(exercise_id: str, lab: Lab, solved: Path) -> None:
    exercise = lab.exercise(exercise_id)
    assert exercise is not None
    chance = random.Random(exercise_id)  # noqa: S311 (a test that repeats)
    originals = {path: [*yaml.safe_load_all((solved / path).read_text())] for path in EXERCISES[exercise_id]}
    verdicts: set[Verdict] = set()
    for _ in range(40):
        for path, documents in originals.items():
            (solved / path).write_text(_changed(documents, chance))
        result = judge_exercise(Run.of(lab, Workspace(solved), Mode.OFFLINE), exercise)
        broken = [check.id for check in result.checks if check.verdict is Verdict.ERROR]
        assert not broken, {path: (solved / path).read_text() for path in originals}
        verdicts.add(result.verdict)
    assert len(verdicts) > 1 or exercise_id == "1.1", "the changes should not all come to the same"


def _changed(documents: list[Any], chance: random.Random) -> str:
    copies = json.loads(json.dumps(documents, default=str))
    for document in copies:
        for _ in range(chance.randint(0, 4)):
            change(document, chance)
    return "\n---\n".join(json.dumps(document) for document in copies)


@pytest.mark.parametrize(
    "piece", ["${{ values.a }}", "{% if", "kind: Deployment\n---\n", "- - - ", "{{ ", "\\u0000"]
)
def test_a_large_skeleton_file_is_survived(piece: str, lab: Lab, solved: Path) -> None:
    exercise = lab.exercise("1.3")
    assert exercise is not None
    shutil.rmtree(solved / "td" / "backstage" / "skeleton" / "k8s")
    text = (piece * (300_000 // len(piece)))[:300_000]
    (solved / "td" / "backstage" / "skeleton" / "big.yaml").write_text(text)
    result = judge_exercise(Run.of(lab, Workspace(solved), Mode.OFFLINE), exercise)
    assert not [check.id for check in result.checks if check.verdict is Verdict.ERROR]
    assert result.verdict is Verdict.PASSED, "the skeleton advises, it does not decide"
