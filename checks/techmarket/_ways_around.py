"""Ways around a policy: the names, labels and images that it names, and may be leaving out.

Whoever writes a Pod chooses them. Each is tried on a Pod that the policy otherwise refuses, so that what
gets through does so for this reason alone; those of the platform are legitimate and not tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ._policies import is_platform, texts

_MOST: Final = 40
_QUOTED: Final = re.compile(r"""'([^'"`\s]{1,100})'|"([^'"`\s]{1,100})"|`"?([^'"`\s]{1,100})"?`""")
_METADATA_KEY: Final = {
    part: re.compile(
        rf"""{part}\.?\??(?:\.\??([A-Za-z_]\w*)\b(?!\()|\.?\\?"([^"\\]+)\\?"|\[\??['"]([^'"]+)['"]\])"""
        rf"""|['"]([^'"]+)['"]\s+in\s+[\w.?]*{part}\b"""
    )
    for part in ("labels", "annotations")
}
_CONTAINER_NAME: Final = re.compile(r"(?<!metadata)\.name\b")
_IMAGE: Final = re.compile(r"[a-z0-9][a-z0-9._-]*(?::\d+)?(?:/[a-z0-9._-]+)*")
_NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_KEY: Final = re.compile(r"(?:[a-z0-9.-]{1,253}/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?")
_VALUE: Final = re.compile(r"(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?")
_ANCHOR: Final = re.compile(r"[=X<^+]?\((.*)\)")
# Tools of the platform, by a part of their images' names: later exercises run them.
_TOOLS: Final = ("kaniko", "trivy", "cosign", "syft", "git-clone", "kubernetes", "k8s", "pause")


@dataclass(frozen=True, slots=True)
class Way:
    """What a Pod is called, labelled or made of; what is empty stays as it is."""

    name: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    container: str = ""
    image: str = ""

    @property
    def in_containers(self) -> bool:
        """Whether it is about a container rather than about the Pod."""
        return bool(self.container or self.image)

    def __str__(self) -> str:
        pairs = [f"{key}: {value}" for key, value in (*self.labels, *self.annotations)]
        return ", ".join(each for each in (self.name, *pairs, self.container, self.image) if each)

    def taken_by(self, pod: dict[str, Any]) -> dict[str, Any]:
        """Return the Pod that takes this way; its containers keep the tags of their images."""
        metadata = dict(pod["metadata"])
        for key, pairs in (("labels", self.labels), ("annotations", self.annotations)):
            if pairs:
                metadata[key] = {**metadata.get(key, {}), **dict(pairs)}
        if self.name:
            metadata["name"] = self.name
        containers = []
        for each in pod["spec"]["containers"]:
            changed = {"name": self.container} if self.container else {}
            if self.image:
                changed["image"] = f"{self.image}:{each['image'].rpartition(':')[2]}"
            containers.append({**each, **changed})
        return {**pod, "metadata": metadata, "spec": {**pod["spec"], "containers": containers}}


def ways_around(policies: Iterable[dict[str, Any]]) -> list[Way]:
    """Return the ways that policies name in exclusions, selectors, conditions and patterns."""
    named = (way for policy in policies for way in _named(policy.get("spec"), ()))
    return list(dict.fromkeys(way for way in named if _possible(way) and not _of_platform(way)))[:_MOST]


def _possible(way: Way) -> bool:
    """Whether the API server takes a Pod of that name, with such labels and containers."""
    return (
        all(_NAME.fullmatch(word) for word in (way.name, way.container) if word)
        and all(_KEY.fullmatch(key) for key, _ in (*way.labels, *way.annotations))
        and all(_VALUE.fullmatch(value) for _, value in way.labels)
        and bool(str(way))
    )


def _named(value: object, path: tuple[str, ...]) -> Iterator[Way]:
    if isinstance(value, list):
        for each in value:
            yield from _named(each, path)
    elif isinstance(value, str):
        yield from _in_expression(value, _literals(value))
    elif isinstance(value, dict):
        if isinstance(value.get("key"), str) and "operator" in value:
            literals = [*_literals(value["key"]), *texts(value.get("value"))]
            yield from _in_expression(f"{value['key']} {value.get('value')}", literals)
            return
        for key, child in value.items():
            if key == "namespaceSelector":
                continue
            if key in ("selector", "objectSelector"):
                yield from _in_selector(child)
            elif key in ("names", "name") and path[-1:] == ("resources",):
                if "exclude" in path:
                    yield from (Way(name=_filled(each)) for each in texts(child))
            elif key in ("labels", "annotations") and isinstance(child, dict):
                yield from _in_pairs(key, child)
            elif (plain := _plain(key)) in ("name", "image") and isinstance(child, str) and "pattern" in path:
                yield from _in_containers(plain, re.split(r"[|&]", child))
            else:
                yield from _named(child, (*path, key))


def _in_selector(selector: object) -> Iterator[Way]:
    if not isinstance(selector, dict):
        return
    pairs = selector.get("matchLabels")
    if isinstance(pairs, dict) and pairs:
        yield Way(labels=tuple((str(key), _filled(str(value))) for key, value in pairs.items()))
    expressions = selector.get("matchExpressions")
    for each in expressions if isinstance(expressions, list) else ():
        if isinstance(each, dict) and isinstance(each.get("key"), str):
            for value in texts(each.get("values")) or ["x"]:
                yield Way(labels=((each["key"], _filled(value)),))


def _in_pairs(part: str, pairs: dict[str, Any]) -> Iterator[Way]:
    for key, value in pairs.items():
        for each in re.split(r"[|&]", value) if isinstance(value, str) else ():
            pair = (_plain(key), _filled(each.strip().lstrip("!")))
            yield Way(labels=(pair,)) if part == "labels" else Way(annotations=(pair,))


def _in_containers(part: str, values: Iterable[str]) -> Iterator[Way]:
    for value in values:
        word = value.strip().lstrip("!").strip()
        if part == "name":
            yield Way(container=_filled(word))
        elif repository := _repository(word):
            yield Way(image=repository)


def _in_expression(text: str, literals: list[str]) -> Iterator[Way]:
    for part, pattern in _METADATA_KEY.items():
        for key in dict.fromkeys(word for match in pattern.findall(text) for word in match if word):
            for value in (*(each for each in literals if each != key), "x", "true"):
                pair = (key, _filled(value))
                yield Way(labels=(pair,)) if part == "labels" else Way(annotations=(pair,))
    if _CONTAINER_NAME.search(text):
        yield from _in_containers("name", literals)
    if "metadata.name" in text:
        yield from (Way(name=_filled(each)) for each in literals)
    if "image" in text:
        yield from _in_containers("image", literals)


def _literals(text: str) -> list[str]:
    return [word for match in _QUOTED.findall(text) for word in match if word]


def _repository(word: str) -> str:
    """Return an image's name that fits what a policy says of images, without tag; empty where none can."""
    folder, slash, last = word.rpartition("/")
    name = (folder + slash + last.partition(":")[0]).replace("*", "x").replace("?", "x")
    name += "x" if name.endswith("/") else ""
    return name if name != "x" and "@" not in word and _IMAGE.fullmatch(name) else ""


def _filled(word: str) -> str:
    """Return a word that fits a pattern, and ends as names and labels must."""
    filled = word.replace("*", "x").replace("?", "x")
    return f"{filled}x" if filled.endswith(("-", ".", "_")) else filled


def _plain(key: str) -> str:
    anchored = _ANCHOR.fullmatch(key)
    return anchored[1] if anchored else key


def _of_platform(way: Way) -> bool:
    pairs = [word for pair in (*way.labels, *way.annotations) for word in pair]
    words = (way.name, way.container, way.image, *pairs)
    if any(is_platform(part) for word in words for part in re.split(r"[./]", word)):
        return True
    return any(tool in way.image for tool in _TOOLS) or "kubernetes.io/config.mirror" in pairs
