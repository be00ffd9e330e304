"""What the account of Backstage's Pods may read, asked of the API server itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from workshop.checking import Exam, Text

from .._backstage import listed
from ._portal import Portal

# What the tab cannot do without, and what else it shows.
VITAL: Final = ("Pod", "Deployment.apps")
BESIDES: Final = (
    "Service",
    "ConfigMap",
    "LimitRange",
    "ReplicaSet.apps",
    "StatefulSet.apps",
    "Job.batch",
    "CronJob.batch",
    "HorizontalPodAutoscaler.autoscaling",
    "Ingress.networking.k8s.io",
)


def judge_access(exam: Exam, portal: Portal, kinds: Iterable[str], namespace: str | None = None) -> None:
    """Record whether Backstage may list these kinds: everywhere, or in the only namespace it asks in."""
    kinds = list(kinds)
    denied = [each for each in kinds if not exam.cluster.allowed("list", each, user=portal.account)]
    if denied and namespace:
        denied = [
            each
            for each in denied
            if not exam.cluster.allowed("list", each, namespace=namespace, user=portal.account)
        ]
    all_denied = denied == kinds
    exam.fact(
        "rights-not-bound" if all_denied else "rights-incomplete",
        Text("Backstage's account may list what the tab shows"),
        not denied,
        expected=Text("{account} may list {kinds}", account=portal.account, kinds=listed(kinds)),
        observed=Text("not allowed: {names}", names=listed(denied)),
        next=Text("Bind a ClusterRole with get, list and watch to the account that its Pods run as."),
        where=portal.place,
    )
