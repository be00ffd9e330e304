"""Whether a policy refuses or only reports, judged apart from what it disapproves of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from workshop.checking import Document, Exam, Position, Text

from ._judging import unknown
from ._policies import Found

_ACTION_KEYS: Final = frozenset({"validationFailureAction", "failureAction", "validationActions", "action"})
# Where an action may stand, as paths below spec; `*` is any index.
_PLACES: Final = frozenset(
    {
        ("spec", "validationFailureAction"),
        ("spec", "validationActions"),
        ("spec", "validationFailureActionOverrides", "*", "action"),
        ("spec", "rules", "*", "validate", "failureAction"),
        ("spec", "rules", "*", "validate", "failureActionOverrides", "*", "action"),
        ("spec", "rules", "*", "verifyImages", "*", "failureAction"),
    }
)


def judge_enforcement(exam: Exam, found: Found, *resources: Callable[[str], dict[str, Any]]) -> None:
    """Record whether the policy really refuses.

    Each `resource(namespace)` is a probe the policy ought to refuse: one for every rule that might be left
    to report while the others refuse. Where the enforced copy does refuse a probe, the policy as written must
    too; where it refuses none, or nobody can tell, the written action decides.
    """
    _judge_places(exam, found.document)
    judge_admission(exam, found.document)
    if not judge_binding(exam, found):
        return
    for namespace in found.namespaces():
        refused = _refused_as_written(found, [resource(namespace) for resource in resources])
        exam.fact(
            "audit-not-enforced",
            Text("What breaks the rule is refused in the namespace {namespace}", namespace=namespace),
            refused,
            expected=Text("the effective action Enforce (Deny for CEL kinds)"),
            observed=_written(found),
            next=Text(
                "Without an action, a ClusterPolicy only reports (Audit). Set it in `spec`, or in the "
                "rule's own `validate` or `verifyImages`; a CEL kind takes Deny in `validationActions`."
            ),
            where=_where(found),
            reason=unknown(refused),
        )


def judge_binding(exam: Exam, found: Found) -> bool:
    """Record whether a native policy has the binding without which it does nothing."""
    if not found.native:
        return True
    kind = f"{found.document.get('kind')}Binding"
    return exam.fact(
        "binding-missing",
        Text("A binding puts the policy into effect"),
        bool(found.bindings),
        expected=Text("a {kind} with this policy's name as `policyName`", kind=kind),
        observed=Text("no binding in the folder names it"),
        next=Text("Write the binding into the same file; to refuse, it takes `validationActions: [Deny]`."),
        where=found.document.at("metadata", "name"),
    )


def _refused_as_written(found: Found, probes: list[dict[str, Any]]) -> bool | None:
    admitted = [
        found.ask_as_written(probe).admitted for probe in probes if found.ask(probe).admitted is False
    ]
    if not admitted:
        return any(enforces for _, _, enforces in actions(found))
    return False if True in admitted else None if None in admitted else True


def actions(found: Found) -> list[tuple[Position, str, bool]]:
    """Return, for every rule or binding, place and text of its effective action and whether it refuses."""
    document = found.document
    if found.native:
        return [_cel_action(binding, default_denies=False) for binding in found.bindings]
    if document.get("kind") not in ("ClusterPolicy", "Policy"):
        return [_cel_action(document, default_denies=True)]
    rules = document.get("spec", "rules")
    return [
        _rule_action(document, index)
        for index in range(len(rules) if isinstance(rules, list) else 0)
        if not document.has("spec", "rules", index, "mutate")
    ]


def _rule_action(document: Document, index: int) -> tuple[Position, str, bool]:
    paths: list[tuple[str | int, ...]] = [
        ("spec", "rules", index, "validate", "failureAction"),
        ("spec", "rules", index, "verifyImages", 0, "failureAction"),
        ("spec", "validationFailureAction"),
    ]
    for path in paths:
        value = document.get(*path)
        if value is not None:
            return document.at(*path), str(value), str(value).lower() == "enforce"
    return document.at("spec", "rules", index), "", False


def _cel_action(document: Document, *, default_denies: bool) -> tuple[Position, str, bool]:
    value = document.get("spec", "validationActions")
    words = (
        [str(each) for each in value]
        if isinstance(value, list)
        else [str(value)]
        if value is not None
        else []
    )
    return (
        document.at("spec", "validationActions"),
        ", ".join(words),
        "Deny" in words or (default_denies and not words),
    )


def _written(found: Found) -> Text:
    texts = [text for _, text, _ in actions(found)]
    words = list(dict.fromkeys(text for text in texts if text))
    overrides = found.document.has("spec", "validationFailureActionOverrides")
    if overrides:
        return Text("{actions}, with overrides for some namespaces", actions=", ".join(words) or "–")
    if not words:
        return Text("no action is written")
    if "" in texts:
        return Text("one rule has {actions}, another has no action", actions=", ".join(words))
    return Text("the action written is {actions}", actions=", ".join(words))


def _where(found: Found) -> Position:
    known = actions(found)
    return next((place for place, _, enforces in known if not enforces), found.document.key_at("spec"))


def _judge_places(exam: Exam, document: Document) -> None:
    for path in _misplaced(document):
        exam.fact(
            "action-misplaced",
            Text("The action stands where Kyverno reads it"),
            met=False,
            expected=Text(
                "`validationFailureAction` directly in `spec`, or `failureAction` in the rule's `validate`"
            ),
            observed=Text("it stands at {path}", path=".".join(str(part) for part in path)),
            next=Text("Move it: an unknown field elsewhere is refused by kubectl or simply not read."),
            where=document.key_at(*path),
        )


def _misplaced(document: Document) -> Iterator[tuple[str | int, ...]]:
    """Yield where an action stands in the wrong place: outside spec, in a rule, beside the matched kinds."""
    shallow: list[tuple[str | int, ...]] = [(), ("metadata",), ("metadata", "annotations"), ("spec",)]
    rules = document.get("spec", "rules")
    for index in range(len(rules) if isinstance(rules, list) else 0):
        rule = ("spec", "rules", index)
        shallow += [
            rule,
            (*rule, "validate"),
            (*rule, "validate", "pattern"),
            (*rule, "match"),
            (*rule, "mutate"),
        ]
    for path in shallow:
        mapping = document.get(*path) if path else document.data
        for key in mapping if isinstance(mapping, dict) else ():
            generic = tuple("*" if isinstance(part, int) else part for part in (*path, key))
            if key in _ACTION_KEYS and generic not in _PLACES:
                yield (*path, key)


def judge_admission(exam: Exam, document: Document) -> None:
    """Record a field that takes the policy out of admission altogether."""
    for path in (("spec", "admission"), ("spec", "evaluation", "admission", "enabled")):
        if document.get(*path) is False:
            exam.fact(
                "admission-off",
                Text("The policy takes part in admission"),
                met=False,
                expected=Text("no field that switches admission off"),
                observed=Text("{path} is false", path=".".join(path)),
                next=Text("Remove the line: the policy would only look at what already runs."),
                where=document.at(*path),
            )
