"""2.2 on a cluster – Pods with a moving tag are turned away at the door."""

from __future__ import annotations

from workshop.checking import Exam, Text, check, cluster, must, should

from .. import _policies as policies
from .._policies import Found
from .._probes import LATEST, PINNED, container, deployment, pod, running
from ..disallow_latest_tag import ELSEWHERE, NAME, PATH
from ._kyverno import judge_kind_carried_out
from ._policies import judge_admitted, judge_refused, namespaces
from ._policy_there import judge_present


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
def latest_is_turned_away(exam: Exam) -> None:
    """The cluster refuses a Pod with an image tagged latest.

    What the cluster does is the truth; the file is only the intention.
    """
    found = _found(exam)
    for namespace in namespaces(exam, found):
        judge_refused(
            exam,
            found,
            running(LATEST, namespace=namespace),
            "latest-admitted",
            Text("{image} is refused in the namespace {namespace}", image=LATEST, namespace=namespace),
            Text("Look at the policy's action first, then at match and exclude, then at the rule itself."),
        )
        judge_refused(
            exam,
            found,
            pod(container("first"), container("second", LATEST), namespace=namespace),
            "second-container-admitted",
            Text("A second container with {image} is refused", image=LATEST),
            Text("A pattern over `containers` is a list with one element: it applies to each container."),
        )
        judge_refused(
            exam,
            found,
            running(ELSEWHERE, namespace=namespace),
            "only-some-images",
            Text("{image} is refused in the namespace {namespace}", image=ELSEWHERE, namespace=namespace),
            Text("The tag is what counts, not the image's name or registry: put a wildcard before it."),
        )


@check(level=must, half=cluster, needs=[policy_in_force])
def pinned_is_let_in(exam: Exam) -> None:
    """The cluster admits a Pod with a pinned image.

    The twin of the refused Pod: without it, a broken webhook would look like a good policy.
    """
    found = _found(exam)
    for namespace in namespaces(exam, found):
        judge_admitted(
            exam,
            found,
            running(PINNED, namespace=namespace),
            "pinned-refused",
            Text("{image} is admitted in the namespace {namespace}", image=PINNED, namespace=namespace),
            Text("Read the message: a pattern describes what is allowed, not what is forbidden."),
        )
        judge_admitted(
            exam,
            found,
            deployment(namespace=namespace),
            "deployment-refused",
            Text("A Deployment of Pods with {image} is admitted", image=PINNED),
            Text("A pattern for Pods does not fit a Deployment: match Pods alone, the rest is derived."),
        )


@check(level=should, half=cluster, needs=[policy_in_force])
def ways_around_are_closed(exam: Exam) -> None:
    """No tag, an init container or a Deployment are no way around.

    Without a tag the runtime fetches latest; a Deployment only delays the question.
    """
    found = _found(exam)
    for namespace in namespaces(exam, found):
        judge_refused(
            exam,
            found,
            running("nginx", namespace=namespace),
            "untagged-admitted",
            Text("An image without a tag is refused"),
            Text("Add a second rule that asks for a tag to be there."),
        )
        judge_refused(
            exam,
            found,
            pod(init=[container("prepare", LATEST)], namespace=namespace),
            "init-container-admitted",
            Text("An init container with {image} is refused", image=LATEST),
            Text("Treat `initContainers` like `containers`, with an anchor that says: if there are any."),
        )
        judge_refused(
            exam,
            found,
            deployment(container(image=LATEST), namespace=namespace),
            "deployment-admitted",
            Text("A Deployment of Pods with {image} is refused", image=LATEST),
            Text("Kyverno derives rules for controllers from Pod rules unless something switches that off."),
        )
        return
