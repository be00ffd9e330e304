"""Image references: their parts, their normal form, and where a workload names them.

Source: pkg/utils/image and pkg/utils/api/image.go (default registry docker.io, mutation of references
enabled).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from workshop.kyverno.outcome import KyvernoError, spend

CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
POD_SPEC: dict[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("DaemonSet", "Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "Job"),
        ("spec", "template", "spec"),
    ),
}
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<registry>[A-Za-z0-9.\-]+(?::\d+)?|\[[a-fA-F0-9:]+\](?::\d+)?)/(?P<path>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)


@dataclass(frozen=True)
class Image:
    """The parts of one image reference; `tag` is "latest" when neither tag nor digest was written."""

    registry: str
    path: str
    tag: str
    digest: str
    pointer: str = ""

    @property
    def reference(self) -> str:
        """The normal form: ``docker.io/nginx:1.27`` or ``ghcr.io/a/b@sha256:…``."""
        return f"{self.registry}/{self.path}" + (f"@{self.digest}" if self.digest else f":{self.tag}")

    def variables(self) -> dict[str, str]:
        """What ``images.containers.NAME`` holds; absent parts are left out as Kyverno does."""
        parts = {
            "registry": self.registry,
            "name": self.path.rsplit("/", 1)[-1],
            "path": self.path,
            "tag": self.tag,
            "digest": self.digest,
            "reference": self.reference,
            "referenceWithTag": f"{self.registry}/{self.path}:{self.tag}",
            "jsonPointer": self.pointer,
        }
        return {key: value for key, value in parts.items() if value or key in {"name", "path"}}


def parse_image(text: str, pointer: str = "") -> Image:
    """The image a reference names. Raises KyvernoError for an invalid one (capitals, spaces, …)."""
    spend(len(text))
    head, slash, _ = text.partition("/")
    registry_given = slash and (any(c in head for c in ".:") or head == "localhost" or head != head.lower())
    full = text if registry_given else f"docker.io/{text}"
    match = _REFERENCE.fullmatch(full) if len(text) <= 1024 else None
    if match is None:
        raise KyvernoError(f"bad image: {text}")
    tag, digest = match["tag"] or "", match["digest"] or ""
    return Image(match["registry"], match["path"], tag if tag or digest else "latest", digest, pointer)


def images_of(resource: dict[str, Any], extractors: object = None) -> dict[str, dict[str, Image]]:
    """Images by kind of container and container name, as in the variable ``images``.

    `extractors` is a rule's ``imageExtractors``, for custom resources.
    """
    kind = str(resource.get("kind"))
    configured = extractors.get(kind) if isinstance(extractors, dict) else None
    found: dict[str, dict[str, Image]] = {}
    if isinstance(configured, list):
        for entry in configured:
            if not isinstance(entry, dict):
                raise KyvernoError("invalid image extractor")
            fields = [part.strip() for part in str(entry.get("path", "")).split("/") if part.strip()]
            value = str(entry.get("value") or (fields.pop() if fields else ""))
            where = {str(entry.get("name") or "custom"): (fields, str(entry.get("key") or ""), value)}
            _extract(resource, where, found, str(entry.get("jmesPath") or ""))
    elif kind in POD_SPEC:
        _extract(resource, {tag: ([*POD_SPEC[kind], tag, "*"], "name", "image") for tag in CONTAINERS}, found)
    return found


def _extract(
    resource: object,
    where: dict[str, tuple[list[str], str, str]],
    found: dict[str, dict[str, Image]],
    expression: str = "",
) -> None:
    for name, (fields, key, value) in where.items():
        images: dict[str, Image] = {}
        for path, item in _descend(resource, fields, ()):
            pointer = "/" + "/".join((*path, value))
            label = item.get(key) if key else pointer
            if not isinstance(label, str):
                raise KyvernoError("invalid key")
            reference = item.get(value)
            if expression and reference:
                from workshop.kyverno.jmes import search  # only custom resources need expressions

                reference = search(expression, reference)
            if isinstance(reference, str) and reference.strip():
                images[label] = parse_image(reference, pointer)
        if images:
            found[name] = images


def _descend(
    node: object, fields: list[str], path: tuple[str, ...]
) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    if node is None:
        return []
    if fields and fields[0] == "*":
        pairs = (
            enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else None
        )
        if pairs is None:
            raise KyvernoError("invalid type")
        return [hit for key, item in pairs for hit in _descend(item, fields[1:], (*path, str(key)))]
    if not isinstance(node, dict):
        raise KyvernoError("invalid image config")
    if not fields:
        return [(path, node)]
    return _descend(node.get(fields[0]), fields[1:], (*path, fields[0]))
