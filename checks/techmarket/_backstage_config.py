"""How Backstage itself is set up: the chart's values, the app-config, and Kubernetes objects beside them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from workshop.checking import Document, Exam, Position, Text, kind_of
from workshop.verdicts import Reason, Source
from workshop.workspace import Unreadable, parse_documents
from workshop.workspace.placeholders import placeholders

from ._backstage import FOLDER

VALUES: Final = "td/backstage/values.yaml"
_YAML: Final = (".yaml", ".yml")
_MAX_FILES: Final = 200


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document read as a configuration of its own: chart values, or an app-config."""

    document: Document
    base: tuple[str, ...] = ()

    def get(self, *path: str | int, default: Any = None) -> Any:
        """Return the value at a path of the section."""
        return self.document.get(*self.base, *path, default=default)

    def has(self, *path: str | int) -> bool:
        """Whether the path exists in the section."""
        return self.document.has(*self.base, *path)

    def at(self, *path: str | int) -> Position:
        """Return the place of a value of the section."""
        return self.document.at(*self.base, *path)

    def place(self, *path: str | int) -> Position | Source:
        """Return where to look for a value: in a file, unless a section comes from somewhere else."""
        return self.at(*path)


def chart_values(exam: Exam) -> Section:
    """Return the values the chart was installed with; the check waits when the student kept none."""
    path = next(iter(_named(exam, "values")), None)
    if path is None:
        waiting(exam, Text("The chart's values are in {path}", path=VALUES))
    document = exam.documents(path)[0]
    # Red Hat's chart wraps the official one, whose values then stand below `upstream`.
    return Section(document, ("upstream",) if isinstance(document.get("upstream"), dict) else ())


def app_configs(exam: Exam) -> list[Section]:
    """Return every app-config of td/backstage: in chart values, in a file of its own, in a ConfigMap.

    The check waits when there is none, and is unfinished where one still has a placeholder.
    """
    found: list[Section] = []
    for path in _named(exam, "values"):
        for document in exam.documents(path):
            bases = (("backstage", "appConfig"), ("upstream", "backstage", "appConfig"))
            found += (Section(document, base) for base in bases if isinstance(document.get(*base), dict))
    for path in _named(exam, "app-config"):
        found += (Section(document) for document in exam.documents(path))
    for document in objects(exam, "ConfigMap", folder=FOLDER):
        found += (Section(each) for each in _kept_in(document))
    if not found:
        waiting(exam, Text("Backstage's app-config is in td/backstage"))
    return found


def waiting(exam: Exam, claim: Text) -> NoReturn:
    """End the check without deciding anything: the file it would look at was not asked for."""
    exam.blocked(
        "no-file", claim, reason=Reason.MISSING_FILE, observed=Text("no such file; none is asked for")
    )


def objects(exam: Exam, *kinds: str, folder: str = "td") -> Iterator[Document]:
    """Yield the finished Kubernetes objects of these kinds, as kubectl writes them, below a folder."""
    for path in exam.workspace.files(folder, _YAML)[:_MAX_FILES]:
        try:
            documents = exam.workspace.documents(path)
        except Unreadable:
            continue  # its own exercise says so
        for document in documents:
            if kind_of(document) in kinds and not placeholders(document):
                yield document


def _named(exam: Exam, word: str) -> list[str]:
    """Return the YAML files right in td/backstage whose name holds a word, the shortest name first."""
    files = exam.workspace.files(FOLDER, _YAML)
    right_here = [path for path in files if posixpath.dirname(path) == FOLDER]
    return sorted((path for path in right_here if word in posixpath.basename(path).lower()), key=len)


def _kept_in(config_map: Document) -> Iterator[Document]:
    data = config_map.get("data")
    for key in data if isinstance(data, dict) else ():
        body = config_map.body_of("data", key) if key.endswith(_YAML) else None
        if body is None:
            continue
        text, place = body
        try:
            yield from parse_documents(
                text,
                file=place.file,
                dialect="core",
                line_offset=place.line - 1,
                column_offset=place.column - 1,
            )
        except Unreadable:
            continue  # a ConfigMap may hold anything
