"""From text to node trees: libyaml's event stream, composed without recursion and within limits.

PyYAML's own composer and constructor are not used: they recurse, they expand what hostile files tell
them to, and they read YAML 1.1 as no tool of this field does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from workshop.dialects import Dialect
from workshop.texts import Text
from workshop.workspace.nodes import Item, Mapping, Node, Scalar, Sequence
from workshop.workspace.problems import Kind, Position, Unreadable, refusal
from workshop.workspace.scalars import Value, is_json, key_text, resolve

MAX_DEPTH: Final = 100
MAX_NODES: Final = 50_000
# libyaml compares every %TAG line with every other one.
_MAX_TAG_LINES: Final = 100
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD: Final = "tag:yaml.org,2002:"
_PLAIN_KINDS: Final[dict[str, type]] = {"bool": bool, "int": int, "float": float, "null": type(None)}
# What the YAML reader refuses anywhere, quoted or not.
_INVISIBLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAB_ON_EMPTY_LINE: Final = re.compile(r"^ *\t[ \t]*$", re.MULTILINE)

Place = Callable[[int], Position]


def compose(text: str, *, dialect: Dialect, file: str, place: Place) -> list[Node]:
    """Return the root node of every document that is not empty.

    `place` turns an index of `text` into the position to report. Raises Unreadable.
    """
    _refuse_before_parsing(text, file, place)
    composer = _Composer(text, dialect, file, place)
    try:
        for event in _events(text):
            composer.take(event)
    except yaml.YAMLError as error:
        # YAML 1.2 takes a tab on an otherwise empty line for a space, libyaml does not.
        softened = _TAB_ON_EMPTY_LINE.sub(_spaces, text) if dialect == "core" else text
        if softened != text:
            return compose(softened, dialect=dialect, file=file, place=place)
        # Only a mistake needs explaining: its many patterns are not compiled for files that are right.
        from workshop.workspace.syntax import explain

        raise explain(error, text, place) from error
    except RecursionError as error:  # the pure Python reader, where libyaml is missing
        raise composer.refusal("too-deep", 0, *_too_deep()) from error
    return composer.roots


def _events(text: str) -> Iterator[Any]:
    loader = _LOADER(text)
    try:
        event = loader.get_event()
        while type(event) is not yaml.StreamEndEvent:
            yield event
            event = loader.get_event()
    finally:
        loader.dispose()


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _refuse_before_parsing(text: str, file: str, place: Place) -> None:
    found = _INVISIBLE.search(text)
    if found:
        raise refusal(
            "yaml-syntax",
            Text("{file} holds the invisible character {code}", file=file, code=f"U+{ord(found[0]):04X}"),
            Text("Delete the character: type the line again instead of pasting it."),
            place(found.start()),
        )
    if text.count("%TAG") > _MAX_TAG_LINES:
        raise refusal(
            "too-many-nodes",
            Text("{file} declares more tags than any real file does", file=file),
            Text("Remove the lines that begin with %TAG."),
        )


def _too_deep() -> tuple[Text, Text]:
    return (
        Text("The YAML is nested more than {limit} levels deep", limit=MAX_DEPTH),
        Text("Look for brackets that are never closed, or for indentation that grows with every line."),
    )


@dataclass(slots=True)
class _OpenSequence:
    """A sequence whose end has not come yet."""

    node: Sequence


@dataclass(slots=True)
class _OpenMapping:
    """A mapping whose end has not come yet, and the key that waits for its value."""

    node: Mapping
    key: str | None = None
    key_start: int = -1
    merging: bool = False
    own: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Composer:
    text: str
    dialect: Dialect
    file: str
    place: Place
    roots: list[Node] = field(default_factory=list)
    stack: list[_OpenMapping | _OpenSequence] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    count: int = 0

    def refusal(self, kind: Kind, index: int, text: Text, remedy: Text) -> Unreadable:
        return refusal(kind, text, remedy, self.place(index))

    def take(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._counted(1, event.start_mark.index)
            self._scalar(event)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._counted(1, event.start_mark.index)
            self._open(event, mapping=kind is yaml.MappingStartEvent)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            opened = self.stack.pop()
            opened.node.closed = True
            self._add(opened.node, opened.node.start)
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.DocumentStartEvent:
            self._counted(1, event.start_mark.index)
            self.anchors = {}
            if event.version not in (None, (1, 1)) and self.dialect != "core":
                raise self.refusal(
                    "yaml-syntax",
                    event.start_mark.index,
                    Text("The tools that read this file refuse the line %YAML {version}", version="1.2"),
                    Text("Remove the line."),
                )

    def _counted(self, nodes: int, index: int, kind: Kind = "too-many-nodes") -> None:
        self.count += nodes
        if self.count <= MAX_NODES:
            return
        if kind == "alias-bomb":
            text = Text("Aliases (*name) blow this file up to more than {limit} values", limit=MAX_NODES)
            remedy = Text("Write the values out where they are needed; aliases of aliases multiply.")
        else:
            text = Text("{file} holds more than {limit} values", file=self.file, limit=MAX_NODES)
            remedy = Text("Keep only what the exercise asks for.")
        raise self.refusal(kind, index, text, remedy)

    # --- nodes -----------------------------------------------------------------------------------

    def _scalar(self, event: Any) -> None:
        text, style, start = event.value, event.style or "", event.start_mark.index
        value: Value
        if event.tag is not None:
            value = self._tagged(event.tag, text, start)
        elif style:
            value = text
        else:
            value = resolve(text, self.dialect)
        if self.dialect == "kubernetes" and not is_json(value) and not self._expects_key():
            raise self.refusal(
                "yaml-syntax",
                start,
                Text("{value} has no form in JSON, into which Kubernetes turns every file", value=text),
                Text("Write a number, or quote it if it is text."),
            )
        node = Scalar(start, event.end_mark.index, value, text, style)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self._add(node, start, merge_key=not style and text == "<<" and event.tag is None)

    def _tagged(self, tag: str, text: str, start: int) -> Value:
        name = tag.removeprefix(_STANDARD)
        if tag == "!" or name in ("str", "timestamp"):
            return text
        if name not in _PLAIN_KINDS or not tag.startswith(_STANDARD):
            raise self._unsupported(tag, start)
        value = resolve(text, self.dialect)
        if name == "float" and isinstance(value, int) and not isinstance(value, bool):
            return value if self.dialect != "prometheus" else float(value)
        if type(value) is not _PLAIN_KINDS[name]:
            raise self.refusal(
                "unsupported-tag",
                start,
                Text("“{value}” is not what its tag !!{tag} says", value=text[:60], tag=name),
                Text("Remove the tag, or correct the value."),
            )
        return value

    def _unsupported(self, tag: str, start: int) -> Unreadable:
        shown = "!!" + tag.removeprefix(_STANDARD) if tag.startswith(_STANDARD) else tag
        return self.refusal(
            "unsupported-tag",
            start,
            Text("The tag {tag} is not one that Kubernetes tools know", tag=shown[:80]),
            Text("Remove it; a text that begins with “!” needs quotes."),
        )

    def _open(self, event: Any, *, mapping: bool) -> None:
        start = event.start_mark.index
        if len(self.stack) >= MAX_DEPTH:
            raise self.refusal("too-deep", start, *_too_deep())
        if event.tag not in (None, "!", _STANDARD + ("map" if mapping else "seq")):
            raise self._unsupported(event.tag, start)
        if self._expects_key():
            raise self._key_not_text(start)
        opened = _OpenMapping(Mapping(start)) if mapping else _OpenSequence(Sequence(start))
        if event.anchor is not None:
            self.anchors[event.anchor] = opened.node
        self.stack.append(opened)

    def _alias(self, event: Any) -> None:
        start, name = event.start_mark.index, event.anchor
        node = self.anchors.get(name)
        if node is None:
            raise self.refusal(
                "yaml-syntax",
                start,
                Text("*{name} refers to an anchor &{name} that is not defined before it", name=name),
                Text("A value that begins with “*” is an alias; quote it if it is meant as text."),
            )
        if not isinstance(node, Scalar):
            if not node.closed:
                raise self.refusal(
                    "alias-bomb",
                    start,
                    Text("The anchor &{name} contains itself", name=name),
                    Text("Write the value out where it is needed."),
                )
            if len(self.stack) + node.height > MAX_DEPTH:
                raise self.refusal("too-deep", start, *_too_deep())
        self._counted(1 if isinstance(node, Scalar) else node.weight, start, "alias-bomb")
        self._add(node, start)

    # --- collections -----------------------------------------------------------------------------

    def _add(self, node: Node, start: int, *, merge_key: bool = False) -> None:
        if not self.stack:
            if not (isinstance(node, Scalar) and node.value is None):
                self.roots.append(node)
            return
        into = self.stack[-1]
        if isinstance(into, _OpenSequence):
            into.node.entries.append(Item(start, start, node))
        elif into.merging:
            into.merging = False
            self._merge(into.node, node, start)
        elif into.key is not None:
            into.node.entries[into.key] = Item(into.key_start, start, node)
            into.key = None
        elif merge_key and self.dialect != "core":
            if self.dialect == "prometheus" and "<<" in into.own:
                raise self._duplicate("<<", start, start)
            into.own.add("<<")
            into.merging = True
            return
        else:
            self._key(into, node, start)
            return
        if isinstance(node, Scalar):
            into.node.weight += 1
        else:
            into.node.weight += node.weight
            into.node.height = max(into.node.height, node.height + 1)

    def _expects_key(self) -> bool:
        into = self.stack[-1] if self.stack else None
        return isinstance(into, _OpenMapping) and into.key is None and not into.merging

    def _key(self, into: _OpenMapping, node: Node, start: int) -> None:
        key = key_text(node.value, node.text, self.dialect) if isinstance(node, Scalar) else None
        if key is None:
            raise self._key_not_text(start)
        if key in into.own:
            raise self._duplicate(key, into.node.entries[key].key, start)
        into.own.add(key)
        into.key, into.key_start = key, start

    def _duplicate(self, key: str, first: int, second: int) -> Unreadable:
        return self.refusal(
            "duplicate-key",
            second,
            Text("The key “{key}” is already on line {line}", key=key[:80], line=self.place(first).line),
            Text("Only one of the two would count: keep one, or put both values below the same key."),
        )

    def _key_not_text(self, start: int) -> Unreadable:
        if self.text.startswith("{{", start) or self.text.startswith("{{", start - 1):
            start -= not self.text.startswith("{{", start)
            from workshop.workspace.syntax import unquoted_template

            return self.refusal("key-not-text", start, *unquoted_template())
        remedy = Text("Remove the “?” in front of the key, or write the key as a text.")
        if self.text.startswith(("{", "["), start):
            remedy = Text("A text that begins with { or [ needs quotes around it.")
        return self.refusal(
            "key-not-text",
            start,
            Text("A key must be a text, not a list, a mapping or nothing"),
            remedy,
        )

    def _merge(self, into: Mapping, node: Node, start: int) -> None:
        sources = [item.node for item in node.entries] if isinstance(node, Sequence) else [node]
        mappings = [source for source in sources if isinstance(source, Mapping)]
        if len(mappings) != len(sources):
            raise self.refusal(
                "yaml-syntax",
                start,
                Text("The merge key << takes a mapping or a list of mappings"),
                Text("Write <<: *name, where &name stands in front of keys and values."),
            )
        # Earlier mappings of a list win. go-yaml v2 lets a merge replace keys written before it, v3 does not.
        for source in reversed(mappings) if self.dialect == "kubernetes" else mappings:
            for key, item in source.entries.items():
                if self.dialect == "kubernetes" or key not in into.entries:
                    into.entries[key] = item
