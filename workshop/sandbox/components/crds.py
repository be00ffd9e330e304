"""Definitions of what else the lab writes, from their own modules: no controller, but the schema judges."""

from __future__ import annotations

from workshop.sandbox.model import Family, Part
from workshop.sandbox.running import Running


def _chosen(folder: str, group: str, *kinds: str) -> dict[str, str]:
    # What a lab writes: whole installations bring definitions ten times as large, which take memory.
    return {f"crds/{kind}": f"{folder}/{group}_{kind}.yaml" for kind in kinds}


PROMETHEUS = Family(
    name="prometheus-operator",
    module="github.com/prometheus-operator/prometheus-operator",
    version="v0.85.0",
    files=_chosen(
        "example/prometheus-operator-crd",
        "monitoring.coreos.com",
        "prometheusrules",
        "servicemonitors",
        "podmonitors",
        "probes",
    ),
)
LITMUS = Family(
    name="litmus",
    module="github.com/litmuschaos/chaos-operator",
    # Its tags (3.0.0) are no versions to Go: the commit that litmus itself requires.
    version="v0.0.0-20230718113617-6819a4be12e4",
    files={"crds": "deploy/crds"},
)
CROSSPLANE = Family(
    name="crossplane",
    module="github.com/crossplane/crossplane/v2",
    version="v2.0.2",
    files=_chosen(
        "cluster/crds", "apiextensions.crossplane.io", "compositeresourcedefinitions", "compositions"
    )
    | _chosen("cluster/crds", "pkg.crossplane.io", "providers", "functions", "configurations"),
)


# One provider, which costs nothing, shows what a managed resource is; of others only the groups are known.
PROVIDER = Family(
    name="crossplane-provider",
    module="github.com/crossplane-contrib/provider-kubernetes",
    version="v1.0.0",
    files=_chosen("package/crds", "kubernetes.crossplane.io", "objects", "providerconfigs")
    | {
        f"crds/namespaced-{kind}": f"package/crds/kubernetes.m.crossplane.io_{kind}.yaml"
        for kind in ("objects", "providerconfigs", "clusterproviderconfigs")
    },
)


def _install(running: Running) -> None:
    for family in PART.families:
        documents = running.documents(family, "crds")
        for document in documents:
            document["spec"].pop("conversion", None)  # by controllers that are not here
        running.api.apply_all(documents)


PART = Part(
    name="crds", families=(PROMETHEUS, LITMUS, CROSSPLANE, PROVIDER), needs=("server",), install=_install
)
