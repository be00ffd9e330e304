"""The payment-service on a cluster: what makes its Pods, and these."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam
from workshop.cluster.port import Object
from workshop.cluster.reading import labels_of, mapping, namespace_of, part, selects

from .._backstage import PAYMENT
from ._workloads import WORKLOADS

LABEL: Final = f"app={PAYMENT}"


def payment_workloads(exam: Exam) -> list[Object]:
    """Return what runs the payment-service, in all namespaces: by its label, and by its name alone."""
    found: list[Object] = []
    for kind in WORKLOADS:
        if not exam.cluster.serves(kind):
            continue
        labelled = exam.cluster.list(kind, labels=LABEL)
        named = exam.cluster.list(kind, fields=f"metadata.name={PAYMENT}")
        uids = {part(each, "metadata", "uid") for each in labelled}
        found += labelled + [each for each in named if part(each, "metadata", "uid") not in uids]
    return found


def pods_of(exam: Exam, *workloads: Object) -> list[Object]:
    """Return the Pods that workloads select: the server sorts out the labels, the rest is ours."""
    found: dict[str, Object] = {}
    for each in workloads:
        selector = part(each, "spec", "selector")
        labels = ",".join(f"{key}={value}" for key, value in mapping(selector, "matchLabels").items())
        for pod in exam.cluster.list("Pod", namespace=namespace_of(each), labels=labels or None):
            if selects(selector, labels_of(pod)):
                found[str(part(pod, "metadata", "uid"))] = pod
    return list(found.values())
