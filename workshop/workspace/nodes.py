"""The light tree a YAML document is composed into: values, and where each of them stands.

Places are character indexes into the text the document was read from. An alias points to the node of
its anchor; the place of the alias itself is kept by the collection it stands in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workshop.workspace.scalars import Value


@dataclass(slots=True, eq=False)
class Scalar:
    """A scalar: its value, the text it was written as, and its style ("" plain, ', ", | or >)."""

    start: int
    end: int
    value: Value
    text: str
    style: str


@dataclass(slots=True)
class Item:
    """A value in a collection; `key` is where its key (in a sequence: the item) stands."""

    key: int
    start: int
    node: Node


@dataclass(slots=True, eq=False)
class Mapping:
    """A mapping in the order of its keys, merge keys already resolved.

    `weight` counts the nodes that the tree below holds once aliases are written out, itself included;
    `height` is the number of collections from here to the deepest one.
    """

    start: int
    entries: dict[str, Item] = field(default_factory=dict)
    weight: int = 1
    height: int = 1
    closed: bool = False


@dataclass(slots=True, eq=False)
class Sequence:
    """A sequence; `weight` and `height` as for a mapping."""

    start: int
    entries: list[Item] = field(default_factory=list)
    weight: int = 1
    height: int = 1
    closed: bool = False


Node = Scalar | Mapping | Sequence


def plain(node: Node) -> Any:
    """Return the node as plain data of its own: what two aliases share is written out twice.

    Recursion is bounded: composing refuses what is deeper than a hundred collections.
    """
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Mapping):
        return {key: plain(item.node) for key, item in node.entries.items()}
    return [plain(item.node) for item in node.entries]
