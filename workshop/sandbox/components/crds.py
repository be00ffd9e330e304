"""Definitions of what else the lab writes, from their own modules: no controller, but the schema judges."""

from __future__ import annotations

from workshop.sandbox.model import Family, Part
from workshop.sandbox.running import Running

_GROUP = "monitoring.coreos.com"
# What a lab writes; the definitions of whole Prometheus installations are ten times as large.
_KINDS = ("prometheusrules", "servicemonitors", "podmonitors", "probes")
PROMETHEUS = Family(
    name="prometheus-operator",
    module="github.com/prometheus-operator/prometheus-operator",
    version="v0.85.0",
    files={f"crds/{kind}": f"example/prometheus-operator-crd/{_GROUP}_{kind}.yaml" for kind in _KINDS},
)


def _install(running: Running) -> None:
    for family in PART.families:
        running.api.apply_all(running.documents(family, "crds"))


PART = Part(name="crds", families=(PROMETHEUS,), needs=("server",), install=_install)
