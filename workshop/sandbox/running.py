"""What a component's description may ask about the sandbox it is going to run in."""

from __future__ import annotations

import contextlib
import functools
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workshop.sandbox.client import Api, Document
from workshop.sandbox.credentials import ADMIN, write_kubeconfig
from workshop.sandbox.manifest import FamilyFolder
from workshop.sandbox.model import Family, Part
from workshop.sandbox.places import Cache, Home
from workshop.sandbox.store import Store


@dataclass
class Running:
    """One sandbox coming up or running: its folders, ports, tokens and the API server's client."""

    home: Home
    cache: Cache
    parts: tuple[Part, ...]
    programs: Mapping[str, Path]
    ports: Mapping[str, int]
    tokens: Mapping[str, str]
    _api: Api | None = field(default=None, repr=False)

    def has(self, part: str) -> bool:
        """Tell whether that part is in this sandbox."""
        return any(one.name == part for one in self.parts)

    def folder(self, component: str) -> Path:
        """Return the working directory of a component, made when it is first asked for."""
        folder = self.home.root / "run" / component
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def secret(self, name: str) -> Path:
        """Return the path of a file only the user can read."""
        return self.home.secrets / name

    @property
    def authority(self) -> Path:
        """The certificate the API server signed itself; there once it has started for the first time."""
        return self.home.secrets / "apiserver" / "apiserver.crt"

    @property
    def api(self) -> Api:
        """The API server, as its owner sees it."""
        if self._api is None:
            self._api = self.api_as(ADMIN)
        return self._api

    def api_as(self, user: str) -> Api:
        """The API server, as one of the users with a token sees it."""
        return Api(self.ports["kube-apiserver"], self.authority.read_bytes(), self.tokens[user])

    @functools.cached_property
    def store(self) -> Store:
        """The etcd of this sandbox."""
        return Store(self.folder("etcd") / "g:0")

    def listens(self, port: str) -> bool:
        """Tell whether somebody listens at the port of that name."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.ports[port]), 1):
            return True
        return False

    def kubeconfig(self, user: str) -> Path:
        """Write the kubeconfig of a component and return its path."""
        path = self.secret(f"{user.replace(':', '_')}.kubeconfig")
        self.write_kubeconfig(path, user)
        return path

    def write_kubeconfig(self, path: Path, user: str) -> None:
        """Write a kubeconfig for one of the users."""
        write_kubeconfig(
            path,
            port=self.ports["kube-apiserver"],
            authority=self.authority.read_bytes(),
            user=user,
            token=self.tokens[user],
        )

    def files(self, family: Family, *below: str) -> Iterator[Path]:
        """Yield the files taken from a module, all of them or those below the named folders."""
        folder = FamilyFolder.of(family, self.cache.programs)
        for path in folder.recorded_files():
            relative = path.relative_to(folder.files).as_posix()
            if not below or any(relative.startswith(f"{name}/") for name in below):
                yield path

    def documents(self, family: Family, *below: str) -> list[Document]:
        """Return the objects in those files, in order; lists and empty documents left out."""
        return read_documents(self.files(family, *below))


def read_documents(paths: Iterable[Path]) -> list[Document]:
    """Read Kubernetes objects from YAML files."""
    import yaml

    loader: Any = type("Loader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})
    # A lone "=" has a type of its own in YAML 1.1, which nobody means and Kubernetes does not know.
    loader.add_constructor("tag:yaml.org,2002:value", loader.construct_yaml_str)
    found: list[Document] = []
    for path in paths:
        with path.open("rb") as file:
            found += [one for one in yaml.load_all(file, Loader=loader) if _is_object(one)]
    return found


def _is_object(document: object) -> bool:
    return isinstance(document, dict) and {"apiVersion", "kind", "metadata"} <= document.keys()
