"""A scaffolder template (scaffolder.backstage.io/v1beta3): what it asks, what its steps do and when."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from workshop.backstage.actions import meant
from workshop.backstage.expressions import references
from workshop.workspace import Document, Position

Path = tuple[str | int, ...]

_NESTED: Final = ("allOf", "anyOf", "oneOf")
_BRANCHES: Final = ("then", "else")
_MAX_DEPTH: Final = 12
_OWNER_WORDS: Final = frozenset(
    {"owner", "owners", "ownership", "team", "teams", "equipe", "squad", "tribe", "group", "groupe",
     "proprietaire", "responsable", "maintainer", "maintainers", "owning", "gestionnaire"}
)  # fmt: skip
_NAME_WORDS: Final = frozenset(
    {"name", "nom", "service", "microservice", "component", "composant", "app", "application", "project",
     "projet", "id", "identifiant", "slug"}
)  # fmt: skip
_REPOSITORY_WORDS: Final = frozenset(
    {"repo", "repository", "depot", "github", "git", "org", "organisation", "organization"}
)
_OTHER_WORDS: Final = frozenset(
    {"description", "port", "replicas", "namespace", "image", "version", "system", "domain", "lifecycle",
     "language", "visibility", "email", "mail", "registry", "cluster", "environment", "tags", "type", "user"}
)  # fmt: skip
_OWNER_FIELDS: Final = frozenset({"OwnerPicker", "OwnedEntityPicker", "MyGroupsPicker"})
_FALSE: Final = re.compile(r"\$\{\{-?\s{0,9}false\s{0,9}-?\}\}")
REPOSITORY_FIELD: Final = "RepoUrlPicker"
#: The fields that Backstage's scaffolder brings along.
FIELDS: Final = (
    *("EntityNamePicker", "EntityPicker", "EntityTagsPicker", "MultiEntityPicker", "MyGroupsPicker"),
    *("OwnedEntityPicker", "OwnerPicker", "RepoBranchPicker", "RepoOwnerPicker", REPOSITORY_FIELD, "Secret"),
)
_NAME_OF_URL: Final = re.compile(
    r"""parseRepoUrl\b.{0,40}?(?:\.\s{0,5}repo\b|[\[(]\s{0,5}['"]repo['"])""", re.DOTALL
)


@dataclass(frozen=True)
class Property:
    """One question of the form. `schema` is its JSON schema; `required` whether it must be answered."""

    id: str
    path: Path
    schema: dict[str, Any]
    required: bool
    reached: bool = True

    @property
    def field(self) -> str:
        """The field extension that shows it (`OwnerPicker`); empty for a plain input."""
        found = self.schema.get("ui:field")
        return found if isinstance(found, str) else ""

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of its id and title, without accents, in lower case."""
        return words_of(self.id) | words_of(self.schema.get("title"))


@dataclass(frozen=True)
class Step:
    """One step. `id` is what expressions call it: Backstage names the n-th `step-n` when it has none.

    `meant` is its action, or the one a misspelt action was probably meant to be; `path` is its place.
    """

    index: int
    id: str
    action: str
    input: dict[str, Any]
    data: dict[str, Any]
    path: Path

    @property
    def named(self) -> bool:
        """Whether its id is written."""
        return isinstance(self.data.get("id"), str)

    @property
    def switched_off(self) -> bool:
        """Whether its condition is written so that it never runs."""
        condition = self.data.get("if")
        return condition is False or (
            isinstance(condition, str) and bool(_FALSE.fullmatch(condition.strip()))
        )

    @cached_property
    def meant(self) -> str:
        """The action it carries out."""
        return meant(self.action)


@dataclass(frozen=True)
class Template:
    """A template as its author wrote it, misplaced parts included; nothing here raises on an odd shape."""

    document: Document
    properties: tuple[Property, ...] = field(default=())
    steps: tuple[Step, ...] = field(default=())

    @classmethod
    def of(cls, document: Document) -> Template:
        """Read a template entity."""
        return cls(document, tuple(_properties(document)), tuple(_steps(document)))

    def at(self, *path: str | int) -> Position:
        """Return the place of a value."""
        return self.document.at(*path)

    def declared(self, name: str) -> bool:
        """Whether the form has a question of that id."""
        return any(each.id == name for each in self.properties)

    def doing(self, *actions: str) -> list[Step]:
        """Return the steps that carry out one of these actions, in order."""
        return [step for step in self.steps if step.meant in actions]

    def texts(self) -> Iterator[tuple[int | None, Path, str]]:
        """Yield (index of the step, None for the output; path; text) of every text that is rendered."""
        for step in self.steps:
            for key, value in step.data.items():
                if key not in ("id", "action"):
                    for path, text in texts_in(value, (*step.path, key)):
                        yield step.index, path, text
        for path, text in texts_in(self.document.get("spec", "output"), ("spec", "output")):
            yield None, path, text

    @cached_property
    def owners(self) -> tuple[Property, ...]:
        """The questions that ask for the team that owns the service."""
        return tuple(each for each in self.properties if self._asks(each) == "owner")

    @cached_property
    def names(self) -> tuple[Property, ...]:
        """The questions that ask for the name of the service, the likeliest ones only."""
        asked = [each for each in self.properties if self._asks(each) == "name"]
        # The repository's name serves as the service's where nothing else is asked and the skeleton gets it.
        return tuple(asked or (each for each in self.properties if self._asks(each) == "repository"))

    def _asks(self, question: Property) -> str:
        words = question.words
        ids = words_of(question.id)
        if question.field in _OWNER_FIELDS or (question.field == "EntityPicker" and _picks_groups(question)):
            return "owner"
        if question.field == REPOSITORY_FIELD:
            return "repository" if question.id in self._parsed_urls else "other"
        if ids & _REPOSITORY_WORDS:
            return "repository" if ids & _NAME_WORDS and question.id in self._handed_over else "other"
        if ids & _OWNER_WORDS:
            return "owner"
        if ids & _OTHER_WORDS and not ids & {"service", "app", "application", "component", "composant"}:
            return "other"
        if ids & _NAME_WORDS:
            return "other" if ids & (_OTHER_WORDS - {"id"}) else "name"
        # The id says nothing: its title or the value it becomes in the skeleton may.
        keys = frozenset().union(*(words_of(key) for key in self._handed_over.get(question.id, ())))
        for said in (words, keys):
            if said & _OWNER_WORDS:
                return "owner"
            if said & _NAME_WORDS and not said & _OTHER_WORDS:
                return "name"
        return "other"

    @cached_property
    def _handed_over(self) -> dict[str, list[str]]:
        """Parameter id → the keys of the fetch steps' values it goes into."""
        found: dict[str, list[str]] = {}
        for step in self.steps:
            values = step.input.get("values")
            for key, value in values.items() if isinstance(values, dict) else ():
                for _, text in texts_in(value, ()):
                    for reference in references(text):
                        if reference.root == "parameters" and reference.path:
                            found.setdefault(reference.path[0], []).append(key)
        return found

    @cached_property
    def _parsed_urls(self) -> frozenset[str]:
        """The parameters that hold a repository's address, of whose parts the skeleton is given the name."""
        return frozenset(
            reference.path[0]
            for step in self.steps
            for _, text in texts_in(step.input.get("values"), ())
            for reference in references(text)
            if reference.root == "parameters" and reference.path and _NAME_OF_URL.search(text[:2000])
        )


def words_of(text: object) -> frozenset[str]:
    """Return the words of an identifier or a title: `serviceName`, `service_name`, `Nom du service`."""
    if not isinstance(text, str):
        return frozenset()
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text[:200])
    ascii_only = unicodedata.normalize("NFKD", spaced).encode("ascii", "ignore").decode()
    return frozenset(re.findall(r"[a-z0-9]+", ascii_only.lower()))


def texts_in(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield every text below a value with its path, keys excluded."""
    stack: list[tuple[Path, object]] = [(path, value)]
    while stack:
        here, current = stack.pop()
        if isinstance(current, str):
            yield here, current
        elif isinstance(current, dict):
            stack.extend(((*here, key), child) for key, child in reversed(current.items()))
        elif isinstance(current, list):
            stack.extend(((*here, index), child) for index, child in reversed(list(enumerate(current))))


def _picks_groups(question: Property) -> bool:
    options = question.schema.get("ui:options")
    filters = list(options.values()) if isinstance(options, dict) else []
    return any("group" in text.lower() for _, text in texts_in(filters, ()))


def _place(document: Document, key: str) -> Path:
    """Return where a key of `spec` stands: there, or by mistake below metadata or at the top."""
    places: tuple[Path, ...] = (("spec", key), ("metadata", key), (key,))
    return next((path for path in places if document.has(*path)), places[0])


def _steps(document: Document) -> Iterator[Step]:
    path = _place(document, "steps")
    steps = document.get(*path)
    for index, data in enumerate(steps if isinstance(steps, list) else ()):
        if not isinstance(data, dict):
            continue
        action, given, name = data.get("action"), data.get("input"), data.get("id")
        yield Step(
            index=index,
            id=name if isinstance(name, str) else f"step-{index + 1}",
            action=action if isinstance(action, str) else "",
            input=given if isinstance(given, dict) else {},
            data=data,
            path=(*path, index),
        )


def _properties(document: Document) -> Iterator[Property]:
    path = _place(document, "parameters")
    parameters = document.get(*path)
    if isinstance(parameters, list):
        for index, page in enumerate(parameters):
            yield from _page(page, (*path, index), sure=True, depth=0)
    else:
        yield from _page(parameters, path, sure=True, depth=0)


def _page(page: object, path: Path, *, sure: bool, depth: int) -> Iterator[Property]:
    """Yield the questions of a JSON schema; `sure` is False inside a branch that is shown only sometimes."""
    if not isinstance(page, dict) or depth > _MAX_DEPTH:
        return
    required = page.get("required")
    names = required if isinstance(required, list) else []
    properties = page.get("properties")
    for name, schema in properties.items() if isinstance(properties, dict) else ():
        here = schema if isinstance(schema, dict) else {}
        yield Property(name, (*path, "properties", name), here, sure and name in names, sure)
    for key in _NESTED:
        branches = page.get(key)
        for index, branch in enumerate(branches if isinstance(branches, list) else ()):
            yield from _page(branch, (*path, key, index), sure=sure and key == "allOf", depth=depth + 1)
    for key in _BRANCHES:
        yield from _page(page.get(key), (*path, key), sure=False, depth=depth + 1)
    dependencies = page.get("dependencies")
    for name, branch in dependencies.items() if isinstance(dependencies, dict) else ():
        yield from _page(branch, (*path, "dependencies", name), sure=False, depth=depth + 1)
