"""Argo Rollouts: the controller that judges and carries out a Rollout."""

from __future__ import annotations

from workshop.sandbox.model import Family, Part, Program

VERSION = "v1.10.1"
_MODULE = "github.com/argoproj/argo-rollouts"
FAMILY = Family(
    name="rollouts",
    module=_MODULE,
    version=VERSION,
    programs=(
        Program(
            "rollouts-controller", "cmd/rollouts-controller", ("version",), VERSION, ("rollouts-controller",)
        ),
    ),
    files={"crds": "manifests/crds"},
    loopback=((_MODULE, "controller/controller.go", '"0.0.0.0:%d"', '"127.0.0.1:%d"'),),
    stamps={
        "github.com/argoproj/argo-rollouts/utils/version.version": VERSION[1:],
        "github.com/argoproj/argo-rollouts/utils/version.gitTag": VERSION,
        "github.com/argoproj/argo-rollouts/utils/version.gitCommit": VERSION,
        "github.com/argoproj/argo-rollouts/utils/version.gitTreeState": "clean",
    },
)

PART = Part(name="rollouts", families=(FAMILY,), needs=("controllers", "kwok"))
