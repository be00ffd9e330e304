"""Definitions of what else the lab writes, from their own modules: no controller, but the schema judges."""

from __future__ import annotations

from workshop.sandbox.model import Family, Part
from workshop.sandbox.running import Running

PROMETHEUS = Family(
    name="prometheus-operator",
    module="github.com/prometheus-operator/prometheus-operator",
    version="v0.85.0",
    files={"crds": "example/prometheus-operator-crd"},
)


def _install(running: Running) -> None:
    for family in PART.families:
        running.api.apply_all(running.documents(family, "crds"))


PART = Part(name="crds", families=(PROMETHEUS,), needs=("server",), install=_install)
