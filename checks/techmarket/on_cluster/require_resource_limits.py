"""2.3 on a cluster – containers without limits are turned away at the door."""

from __future__ import annotations

from typing import Any, Final

from workshop.checking import Exam, Text, check, cluster, must, should

from .. import _policies as policies
from .._policies import Found
from .._probes import LIMITS, container, deployment, pod
from ..require_resource_limits import NAME, PATH
from ._kyverno import judge_kind_carried_out
from ._policies import judge_admitted, judge_refused, namespaces
from ._policy_there import judge_present

_REQUESTS: Final = LIMITS["requests"]
# What lacks, and the resources of a container that lacks it.
_LACKING: Final[tuple[tuple[str, str, dict[str, Any] | None], ...]] = (
    ("no-limits-admitted", "resources", None),
    ("cpu-not-required", "limits.cpu", {"requests": _REQUESTS, "limits": {"memory": "32Mi"}}),
    ("memory-not-required", "limits.memory", {"requests": _REQUESTS, "limits": {"cpu": "50m"}}),
    ("requests-suffice", "limits", {"requests": _REQUESTS}),
)


def _found(exam: Exam) -> Found:
    return policies.find(exam, PATH, policies.VALIDATING, named=NAME)


@check(level=must, half=cluster)
def policy_in_force(exam: Exam) -> None:
    """The cluster has the policy and enforces it.

    A file protects nothing until it is applied and its webhook is ready.
    """
    judge_present(exam, _found(exam))


@check(level=should, half=cluster, containers=True)
def kind_is_carried_out(exam: Exam) -> None:
    """The Kyverno that is installed still carries out this kind of policy.

    From 1.20 on the older kinds are stored at most: they look right and do nothing.
    """
    judge_kind_carried_out(exam, _found(exam))


@check(level=must, half=cluster, needs=[policy_in_force])
def unlimited_is_turned_away(exam: Exam) -> None:
    """The cluster refuses a container without its two limits.

    What the cluster does is the truth; the file is only the intention.
    """
    found = _found(exam)
    for namespace in namespaces(exam, found):
        for fact, lacking, resources in _LACKING:
            judge_refused(
                exam,
                found,
                pod(container(resources=resources), namespace=namespace),
                fact,
                Text(
                    "A container without {lacking} is refused in the namespace {namespace}",
                    lacking=lacking,
                    namespace=namespace,
                ),
                Text(
                    "Look at the policy's action first, then at match and exclude, then at the rule itself."
                ),
            )
        judge_refused(
            exam,
            found,
            pod(container("first"), container("second", resources=None), namespace=namespace),
            "second-container-admitted",
            Text("A second container without limits is refused"),
            Text("A pattern over `containers` is a list with one element: it applies to each container."),
        )


@check(level=must, half=cluster, needs=[policy_in_force])
def limited_is_let_in(exam: Exam) -> None:
    """The cluster admits a Pod with both limits.

    The twin of the refused Pod: without it, a broken webhook would look like a good policy.
    """
    found = _found(exam)
    for namespace in namespaces(exam, found):
        for cpu, memory in (("50m", "32Mi"), ("1", "1Gi")):
            resources = {"requests": _REQUESTS, "limits": {"cpu": cpu, "memory": memory}}
            judge_admitted(
                exam,
                found,
                pod(container(resources=resources), namespace=namespace),
                "limits-refused",
                Text("Limits of {cpu} and {memory} are admitted", cpu=cpu, memory=memory),
                Text("Ask that a value is there, not for one value: `?*` stands for any text."),
            )
        judge_admitted(
            exam,
            found,
            deployment(namespace=namespace),
            "deployment-refused",
            Text("A Deployment of Pods with limits is admitted"),
            Text("A pattern for Pods does not fit a Deployment: match Pods alone, the rest is derived."),
        )


@check(level=should, half=cluster, needs=[policy_in_force])
def ways_around_are_closed(exam: Exam) -> None:
    """Neither an init container nor a Deployment is a way around.

    An init container can exhaust a node just the same; a Deployment only delays the question.
    """
    found = _found(exam)
    for namespace in namespaces(exam, found):
        judge_refused(
            exam,
            found,
            pod(init=[container("prepare", resources=None)], namespace=namespace),
            "init-container-admitted",
            Text("An init container without limits is refused"),
            Text("Treat `initContainers` like `containers`, with an anchor that says: if there are any."),
        )
        judge_refused(
            exam,
            found,
            deployment(container(resources=None), namespace=namespace),
            "deployment-admitted",
            Text("A Deployment of Pods without limits is refused"),
            Text("Kyverno derives rules for controllers from Pod rules unless something switches that off."),
        )
        return
