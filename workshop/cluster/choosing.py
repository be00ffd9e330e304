"""Which cluster to look at: never kubectl's bare current context, only what the lab or the student names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from workshop.cluster.live import LiveCluster
from workshop.cluster.port import Unreachable
from workshop.texts import Text
from workshop.verdicts import Reason

SANDBOX_CONTEXT = "techmarket-sandbox"


def choose(
    contexts: Sequence[str], *, asked: str | None = None, remembered: str | None = None
) -> LiveCluster:
    """Return the cluster of the asked context, else the remembered one, else the lab's first that is there.

    `contexts` are the lab's, in order of preference; the sandbox's is found in the sandbox's own
    kubeconfig. One of the lab's that is remembered but not there any more (a sandbox that is down) gives
    way to the others; a stranger that the student confirmed never does. Raises Unreachable (no-cluster)
    when none is there.
    """
    if asked:
        return LiveCluster(asked, kubeconfig_of(asked))
    if remembered and remembered not in contexts:
        try:
            return LiveCluster(remembered, kubeconfig_of(remembered))
        except Unreachable as unreachable:
            text = Text(
                "{problem} (it was confirmed with --context and remembered; name another one the same way)",
                problem=unreachable.text,
            )
            raise Unreachable(unreachable.reason, text) from unreachable
    for context in sorted(contexts, key=lambda each: each != remembered):
        kubeconfig = kubeconfig_of(context)
        if context == SANDBOX_CONTEXT and kubeconfig is None:
            continue
        try:
            return LiveCluster(context, kubeconfig)
        except Unreachable:
            continue
    names = ", ".join(contexts)
    raise Unreachable(
        Reason.NO_CLUSTER, Text("none of the lab's contexts is in your kubeconfig: {names}", names=names)
    )


def kubeconfig_of(context: str) -> Path | None:
    """Return the kubeconfig of a running sandbox for its context, None for the user's own kubeconfig."""
    if context != SANDBOX_CONTEXT or os.name == "nt":
        return None
    from workshop.sandbox.api import Sandbox

    sandbox = Sandbox()
    return sandbox.kubeconfig if sandbox.status().up else None
