"""Deployments of a tool: found by their labels, how many Pods are ready, and who refuses their Pods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workshop.checking import Exam, Text
from workshop.cluster.denials import is_refusal, policies_of
from workshop.cluster.port import Object
from workshop.tekton import parse_image, version_of
from workshop.verdicts import Source


@dataclass(frozen=True, slots=True)
class Deployment:
    """A Deployment as the cluster has it."""

    object: Object

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.object.get("metadata", {}).get("name"))

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.object.get("metadata", {}).get("namespace"))

    @property
    def desired(self) -> int:
        """The number of Pods it asks for."""
        return int(self.object.get("spec", {}).get("replicas", 1))

    @property
    def ready(self) -> int:
        """The number of its Pods that are ready."""
        return int(self.object.get("status", {}).get("readyReplicas") or 0)

    @property
    def images(self) -> list[str]:
        """The images of its containers."""
        containers = self.template.get("spec", {}).get("containers", [])
        return [str(each.get("image")) for each in containers if isinstance(each, dict)]

    @property
    def template(self) -> Object:
        """What its Pods are made from."""
        template: Object = self.object.get("spec", {}).get("template", {})
        return template

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its Pods."""
        labels: dict[str, str] = self.template.get("metadata", {}).get("labels", {})
        return labels

    @property
    def place(self) -> Source:
        """Where to look."""
        return Source(object=f"Deployment/{self.name} ({self.namespace})", field="status")

    def refusal(self) -> str | None:
        """Return who keeps its Pods from being made, in the API server's words; None when nobody does."""
        for condition in self.object.get("status", {}).get("conditions", []):
            if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
                return str(condition.get("message"))
        return None

    def version(self) -> tuple[int, int] | None:
        """Return major and minor of the version its first image's tag names."""
        found = version_of(parse_image(self.images[0])) if self.images else None
        return found[:2] if found else None


def labelled(exam: Exam, labels: str, namespace: str | None = None) -> list[Deployment]:
    """Return the Deployments that carry labels, wherever they are."""
    return [
        Deployment(each) for each in exam.cluster.list("Deployment.apps", namespace=namespace, labels=labels)
    ]


def judge_ready(exam: Exam, deployment: Deployment, fact: str, claim: Text, *, replicas: int = 1) -> bool:
    """Record whether enough Pods of a Deployment are ready; a refusal of them is its own fact."""
    enough = deployment.ready >= replicas
    refusal = None if enough else deployment.refusal()
    if refusal is not None and is_refusal(refusal):
        policies = ", ".join(policies_of(refusal))
        exam.fact(
            "pods-refused",
            Text("The cluster lets the Pods of {name} in", name=deployment.name),
            met=False,
            expected=Text("Pods are made"),
            observed=Text("refused: {message}", message=" ".join(refusal.split())[:500]),
            next=Text(
                "Your own policy {policies} meets the platform: exclude the namespace {namespace} from it.",
                policies=policies,
                namespace=deployment.namespace,
            )
            if policies
            else Text(
                "Look at who refuses them: kubectl get events -n {namespace}", namespace=deployment.namespace
            ),
            where=deployment.place,
        )
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


def selects(selector: Any, labels: dict[str, str]) -> bool:
    """Whether a selector of equalities picks Pods with such labels; an empty one picks none."""
    return isinstance(selector, dict) and bool(selector) and selector.items() <= labels.items()
