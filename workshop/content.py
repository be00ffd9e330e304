"""The lab as its authors wrote it: YAML and Markdown files under `exercises/`, read strictly.

The only owner of content paths. An unknown or missing key is the author's mistake and raises
ContentError with file and key; nothing here depends on a student's files.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from workshop.paths import content_root
from workshop.texts import LANGUAGES, Bilingual, Language
from workshop.verdicts import Half

AnswerKind = Literal["text", "number", "url", "lines"]


class ContentError(Exception):
    """A content file is not what the runner understands: says which file and which key."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question answered in the TUI or in `td/answers.yaml`, verified by the exercise's checks."""

    id: str
    prompt: Bilingual
    kind: AnswerKind = "text"


@dataclass(frozen=True, slots=True)
class Link:
    """Something to read."""

    title: Bilingual
    url: str


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise: what the student reads, which files are asked, what it is worth.

    `halves` says which halves can judge it at all; `containers` whether its cluster half needs
    containers that really run.
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
    questions: tuple[Question, ...] = ()
    hints: tuple[Bilingual, ...] = ()
    links: tuple[Link, ...] = ()
    commands: tuple[str, ...] = ()

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


@dataclass(frozen=True, slots=True)
class Criterion:
    """A success criterion of the whole lab: met when `at_least` of its exercises have passed."""

    id: str
    title: Bilingual
    exercises: tuple[str, ...]
    at_least: int
    every_file_readable: bool = False


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
    keys = _Keys(folder / "lab.yaml", _read(folder / "lab.yaml"))
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
        for keys in _Keys(path, _read(path)).items("entries"):
            entries.append(
                {
                    "id": keys.text("id"),
                    "symptom": keys.bilingual("symptom"),
                    "shows": keys.bilingual("shows"),
                    "cause": keys.bilingual("cause"),
                    "remedy": keys.bilingual("remedy"),
                    "exercises": keys.texts("exercises"),
                    "facts": keys.texts("facts"),
                }
            )
            keys.nothing_left()
    return entries


def _block(keys: _Keys, exercises: list[Exercise]) -> Block:
    block = Block(
        id=keys.text("id"),
        title=keys.bilingual("title"),
        goal=keys.bilingual("goal"),
        minutes=keys.integer("minutes"),
        exercises=tuple(sorted(exercises, key=lambda exercise: exercise.id)),
    )
    keys.nothing_left()
    return block


def _criterion(keys: _Keys) -> Criterion:
    exercises = keys.texts("exercises")
    criterion = Criterion(
        id=keys.text("id"),
        title=keys.bilingual("title"),
        exercises=exercises,
        at_least=keys.integer("at_least", default=len(exercises)),
        every_file_readable=keys.flag("every_file_readable"),
    )
    keys.nothing_left()
    return criterion


def _exercise(path: Path) -> Exercise:
    keys = _Keys(path, _read(path))
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
        questions=tuple(_question(entry) for entry in keys.items("questions")),
        hints=tuple(keys.bilinguals("hints")),
        links=tuple(_link(entry) for entry in keys.items("links")),
        commands=keys.texts("commands"),
    )
    keys.nothing_left()
    return exercise


def _question(keys: _Keys) -> Question:
    kind = keys.text("kind", default="text")
    if kind not in ("text", "number", "url", "lines"):
        raise keys.wrong("kind", "text, number, url or lines")
    question = Question(id=keys.text("id"), prompt=keys.bilingual("prompt"), kind=kind)  # type: ignore[arg-type]  # narrowed above
    keys.nothing_left()
    return question


def _link(keys: _Keys) -> Link:
    link = Link(title=keys.bilingual("title"), url=keys.text("url"))
    keys.nothing_left()
    return link


def _read(path: Path) -> object:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (a safe loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContentError(f"{path}: {error}") from error


class _Keys:
    """A mapping of a content file whose keys are taken one by one, so that a misspelt one is noticed."""

    def __init__(self, path: Path, data: object, at: str = "") -> None:
        if not isinstance(data, dict):
            raise ContentError(f"{path}: {at or 'the file'}: expected keys and values")
        self._path, self._at = path, at
        self._left: dict[Any, Any] = dict(data)
        self._seen = dict(data)

    def wrong(self, key: str, expected: str) -> ContentError:
        where = f"{self._at}.{key}" if self._at else key
        return ContentError(f"{self._path}: {where}: expected {expected}")

    def nothing_left(self) -> None:
        if self._left:
            raise ContentError(
                f"{self._path}: {self._at or 'top level'}: unknown key {next(iter(self._left))!r}"
            )

    def _take(self, key: str, expected: str, *, default: object = None) -> Any:
        self._left.pop(key, None)
        value = self._seen.get(key, default)
        if value is None:
            raise self.wrong(key, expected)
        return value

    def text(self, key: str, *, default: str | None = None) -> str:
        value = self._take(key, "text", default=default)
        if not isinstance(value, str):
            raise self.wrong(key, "text (quote it)")
        return value

    def integer(self, key: str, *, default: int | None = None) -> int:
        value = self._take(key, "a whole number", default=default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(key, "a whole number")
        return value

    def number(self, key: str, *, default: float | None = None) -> float:
        value = self._take(key, "a number", default=default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.wrong(key, "a number")
        return float(value)

    def flag(self, key: str) -> bool:
        value = self._take(key, "true or false", default=False)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._take(key, "a list of texts", default=())
        if not isinstance(value, Sequence) or not all(isinstance(entry, str) for entry in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def choice(self, key: str, words: type[Half]) -> list[Half]:
        try:
            return [words(value) for value in self.texts(key)]
        except ValueError as error:
            raise self.wrong(key, " | ".join(words)) from error

    def bilingual(self, key: str) -> Bilingual:
        return self._as_bilingual(key, self._take(key, "a text in each language (en, fr)"))

    def bilinguals(self, key: str) -> list[Bilingual]:
        return [self._as_bilingual(key, value) for value in self._take(key, "a list", default=())]

    def _as_bilingual(self, key: str, value: object) -> Bilingual:
        if (
            not isinstance(value, dict)
            or set(value) != set(LANGUAGES)
            or not all(isinstance(text, str) and text.strip() for text in value.values())
        ):
            raise self.wrong(key, "a text in each language (en, fr)")
        return Bilingual(en=value["en"].strip(), fr=value["fr"].strip())

    def items(self, key: str) -> list[_Keys]:
        value = self._take(key, "a list", default=())
        if not isinstance(value, list | tuple):
            raise self.wrong(key, "a list")
        return [_Keys(self._path, entry, f"{self._at}{key}[{index}]") for index, entry in enumerate(value)]
