"""The policy of an exercise as the cluster has it: there, enforced, ready.

It may be of another kind than in the file: what counts is what the cluster does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from workshop.checking import Exam, Text, kind_of
from workshop.cluster.port import Object
from workshop.verdicts import Source

from .._policies import NATIVE, Found, rules_of
from ._applied import judge_applied
from ._objects import is_same

Alike = Callable[[Object], bool]


def standing(exam: Exam, found: Found, alike: Alike | None = None) -> Object | None:
    """Return the policy as the cluster has it, None without one: one that refuses before one that reports.

    The file's own kind comes first, then every other that answers the exercise. `alike` says which policies
    also do under another name, for an exercise that leaves the name free.
    """
    named = list(_named(exam, found))
    named += [each for each in _wide(exam, found) if alike(each)] if alike and not named else []
    return next((each for each in named if _why_harmless(exam, each) is None), named[0] if named else None)


def _named(exam: Exam, found: Found) -> Iterator[Object]:
    document = found.document
    name, own = str(document.get("metadata", "name")), kind_of(document)
    namespace = str(document.get("metadata", "namespace", default="default"))
    others = [kind for kind in found.kinds.wide if kind != own and exam.cluster.serves(kind)]
    # Without any other kind the question is put all the same: the answer says that the kind is missing.
    if not others or exam.cluster.serves(own):
        yield from filter(None, [exam.cluster.get(own, name, namespace)])
    for kind in others:
        yield from filter(None, [exam.cluster.get(kind, name)])


def need_standing(exam: Exam, found: Found, alike: Alike | None = None) -> Object:
    """Return the policy as the cluster has it; the check ends as unfinished without one."""
    current = standing(exam, found, alike)
    if current is None:
        kind, name = kind_of(found.document), str(found.document.get("metadata", "name"))
        exam.unfinished(
            "not-applied",
            Text("{kind} {name} is on the cluster", kind=kind, name=name),
            observed=_instead(exam, found, name),
            next=Text("Apply your file: kubectl apply -f {file}", file=found.document.file),
            where=Source(object=f"{kind}/{name}"),
        )
    return current


def judge_present(exam: Exam, found: Found, alike: Alike | None = None) -> None:
    """Record whether the policy was accepted, is on the cluster and is enforced by now."""
    document = found.document
    concerned = (document, *found.bindings)
    refused = judge_applied(
        exam, lambda each: each.file == document.file or any(is_same(each, one) for one in concerned)
    )
    if refused and standing(exam, found, alike) is None:
        return
    current = need_standing(exam, found, alike)
    kind, name = str(current.get("kind")), str(current["metadata"]["name"])
    ready = _is_ready(current)
    exam.fact(
        "not-ready",
        Text("The policy is in force"),
        ready,
        expected=Text("its condition Ready is True"),
        observed=None if ready else Text("it is not ready yet"),
        next=Text("Look at its conditions: kubectl describe {kind} {name}", kind=kind, name=name),
        where=Source(object=f"{kind}/{name}", field="status.conditions"),
    )
    harmless = _why_harmless(exam, current)
    if harmless is None:
        return
    exam.fact(
        "only-reports",
        Text("The policy on the cluster refuses what breaks it"),
        met=False,
        expected=Text("the effective action Enforce (Deny for CEL kinds)"),
        observed=harmless,
        next=Text("Set the action in your file, then apply it: kubectl apply -f {file}", file=document.file)
        if is_as_written(current, found)
        else Text(
            "The cluster has another version of the policy than your file: kubectl apply -f {file}",
            file=document.file,
        ),
        where=Source(object=f"{kind}/{name}", field="spec"),
    )


def is_as_written(current: Object, found: Found) -> bool:
    """Whether the cluster has all that the file says of the policy; the server may have added to it."""
    data = found.document.data
    return current.get("kind") == data.get("kind") and _holds(current.get("spec"), data.get("spec"))


def _holds(there: Any, written: Any) -> bool:
    if isinstance(written, dict):
        return isinstance(there, dict) and all(
            _holds(there.get(key), value) for key, value in written.items()
        )
    if isinstance(written, list):
        return isinstance(there, list) and len(there) == len(written) and all(map(_holds, there, written))
    return bool(there == written)


def _wide(exam: Exam, found: Found) -> Iterator[Object]:
    for kind in found.kinds.wide:
        if exam.cluster.serves(kind):
            yield from exam.cluster.list(kind)


def _instead(exam: Exam, found: Found, name: str) -> Text:
    """Return what the cluster has instead: the name in one namespace alone, or policies of other names."""
    for kind in found.kinds.narrow:
        for each in exam.cluster.list(kind) if exam.cluster.serves(kind) else ():
            if each["metadata"]["name"] == name:
                return Text(
                    "the cluster has a {kind} of that name, for the namespace {namespace} alone",
                    kind=kind.partition(".")[0],
                    namespace=str(each["metadata"].get("namespace")),
                )
    others = sorted({str(each["metadata"]["name"]) for each in _wide(exam, found)})
    if not others:
        return Text("the cluster has no such object")
    return Text("the cluster has no such object; it has: {names}", names=", ".join(others[:6]))


def _why_harmless(exam: Exam, current: Object) -> Text | None:
    """Return why a policy that could refuse refuses nobody, None where it does or has nothing to refuse."""
    kind, spec = str(current.get("kind")), current.get("spec") or {}
    evaluation = spec.get("evaluation") or {}
    if spec.get("admission") is False or (evaluation.get("admission") or {}).get("enabled") is False:
        return Text("it takes no part in admission")
    if kind == "ValidatingAdmissionPolicy":
        bindings = [
            each
            for each in exam.cluster.list(f"ValidatingAdmissionPolicyBinding.{NATIVE}")
            if (each.get("spec") or {}).get("policyName") == current["metadata"]["name"]
        ]
        if not bindings:
            return Text("no binding puts it into effect")
        actions = [str(word) for each in bindings for word in each["spec"].get("validationActions") or ()]
        return None if "Deny" in actions else _action(actions)
    if kind.removeprefix("Namespaced") in ("ValidatingPolicy", "ImageValidatingPolicy"):
        actions = [str(word) for word in spec.get("validationActions") or ()]
        return None if "Deny" in actions or not actions else _action(actions)
    if kind not in ("ClusterPolicy", "Policy"):
        return None
    actions = list(_legacy_actions(current))
    return None if not actions or any(each.lower() == "enforce" for each in actions) else _action(actions)


def _legacy_actions(current: Object) -> Iterator[str]:
    """Yield the action of every rule that can refuse, and those of overrides for some namespaces."""
    spec = current.get("spec") or {}
    common = str(spec.get("validationFailureAction") or "Audit")
    for rule in rules_of(current):
        images = rule.get("verifyImages") or [{}]
        body = rule.get("validate") or images[0]
        if "validate" not in rule and "verifyImages" not in rule:
            continue
        yield str(body.get("failureAction") or common)
        for override in (
            body.get("failureActionOverrides") or spec.get("validationFailureActionOverrides") or ()
        ):
            yield str(override.get("action"))


def _action(actions: list[str]) -> Text:
    return Text("on the cluster its action is {action}", action=", ".join(dict.fromkeys(actions)))


def _is_ready(current: Object) -> bool:
    status = current.get("status")
    if str(current.get("apiVersion", "")).startswith(f"{NATIVE}/"):
        return True  # Kubernetes' own policies are in force a second after they are stored
    if not isinstance(status, dict):
        return False
    summary = status.get("conditionStatus")
    if isinstance(summary, dict):
        return bool(summary.get("ready"))
    return any(
        isinstance(each, dict) and each.get("type") == "Ready" and each.get("status") == "True"
        for each in status.get("conditions", [])
    )
