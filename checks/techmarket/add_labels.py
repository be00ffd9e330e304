"""2.4 – a cluster policy that adds two labels to every Pod, shown by what becomes of Pods."""

from __future__ import annotations

from typing import Any, Final

from workshop.checking import Document, Exam, Text, check, must, should
from workshop.kyverno import Admission

from . import _policies as policies
from ._enforcement import judge_admission, judge_binding
from ._judging import (
    judge_acceptance,
    judge_admitted,
    judge_scope,
    said,
    unknown,
)
from ._policies import MUTATING, VALIDATING, Found
from ._probes import deployment, pod
from ._ways_around import ways_around

PATH: Final = "td/kyverno/policy-add-labels.yaml"
LABELS: Final = {"cost-center": "techmarket", "managed-by": "platform-team"}
_OWN: Final = {"app": "payment-service", "tier": "backend"}


def _found(exam: Exam) -> Found:
    """Return the policy that mutates; a file without one gives the policy it holds instead."""
    stem = PATH.removesuffix(".yaml")
    document = exam.resource(
        PATH,
        kinds=MUTATING.all + VALIDATING.all,
        select=lambda each: each.file.rpartition(".")[0] == stem or _mutates(each),
    )
    if not _mutates(document):
        others = exam.workspace.documents(document.file)
        document = next((each for each in others if _mutates(each)), document)
    return policies.found_around(exam, document, MUTATING)


def _mutates(document: Document) -> bool:
    if str(document.get("kind")).removeprefix("Namespaced").startswith("Mutating"):
        return True
    rules = document.get("spec", "rules")
    return any(
        isinstance(rule, dict) and "mutate" in rule for rule in (rules if isinstance(rules, list) else ())
    )


@check(level=must)
def policy_mutates(exam: Exam) -> None:
    """The file holds a policy that changes Pods.

    Validating says yes or no; only a mutation writes labels.
    """
    found = _found(exam)
    exam.fact(
        "validates-instead",
        Text("{path} holds a policy that mutates", path=PATH),
        _mutates(found.document),
        expected=Text("a rule with `mutate`, or one of the kinds made for it"),
        observed=Text("no rule of {kind} mutates", kind=found.document.get("kind")),
        next=Text("Replace `validate` by `mutate`: the Pod is not to be refused, but completed."),
        where=found.document.key_at("spec", "rules", 0, "validate"),
    )


@check(level=must, needs=[policy_mutates])
def whole_cluster(exam: Exam) -> None:
    """The policy counts in every namespace.

    Costs arise in every namespace.
    """
    judge_scope(exam, _found(exam))


@check(level=must, needs=[policy_mutates])
def takes_part_in_admission(exam: Exam) -> None:
    """The policy acts when a Pod is created.

    Labels that come later are missing from the bill.
    """
    found = _found(exam)
    judge_admission(exam, found.document)
    judge_binding(exam, found)
    exam.fact(
        "existing-only",
        Text("A rule changes the Pod that is being created"),
        not _only_existing(found.document),
        expected=Text("a mutation without `targets`"),
        observed=Text("every mutation has `targets`, which are objects that exist already"),
        next=Text("Remove `targets`: without them the rule changes what is being created."),
        where=found.document.key_at("spec", "rules", 0, "mutate", "targets"),
    )


def _only_existing(document: Document) -> bool:
    rules = [rule.get("mutate") for rule in policies.rules_of(document.data)]
    mutations = [mutate for mutate in rules if isinstance(mutate, dict)]
    return bool(mutations) and all(mutate.get("targets") for mutate in mutations)


@check(level=must, needs=[policy_mutates])
def accepted_by_kyverno(exam: Exam) -> None:
    """Kyverno accepts the policy.

    What the policy webhook refuses never reaches the cluster.
    """
    judge_acceptance(exam, _found(exam))


@check(level=must, needs=[policy_mutates])
def labels_are_added(exam: Exam) -> None:
    """Every new Pod gets both labels.

    A Pod without them is a cost that belongs to nobody.
    """
    found = _found(exam)
    for namespace in found.namespaces():
        for own in (None, _OWN):
            answer = found.ask(pod(namespace=namespace, labels=own), everything=True)
            for key, value in LABELS.items():
                _judge_label(exam, found, answer, key, value, own is not None)
    if all(fact.met for fact in exam.facts):
        _judge_ways_around(exam, found)


def _judge_ways_around(exam: Exam, found: Found) -> None:
    """Record that no name, label or image that the policy mentions keeps a Pod from its labels."""
    for way in ways_around(found.together):
        answer = found.ask(way.taken_by(pod()), everything=True)
        labels = _mapping(_mapping(answer.resource, "metadata"), "labels")
        own = dict(way.labels)
        # Another value that was there already may stay.
        fitting = {key: (value, own.get(key, value)) for key, value in LABELS.items()}
        lacking = [key for key, values in fitting.items() if labels.get(key) not in values]
        met = None if lacking and any(each.result == "unknown" for each in answer.results) else not lacking
        exam.fact(
            "pods-left-out",
            Text("A Pod gets both labels whatever it is called and made of ({words})", words=str(way)),
            met,
            expected=", ".join(f"{key}: {value}" for key, value in LABELS.items()),
            observed=Text("missing: {names}", names=", ".join(lacking) or "–"),
            next=Text(
                "Every Pod costs money: let no condition and no exclusion keep a label from it. "
                "Leave out namespaces of the platform at most."
            ),
            where=found.document.key_at("spec", "rules", 0, "exclude"),
            reason=unknown(met),
        )
        if met is False:
            return  # one hole says it


def _judge_label(exam: Exam, found: Found, answer: Admission, key: str, value: str, labelled: bool) -> None:
    metadata = _mapping(answer.resource, "metadata")
    labels = metadata.get("labels")
    given = labels.get(key) if isinstance(labels, dict) else None
    met: bool | None = given == value
    if not met and any(each.result == "unknown" for each in answer.results):
        met = None
    fact, advice = (
        f"{key}-missing",
        Text("Labels are pairs below the Pod's `metadata`, keys written as in the table."),
    )
    if given is not None:
        fact, advice = (f"{key}-wrong", Text("Copy the value from the table, letter by letter."))
    elif answer.admitted and not found.looks_at(answer.resource, everything=True):
        fact = "pod-not-matched"
        advice = Text(
            "Match kind Pod itself, everywhere: a rule for controllers does not reach a Pod started by hand."
        )
    elif f"({key})" in str(found.document.data) and f"+({key})" not in str(found.document.data):
        fact = "anchor-is-condition"
        advice = Text(
            "A key in plain parentheses is a condition: it must be there already. A plus before them adds."
        )
    elif isinstance(labels, str):
        fact, advice = (
            "labels-as-text",
            Text("`labels` has become one text: mind the indentation, one pair a line."),
        )
    elif key in _mapping(metadata, "annotations"):
        fact, advice = (
            "label-among-annotations",
            Text("The pairs ended up among the annotations: move them to `labels`."),
        )
    text = {"key": key, "value": value, "namespace": metadata.get("namespace")}
    exam.fact(
        fact,
        Text("A Pod with labels of its own, in the namespace {namespace}, gets {key}: {value}", **text)
        if labelled
        else Text("A Pod without labels, in the namespace {namespace}, gets {key}: {value}", **text),
        met,
        expected=f"{key}: {value}",
        observed=f"{key}: {given}"
        if given is not None
        else said(answer)
        if not answer.admitted
        else Text("no such label"),
        next=advice,
        where=found.document.key_at("spec", "rules", 0, "mutate"),
        reason=unknown(met),
    )


def _mapping(of: dict[str, Any], key: str) -> dict[str, Any]:
    value = of.get(key)
    return value if isinstance(value, dict) else {}


@check(level=must, needs=[policy_mutates])
def own_labels_are_kept(exam: Exam) -> None:
    """A Pod keeps the labels it came with.

    Services and Deployments find their Pods by labels: without them the application is gone.
    """
    found = _found(exam)
    answer = found.ask(pod(labels=_OWN), everything=True)
    labels = _mapping(_mapping(answer.resource, "metadata"), "labels")
    lost = [key for key, value in _OWN.items() if labels.get(key) != value]
    exam.fact(
        "labels-lost",
        Text("The labels {keys} are still there afterwards", keys=", ".join(_OWN)),
        not lost,
        expected=Text("two labels more, none fewer"),
        observed=Text("lost: {keys}", keys=", ".join(lost)),
        next=Text("Add key by key. Whoever writes the whole map `/metadata/labels` replaces it."),
        where=found.document.key_at("spec", "rules", 0, "mutate"),
    )


@check(level=must, needs=[policy_mutates])
def nothing_is_refused(exam: Exam) -> None:
    """Pods get through.

    A mutation that fails takes the Pod down with it.
    """
    found = _found(exam)
    advice = Text("Read the message. A JSON patch that replaces fails where nothing is there yet: use add.")
    for own, claim in (
        (None, Text("A Pod without labels gets through")),
        (_OWN, Text("A Pod with labels of its own gets through")),
    ):
        judge_admitted(exam, found, pod(labels=own), "pod-refused", claim, advice)


@check(level=should, needs=[policy_mutates])
def deployments_get_through(exam: Exam) -> None:
    """Deployments get through.

    Kyverno extends the policy to controllers, and what it derives may fail where the original does not.
    """
    judge_admitted(
        exam,
        _found(exam),
        deployment(),
        "deployment-refused",
        Text("A Deployment gets through"),
        Text(
            "Match Pods alone. If what Kyverno derives for controllers fails, switch that off: "
            "Pods get their labels anyway."
        ),
    )
