"""What is recorded of every policy: its name, its scope, its acceptance, and what it does to a probe."""

from __future__ import annotations

import re
from typing import Any, Final

from workshop.checking import Document, Exam, Position, Text, kind_of
from workshop.kyverno import Admission, refusals
from workshop.verdicts import Reason

from ._policies import IMAGES, MUTATING, NATIVE, VALIDATING, Found, rules_of
from ._ways_around import ways_around

_PATH: Final = re.compile(r"(?<=spec)(?:\.\w+|\[\d+\])+")
_PART: Final = re.compile(r"\w+")
EACH_CONTAINER: Final = Text(
    "Every container counts, not only the first: a pattern's one list item is compared with each of them."
)
LIST_OF_CONTAINERS: Final = Text(
    "`containers` is a list. Put a dash before the pattern's one item; each container is compared with it."
)
NEEDS_AN_ANCHOR: Final = Text(
    "A Pod need not have init or debug containers: mark such a key as optional, with an equality anchor."
)
NOT_A_DEPLOYMENT: Final = Text(
    "A Pod's pattern does not fit a Deployment. Match Pods alone: Kyverno derives the rest."
)
NO_AUTOGEN: Final = Text(
    "Kyverno derives this from a Pod rule, unless that is switched off or the rule matches by name or label."
)


def judge_name(exam: Exam, found: Found, name: str) -> None:
    """Record whether the policy has the name the statement gives it."""
    exam.fact(
        "wrong-name",
        Text("The policy is named {name}", name=name),
        found.document.get("metadata", "name") == name,
        expected=f"metadata.name: {name}",
        observed=f"metadata.name: {found.document.get('metadata', 'name')}",
        next=Text("The file has one name and the policy another: copy the policy's name from the exercise."),
        where=found.document.at("metadata", "name"),
    )


def judge_scope(exam: Exam, found: Found) -> None:
    """Record whether the policy reaches the whole cluster."""
    document = found.document
    exam.fact(
        "namespaced-policy",
        Text("The policy counts for the whole cluster"),
        kind_of(document) in found.kinds.wide,
        expected=Text("one of the kinds {kinds}", kinds=", ".join(found.kinds.wide)),
        observed=Text("{kind}, which reaches its own namespace only", kind=kind_of(document)),
        next=Text("Choose the cluster-wide kind and remove `metadata.namespace`."),
        where=document.at("kind"),
    )


def judge_acceptance(exam: Exam, found: Found) -> None:
    """Record why Kyverno itself would refuse to store a policy of the file, reason by reason."""
    file = found.document.file
    claim = Text("Kyverno accepts the policy")
    accepted = True
    for document in exam.workspace.documents(file):
        if kind_of(document) not in (*VALIDATING.all, *MUTATING.all, *IMAGES.all):
            continue
        if kind_of(document).endswith(NATIVE):
            continue  # the API server's business, not Kyverno's
        for reason in refusals(document.data):
            accepted = False
            exam.fact(
                "refused-by-kyverno",
                claim,
                met=False,
                expected=Text("a policy that `kubectl apply` can create"),
                observed=reason,
                next=Text(
                    "What was never created protects nothing. Read the path in the message and mend it."
                ),
                where=_objected(document, reason),
            )
    if accepted:
        exam.fact("refused-by-kyverno", claim, met=True, where=found.document)


def _objected(document: Document, reason: str) -> Position:
    """Return the deepest place in a policy that a reason names by its path; of `spec` where it names none."""
    path: tuple[str | int, ...] = ("spec",)
    named = _PATH.search(reason)
    for part in _PART.findall(named[0]) if named else ():
        longer = (*path, int(part) if part.isdigit() else part)
        if not document.has(*longer):
            break
        path = longer
    return document.key_at(*path)


def judge_messages(exam: Exam, found: Found) -> None:
    """Record whether every rule has words for its refusal, and whether what already runs is reported."""
    document = found.document
    legacy = document.has("spec", "rules")
    path: tuple[str | int, ...] = ("spec", "rules") if legacy else ("spec", "validations")
    rules = document.get(*path)
    for index in range(len(rules) if isinstance(rules, list) else 0):
        place = (*path, index, "validate") if legacy else (*path, index)
        if not document.has(*place):
            continue
        exam.fact(
            "message-missing",
            Text("Rule {number} has a message", number=index + 1),
            bool(document.get(*place, "message") or document.get(*place, "messageExpression")),
            expected=Text("a message that says what to write instead"),
            observed=Text("no message"),
            next=Text("Say in one sentence what is wrong and what would be right."),
            where=document.key_at(*place),
        )
    off = (
        document.get("spec", "background") is False
        or document.get("spec", "evaluation", "background", "enabled") is False
    )
    exam.fact(
        "background-off",
        Text("What already runs is reported too"),
        not off,
        expected=Text("background scans left on"),
        observed=Text("background scans are off"),
        next=Text("Remove the line: Pods that are already there then appear in the policy reports."),
        where=document.at("spec", "background"),
    )


def judge_refused(
    exam: Exam,
    found: Found,
    resource: dict[str, Any],
    fact: str,
    claim: Text,
    advice: Text,
    *,
    everything: bool = False,
    old: dict[str, Any] | None = None,
) -> bool | None:
    """Record that a probe must be refused; a policy that never looked at it fails as `pod-not-matched`."""
    answer = found.ask(resource, everything=everything, old=old)
    observed = said(answer)
    if (
        answer.admitted
        and resource.get("kind") == "Pod"
        and not found.looks_at(resource, everything=everything)
    ):
        fact = "pod-not-matched"
        observed = Text("admitted: no rule looked at it")
        advice = Text(
            "Look at `match`, `exclude` and conditions: kind Pod, when it is created, in every namespace, "
            "whatever its name and labels."
        )
    refused = None if answer.admitted is None else not answer.admitted
    where = found.document.key_at("spec") if fact == "pod-not-matched" else found.rule_at(answer)
    exam.fact(
        fact,
        claim,
        refused,
        expected=Text("refused"),
        observed=observed,
        next=advice,
        where=where,
        reason=unknown(refused),
    )
    return refused


def judge_namespace(exam: Exam, found: Found, resource: dict[str, Any], claim: Text) -> None:
    """Record that a probe which is refused elsewhere must be refused in its namespace too."""
    answer = found.ask(resource)
    refused = None if answer.admitted is None else not answer.admitted
    exam.fact(
        "namespace-left-out",
        claim,
        refused,
        expected=Text("refused"),
        observed=said(answer),
        next=Text("Applications live there too. Leave out namespaces of the platform at most."),
        where=found.document.key_at("spec", "rules", 0, "exclude"),
        reason=unknown(refused),
    )


def judge_ways_around(exam: Exam, found: Found, resource: dict[str, Any], *, containers: bool = True) -> None:
    """Record that a probe must be refused on every way around that the policy itself names."""
    for way in ways_around(found.written):
        if way.in_containers and not containers:
            continue
        answer = found.ask(way.taken_by(resource))
        refused = None if answer.admitted is None else not answer.admitted
        exam.fact(
            "containers-left-out" if way.in_containers else "pods-left-out",
            Text(
                "A Pod breaks the rule whatever its containers are called and whoever made their images "
                "({words})",
                words=str(way),
            )
            if way.in_containers
            else Text("A Pod breaks the rule under whatever name and labels ({words})", words=str(way)),
            refused,
            expected=Text("refused"),
            observed=said(answer),
            next=Text("The rule is about every container: no name and no registry takes one out.")
            if way.in_containers
            else Text(
                "Whoever writes a Pod chooses its name and labels: this lets everybody out. "
                "Leave out namespaces of the platform at most."
            ),
            where=found.document.key_at("spec", "rules", 0, "exclude"),
            reason=unknown(refused),
        )
        if refused is False:
            return  # one hole says it


def judge_admitted(
    exam: Exam,
    found: Found,
    resource: dict[str, Any],
    fact: str,
    claim: Text,
    advice: Text,
    *,
    old: dict[str, Any] | None = None,
) -> bool | None:
    """Record that a probe must get through everything that the policy's file holds."""
    answer = found.ask(resource, everything=True, old=old)
    exam.fact(
        fact,
        claim,
        answer.admitted,
        expected=Text("admitted"),
        observed=said(answer),
        next=advice,
        where=found.rule_at(answer),
        reason=unknown(answer.admitted),
    )
    return answer.admitted


def pattern_spec(rule: dict[str, Any]) -> dict[str, Any]:
    """Return what a rule's pattern says of a Pod's spec; empty where it says nothing."""
    value: object = rule.get("validate")
    for key in ("pattern", "spec"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def pattern_mistake(found: Found) -> tuple[str, Text] | None:
    """Return the fact and the advice for a pattern whose shape no harmless Pod can have."""
    for policy in found.written:
        for spec in map(pattern_spec, rules_of(policy)):
            if isinstance(spec.get("containers"), dict):
                return "containers-not-a-list", LIST_OF_CONTAINERS
            if "initContainers" in spec or "ephemeralContainers" in spec:
                return "optional-containers-demanded", NEEDS_AN_ANCHOR
    return None


def unknown(met: bool | None) -> Reason | None:
    """Return the reason of a fact that only a real engine can settle."""
    return Reason.BEYOND_EVALUATOR if met is None else None


def said(answer: Admission) -> Text:
    """Return in words what became of a probe, with the engine's own message."""
    wanted = "fail" if answer.admitted is False else "unknown"
    decisive = [each for each in answer.results if each.result in (wanted, "error")]
    message = next((each.message for each in decisive if each.message), "")[:300]
    if answer.admitted is None:
        return Text("cannot be told from the file alone: {message}", message=message or "–")
    if answer.admitted:
        return Text("admitted")
    return Text("refused: {message}", message=message or "–")
