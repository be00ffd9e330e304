"""A template's skeleton: the files it fills in, read as they would look once filled in.

They are nunjucks templates. Each distinct expression is replaced by a number of its own, which keeps YAML and
JSON valid and lets two uses of one value be recognised as equal.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import Final

from workshop.backstage.actions import FETCH
from workshop.backstage.templates import Template
from workshop.workspace import Document, Position, Unreadable, Workspace, parse_documents

# No opening inside: a text of many openings and no end is read in linear time.
_SPAN: Final = re.compile(r"\$\{\{(?:(?!\$\{\{).)*?\}\}", re.DOTALL)
_BLOCK: Final = re.compile(r"\{%(?:(?!\{%).)*?%\}|\{#(?:(?!\{#).)*?#\}", re.DOTALL)
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_FIRST_NUMBER: Final = 1001
_MAX_FILES: Final = 200


@dataclass(slots=True)
class Skeleton:
    """The files of a skeleton, as far as they are in the workspace.

    `urls` are what the fetching steps name, `folder` the first one that is in the workspace (None: none is).
    `texts` are the files by path, `documents` the objects of its YAML files once filled in, `unreadable` the
    YAML files that are none even then.
    """

    urls: list[str] = field(default_factory=list)
    folder: str | None = None
    texts: dict[str, str] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)
    unreadable: dict[str, Unreadable] = field(default_factory=dict)

    def named(self, *names: str) -> str | None:
        """Return the path of the first file of one of these names, template endings left off."""
        return next((path for path in self.texts if plain_name(path) in names), None)

    def line(self, place: Position) -> str:
        """Return the line of a place as it is written, expressions included."""
        lines = self.texts.get(place.file, "").split("\n")
        return lines[place.line - 1] if 0 < place.line <= len(lines) else ""


def read_skeleton(workspace: Workspace, template: Template) -> Skeleton:
    """Read what the template's fetching steps copy; other addresses and what is no text are left out."""
    given = [step.input.get("url") for step in template.doing(*FETCH)]
    skeleton = Skeleton([url.strip() for url in given if isinstance(url, str) and url.strip()])
    base = posixpath.dirname(template.document.file)
    for url in skeleton.urls:
        if _ADDRESS.match(url) or "${{" in url:
            continue
        folder = posixpath.normpath(posixpath.join(base, url))
        skeleton.folder = skeleton.folder or folder
        if folder.startswith("td/"):
            _read(workspace, skeleton, folder)
    return skeleton


def filled_in(text: str, numbers: dict[str, int] | None = None) -> str:
    """Return the text with a number in place of each expression; lines stay where they are."""
    known = {} if numbers is None else numbers

    def number(match: re.Match[str]) -> str:
        value = str(known.setdefault("".join(match[0].split()), _FIRST_NUMBER + len(known)))
        return value + "\n" * match[0].count("\n")

    return _SPAN.sub(number, _BLOCK.sub(lambda match: "\n" * match[0].count("\n"), text))


def plain_name(path: str) -> str:
    """Return a file's name without the ending that marks templates."""
    return posixpath.basename(path).removesuffix(".njk")


def _read(workspace: Workspace, skeleton: Skeleton, folder: str) -> None:
    numbers: dict[str, int] = {}
    files = workspace.files(folder) or ([folder] if workspace.exists(folder) else [])
    for path in files[:_MAX_FILES]:
        try:
            raw = workspace.text(path).text
        except Unreadable:
            continue  # a picture, say: it is copied as it is
        skeleton.texts[path] = raw
        if not plain_name(path).endswith((".yaml", ".yml")):
            continue
        try:
            skeleton.documents += parse_documents(filled_in(raw, numbers), file=path)
        except Unreadable as unreadable:
            if unreadable.problem.kind != "empty":
                skeleton.unreadable[path] = unreadable
