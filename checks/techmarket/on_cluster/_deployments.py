"""Deployments of a tool: found by their labels, how many Pods are ready, and who refuses their Pods."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from workshop.checking import Exam, Text
from workshop.cluster.denials import is_refusal, policies_of
from workshop.cluster.port import Object, Unreachable
from workshop.cluster.reading import (
    condition,
    labels_of,
    mapping,
    name_of,
    namespace_of,
    part,
    replicas,
)
from workshop.tekton import parse_image, version_of
from workshop.verdicts import Source

from ._workloads import images_of, place, template_of


@dataclass(frozen=True, slots=True)
class Deployment:
    """A Deployment as the cluster has it."""

    object: Object

    @property
    def name(self) -> str:
        """Its name."""
        return name_of(self.object)

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return namespace_of(self.object)

    @property
    def ready(self) -> int:
        """The number of its Pods that are ready."""
        return replicas(self.object)[0]

    @property
    def desired(self) -> int:
        """The number of Pods it asks for."""
        return replicas(self.object)[1]

    @property
    def images(self) -> list[str]:
        """The images of its containers."""
        return images_of(self.object)

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the Deployment itself."""
        return labels_of(self.object)

    @property
    def pod_labels(self) -> dict[str, str]:
        """The labels of its Pods."""
        return labels_of(template_of(self.object))

    @property
    def place(self) -> Source:
        """Where to look."""
        return place(self.object, "status", kind="Deployment")

    def refusal(self) -> str | None:
        """Return who refuses its Pods, in the API server's words; None when nobody does."""
        refused, words = condition(self.object, "ReplicaFailure")
        return words if refused and is_refusal(words) else None

    def version(self) -> tuple[int, int] | None:
        """Return major and minor of the version its first image's tag names."""
        found = version_of(parse_image(self.images[0])) if self.images else None
        return found[:2] if found else None


def labelled(exam: Exam, labels: str, namespace: str | None = None) -> list[Deployment]:
    """Return the Deployments that carry labels, wherever they are."""
    return [
        Deployment(each) for each in exam.cluster.list("Deployment.apps", namespace=namespace, labels=labels)
    ]


def judge_blocked(exam: Exam, names: str, namespaces: Collection[str] = ()) -> bool:
    """Record a Deployment that a policy keeps from being made, if events tell of one; return whether they do.

    A rule for Pods covers what makes Pods: then there is no Deployment that could complain. `names` is what
    its name contains. An event of a policy that is gone tells nothing any more.
    """
    for event in exam.cluster.list("Event", fields="reason=PolicyViolation"):
        name, namespace = str(part(event, "related", "name")), str(part(event, "related", "namespace"))
        blocked = part(event, "related", "kind") == "Deployment" and "(blocked)" in str(event.get("message"))
        fits = names in name and (not namespaces or namespace in namespaces)
        if blocked and fits and _is_there(exam, mapping(event, "involvedObject")):
            _record_refusal(
                exam,
                Text("The cluster lets the Deployment {name} in", name=name),
                str(event.get("message")),
                [str(part(event, "involvedObject", "name"))],
                Source(object=f"Deployment/{namespace}/{name}"),
                namespace,
            )
            return True
    return False


def judge_ready(exam: Exam, deployment: Deployment, fact: str, claim: Text, *, replicas: int = 1) -> bool:
    """Record whether enough Pods of a Deployment are ready; a refusal of them is its own fact."""
    enough = deployment.ready >= replicas
    refusal = None if enough else deployment.refusal()
    if refusal is not None:
        claim = Text("The cluster lets the Pods of {name} in", name=deployment.name)
        policies = policies_of(refusal)
        _record_refusal(exam, claim, refusal, policies, deployment.place, deployment.namespace)
        return False
    return exam.fact(
        fact,
        claim,
        enough,
        expected=Text("{count} ready", count=replicas),
        observed=Text("{ready} of {desired} ready", ready=deployment.ready, desired=deployment.desired),
        next=Text(
            "Ask its Pods what they wait for: kubectl -n {namespace} describe pods",
            namespace=deployment.namespace,
        ),
        where=deployment.place,
    )


def _is_there(exam: Exam, reference: Object) -> bool:
    group = str(reference.get("apiVersion")).rpartition("/")[0]
    try:
        current = exam.cluster.get(f"{reference.get('kind')}.{group}", str(reference.get("name")))
    except Unreachable:
        return False
    return current is not None and bool(part(current, "metadata", "uid") == reference.get("uid"))


def _record_refusal(
    exam: Exam, claim: Text, words: str, policies: Sequence[str], where: Source, namespace: str
) -> None:
    named = ", ".join(policies)
    exam.fact(
        "pods-refused",
        claim,
        met=False,
        expected=Text("admitted"),
        observed=Text("refused: {message}", message=" ".join(words.split())[:500]),
        next=Text(
            "Your own policy {policies} meets the platform: exclude the namespace {namespace} from it.",
            policies=named,
            namespace=namespace,
        )
        if named
        else Text("Look at who refuses them: kubectl get events -n {namespace}", namespace=namespace),
        where=where,
    )
