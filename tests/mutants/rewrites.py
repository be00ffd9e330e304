"""Rewrites that keep a file's meaning: however a student spells a right answer, it passes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import yaml

from .mutants import dumped

_QUOTED: Final = ("'", '"')


def rewrites(text: str, *, kubernetes: bool) -> Iterator[tuple[str, str | bytes]]:
    """Every rewriting of a YAML file with its name. `kubernetes`: kubectl reads it, so a List will do."""
    documents = list(yaml.safe_load_all(text))
    yield "keys in another order", dumped([_reversed(document) for document in documents])
    yield "flow style", yaml.safe_dump_all(documents, default_flow_style=True, allow_unicode=True)
    yield "JSON", "\n---\n".join(json.dumps(document, ensure_ascii=False) for document in documents)
    for style in _QUOTED:
        yield f"texts in {style}", _styled(documents, style)
    yield "texts in blocks", _styled(documents, "|")
    yield "anchors", yaml.safe_dump_all(_shared(documents), sort_keys=False, allow_unicode=True)
    yield (
        "comments",
        "".join(f"# a word\n{line}\n" if _is_key(line) else f"{line}\n" for line in _plain(documents)),
    )
    yield "Windows line ends", dumped(documents).replace("\n", "\r\n").encode()
    yield "a byte order mark", b"\xef\xbb\xbf" + dumped(documents).encode()
    yield "document marks", "---\n" + dumped(documents) + "...\n"
    yield "wide indentation", yaml.safe_dump_all(documents, indent=6, sort_keys=False, allow_unicode=True)
    yield "an empty document before", "---\n---\n" + dumped(documents)
    yield "extra labels", dumped([_labelled(document) for document in documents])
    if kubernetes:
        yield "a List", dumped([{"apiVersion": "v1", "kind": "List", "items": documents}])


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed(item) for key, item in reversed(value.items())}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


def _plain(documents: list[Any]) -> list[str]:
    return dumped(documents).splitlines()


def _is_key(line: str) -> bool:
    """Whether a comment may stand before this line: it begins with a key, so no text goes on in it."""
    return line.endswith(":") and not line.startswith(" " * 12)


def _shared(documents: list[Any]) -> list[Any]:
    """The same data, in which equal maps and lists are one object: the dumper writes anchors for them."""
    seen: dict[str, Any] = {}

    def share(value: Any) -> Any:
        if isinstance(value, dict):
            value = {key: share(item) for key, item in value.items()}
        elif isinstance(value, list):
            value = [share(item) for item in value]
        else:
            return value
        return seen.setdefault(json.dumps(value, default=str), value)

    return [share(document) for document in documents]


class _Styled(yaml.SafeDumper):
    style: str = "'"


def _text(dumper: _Styled, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=dumper.style)


_Styled.add_representer(str, _text)


def _styled(documents: list[Any], style: str) -> str:
    class Dumper(_Styled):
        pass

    Dumper.style = style
    return yaml.dump_all(documents, Dumper=Dumper, sort_keys=False, allow_unicode=True)


def _labelled(document: Any) -> Any:
    metadata = {**document["metadata"]}
    metadata["labels"] = {**(metadata.get("labels") or {}), "example.org/course": "platform"}
    metadata["annotations"] = {**(metadata.get("annotations") or {}), "example.org/note": "by hand"}
    return {**document, "metadata": metadata}
