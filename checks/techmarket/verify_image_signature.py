"""2.6 – a cluster policy that lets in the account's images only when their owner signed them, without a key.

No registry is asked: the references are put before images, and the attestors before imagined signers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from workshop.checking import Exam, Text, check, must, remark, should

from . import _identity as identity
from . import _policies as policies
from ._agreement import judge_covered, judge_format, judge_signer, signatures_of
from ._enforcement import judge_enforcement
from ._judging import (
    judge_acceptance,
    judge_name,
    judge_namespace,
    judge_refused,
    judge_scope,
    judge_ways_around,
    unknown,
)
from ._misplaced import judge_attestors, stray_verification, verifies
from ._policies import Found, blunt
from ._probes import running
from ._references import (
    covered_account,
    image_of,
    judge_other_images,
    judge_own_images,
    verifying_rules,
)
from ._signers import NOBODY, Untold, about_every_image, lets_in, requests_of

NAME: Final = "verify-image-signature"
PATH: Final = "td/kyverno/policy-verify-signature.yaml"
_SWITCHES: Final = {
    "required": "required-off",
    "mutateDigest": "mutate-digest-off",
    "verifyDigest": "verify-digest-off",
}


def _found(exam: Exam) -> Found:
    return policies.find(exam, PATH, policies.IMAGES, named=NAME)


def _blunt(found: Found, rules: frozenset[int] = frozenset()) -> Found:
    """Return the policy as it would be if every image failed: what is left is whom it looks at.

    With `rules`, it has these alone.
    """
    if rules:
        spec = found.written[0]["spec"]
        kept = [rule for index, rule in enumerate(spec["rules"]) if index in rules]
        found = replace(found, written=({**found.written[0], "spec": {**spec, "rules": kept}},))
    return replace(
        found,
        written=tuple(blunt(each) for each in found.written),
        together=tuple(blunt(each) for each in found.together),
    )


def _policy(found: Found) -> dict[str, Any]:
    return found.written[0]


@check(level=must)
def policy_verifies_images(exam: Exam) -> None:
    """The file holds a policy that verifies images.

    A signature is fetched from the registry and checked; no comparison of texts can do that.
    """
    found = _found(exam)
    stray = None if verifies(found.document) else stray_verification(found.document)
    if stray is not None:
        exam.fail(
            "verify-images-misplaced",
            Text("{path} holds a policy that verifies images", path=PATH),
            expected=Text("`verifyImages`, a list, directly in the rule, beside `match`"),
            observed=Text("it stands at {path}", path=".".join(map(str, stray))),
            next=Text("Move it: elsewhere it is an unknown field. Each of its entries begins with a dash."),
            where=found.document.key_at(*stray),
        )
    exam.fact(
        "validates-instead",
        Text("{path} holds a policy that verifies images", path=PATH),
        verifies(found.document),
        expected=Text("a rule with `verifyImages`, or the kind ImageValidatingPolicy"),
        observed=Text("no rule of {kind} verifies images", kind=found.document.get("kind")),
        next=Text("Give the rule a list `verifyImages` beside `match`, in place of `validate`."),
        where=found.document.key_at("spec", "rules", 0),
    )


@check(level=must, needs=[policy_verifies_images])
def name_of_the_statement(exam: Exam) -> None:
    """The policy has the name of the statement.

    Refusals and reports quote the policy by its name: people look for the one they were told.
    """
    judge_name(exam, _found(exam), NAME)


@check(level=must, needs=[policy_verifies_images])
def whole_cluster(exam: Exam) -> None:
    """The policy counts in every namespace.

    A rule that holds in one namespace is walked around through the next.
    """
    judge_scope(exam, _found(exam))


@check(level=must, needs=[policy_verifies_images])
def pods_are_looked_at(exam: Exam) -> None:
    """Every Pod is looked at.

    What is not looked at is let in, signed or not.
    """
    found = _blunt(_found(exam))
    claim = Text("A Pod in the namespace {namespace} is looked at", namespace="default")
    advice = Text("Match kind Pod, in every namespace, whatever its name and labels.")
    if judge_refused(exam, found, running(image_of("someone")), "pod-not-matched", claim, advice) is False:
        return
    for namespace in found.namespaces()[1:]:
        claim = Text("A Pod in the namespace {namespace} is looked at", namespace=namespace)
        judge_namespace(exam, found, running(image_of("someone"), namespace=namespace), claim)
    judge_ways_around(exam, found, running(image_of("someone")), containers=False)


@check(level=must, needs=[policy_verifies_images])
def own_images_are_verified(exam: Exam) -> None:
    """Every image of your account is verified.

    One tag or one image that is left out is the door an attacker uses.
    """
    judge_own_images(exam, _found(exam))


@check(level=must, needs=[policy_verifies_images])
def other_images_get_through(exam: Exam) -> None:
    """Images of others are left alone.

    Nobody signs nginx with your e-mail: a reference that is too wide stops the whole cluster.
    """
    judge_other_images(exam, _found(exam))


@check(level=must, needs=[policy_verifies_images])
def signer_is_asked_for(exam: Exam) -> None:
    """The policy says, in the right place, whose keyless signature it wants.

    Kyverno verifies what stands inside the entry of verifyImages. What stands beside it is no help.
    """
    judge_attestors(exam, _found(exam).document)


@check(level=must, needs=[policy_verifies_images, signer_is_asked_for])
def only_your_signature_counts(exam: Exam) -> None:
    """Your signature opens the door, and no other does.

    Anyone can sign anything for free. What protects is the identity.
    """
    found = _found(exam)
    image = image_of(covered_account(exam, found))
    identity.judge_identity(exam, found, about_every_image(_policy(found), image), image)


@check(level=must, needs=[policy_verifies_images])
def really_refuses(exam: Exam) -> None:
    """The policy blocks instead of reporting.

    In Audit an unsigned image runs; Kyverno even refuses to create the policy as long as it rewrites tags.
    """
    found = _found(exam)
    for rules in verifying_rules(found, covered_account(exam, found)) or [frozenset()]:
        judge_enforcement(
            exam, _blunt(found, rules), lambda namespace: running(image_of("someone"), namespace=namespace)
        )


@check(level=must, needs=[policy_verifies_images, signer_is_asked_for])
def agrees_with_the_signature(exam: Exam) -> None:
    """The signature of exercise 2.5 would be let in.

    Policy and signature must name the same image, the same person and the same issuer.
    """
    found = _found(exam)
    signatures = signatures_of(exam)
    judge_covered(exam, found, signatures)
    judge_signer(exam, found, signatures)


@check(level=must, needs=[policy_verifies_images])
def accepted_by_kyverno(exam: Exam) -> None:
    """Kyverno accepts the policy.

    What the policy webhook refuses never reaches the cluster.
    """
    judge_acceptance(exam, _found(exam))


@check(level=should, needs=[policy_verifies_images])
def format_can_be_read(exam: Exam) -> None:
    """The policy reads the format in which you signed.

    Cosign 3 attaches bundles, older versions a tag; a rule reads the one it is told to.
    """
    judge_format(exam, _found(exam), signatures_of(exam))


@check(level=should, needs=[policy_verifies_images])
def digests_are_pinned(exam: Exam) -> None:
    """What was verified is what runs.

    A tag may move between verification and start; a digest cannot.
    """
    found = _found(exam)
    for request in requests_of(_policy(found)):
        base = (*request.path, "validationConfigurations") if request.cel else request.path
        for key, fact in _SWITCHES.items():
            exam.fact(
                fact,
                Text("{key} is left on", key=key),
                found.document.get(*base, key) is not False,
                expected=f"{key}: true",
                observed=f"{key}: {found.document.get(*base, key)}",
                next=Text("Remove the line: on is the default."),
                where=found.document.at(*base, key),
            )


@check(level=should, needs=[policy_verifies_images])
def there_is_time_to_verify(exam: Exam) -> None:
    """Verification gets its time, and only where it is needed.

    It asks a registry and a log on the network: ten seconds are soon over, and a scan repeats it all.
    """
    document = _found(exam).document
    timeouts = [
        document.get("spec", "webhookConfiguration", "timeoutSeconds"),
        document.get("spec", "webhookTimeoutSeconds"),
    ]
    given = next((value for value in timeouts if value is not None), None)
    exam.fact(
        "short-timeout",
        Text("The webhook waits long enough"),
        isinstance(given, int) and given >= 20,
        expected="webhookConfiguration.timeoutSeconds: 30",
        observed=Text("the default of 10 seconds")
        if given is None
        else Text("{seconds} seconds", seconds=given),
        next=Text("Thirty seconds is the most Kubernetes allows."),
        where=document.at("spec", "webhookConfiguration", "timeoutSeconds"),
    )
    legacy = document.has("spec", "rules")
    path = ("spec", "background") if legacy else ("spec", "evaluation", "background", "enabled")
    exam.fact(
        "background-on",
        Text("Background scans are off"),
        document.get(*path) is False,
        expected=f"{'.'.join(path)}: false",
        observed=Text("background scans are on by default")
        if document.get(*path) is None
        else f"{'.'.join(path)}: {document.get(*path)}",
        next=Text("Switch them off: each scan would ask the registry about every Pod again."),
        where=document.at(*path),
    )


@check(level=should, needs=[policy_verifies_images, signer_is_asked_for])
def init_containers_too(exam: Exam) -> None:
    """Images of init containers are verified as well.

    They run first, and often with more rights.
    """
    found = _found(exam)
    image = image_of(covered_account(exam, found))
    try:
        refused: bool | None = not lets_in(_policy(found), image, NOBODY, "initContainers")
    except Untold:
        refused = None
    exam.fact(
        "init-containers-free",
        Text("An unsigned init container is refused"),
        refused,
        expected=Text("refused"),
        observed=Text("cannot be told from the file alone") if refused is None else Text("admitted"),
        next=Text("Let the expression run over `images.initContainers` too."),
        where=found.document.at("spec", "validations"),
        reason=unknown(refused),
    )


@check(level=remark, needs=[policy_verifies_images])
def failures_close_the_door(exam: Exam) -> None:
    """When Kyverno cannot verify, it refuses.

    With failurePolicy Ignore, a slow registry is enough to bring an unsigned image in.
    """
    document = _found(exam).document
    paths = (("spec", "failurePolicy"), ("spec", "webhookConfiguration", "failurePolicy"))
    path = next((path for path in paths if document.get(*path) is not None), paths[0])
    exam.fact(
        "failure-policy-ignore",
        Text("Errors refuse"),
        document.get(*path) != "Ignore",
        expected="failurePolicy: Fail",
        observed=f"failurePolicy: {document.get(*path)}",
        next=Text("Remove the line: Fail is the default."),
        where=document.at(*path),
    )


@check(level=remark, needs=[policy_verifies_images])
def names_are_compared_whole(exam: Exam) -> None:
    """Names are compared as a whole.

    An expression looks for a part of the name unless it is told where to begin and to end.
    """
    found = _found(exam)
    identity.judge_ends(exam, found)
    if not exam.facts:
        exam.fact(
            "expression-not-anchored", Text("No expression is needed"), met=True, where=identity.place(found)
        )
