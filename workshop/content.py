"""The lab as its authors wrote it: YAML and Markdown files under `exercises/`, read strictly.

The only owner of content paths. An unknown or missing key is the author's mistake and raises
ContentError with file and key; nothing here depends on a student's files.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from workshop.content_keys import ContentError as ContentError
from workshop.content_keys import Keys, read_content
from workshop.dialects import Dialect
from workshop.paths import content_root
from workshop.texts import Bilingual, Language
from workshop.verdicts import Half

AnswerKind = Literal["text", "number", "url", "lines"]


class Question(NamedTuple):
    """A question answered in the TUI or in `td/answers.yaml`, verified by the exercise's checks."""

    id: str
    prompt: Bilingual
    kind: AnswerKind = "text"


class Link(NamedTuple):
    """Something to read."""

    title: Bilingual
    url: str


@dataclass(frozen=True, slots=True)
class SandboxPlan:
    """How the sandbox judges an exercise: its parts, and what may be applied (no `files`: the deliverables).

    `kinds` are written as kubectl writes them; objects of other kinds are never applied. Without parts
    the sandbox cannot judge the exercise.
    """

    parts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """Where on a cluster an exercise lives: whole `namespaces`, and `workloads` by label, anywhere."""

    namespaces: tuple[str, ...] = ()
    workloads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise: what the student reads, which files are asked, what it is worth.

    `halves` says which halves can judge it at all; `containers` whether its cluster half needs
    containers that really run; `dialect` how the tool that the deliverables are for reads YAML.
    """

    id: str
    slug: str
    block: str
    title: Bilingual
    folder: Path
    points: float = 0.0
    minutes: int = 0
    halves: tuple[Half, ...] = (Half.FILES,)
    containers: bool = False
    deliverables: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    dialect: Dialect = "kubernetes"
    questions: tuple[Question, ...] = ()
    hints: tuple[Bilingual, ...] = ()
    links: tuple[Link, ...] = ()
    commands: tuple[str, ...] = ()
    sandbox: SandboxPlan = SandboxPlan()
    cluster: ClusterPlan = ClusterPlan()

    @property
    def module(self) -> str:
        """The name of its check module below `checks/<lab>/`."""
        return self.slug.replace("-", "_")

    @property
    def bonus(self) -> bool:
        """Whether its points come on top of the lab's total."""
        return self.block == "bonus"

    def brief(self, language: Language) -> str:
        """Return the Markdown the student reads."""
        return (self.folder / f"brief.{language}.md").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the lab that one team member can take."""

    id: str
    title: Bilingual
    goal: Bilingual
    minutes: int
    exercises: tuple[Exercise, ...]


class Criterion(NamedTuple):
    """A success criterion of the whole lab: met when `at_least` of its exercises have passed.

    `live` ones are about something that happened: a pass counts only where the cluster was looked at.
    `files_suffice` names exercises whose files count alone where the cluster could not be asked.
    """

    id: str
    title: Bilingual
    exercises: tuple[str, ...]
    at_least: int
    every_file_readable: bool = False
    live: bool = False
    files_suffice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lab:
    """A whole lab."""

    id: str
    title: Bilingual
    summary: Bilingual
    minutes: int
    threshold: float
    contexts: tuple[str, ...]
    blocks: tuple[Block, ...]
    criteria: tuple[Criterion, ...]
    folder: Path
    _by_id: Mapping[str, Exercise] = field(repr=False, compare=False, default_factory=dict)

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """Every exercise, in the lab's order."""
        return tuple(self._by_id.values())

    @property
    def max_points(self) -> float:
        """The lab's total without its bonus."""
        return sum(exercise.points for exercise in self.exercises if not exercise.bonus)

    @property
    def starters(self) -> Path:
        """The folder whose `td/` a new workspace starts from."""
        return self.folder / "starters"

    @property
    def materials(self) -> Path:
        """The folder of files the exercises refer to."""
        return self.folder / "materials"

    @property
    def solutions(self) -> Path:
        """The folder that holds the reference `td/` and the walkthroughs."""
        return content_root() / "solutions" / self.id

    def exercise(self, wanted: str) -> Exercise | None:
        """Return the exercise of that id or slug, or None."""
        found = self._by_id.get(wanted)
        return found or next((each for each in self.exercises if each.slug == wanted), None)

    def walkthrough(self, exercise: Exercise, language: Language) -> str:
        """Return the instructor's walkthrough as Markdown."""
        path = self.solutions / "walkthroughs" / f"{exercise.slug}.{language}.md"
        return path.read_text(encoding="utf-8")


def lab_ids() -> list[str]:
    """Return the ids of the labs that are installed."""
    return sorted(path.parent.name for path in (content_root() / "exercises").glob("*/lab.yaml"))


@functools.cache
def load_lab(lab_id: str = "techmarket") -> Lab:
    """Read a lab. Raises ContentError when it does not exist or is not well-formed."""
    folder = content_root() / "exercises" / lab_id
    if lab_id not in lab_ids():
        raise ContentError(f"there is no lab {lab_id!r}; known: {', '.join(lab_ids()) or 'none'}")
    keys = Keys(folder / "lab.yaml", read_content(folder / "lab.yaml"))
    blocks = keys.items("blocks")
    by_block: dict[str, list[Exercise]] = {block.text("id"): [] for block in blocks}
    for path in sorted(folder.glob("*/exercise.yaml")):
        exercise = _exercise(path)
        if exercise.block not in by_block:
            raise ContentError(f"{path}: block: {exercise.block!r} is not a block of lab.yaml")
        by_block[exercise.block].append(exercise)
    lab_blocks = tuple(_block(block, by_block[block.text("id")]) for block in blocks)
    by_id = {exercise.id: exercise for block in lab_blocks for exercise in block.exercises}
    lab = Lab(
        id=keys.text("id"),
        title=keys.bilingual("title"),
        summary=keys.bilingual("summary"),
        minutes=keys.integer("minutes"),
        threshold=keys.number("threshold"),
        contexts=keys.texts("contexts"),
        blocks=lab_blocks,
        criteria=tuple(_criterion(entry) for entry in keys.items("criteria")),
        folder=folder,
        _by_id=by_id,
    )
    keys.nothing_left()
    return lab


def read_guide_entries(lab: Lab) -> list[dict[str, Any]]:
    """Return the fields of every entry of the lab's troubleshooting guide, in the order of the files."""
    entries = []
    for path in sorted((lab.folder / "guide").glob("*.yaml")):
        for keys in Keys(path, read_content(path)).items("entries"):
            entries.append(
                {
                    "id": keys.text("id"),
                    "symptom": keys.bilingual("symptom"),
                    "shows": keys.bilingual("shows"),
                    "cause": keys.bilingual("cause"),
                    "remedy": keys.bilingual("remedy"),
                    "exercises": keys.texts("exercises"),
                    "facts": keys.texts("facts"),
                    "signals": keys.texts("signals"),
                    "log": keys.flag("log"),
                }
            )
            keys.nothing_left()
    return entries


def _block(keys: Keys, exercises: list[Exercise]) -> Block:
    block = Block(
        id=keys.text("id"),
        title=keys.bilingual("title"),
        goal=keys.bilingual("goal"),
        minutes=keys.integer("minutes"),
        exercises=tuple(sorted(exercises, key=lambda exercise: exercise.id)),
    )
    keys.nothing_left()
    return block


def _criterion(keys: Keys) -> Criterion:
    exercises = keys.texts("exercises")
    criterion = Criterion(
        id=keys.text("id"),
        title=keys.bilingual("title"),
        exercises=exercises,
        at_least=keys.integer("at_least", default=len(exercises)),
        every_file_readable=keys.flag("every_file_readable"),
        live=keys.flag("live"),
        files_suffice=keys.texts("files_suffice"),
    )
    keys.nothing_left()
    return criterion


def _exercise(path: Path) -> Exercise:
    keys = Keys(path, read_content(path))
    exercise = Exercise(
        id=keys.text("id"),
        slug=path.parent.name,
        block=keys.text("block"),
        title=keys.bilingual("title"),
        folder=path.parent,
        points=keys.number("points", default=0.0),
        minutes=keys.integer("minutes"),
        halves=tuple(keys.choice("halves", Half)),
        containers=keys.flag("containers"),
        deliverables=keys.texts("deliverables"),
        optional=keys.texts("optional"),
        dialect=_dialect(keys),
        questions=tuple(_question(entry) for entry in keys.items("questions")),
        hints=tuple(keys.bilinguals("hints")),
        links=tuple(_link(entry) for entry in keys.items("links")),
        commands=keys.texts("commands"),
        sandbox=_sandbox(keys.items("sandbox")),
        cluster=_cluster(keys.items("cluster")),
    )
    keys.nothing_left()
    return exercise


def _dialect(keys: Keys) -> Dialect:
    dialect = keys.text("dialect", default="kubernetes")
    if dialect not in get_args(Dialect):
        raise keys.wrong("dialect", " | ".join(get_args(Dialect)))
    return dialect  # type: ignore[return-value]  # one of its words


def _sandbox(plans: list[Keys]) -> SandboxPlan:
    if not plans:
        return SandboxPlan()
    keys = plans[0]
    plan = SandboxPlan(parts=keys.texts("parts"), kinds=keys.texts("kinds"), files=keys.texts("files"))
    keys.nothing_left()
    return plan


def _cluster(plans: list[Keys]) -> ClusterPlan:
    if not plans:
        return ClusterPlan()
    keys = plans[0]
    plan = ClusterPlan(namespaces=keys.texts("namespaces"), workloads=keys.texts("workloads"))
    keys.nothing_left()
    return plan


def _question(keys: Keys) -> Question:
    kind = keys.text("kind", default="text")
    if kind not in ("text", "number", "url", "lines"):
        raise keys.wrong("kind", "text, number, url or lines")
    question = Question(id=keys.text("id"), prompt=keys.bilingual("prompt"), kind=kind)  # type: ignore[arg-type]  # narrowed above
    keys.nothing_left()
    return question


def _link(keys: Keys) -> Link:
    link = Link(title=keys.bilingual("title"), url=keys.text("url"))
    keys.nothing_left()
    return link
