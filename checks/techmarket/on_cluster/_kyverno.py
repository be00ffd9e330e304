"""The Kyverno of a cluster: its admission controller, found by what it is, and what its version means."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text, kind_of
from workshop.tekton import parse_image
from workshop.verdicts import Reason

from .._policies import Found
from ._deployments import Deployment, labelled
from ._policy_there import standing

NAMESPACE: Final = "kyverno"
COMPONENT: Final = "app.kubernetes.io/component"
# From here on the kinds of kyverno.io are stored at most, and never carried out.
CEL_ONLY: Final = (1, 20)


def admission_controllers(exam: Exam) -> list[Deployment]:
    """Return Kyverno's admission controllers, those in its own namespace first.

    Release and object names are the student's choice; the component label is the chart's.
    """
    found = [each for each in labelled(exam, f"{COMPONENT}=admission-controller") if _is_kyverno(each)] or [
        # Without the chart's labels: whatever runs Kyverno's own image.
        Deployment(each)
        for each in exam.cluster.list("Deployment.apps", namespace=NAMESPACE)
        if any(parse_image(image).name == "kyverno" for image in Deployment(each).images)
    ]
    return sorted(found, key=lambda each: each.namespace != NAMESPACE)


def _is_kyverno(deployment: Deployment) -> bool:
    part_of = str(deployment.labels.get("app.kubernetes.io/part-of"))
    return "kyverno" in part_of or any("kyverno" in image for image in deployment.images)


def judge_kind_carried_out(exam: Exam, found: Found) -> None:
    """Record whether the Kyverno that is installed still carries out the policy's kind."""
    there = standing(exam, found)
    kind = (
        f"{there['kind']}.{str(there['apiVersion']).partition('/')[0]}" if there else kind_of(found.document)
    )
    controllers = admission_controllers(exam)
    version = controllers[0].version() if controllers else None
    legacy = kind.endswith(".kyverno.io") and not kind.endswith(".policies.kyverno.io")
    carried_out = not legacy or (version < CEL_ONLY if version else None)
    exam.fact(
        "legacy-kind",
        Text("Kyverno carries out the kind {kind}", kind=kind),
        carried_out,
        expected=Text("a kind of policies.kyverno.io from Kyverno 1.20 on"),
        observed=Text("Kyverno {version}", version=".".join(map(str, version)))
        if version
        else Text("no Kyverno on the cluster tells its version"),
        next=Text(
            "Write the policy with the kinds of policies.kyverno.io, or install a chart from 3.6 to 3.9."
        ),
        where=found.document.at("kind"),
        reason=Reason.UNAVAILABLE if carried_out is None else None,
    )
