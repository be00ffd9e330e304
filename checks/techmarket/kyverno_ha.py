"""2.1 – what files can tell of the installation: the list of CRDs, and the Helm values if they were kept."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from workshop.checking import Document, Exam, Text, check, remark, should
from workshop.verdicts import Reason

CORE: Final = ("clusterpolicies", "policies", "policyexceptions", "cleanuppolicies", "updaterequests")
VALUES: Final = tuple(
    f"td/kyverno/{name}{suffix}" for name in ("values", "kyverno-values") for suffix in (".yaml", ".yml")
)
_SINGULAR: Final = {
    "clusterpolicy": "clusterpolicies",
    "policy": "policies",
    "policyexception": "policyexceptions",
    "cleanuppolicy": "cleanuppolicies",
    "updaterequest": "updaterequests",
}
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{2,62}(?:\.[a-z0-9-]{1,63}){0,6}")


def names_in(answer: str) -> set[str]:
    """Return the CRD names in an answer (`policies` for `policies.kyverno.io`), whatever surrounds them."""
    found = set()
    for word in re.split(r"[\s,;`'\"]+", answer.lower()):
        name = word.rpartition("/")[2]
        if _NAME.fullmatch(name):
            plural, _, group = name.partition(".")
            if group in ("", "kyverno.io"):
                found.add(_SINGULAR.get(plural, plural))
            else:
                found.add(name)
    return found


@check(level=should)
def crds_are_listed(exam: Exam) -> None:
    """The answer names Kyverno's CRDs.

    Each is a word the cluster has learned: what you may write from now on.
    """
    judge_answer(exam, CORE)


def judge_answer(exam: Exam, core: Collection[str]) -> None:
    """Record whether the answer names some CRDs, whatever else it names."""
    answer = exam.answer("crds")
    listed = names_in(answer.text)
    if re.fullmatch(r"\s*\d+\s*", answer.text):
        exam.fail(
            "count-instead-of-names",
            Text("The answer lists names"),
            expected=Text("the names of the CRDs, one per line"),
            observed=Text("a number: {answer}", answer=answer.text.strip()),
            next=Text("The number depends on the version. Paste what the command prints."),
            where=answer.position,
        )
    missing = [name for name in core if name not in listed]
    exam.fact(
        "crd-missing",
        Text("The CRDs that every version has are in the list"),
        not missing,
        expected=Text("among others {names}", names=", ".join(core)),
        observed=Text("not in the list: {names}", names=", ".join(missing)),
        next=Text(
            "Paste the whole output of `kubectl get crd | grep kyverno`. Is the installation complete?"
        ),
        where=answer.position,
    )


@check(level=remark)
def crds_are_kyvernos(exam: Exam) -> None:
    """The answer names nothing else.

    Telling one tool's kinds from another's is half of debugging a cluster.
    """
    answer = exam.answer("crds")
    strangers = sorted(
        name for name in names_in(answer.text) if "." in name and not name.endswith("kyverno.io")
    )
    exam.fact(
        "foreign-crd",
        Text("Every name ends in kyverno.io"),
        not strangers,
        expected=Text("names of the groups kyverno.io, policies.kyverno.io and reports.kyverno.io"),
        observed=Text("also {names}", names=", ".join(strangers[:5])),
        next=Text("Filter the list with grep, as the question says."),
        where=answer.position,
    )


@check(level=should)
def values_ask_for_three(exam: Exam) -> None:
    """The Helm values ask for three replicas of the admission controller.

    A chart ignores keys it does not know: the installation succeeds, with one replica.
    """
    values = _values(exam)
    replicas = values.get("admissionController", "replicas")
    number = str(replicas)  # Helm writes a quoted number without its quotes
    enough = number.isdecimal() and int(number) >= 3
    if values.has("replicaCount") and not enough:
        exam.fact(
            "replica-count-ignored",
            Text("The values have no key that the chart ignores"),
            met=False,
            expected=Text("admissionController.replicas: 3"),
            observed=Text("replicaCount: {count}", count=values.get("replicaCount")),
            next=Text(
                "This key belongs to the chart's second generation. Read `helm show values kyverno/kyverno`."
            ),
            where=values.key_at("replicaCount"),
        )
    exam.fact(
        "too-few-replicas",
        Text("The admission controller gets three replicas"),
        enough,
        expected=Text("admissionController.replicas: 3"),
        observed=Text("admissionController.replicas: {count}", count="–" if replicas is None else replicas),
        next=Text(
            "Each controller has its own section with its own `replicas`: three for the admission one."
        ),
        where=values.at("admissionController", "replicas"),
    )


def _values(exam: Exam) -> Document:
    path = next((path for path in VALUES if exam.workspace.exists(path)), None)
    if path is None:
        exam.blocked(
            "values-not-kept",
            Text("The Helm values are kept in {path}", path=VALUES[0]),
            reason=Reason.MISSING_FILE,
            observed=Text("no such file, which is fine: it is not asked for"),
        )
    return exam.documents(path, dialect="core")[0]
