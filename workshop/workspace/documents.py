"""A YAML document: its data as the field's tools see it, and the place of every value."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, Final

from workshop.texts import Text
from workshop.workspace.body import body_place
from workshop.workspace.composing import compose
from workshop.workspace.nodes import Item, Mapping, Node, Scalar, Sequence, plain
from workshop.workspace.problems import Position, refusal
from workshop.workspace.scalars import Dialect

PathPart = str | int
_UNSET: Final = object()


class Source:
    """The text documents were read from, and where its indexes are in the file.

    `line_offset` and `column_offset` are added to every line and column: a text that stood inside
    another document keeps the places of the file.
    """

    __slots__ = ("_columns", "_lines", "_starts", "file", "text")

    def __init__(self, text: str, file: str, line_offset: int = 0, column_offset: int = 0) -> None:
        self.text, self.file = text, file
        self._lines, self._columns = line_offset, column_offset
        self._starts: list[int] = []

    def place(self, index: int) -> Position:
        """Return the position of a character of the text."""
        if not self._starts:
            self._starts = _line_starts(self.text)
        number = bisect_right(self._starts, index)
        return Position(self.file, number + self._lines, index - self._starts[number - 1] + 1 + self._columns)


class Document:
    """One YAML document. `data` is shared by everyone who reads the file: copy it before changing it."""

    __slots__ = ("_data", "_root", "_source")

    def __init__(self, root: Node, source: Source) -> None:
        self._root, self._source = root, source
        self._data: Any = _UNSET

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
        """Return the text of a scalar and the place of its first line of content; None if it is not text.

        For `parse_documents(text, file=…, line_offset=place.line - 1, column_offset=place.column - 1)`:
        exact for literal blocks and one-line scalars, the nearest line otherwise.
        """
        node = self._node(path)
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return None
        return node.value, self._source.place(body_place(self._source.text, node))

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
    source = Source(text, file, line_offset, column_offset)
    roots = compose(text, dialect=dialect, file=file, place=source.place)
    if dialect == "kubernetes":
        roots = _without_lists(roots)
    if not roots:
        raise refusal(
            "empty",
            Text("{file} holds no content yet", file=file),
            Text("Write the answer to the exercise into it; comments alone do not count."),
        )
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


def _line_starts(text: str) -> list[int]:
    starts = [0]
    index = text.find("\n")
    while index >= 0:
        starts.append(index + 1)
        index = text.find("\n", index + 1)
    return starts
