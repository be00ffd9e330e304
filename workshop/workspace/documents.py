"""A YAML document: its data as the field's tools see it, and the place of every value."""

from __future__ import annotations

from typing import Any, Final

from workshop.dialects import Dialect
from workshop.workspace.body import line_places
from workshop.workspace.composing import compose
from workshop.workspace.nodes import Item, Mapping, Node, Scalar, Sequence, plain
from workshop.workspace.problems import Position, empty
from workshop.workspace.source import InnerSource, Source

PathPart = str | int
_UNSET: Final = object()


class Document:
    """One YAML document. `data` is shared by everyone who reads the file: copy it before changing it."""

    __slots__ = ("_body", "_data", "_root", "_source")

    def __init__(self, root: Node, source: Source) -> None:
        self._root, self._source = root, source
        self._data: Any = _UNSET
        self._body: tuple[Scalar | None, list[int]] = (None, [])

    def __repr__(self) -> str:
        return f"<Document {self.at()} {self.get('kind', default='?')}>"

    @property
    def file(self) -> str:
        """The file it stands in, relative to the workspace."""
        return self._source.file

    @property
    def data(self) -> Any:
        """The document as plain dict, list, str, int, float, bool and None; keys are always str."""
        if self._data is _UNSET:
            self._data = plain(self._root)
        return self._data

    def get(self, *path: PathPart, default: Any = None) -> Any:
        """Return the value at a path, or `default` where there is none or it is null. Never raises."""
        value = self.data
        for part in path:
            if isinstance(value, dict) and isinstance(part, str):
                value = value.get(part)
            elif isinstance(value, list) and type(part) is int and 0 <= part < len(value):
                value = value[part]
            else:
                return default
        return default if value is None else value

    def has(self, *path: PathPart) -> bool:
        """Whether the path exists, be its value null."""
        return len(self._follow(path)) == len(path)

    def written(self, *path: PathPart) -> str | None:
        """Return the text a scalar was written as (`"010"`, `"yes"`); None where there is no scalar."""
        node = self._node(path)
        return node.text if isinstance(node, Scalar) else None

    def at(self, *path: PathPart) -> Position:
        """Return where the value is; where the path ends early, the key of the deepest part that exists."""
        items = self._follow(path)
        if len(items) == len(path):
            return self._source.place(items[-1].start if items else self._root.start)
        return self.key_at(*path)

    def key_at(self, *path: PathPart) -> Position:
        """Return where the key of the value is (of an item: the item), or that of its deepest ancestor."""
        items = self._follow(path)
        return self._source.place(items[-1].key if items else self._root.start)

    def body_of(self, *path: PathPart) -> tuple[str, Position] | None:
        """Return the text of a scalar and the place of its first line of content; None if it is no text.

        For `parse_documents(text, file=…, line_offset=place.line - 1, column_offset=place.column - 1)`;
        `nested` does that with the place of every line.
        """
        node = self._node(path)
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return None
        lines = node.value.split("\n")
        written = next((number for number, line in enumerate(lines) if line.strip()), 0)
        line = self.line_at(*path, number=0).line
        # An empty line at the beginning shows no indentation: the first written one does.
        return node.value, Position(self.file, line, self.line_at(*path, number=written).column)

    def line_at(self, *path: PathPart, number: int) -> Position:
        """Return where a line (from 0) of a text of several lines is written; as `at` for anything else."""
        node = self._node(path)
        if not isinstance(node, Scalar):
            return self.at(*path)
        places = self._line_places(node)
        return self._source.place(places[max(0, min(number, len(places) - 1))])

    def nested(self, *path: PathPart, dialect: Dialect = "kubernetes") -> list[Document]:
        """Return the YAML documents kept in a text (a ConfigMap's `rules.yml`); none if it is no text.

        Raises Unreadable; all positions are those of the file.
        """
        node = self._node(path)
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return []
        source = InnerSource(node.value, self._source, self._line_places(node))
        return _documents(source, dialect)

    def _line_places(self, node: Scalar) -> list[int]:
        known, places = self._body
        if known is not node:  # the last one only: its lines are asked for one after the other
            places = line_places(self._source.text, node)
            self._body = (node, places)
        return places

    def _node(self, path: tuple[PathPart, ...]) -> Node | None:
        items = self._follow(path)
        if len(items) != len(path):
            return None
        return items[-1].node if items else self._root

    def _follow(self, path: tuple[PathPart, ...]) -> list[Item]:
        """Return the items along the path, as far as it exists."""
        items: list[Item] = []
        node = self._root
        for part in path:
            item: Item | None = None
            if isinstance(node, Mapping) and isinstance(part, str):
                item = node.entries.get(part)
            elif isinstance(node, Sequence) and type(part) is int and 0 <= part < len(node.entries):
                item = node.entries[part]
            if item is None:
                break
            items.append(item)
            node = item.node
        return items


def parse_documents(
    text: str, *, file: str, dialect: Dialect = "kubernetes", line_offset: int = 0, column_offset: int = 0
) -> list[Document]:
    """Return the documents of a YAML text that are not empty; at least one.

    In the kubernetes dialect a List counts as its items, as kubectl applies it. Raises Unreadable.
    """
    return _documents(Source(text, file, line_offset=line_offset, column_offset=column_offset), dialect)


def _documents(source: Source, dialect: Dialect) -> list[Document]:
    roots = compose(source.text, dialect=dialect, file=source.file, place=source.place)
    if dialect == "kubernetes":
        roots = _without_lists(roots)
    if not roots:
        raise empty(source.file)
    return [Document(root, source) for root in roots]


def _without_lists(roots: list[Node]) -> list[Node]:
    flat: list[Node] = []
    pending = list(reversed(roots))
    while pending:
        root = pending.pop()
        items = _list_items(root)
        if items is None:
            flat.append(root)
        else:
            pending.extend(item.node for item in reversed(items) if not _is_null(item.node))
    return flat


def _list_items(root: Node) -> list[Item] | None:
    if not isinstance(root, Mapping):
        return None
    kind, items = root.entries.get("kind"), root.entries.get("items")
    if kind is None or items is None or not isinstance(items.node, Sequence):
        return None
    name = kind.node.value if isinstance(kind.node, Scalar) else None
    return items.node.entries if isinstance(name, str) and name.endswith("List") else None


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None
