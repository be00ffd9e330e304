"""kwok: plays every kubelet, so that Pods become Ready without a container anywhere."""

from __future__ import annotations

import json

from workshop.sandbox.client import ApiError
from workshop.sandbox.model import Component, Family, Part, Program
from workshop.sandbox.running import Running

VERSION = "v0.8.0"
FAMILY = Family(
    name="kwok",
    module="sigs.k8s.io/kwok",
    version=VERSION,
    programs=(Program("kwok", "cmd/kwok", ("--version",), VERSION[1:], ("kwok",)),),
    files={
        "stages/node-initialize": "kustomize/stage/node/fast/node-initialize.yaml",
        "stages/node-heartbeat": "kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
        "stages/pod": "kustomize/stage/pod/fast",
    },
)

_NODE = "sandbox-node"
_LEASES = "namespaces/kube-node-lease/leases"
_ROOM = {"cpu": "32", "memory": "256Gi", "pods": "1000", "ephemeral-storage": "1Ti"}


def _command(running: Running) -> list[str]:
    config = running.folder("kwok") / "stages.json"
    stages = running.documents(FAMILY, "stages")
    stages += [dict(stage) for part in running.parts for stage in part.stages]
    # JSON is YAML: one document a line.
    config.write_text("\n---\n".join(json.dumps(stage) for stage in stages), encoding="utf-8")
    return [
        f"--kubeconfig={running.kubeconfig('kwok')}",
        f"--config={config}",
        "--manage-all-nodes=true",
        # Without a lease the node, and with it every Pod, turns NotReady after some 45 seconds.
        "--node-lease-duration-seconds=40",
        f"--server-address=127.0.0.1:{running.ports['kwok']}",
        "--node-ip=127.0.0.1",
    ]


def _install(running: Running) -> None:
    running.api.apply(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": _NODE,
                "labels": {
                    "kubernetes.io/hostname": _NODE,
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                    "type": "kwok",
                },
            },
        }
    )
    room = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": _NODE}}
    status = {**room, "status": {"allocatable": _ROOM, "capacity": _ROOM}}
    running.api.request(
        "PATCH", f"/api/v1/nodes/{_NODE}/status", status, content_type="application/merge-patch+json"
    )


def _ready(running: Running) -> bool:
    """Tell whether kwok plays the node: it holds the lease (the one of before has been removed)."""
    try:
        lease = running.api.get(f"/apis/coordination.k8s.io/v1/{_LEASES}/{_NODE}", seconds=3.0)
        node = running.api.get(f"/api/v1/nodes/{_NODE}", seconds=3.0)
    except ApiError:
        return False
    conditions = (node or {}).get("status", {}).get("conditions", [])
    return lease is not None and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


PART = Part(
    name="kwok",
    families=(FAMILY,),
    needs=("controllers",),
    components=(
        Component(
            name="kwok",
            program="kwok",
            command=_command,
            ready=_ready,
            after=("kube-apiserver",),
            user="kwok",
            ports=("kwok",),
        ),
    ),
    install=_install,
    # Waited for until it runs out, as if another kwok still held it.
    stale=("leases/kube-node-lease/",),
    megabytes=60,
)
