"""The five stages of the pipeline: which pipeline task is which, and the Tasks behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from workshop.checking import Document, Exam
from workshop.tekton import PipelineSpec, PipelineTask, Program, Task, parse_image
from workshop.workspace import Unreadable
from workshop.workspace.placeholders import placeholders

from ._tekton_build import builds, equivalents
from ._tekton_sbom import stocktakings
from ._tekton_scan import scans
from ._tekton_sign import signings

CLONE, BUILD, SCAN, SBOM, SIGN = (
    "git-clone",
    "kaniko-build-push",
    "trivy-scan",
    "generate-sbom",
    "cosign-sign",
)
STAGES = (CLONE, BUILD, SCAN, SBOM, SIGN)
FILES = {
    BUILD: "td/tekton/task-kaniko.yaml",
    SCAN: "td/tekton/task-trivy.yaml",
    SBOM: "td/tekton/task-sbom.yaml",
    SIGN: "td/tekton/task-cosign.yaml",
}
FOLDER = "td/tekton"


@dataclass(frozen=True)
class Stages:
    """A Pipeline's tasks by stage, and the Tasks of td/ by name.

    `tasks` holds a Task for each pipeline task that has one in td/ or is embedded.
    """

    pipeline: PipelineSpec
    at_hand: dict[str, Task] = field(default_factory=dict)

    @cached_property
    def tasks(self) -> dict[str, Task]:
        """Pipeline task → the Task it runs, where it can be seen."""
        found: dict[str, Task] = {}
        for each in self.pipeline.all_tasks:
            inner = each.task(self.pipeline)
            if inner is not None:
                found[each.name] = inner
            elif (name := reference_of(each)) in self.at_hand:
                found[each.name] = self.at_hand[name]
        return found

    @cached_property
    def by_stage(self) -> dict[str, list[PipelineTask]]:
        """Stage → its pipeline tasks, those under `finally` included."""
        found: dict[str, list[PipelineTask]] = {stage: [] for stage in STAGES}
        for each in self.pipeline.all_tasks:
            for stage in self._stages_of(each):
                found[stage].append(each)
        return found

    def _stages_of(self, task: PipelineTask) -> Iterator[str]:
        name = reference_of(task)
        if name in STAGES:
            yield name
            return
        inner = self.tasks.get(task.name)
        if task.embedded and inner is not None:
            yield from _by_content(inner)
        elif _names_clone(task) or (inner is not None and clones(inner)):
            yield CLONE
        elif task.resolver:
            words = " ".join(task.resolver.values())
            for stage, file in FILES.items():
                if stage in words or file.rpartition("/")[2] in words:
                    yield stage
                    return


def reference_of(task: PipelineTask) -> str:
    """Return the name of the Task that a pipeline task runs, by name or through a resolver."""
    return task.reference or task.resolver.get("name", "")


def clones(task: Task) -> bool:
    """Whether a Task's steps clone a repository."""
    for step in task.steps:
        program = Program(step, task.values())
        if parse_image(program.image).name in ("git-init", "git-clone"):
            return True
        for ran in program.commands:
            words = ran.argv
            if words[0].rpartition("/")[2] == "git" and {"clone", "fetch", "pull"} & set(words[1:]):
                return True
            if words[0].rpartition("/")[2] in ("git-init", "git-clone"):
                return True
        if not program.followed and "git clone" in step.script:
            return True
    return False


def tasks_at_hand(exam: Exam) -> dict[str, Task]:
    """Return the Tasks that td/tekton holds, by name.

    What cannot be read or is not finished is another exercise's matter.
    """
    found: dict[str, Task] = {}
    for path in exam.workspace.files(FOLDER):
        if not path.endswith((".yaml", ".yml")):
            continue
        try:
            documents = exam.workspace.documents(path)
        except Unreadable:
            continue
        here: dict[str, Task] = {}
        for document in documents:
            name = document.get("metadata", "name")
            if _is_task(document) and isinstance(name, str) and not placeholders(document):
                here[name] = Task.of(document)  # applied later, it replaces one of the same name
        found = {**here, **found}
    return found


def _is_task(document: Document) -> bool:
    return document.get("kind") == "Task" and str(document.get("apiVersion")).startswith("tekton.dev/")


def _by_content(task: Task) -> Iterator[str]:
    if clones(task):
        yield CLONE
    if builds(task) or equivalents(task):
        yield BUILD
    if any(scan.subcommand in ("image", "i") for scan in scans(task)):
        yield SCAN
    if stocktakings(task):
        yield SBOM
    if any(signing.subcommand == "sign" for signing in signings(task)):
        yield SIGN


def _names_clone(task: PipelineTask) -> bool:
    words = [task.reference, task.bundle, *task.resolver.values()]
    return any("git-clone" in word or "git-batch-merge" in word for word in words)
