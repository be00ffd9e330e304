"""The app-config that a running Backstage reads, as far as ConfigMaps and its command line show it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

from workshop.checking import Exam
from workshop.cluster.port import Object
from workshop.cluster.reading import items, mapping, name_of, part
from workshop.tekton import parse_image
from workshop.verdicts import Source
from workshop.workspace import Document, Unreadable, parse_documents

from .._backstage_config import Section
from ._portal import Portal, likeness
from ._workloads import containers_of, template_of

_YAML: Final = (".yaml", ".yml")
_BASE, _PRODUCTION = "app-config.yaml", "app-config.production.yaml"
_PARTS: Final = frozenset({"app", "backend", "catalog", "auth", "kubernetes", "integrations", "proxy"})
_ENVIRONMENT: Final = "APP_CONFIG_"


@dataclass(frozen=True, slots=True)
class LiveSection(Section):
    """An app-config in a ConfigMap; its findings are about the object, not about a file."""

    config_map: str = ""

    def place(self, *path: str | int) -> Source:
        """Return the ConfigMap and the field."""
        return Source(object=f"ConfigMap/{self.config_map}", field=".".join(map(str, path)) or None)


class LiveConfig(NamedTuple):
    """What Backstage reads at its start.

    `loaded` are the sections in their order, later ones win; `image` are the files of the image that it
    reads besides; `unread` are ConfigMaps that hold an app-config which it does not read. Where
    `complete` is false, an image of somebody's own or a Secret may say more.
    """

    loaded: tuple[LiveSection, ...]
    image: tuple[str, ...]
    unread: tuple[str, ...]
    complete: bool
    environment: Mapping[str, str]

    def get(self, *path: str) -> Any:
        """Return the value that wins, None where no section has one."""
        return next((value for each in reversed(self.loaded) if (value := each.get(*path)) is not None), None)

    def holding(self, *path: str) -> LiveSection | None:
        """Return the section whose value wins, None where none has one."""
        return next((each for each in reversed(self.loaded) if each.get(*path) is not None), None)

    def from_environment(self, section: str) -> bool:
        """Whether variables of the container set something in a section."""
        return any(name == section or name.startswith(f"{section}_") for name in self.environment)

    @property
    def database(self) -> str | None:
        """The database client that Backstage uses; None where that cannot be seen."""
        named = self.environment.get("backend_database_client", "").strip("\"'")
        client = named or self.get("backend", "database", "client")
        if isinstance(client, str):
            return client
        if not self.complete:
            return None
        # The demo image's own files: the base keeps everything in memory, production does not.
        return "pg" if _PRODUCTION in self.image else "better-sqlite3" if self.image else ""


def live_config(exam: Exam, portal: Portal) -> LiveConfig:
    """Read what the Backstage of a cluster is configured with. No Secret is looked into."""
    template = template_of(portal.deployment)
    container = _main(portal.deployment)
    kept = {
        name_of(each): dict(_sections(each))
        for each in exam.cluster.list("ConfigMap", namespace=portal.namespace)
    }
    mounted = dict(_mounted(template, container, kept))
    asked, official = _asked(container), _is_demo(str(container.get("image", "")))
    if asked or official:
        names = [posixpath.basename(each) for each in asked] or _default(container)
    else:
        names = list(mounted)  # what an image of one's own reads by itself is not to be seen
    loaded = [mounted[name] for name in names if name in mounted]
    of_image = [name for name in names if name not in mounted]
    known = official and set(of_image) <= {_BASE, _PRODUCTION}
    return LiveConfig(
        tuple(loaded),
        tuple(of_image),
        tuple(
            sorted(
                name
                for name, found in kept.items()
                if found and not any(each in loaded for each in found.values())
            )
        ),
        complete=known or (bool(asked) and not of_image),
        environment=dict(_environment(container)),
    )


def _main(deployment: Object) -> Object:
    containers = containers_of(deployment)

    def likely(container: Object) -> int:
        return likeness({"metadata": {}, "spec": {"containers": [container]}})

    return max(containers, key=likely, default={})


def _asked(container: Object) -> list[str]:
    """Return the files that the command line names with --config."""
    lists = [each for key in ("command", "args") if isinstance(each := container.get(key), list)]
    words = [str(word) for each in lists for word in each]
    found = [each.partition("=")[2] for each in words if each.startswith("--config=")]
    return found + [after for word, after in pairwise(words) if word == "--config"]


def _default(container: Object) -> list[str]:
    """Return what the demo image reads when nothing is asked: its own command asks for production, too."""
    return [_BASE] if container.get("command") else [_BASE, _PRODUCTION]


def _is_demo(image: str) -> bool:
    """Whether an image is the project's own demo, from whatever mirror."""
    return parse_image(image).repository.endswith("backstage/backstage")


def _environment(container: Object) -> Iterator[tuple[str, str]]:
    for each in items(container, "env"):
        name = str(each.get("name"))
        if name.startswith(_ENVIRONMENT):
            yield name.removeprefix(_ENVIRONMENT), str(each.get("value", ""))


def _mounted(
    template: Object, container: Object, kept: Mapping[str, Mapping[str, LiveSection]]
) -> Iterator[tuple[str, LiveSection]]:
    """Yield the app-configs among the files that volumes bring into the container, by file name."""
    volumes = {str(each.get("name")): each for each in items(template, "spec", "volumes")}
    for mount in items(container, "volumeMounts"):
        volume = volumes.get(str(mount.get("name")))
        sources = [mapping(volume, "configMap")]
        sources += [mapping(each, "configMap") for each in items(volume, "projected", "sources")]
        for source in sources:
            sections = kept.get(str(source.get("name")), {})
            paths = {str(each.get("key")): str(each.get("path")) for each in items(source, "items")}
            for key, section in sections.items():
                path = paths.get(key, key)
                if not mount.get("subPath"):
                    yield posixpath.basename(path), section
                elif mount["subPath"] == path:
                    yield posixpath.basename(str(mount.get("mountPath"))), section


def _sections(config_map: Object) -> Iterator[tuple[str, LiveSection]]:
    name = name_of(config_map)
    for key, text in mapping(config_map, "data").items():
        if key.endswith(_YAML) and isinstance(text, str):
            document = _parsed(text)
            if document is not None and isinstance(document.data, dict) and _PARTS & set(document.data):
                place = f"{part(config_map, 'metadata', 'namespace')}/{name}"
                yield key, LiveSection(document, config_map=place)


def _parsed(text: str) -> Document | None:
    try:
        return next(iter(parse_documents(text, file="app-config.yaml", dialect="core")), None)
    except Unreadable:
        return None  # a ConfigMap may hold anything
