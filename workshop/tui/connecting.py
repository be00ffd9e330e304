"""The cluster of a mode: finding it, asking what is installed, and telling when looking again is worth it.

Nothing here imports a Kubernetes client before a cluster is really looked for; everything runs in threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workshop.content import Lab
from workshop.texts import Message, Text
from workshop.verdicts import ExerciseResult, Half, Mode, Reason

if TYPE_CHECKING:
    from workshop.cluster.port import Cluster

# What the lab installs, by a kind that comes with it.
INSTALLED: Final = {
    "Kyverno": "ClusterPolicy.kyverno.io",
    "Tekton": "Pipeline.tekton.dev",
    "Rollouts": "Rollout.argoproj.io",
    "Litmus": "ChaosEngine.litmuschaos.io",
}
# In a sandbox its definitions are there for the schema alone: nobody carries an engine out.
_DEFINED_ALONE: Final = frozenset({"Litmus"})
# Reasons that speak of the connection, not of one question.
LOST: Final = frozenset({Reason.NO_CLUSTER, Reason.NO_SANDBOX, Reason.TIMEOUT})


@dataclass(frozen=True, slots=True)
class ClusterView:
    """How the cluster was found by the newest run: `problem` is None when it answered.

    `context` is empty when none could be chosen; `installed` are keys of INSTALLED.
    """

    context: str = ""
    installed: frozenset[str] = frozenset()
    reason: Reason | None = None
    problem: Message | None = None


def connect(mode: Mode, lab: Lab, folder: Path | None = None) -> Cluster:
    """Return the cluster of a mode, chosen anew: it may have come, gone or moved. Raises Unreachable.

    A context that was confirmed for the workspace in `folder` comes first.
    """
    from workshop.cluster.choosing import SANDBOX_CONTEXT, choose
    from workshop.cluster.port import Unreachable
    from workshop.cluster.remembering import remembered_context

    if mode is not Mode.SANDBOX:
        return choose(lab.contexts, remembered=remembered_context(folder) if folder else None)
    from workshop.tui import own_sandbox

    if not own_sandbox.is_up():
        raise Unreachable(Reason.NO_SANDBOX, Text("no sandbox is running"))
    return choose(lab.contexts, asked=SANDBOX_CONTEXT)


def look(cluster: Cluster) -> ClusterView:
    """Ask a cluster for what is installed. Raises Unreachable when it does not answer."""
    from workshop.cluster.choosing import SANDBOX_CONTEXT
    from workshop.cluster.port import Unreachable

    cluster.serves("Namespace")
    played = _DEFINED_ALONE if cluster.context == SANDBOX_CONTEXT else frozenset()
    found = set()
    for name, kind in INSTALLED.items():
        try:
            if name not in played and cluster.serves(kind):
                found.add(name)
        except Unreachable as unreachable:
            # One group that its own server does not answer for: the others do.
            if unreachable.reason in LOST:
                raise
    return ClusterView(cluster.context, frozenset(found))


def mode_for(mode: Mode, cluster: Cluster) -> Mode:
    """Return how the engine has to look at a cluster: the sandbox, however chosen, has no containers."""
    from workshop.cluster.choosing import SANDBOX_CONTEXT

    return Mode.SANDBOX if cluster.context == SANDBOX_CONTEXT else mode


def is_lost(result: ExerciseResult) -> bool:
    """Whether the connection to the cluster broke while an exercise was judged."""
    return any(check.half is Half.CLUSTER and check.reason in LOST for check in result.checks)
