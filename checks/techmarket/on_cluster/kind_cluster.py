"""0.2 on a cluster – nodes that are ready and new enough, volumes on request, ports that lead in."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text, check, cluster, must, should
from workshop.cluster.reading import condition, mapping, name_of
from workshop.verdicts import Reason, Source

from .._backstage import listed
from ._portal_doors import is_kind
from ._workloads import place

_OLDEST: Final = (1, 28)
_DEFAULT_CLASS: Final = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


@check(level=must, half=cluster, containers=True)
def nodes_are_ready(exam: Exam) -> None:
    """Every node is ready.

    A node that is not takes no Pods, and those it had are about to move.
    """
    nodes = exam.cluster.list("Node")
    if not nodes:
        exam.unfinished(
            "no-node",
            Text("The cluster has a node"),
            observed=Text("it has none"),
            next=Text("Create the cluster: kind create cluster --config materials/kind-config.yaml"),
        )
    for node in nodes:
        ready, words = condition(node, "Ready")
        exam.fact(
            "node-not-ready",
            Text("The node {name} is ready", name=name_of(node)),
            ready is True,
            expected="Ready: True",
            observed=f"Ready: {ready if ready is not None else 'Unknown'} {words}".strip(),
            next=Text("Look at its conditions: kubectl describe node {name}", name=name_of(node)),
            where=place(node, "status.conditions", "Node"),
        )


@check(level=must, half=cluster, containers=True)
def version_is_current(exam: Exam) -> None:
    """The cluster is of version 1.28 or newer.

    Tekton and newer charts refuse what is older.
    """
    from workshop.doctor import version_in  # not needed where no cluster is looked at

    said = exam.cluster.version()
    version = version_in(said)
    exam.fact(
        "cluster-too-old",
        Text("The cluster is new enough"),
        None if version is None else version >= _OLDEST,
        expected=Text("{version} or newer", version=".".join(map(str, _OLDEST))),
        observed=said,
        next=Text("Create the cluster again with a newer kind, or name a newer node image."),
        where=Source(object="cluster"),
        reason=Reason.BEYOND_EVALUATOR if version is None else None,
    )


@check(level=should, half=cluster, containers=True)
def volumes_are_made(exam: Exam) -> None:
    """Volumes are made on request.

    PostgreSQL, MongoDB and a pipeline's workspace ask for volumes and name no storage class.
    """
    classes = exam.cluster.list("StorageClass.storage.k8s.io")
    exam.fact(
        "no-default-storage-class",
        Text("One storage class is the default"),
        any(_is_default(each) for each in classes),
        expected=f"{_DEFAULT_CLASS[0]}: true",
        observed=Text("classes: {names}", names=listed(map(name_of, classes))),
        next=Text("Annotate one of them, or install a provisioner; kind brings both along."),
        where=place(classes[0], "metadata.annotations", "StorageClass") if classes else None,
    )


def _is_default(storage_class: object) -> bool:
    annotations = mapping(storage_class, "metadata", "annotations")
    return any(str(annotations.get(key)).lower() == "true" for key in _DEFAULT_CLASS)


@check(level=should, half=cluster, containers=True)
def ports_lead_in(exam: Exam) -> None:
    """The ports of the lab lead into the cluster.

    They are part of the container that plays the node: what was not mapped at its creation stays closed.
    """
    from workshop.doctor import PORTS

    nodes = exam.cluster.list("Node")
    local = any(is_kind(each) for each in nodes)
    for port, use in PORTS.items():
        # Docker listens at a mapped port itself, whatever stands behind it in the cluster.
        is_open = exam.doors.is_open("localhost", port) if local else None
        exam.fact(
            "port-not-mapped",
            Text("Port {port} leads into the cluster ({use})", port=port, use=use),
            is_open,
            expected=Text("somebody listens at localhost:{port}", port=port),
            observed=Text("nobody does") if local else Text("the nodes are no containers of kind"),
            next=Text("Delete the cluster, and create it again from materials/kind-config.yaml."),
            where=Source(object=f"localhost:{port}"),
            reason=None if local else Reason.BEYOND_EVALUATOR,
        )
