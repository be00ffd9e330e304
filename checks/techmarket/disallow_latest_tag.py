"""2.2 – a cluster policy that refuses images tagged latest, shown by what it does to Pods."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text, check, must, remark, should

from . import _policies as policies
from ._enforcement import judge_enforcement
from ._judging import (
    EACH_CONTAINER,
    NO_AUTOGEN,
    NOT_A_DEPLOYMENT,
    judge_acceptance,
    judge_admitted,
    judge_messages,
    judge_name,
    judge_namespace,
    judge_refused,
    judge_scope,
    judge_ways_around,
    pattern_mistake,
)
from ._policies import Found
from ._probes import LATEST, PINNED, container, deployment, pod, running

NAME: Final = "disallow-latest-tag"
PATH: Final = "td/kyverno/policy-deny-latest.yaml"
ELSEWHERE: Final = "registry.example.org/team/app:latest"
_DIGEST: Final = "nginx@sha256:" + "4c0fdaa8b6341bfdeca5f18f7837462c80cff90527ee35ef185571e1c327beac"


def _found(exam: Exam) -> Found:
    return policies.find(exam, PATH, policies.VALIDATING, named=NAME)


@check(level=must)
def policy_is_written(exam: Exam) -> None:
    """The file holds a policy that can refuse Pods.

    Only a policy object is read by the admission controller.
    """
    found = _found(exam)
    exam.fact("kind", Text("{path} holds a policy", path=PATH), met=True, where=found.document)


@check(level=must, needs=[policy_is_written])
def name_of_the_statement(exam: Exam) -> None:
    """The policy has the name of the statement.

    Refusals and reports quote the policy by its name: people look for the one they were told.
    """
    judge_name(exam, _found(exam), NAME)


@check(level=must, needs=[policy_is_written])
def whole_cluster(exam: Exam) -> None:
    """The policy counts in every namespace.

    A rule that holds in one namespace is walked around through the next.
    """
    judge_scope(exam, _found(exam))


@check(level=must, needs=[policy_is_written])
def really_refuses(exam: Exam) -> None:
    """The policy blocks instead of reporting.

    In Audit, Kyverno writes a report nobody reads while the Pod starts.
    """
    judge_enforcement(exam, _found(exam), lambda namespace: running(LATEST, namespace=namespace))


@check(level=must, needs=[policy_is_written])
def accepted_by_kyverno(exam: Exam) -> None:
    """Kyverno accepts the policy.

    What the policy webhook refuses never reaches the cluster.
    """
    judge_acceptance(exam, _found(exam))


@check(level=must, needs=[policy_is_written])
def latest_is_refused(exam: Exam) -> None:
    """A Pod with an image tagged latest breaks the rule.

    A tag that moves is not a version: nobody can say what runs.
    """
    found = _found(exam)
    fact, advice = _diagnosis(found)
    claim = Text(
        "A Pod with {image} in the namespace {namespace} breaks the rule", image=LATEST, namespace="default"
    )
    if judge_refused(exam, found, running(LATEST), fact, claim, advice) is False:
        return  # the other probes would only say it again
    for namespace in found.namespaces()[1:]:
        claim = Text(
            "A Pod with {image} in the namespace {namespace} breaks the rule",
            image=LATEST,
            namespace=namespace,
        )
        judge_namespace(exam, found, running(LATEST, namespace=namespace), claim)
    judge_ways_around(exam, found, running(LATEST))
    judge_refused(
        exam,
        found,
        running(ELSEWHERE),
        "only-some-images",
        Text("A Pod with {image} breaks the rule", image=ELSEWHERE),
        Text("The tag is what counts, not the image's name or registry: put a wildcard before it."),
    )
    judge_refused(
        exam,
        found,
        pod(container("first"), container("second", LATEST)),
        "second-container-admitted",
        Text("A Pod whose second container has {image} breaks the rule", image=LATEST),
        EACH_CONTAINER,
    )


def _diagnosis(found: Found) -> tuple[str, Text]:
    """Return the fact and the advice for a policy that looks at nginx:latest and lets it pass."""
    if found.ask(running(PINNED)).admitted is False:
        return "pattern-inverted", Text(
            "It is the wrong way round: a pattern describes what is allowed. Negate it with a leading `!`."
        )
    if any(_any_pattern(rule) for policy in found.written for rule in policies.rules_of(policy)):
        return "any-pattern-is-or", Text(
            "One alternative is enough for `anyPattern`. What must hold together belongs into separate rules."
        )
    return "latest-admitted", Text(
        "The comparison is with the whole image text: mind what stands before the tag."
    )


def _any_pattern(rule: dict[str, object]) -> bool:
    validate = rule.get("validate")
    return isinstance(validate, dict) and "anyPattern" in validate


@check(level=must, needs=[policy_is_written])
def pinned_is_admitted(exam: Exam) -> None:
    """A Pod with a pinned image gets through.

    A rule that refuses everything stops the company, and is switched off the same day.
    """
    found = _found(exam)
    fact, advice = pattern_mistake(found) or (
        "pinned-refused",
        Text("Read the message: what does the rule object to? A pattern describes what is allowed."),
    )
    for namespace in policies.NAMESPACES:
        claim = Text(
            "A Pod with {image} in the namespace {namespace} gets through", image=PINNED, namespace=namespace
        )
        if judge_admitted(exam, found, running(PINNED, namespace=namespace), fact, claim, advice) is False:
            return
    judge_admitted(
        exam,
        found,
        pod(container("first"), container("second", "registry.example.org/team/app:2.3.1")),
        "pinned-refused",
        Text("A Pod with two pinned images gets through"),
        advice,
    )
    judge_admitted(
        exam,
        found,
        deployment(),
        "deployment-refused",
        Text("A Deployment of Pods with {image} gets through", image=PINNED),
        NOT_A_DEPLOYMENT,
    )


@check(level=should, needs=[policy_is_written])
def untagged_is_refused(exam: Exam) -> None:
    """An image without a tag breaks the rule too.

    Without a tag, the container runtime fetches latest.
    """
    judge_refused(
        exam,
        _found(exam),
        running("nginx"),
        "untagged-admitted",
        Text("A Pod with {image} breaks the rule", image="nginx"),
        Text("Add a second rule that asks for a tag to be there."),
        everything=True,
    )


@check(level=should, needs=[policy_is_written])
def every_kind_of_container(exam: Exam) -> None:
    """Init and debug containers are looked at as well.

    They run images like any other container, and often with more rights.
    """
    found = _found(exam)
    judge_refused(
        exam,
        found,
        pod(init=[container("prepare", LATEST)]),
        "init-container-admitted",
        Text("A Pod whose init container has {image} breaks the rule", image=LATEST),
        Text("Treat `initContainers` like `containers`, with an anchor that says: if there are any."),
        everything=True,
    )
    judge_refused(
        exam,
        found,
        pod(ephemeral=[container("debug", LATEST, None)]),
        "ephemeral-container-admitted",
        Text("A debug container with {image} breaks the rule", image=LATEST),
        Text("Treat `ephemeralContainers` like `containers`, with an anchor that says: if there are any."),
        everything=True,
        old=pod(),
    )


@check(level=should, needs=[policy_is_written])
def digests_and_ports_get_through(exam: Exam) -> None:
    """A digest or a registry with a port is no moving tag.

    A digest is the strictest version there is.
    """
    found = _found(exam)
    for fact, image in (
        ("digest-refused", _DIGEST),
        ("registry-port-refused", "registry.local:5000/app:1.0"),
    ):
        judge_admitted(
            exam,
            found,
            running(image),
            fact,
            Text("A Pod with {image} gets through", image=image),
            Text("Not everything after a colon is a tag. Compare the end of the text only."),
        )


@check(level=remark, needs=[policy_is_written])
def similar_names_get_through(exam: Exam) -> None:
    """Names that merely contain the word get through.

    `latest-alpine` is a tag of its own, and an image may be called latest-news.
    """
    found = _found(exam)
    for image in ("latest-news:1.0", "nginx:latest-alpine"):
        judge_admitted(
            exam,
            found,
            running(image),
            "similar-name-refused",
            Text("A Pod with {image} gets through", image=image),
            Text("Compare with the whole tag, colon included, at the end of the text."),
        )


@check(level=remark, needs=[policy_is_written])
def deployments_are_refused_at_once(exam: Exam) -> None:
    """A Deployment is refused when it is created.

    Otherwise it is accepted, and only its Pods are missing: one has to know where to look.
    """
    judge_refused(
        exam,
        _found(exam),
        deployment(container(image=LATEST)),
        "deployment-admitted",
        Text("A Deployment of Pods with {image} breaks the rule", image=LATEST),
        NO_AUTOGEN,
        everything=True,
    )


@check(level=remark, needs=[policy_is_written])
def tells_people_why(exam: Exam) -> None:
    """The refusal says what to do instead.

    The message is all that a developer gets to see of your policy.
    """
    judge_messages(exam, _found(exam))
