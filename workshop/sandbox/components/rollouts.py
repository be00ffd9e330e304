"""Argo Rollouts: the controller that judges and carries out a Rollout."""

from __future__ import annotations

from workshop.sandbox.model import Amendment, Component, Family, Part, Program
from workshop.sandbox.running import Running

VERSION = "v1.10.1"
_MODULE = "github.com/argoproj/argo-rollouts"
_VARIABLES = f"{_MODULE}/utils/version"
FAMILY = Family(
    name="rollouts",
    module=_MODULE,
    version=VERSION,
    programs=(
        Program(
            "rollouts-controller",
            "cmd/rollouts-controller",
            ("--version",),
            VERSION,
            ("rollouts-controller",),
        ),
    ),
    files={"crds": "manifests/crds"},
    stamps={
        f"{_VARIABLES}.version": VERSION[1:],
        f"{_VARIABLES}.gitTag": VERSION,
        f"{_VARIABLES}.gitCommit": VERSION,
        f"{_VARIABLES}.gitTreeState": "clean",
    },
    # It would serve its metrics to the whole network, and has no option not to.
    amendments=(Amendment(_MODULE, "controller/controller.go", '"0.0.0.0:%d"', '"127.0.0.1:%d"'),),
)

_NAMESPACE = "argo-rollouts"
_USER = f"system:serviceaccount:{_NAMESPACE}:argo-rollouts"


def _command(running: Running) -> list[str]:
    return [
        f"--kubeconfig={running.kubeconfig(_USER)}",
        f"--metricsPort={running.ports['rollouts-metrics']}",
        f"--healthzPort={running.ports['rollouts']}",
        "--leader-elect=false",
    ]


def _install(running: Running) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}}
    running.api.apply_all([namespace, *running.documents(FAMILY, "crds")])


PART = Part(
    name="rollouts",
    families=(FAMILY,),
    needs=("controllers", "kwok"),
    components=(
        Component(
            name="rollouts",
            program="rollouts-controller",
            command=_command,
            environment=lambda _running: {"ARGO_ROLLOUTS_NAMESPACE": _NAMESPACE},
            ready=lambda running: running.listens("rollouts"),
            after=("kube-apiserver",),
            user=_USER,
            ports=("rollouts", "rollouts-metrics"),
        ),
    ),
    install=_install,
    megabytes=100,
)
