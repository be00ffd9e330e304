"""Which cluster is changed, and how each tool is told so: no command ever relies on a current context."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workshop.components import Command, HelmRelease, Step

_KIND: Final = "kind-"
# Helm is told to give up a little before we do, so that it can say why.
_HELM_SECONDS_LESS: Final = 30


@dataclass(frozen=True, slots=True)
class Target:
    """A context, in the kubeconfig of a sandbox or (None) in the user's own."""

    context: str
    kubeconfig: Path | None = None

    @property
    def kind_cluster(self) -> str | None:
        """The name by which kind knows the cluster; None when it is none of kind's."""
        return self.context.removeprefix(_KIND) if self.context.startswith(_KIND) else None

    def kubectl(self, *arguments: str) -> list[str]:
        """Return a kubectl command that speaks to this cluster."""
        return ["kubectl", "--context", self.context, *self._kubeconfig(), *arguments]

    def helm(self, *arguments: str) -> list[str]:
        """Return a helm command that speaks to this cluster."""
        return ["helm", "--kube-context", self.context, *self._kubeconfig(), *arguments]

    def words(self, step: Step) -> list[str]:
        """Return the command line of a step."""
        match step.action:
            case HelmRelease():
                return self._release(step.action, step.seconds)
            case Command(tool="kubectl", arguments=arguments):
                return self.kubectl(*arguments)
            case Command(tool="kind", arguments=arguments):
                return ["kind", *arguments, "--name", self.kind_cluster or self.context]
            case Command(tool=tool, arguments=arguments):
                return [tool, *arguments]

    def pending(self, release: HelmRelease) -> list[str]:
        """Return the command that names a release which a run that was cut off has left unfinished."""
        which = ("--namespace", release.namespace, "--filter", f"^{release.release}$")
        return self.helm("list", "--pending", "--short", *which)

    def forget_pending(self, release: HelmRelease) -> list[str]:
        """Return the command that removes the record of such a run, so that Helm begins again.

        Only the record goes: what was created is taken over by the next run, passwords included.
        """
        states = "pending-install,pending-upgrade,pending-rollback"
        which = f"owner=helm,name={release.release},status in ({states})"
        return self.kubectl("delete", "secret", "--namespace", release.namespace, "--selector", which)

    def _release(self, release: HelmRelease, seconds: int) -> list[str]:
        values = ["--values", str(release.values)] if release.values else []
        return self.helm(
            *("upgrade", "--install", release.release, release.chart),
            *("--repo", release.repo, "--version", release.version),
            *("--namespace", release.namespace, "--create-namespace"),
            *values,
            *("--wait", "--timeout", f"{max(seconds - _HELM_SECONDS_LESS, _HELM_SECONDS_LESS)}s"),
        )

    def _kubeconfig(self) -> list[str]:
        return ["--kubeconfig", str(self.kubeconfig)] if self.kubeconfig else []
