"""The lab's own kind cluster: made from the lab's file, brought back, deleted – and never another one."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workshop.content import Lab
from workshop.provisioning.shell import CommandError, Say, ask, run
from workshop.provisioning.target import Target
from workshop.texts import Message, Text

_CREATE_SECONDS: Final = 900
_DELETE_SECONDS: Final = 180
_START_SECONDS: Final = 60

Tell = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class KindCluster:
    """The kind cluster behind the first of the lab's contexts that is one of kind's."""

    target: Target
    config: Path

    @classmethod
    def of(cls, lab: Lab, workspace: Path) -> KindCluster | None:
        """Return the lab's cluster, None when the lab has none.

        The configuration is the one of the workspace's materials, where the student may have changed a
        port, else the lab's own. Its name is always the lab's.
        """
        target = next((each for each in map(Target, lab.contexts) if each.kind_cluster), None)
        own, given = workspace / "materials" / "kind-config.yaml", lab.materials / "kind-config.yaml"
        if target is None or not given.is_file():
            return None
        return cls(target, own if own.is_file() else given)

    @property
    def name(self) -> str:
        """The name by which kind knows it."""
        return str(self.target.kind_cluster)

    @property
    def creation(self) -> list[str]:
        """The command that makes it."""
        return ["kind", "create", "cluster", "--name", self.name, "--config", str(self.config)]

    @property
    def deletion(self) -> list[str]:
        """The command that deletes it."""
        return ["kind", "delete", "cluster", "--name", self.name]

    def exists(self) -> bool:
        """Whether kind has a cluster of this name. Raises CommandError when kind does not answer."""
        said = ask("kind", "get", "clusters", seconds=30)
        if said is None:
            raise CommandError(["kind", "get", "clusters"], None)
        return self.name in said.split()

    def create(self, tell: Tell, say: Say) -> None:
        """Make it. Raises CommandError."""
        self._carry_out(self.creation, tell, say, _CREATE_SECONDS)

    def bring_back(self, tell: Tell, say: Say) -> None:
        """Start its nodes, and put its context into the kubeconfig. Raises CommandError."""
        nodes = (ask("kind", "get", "nodes", "--name", self.name, seconds=30) or "").split()
        if nodes:
            self._carry_out(["docker", "start", *nodes], tell, say, _START_SECONDS)
        self._carry_out(["kind", "export", "kubeconfig", "--name", self.name], tell, say, _START_SECONDS)

    def delete(self, tell: Tell, say: Say) -> None:
        """Delete it, whatever state it is in. Raises CommandError."""
        self._carry_out(self.deletion, tell, say, _DELETE_SECONDS)

    @staticmethod
    def _carry_out(words: list[str], tell: Tell, say: Say, seconds: float) -> None:
        tell(Text("$ {command}", command=shlex.join(words)))
        run(words, say, seconds=seconds)
