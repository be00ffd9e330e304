"""What carries chaos experiments out: Litmus' operator and the kinds it brings."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text
from workshop.cluster.port import Object
from workshop.cluster.reading import condition, part, replicas
from workshop.litmus import GROUP

from ._workloads import images_of

KINDS: Final = ("ChaosEngine", "ChaosExperiment", "ChaosResult")
OPERATOR_IMAGE: Final = "chaos-operator"


def missing_kinds(exam: Exam) -> list[str]:
    """Return those of Litmus' kinds that the API server does not serve: it serves what is established."""
    return [kind for kind in KINDS if not exam.cluster.serves(f"{kind}.{GROUP}")]


def operators(exam: Exam) -> list[Object]:
    """Return the Deployments of the operator, whatever they are called and wherever they run."""
    return [
        each
        for each in exam.cluster.list("Deployment.apps")
        if any(OPERATOR_IMAGE in image for image in images_of(each))
    ]


def is_available(deployment: Object) -> bool:
    """Whether a Deployment says that it has its Pods, and has any: of none asked for, none is missing."""
    return condition(deployment, "Available")[0] is True and replicas(deployment)[0] > 0


def judge_operator(exam: Exam) -> None:
    """Record whether Litmus' kinds are served and an operator is there to act on them."""
    missing = missing_kinds(exam)
    exam.fact(
        "no-chaos-kinds",
        Text("The cluster knows Litmus' kinds"),
        not missing,
        expected=", ".join(f"{kind}.{GROUP}" for kind in KINDS),
        observed=Text("not served: {kinds}", kinds=", ".join(missing)) if missing else None,
        next=Text("Install the chart litmuschaos/litmus-core, or connect an infrastructure in the portal."),
    )
    found = operators(exam)
    ready = [each for each in found if is_available(each)]
    exam.fact(
        "no-chaos-operator" if not found else "chaos-operator-not-ready",
        Text("An operator is there to carry experiments out"),
        bool(ready),
        expected=Text("an available Deployment with the image {image}", image=OPERATOR_IMAGE),
        observed=Text("none in any namespace")
        if not found
        else ", ".join(
            "{}/{}: {}/{}".format(
                part(each, "metadata", "namespace"), part(each, "metadata", "name"), *replicas(each)
            )
            for each in found
        ),
        next=Text("Install the chart litmuschaos/litmus-core, or connect an infrastructure in the portal.")
        if not found
        else Text("Look at its Pods: kubectl describe pod -n {namespace}", namespace=_home(found)),
    )


def _home(found: list[Object]) -> str:
    return str(part(found[0], "metadata", "namespace"))
