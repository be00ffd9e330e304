"""The words in which a component is described: where it comes from, how it is run, when it is ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workshop.sandbox.running import Running


def _none() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Program:
    """One executable of a Go module.

    `proof` are arguments that make it print something containing `expects` and end at once: how we know
    that a binary works here and is what it says. `also_named` are names under which people have it on
    PATH; a program that is only known by an ambiguous name is never taken from there.
    """

    name: str
    package: str
    proof: tuple[str, ...]
    expects: str
    also_named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Amendment:
    """Something in a Go module compiled otherwise: where `file` says `written`, exactly once, `instead`."""

    module: str
    file: str
    written: str
    instead: str


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """A Go module at a pinned version: the programs built from it and the files taken from it.

    `files` maps a folder below our own `files/` to a folder or file of the module; the YAML documents in it
    are taken, subfolders included. `stamps` are linker variables that carry the version. `amendments` change
    lines of the source where a program offers no option.
    """

    name: str
    module: str
    version: str
    programs: tuple[Program, ...] = ()
    files: Mapping[str, str] = field(default_factory=_none)
    stamps: Mapping[str, str] = field(default_factory=_none)
    amendments: tuple[Amendment, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """One process of a control plane.

    `command` gives the arguments after the program, `environment` what is added to a bare environment,
    `ready` is asked until it says yes. It is started once every component in `after` is ready and `welcome`
    (if any) says yes, as `user` (with its own token) where it talks to the API server, with the `ports` it
    listens on already chosen. Where nothing has to be installed first, one that begins with work of its own
    is started as soon as `early` says yes.
    """

    name: str
    program: str
    command: Callable[[Running], list[str]]
    ready: Callable[[Running], bool]
    after: tuple[str, ...] = ()
    welcome: Callable[[Running], bool] | None = None
    early: Callable[[Running], bool] | None = None
    environment: Callable[[Running], dict[str, str]] | None = None
    user: str = ""
    ports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What `--with` names: families to have and components to run, beside those of the parts it needs.

    `tools` are programs that are there for people and run only when asked for. `prepared_with` are parts
    that run while a data directory is prepared, for what they leave in it. `stages` tell kwok how the Pods
    of this part end.

    `install` puts the objects in place that its components expect to find; that is done once, when a data
    directory is prepared. `adapt` does what depends on this start (ports), each time, once the API server
    answers. `tend` is called about once a second while the sandbox runs.

    The others are beginnings of keys in etcd, below /registry/: `stale` are removed before a start (what the
    processes of before left would hold up those to come), and the content of `owned` is its components' own
    business, which a reset leaves to them.
    """

    name: str
    families: tuple[Family, ...]
    components: tuple[Component, ...] = ()
    needs: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    prepared_with: tuple[str, ...] = ()
    stages: tuple[Mapping[str, Any], ...] = ()
    install: Callable[[Running], None] | None = None
    adapt: Callable[[Running], None] | None = None
    tend: Callable[[Running], None] | None = None
    stale: tuple[str, ...] = ()
    owned: tuple[str, ...] = ()
    megabytes: int = 0

    @property
    def programs(self) -> frozenset[str]:
        """The programs this part cannot do without."""
        return frozenset({*self.tools, *(component.program for component in self.components)})
