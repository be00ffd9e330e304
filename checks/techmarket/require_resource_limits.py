"""2.3 – a cluster policy that refuses containers without limits, shown by what it does to Pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

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
    pattern_spec,
)
from ._policies import Found
from ._probes import LIMITS, container, deployment, pod

NAME: Final = "require-resource-limits"
PATH: Final = "td/kyverno/policy-require-limits.yaml"
_REQUESTS: Final = LIMITS["requests"]
_OPTIONAL: Final = (
    "(resources)",
    "=(resources)",
    "(limits)",
    "=(limits)",
    "(cpu)",
    "=(cpu)",
    "(memory)",
    "=(memory)",
)


def _found(exam: Exam) -> Found:
    return policies.find(exam, PATH, policies.VALIDATING, named=NAME)


def _with(limits: dict[str, Any] | None, requests: dict[str, Any] | None = _REQUESTS) -> dict[str, Any]:
    resources = {key: value for key, value in (("requests", requests), ("limits", limits)) if value}
    return container(resources=resources or None)


def _bare(namespace: str = "default") -> dict[str, Any]:
    return pod(container(resources=None), namespace=namespace)


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
    judge_enforcement(
        exam,
        _found(exam),
        _bare,
        lambda namespace: pod(_with({"cpu": LIMITS["limits"]["cpu"]}), namespace=namespace),
        lambda namespace: pod(_with({"memory": LIMITS["limits"]["memory"]}), namespace=namespace),
    )


@check(level=must, needs=[policy_is_written])
def accepted_by_kyverno(exam: Exam) -> None:
    """Kyverno accepts the policy.

    What the policy webhook refuses never reaches the cluster.
    """
    judge_acceptance(exam, _found(exam))


@check(level=must, needs=[policy_is_written])
def limits_are_required(exam: Exam) -> None:
    """A container without its two limits breaks the rule.

    Without a memory limit one Pod can take the node down; without a CPU limit it starves its neighbours.
    """
    found = _found(exam)
    fact, advice = _diagnosis(
        found,
        "no-limits-admitted",
        Text("Follow the path from `spec.containers` down to `resources.limits`, key by key."),
    )
    claim = Text("A Pod without resources in the namespace {namespace} breaks the rule", namespace="default")
    if judge_refused(exam, found, _bare(), fact, claim, advice) is False:
        return  # the other probes would only say it again
    for namespace in found.namespaces()[1:]:
        judge_namespace(
            exam,
            found,
            _bare(namespace),
            Text("A Pod without resources in the namespace {namespace} breaks the rule", namespace=namespace),
        )
    judge_ways_around(exam, found, _bare())
    fact, advice = _diagnosis(
        found, "requests-suffice", Text("Requests reserve, limits bound. The statement asks for limits.")
    )
    claim = Text("A Pod with requests but no limits breaks the rule")
    judge_refused(exam, found, pod(_with(None)), fact, claim, advice)
    for missing, given in (("cpu", "memory"), ("memory", "cpu")):
        fact, advice = _diagnosis(
            found,
            f"{missing}-not-required",
            Text("The statement asks for both limits, CPU and memory, in the same rule or in two."),
        )
        judge_refused(
            exam,
            found,
            pod(_with({given: LIMITS["limits"][given]})),
            fact,
            Text("A Pod without a limit for {missing} breaks the rule", missing=missing),
            advice,
        )
    judge_refused(
        exam,
        found,
        pod(container("first"), container("second", resources=None)),
        "second-container-admitted",
        Text("A Pod whose second container has no limits breaks the rule"),
        EACH_CONTAINER,
    )


def _diagnosis(found: Found, otherwise: str, advice: Text) -> tuple[str, Text]:
    """Return the fact and the advice for a policy that looks at a Pod without limits and lets it pass."""
    keys = set(_pattern_keys(found))
    if keys.intersection(_OPTIONAL):
        return "anchor-makes-optional", Text(
            "A key in parentheses means “if it is there”: who has no limits is let off. Use plain keys."
        )
    if "anyPattern" in keys:
        return "any-pattern-is-or", Text(
            "Alternatives are an OR: one of them suffices. Put both limits into one pattern."
        )
    return otherwise, advice


def _pattern_keys(found: Found) -> Iterator[str]:
    pending: list[object] = [
        rule.get("validate") for policy in found.written for rule in policies.rules_of(policy)
    ]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield from value
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


@check(level=must, needs=[policy_is_written])
def limits_are_enough(exam: Exam) -> None:
    """A Pod with both limits gets through, whatever their values.

    The rule asks that there are limits. How high they are is the team's own affair.
    """
    found = _found(exam)
    fact, advice = _refusal_diagnosis(found)
    for namespace in policies.NAMESPACES:
        claim = Text("A Pod with both limits in the namespace {namespace} gets through", namespace=namespace)
        if judge_admitted(exam, found, pod(namespace=namespace), fact, claim, advice) is False:
            return
    for cpu, memory in (("1", "1Gi"), ("500m", "512Mi"), ("2", "128M")):
        judge_admitted(
            exam,
            found,
            pod(_with({"cpu": cpu, "memory": memory}, {"cpu": "10m", "memory": "16Mi"})),
            "fixed-value",
            Text("A Pod limited to {cpu} CPU and {memory} memory gets through", cpu=cpu, memory=memory),
            Text("Ask that a value is there, not for one value: `?*` stands for any text that is not empty."),
        )
    judge_admitted(
        exam,
        found,
        pod(container("first"), container("second")),
        "limits-refused",
        Text("A Pod with two limited containers gets through"),
        advice,
    )
    judge_admitted(
        exam,
        found,
        deployment(),
        "deployment-refused",
        Text("A Deployment of Pods with both limits gets through"),
        NOT_A_DEPLOYMENT,
    )


def _refusal_diagnosis(found: Found) -> tuple[str, Text]:
    """Return the fact and the advice for a policy that refuses a Pod with both limits."""
    mistake = pattern_mistake(found)
    if mistake is not None:
        return mistake
    specs = [pattern_spec(rule) for policy in found.written for rule in policies.rules_of(policy)]
    if any("resources" in spec for spec in specs):
        return "resources-on-pod", Text(
            "Resources belong to each container: put them below `containers`, not beside it."
        )
    if "requests" in set(_pattern_keys(found)) and found.ask(pod(_with(None))).admitted:
        return "requests-instead-of-limits", Text(
            "Requests reserve, limits bound. The statement asks for limits."
        )
    return "limits-refused", Text(
        "`?` stands for exactly one character and an empty text for none: `?*` is “at least one”."
    )


@check(level=must, needs=[policy_is_written])
def debugging_stays_possible(exam: Exam) -> None:
    """Debug containers are left alone.

    Kubernetes forbids resources on ephemeral containers: demanding limits there forbids `kubectl debug`.
    """
    judge_admitted(
        exam,
        _found(exam),
        pod(ephemeral=[container("debug", resources=None)]),
        "ephemeral-containers-constrained",
        Text("A debug container can be added to a running Pod"),
        Text("Ask for limits on `containers` and `initContainers`, and leave `ephemeralContainers` out."),
        old=pod(),
    )


@check(level=should, needs=[policy_is_written])
def init_containers_too(exam: Exam) -> None:
    """Init containers need limits as well.

    They run before the others and can exhaust a node just the same.
    """
    judge_refused(
        exam,
        _found(exam),
        pod(init=[container("prepare", resources=None)]),
        "init-container-admitted",
        Text("A Pod whose init container has no limits breaks the rule"),
        Text("Treat `initContainers` like `containers`, with an anchor that says: if there are any."),
        everything=True,
    )


@check(level=remark, needs=[policy_is_written])
def no_more_than_asked(exam: Exam) -> None:
    """Limits alone are enough.

    The statement does not ask for requests; Kubernetes sets them to the limits when they are absent.
    """
    judge_admitted(
        exam,
        _found(exam),
        deployment(_with(LIMITS["limits"], None)),
        "requests-demanded",
        Text("A Deployment whose Pods have limits but no requests gets through"),
        Text("Demanding requests is a good habit, but it goes further than the statement: tell your teams."),
    )


@check(level=remark, needs=[policy_is_written])
def deployments_are_refused_at_once(exam: Exam) -> None:
    """A Deployment is refused when it is created.

    Otherwise it is accepted, and only its Pods are missing: one has to know where to look.
    """
    judge_refused(
        exam,
        _found(exam),
        deployment(container(resources=None)),
        "deployment-admitted",
        Text("A Deployment of Pods without limits breaks the rule"),
        NO_AUTOGEN,
        everything=True,
    )


@check(level=remark, needs=[policy_is_written])
def tells_people_why(exam: Exam) -> None:
    """The refusal says what to do instead.

    The message is all that a developer gets to see of your policy.
    """
    judge_messages(exam, _found(exam))
