"""Content is read strictly, and the lab is sound."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from workshop import authoring, content
from workshop.content import ContentError, Lab, load_lab
from workshop.guide import load_guide


@pytest.fixture
def copied(tmp_path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the lab's content that a test may damage."""
    folder = tmp_path / "exercises" / "techmarket"
    ignored = shutil.ignore_patterns("node_modules", "materials", "starters")
    shutil.copytree(lab.folder, folder, ignore=ignored)
    monkeypatch.setattr(content, "content_root", lambda: tmp_path)
    load_lab.cache_clear()
    yield folder
    load_lab.cache_clear()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("points: 5", "ponts: 5", "unknown key 'ponts'"),
        ("points: 5", "points: five", "points: expected a number"),
        ("minutes:", "minutes: null\nx-minutes:", "minutes: expected a whole number"),
        ('block: "1"', 'block: "9"', "is not a block"),
        ("halves: [files", "halves: [fils", "halves: expected files"),
        ("title: {en:", "title: {de:", "title: expected a text in each language"),
    ],
)
def test_a_mistake_of_the_author_names_file_and_key(copied: Path, old: str, new: str, said: str) -> None:
    path = copied / "software-catalog" / "exercise.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ContentError) as error:
        load_lab()
    assert str(path) in str(error.value)
    assert said in str(error.value)


def test_points_add_up_to_100_and_blocks_to_their_minutes(lab: Lab) -> None:
    assert lab.max_points == 100
    for block in lab.blocks:
        if block.id in ("1", "2", "3", "4"):
            assert sum(exercise.minutes for exercise in block.exercises) == block.minutes == 45


def test_every_exercise_of_the_statement_is_there(lab: Lab) -> None:
    wanted = [f"0.{n}" for n in range(1, 5)]
    wanted += [f"1.{n}" for n in range(1, 5)] + [f"2.{n}" for n in range(1, 7)]
    wanted += [f"3.{n}" for n in range(1, 6)] + [f"4.{n}" for n in range(1, 8)]
    wanted += [f"bonus-{n}" for n in range(1, 4)]
    assert [exercise.id for exercise in lab.exercises] == wanted


def test_every_deliverable_of_the_statement_is_asked_for(lab: Lab) -> None:
    asked = {path for exercise in lab.exercises for path in exercise.deliverables}
    assert asked >= {
        "td/backstage/catalog-info-frontend.yaml",
        "td/backstage/catalog-info-backend.yaml",
        "td/backstage/catalog-info-payment.yaml",
        "td/backstage/template-nodejs-service.yaml",
        "td/kyverno/policy-deny-latest.yaml",
        "td/kyverno/policy-require-limits.yaml",
        "td/kyverno/policy-add-labels.yaml",
        "td/kyverno/policy-verify-signature.yaml",
        "td/prometheus/slo-rules.yaml",
        "td/sre/error-budget-calculation.md",
        "td/sre/postmortem-pod-delete.md",
        "td/litmus/chaos-pod-delete.yaml",
        "td/tekton/task-kaniko.yaml",
        "td/tekton/task-trivy.yaml",
        "td/tekton/task-cosign.yaml",
        "td/tekton/task-sbom.yaml",
        "td/tekton/pipeline-secure-build.yaml",
        "td/tekton/pipelinerun-payment.yaml",
        "td/bonus/rollout-canary.yaml",
        "td/bonus/crossplane-postgres.yaml",
    }


def test_the_guide_covers_the_statement(lab: Lab) -> None:
    entries = load_guide(lab)
    assert len(entries) >= 30
    covered = {exercise for entry in entries for exercise in entry.exercises}
    assert {"1.1", "2.2", "2.5", "4.7"} <= covered


def test_the_authors_have_nothing_to_mend(lab: Lab) -> None:
    assert authoring.findings(lab) == []
