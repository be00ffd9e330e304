"""The API server, the controller manager and the scheduler."""

from __future__ import annotations

import json

from workshop.sandbox.client import ApiError
from workshop.sandbox.components import etcd, services
from workshop.sandbox.model import Component, Family, Part, Program
from workshop.sandbox.running import Running

VERSION = "v1.35.4"
_MINOR = "Kubernetes v1.35."
FAMILY = Family(
    name="kubernetes",
    module="k8s.io/kubernetes",
    version=VERSION,
    programs=(
        Program("kube-apiserver", "cmd/kube-apiserver", ("--version",), _MINOR, ("kube-apiserver",)),
        Program("kubectl", "cmd/kubectl", ("version", "--client"), "Client Version: v1.", ("kubectl",)),
        Program(
            "kube-controller-manager",
            "cmd/kube-controller-manager",
            ("--version",),
            _MINOR,
            ("kube-controller-manager",),
        ),
        Program("kube-scheduler", "cmd/kube-scheduler", ("--version",), _MINOR, ("kube-scheduler",)),
    ),
    # Without these the server calls itself v0.0.0 and Kyverno refuses to work with it.
    stamps={
        "k8s.io/component-base/version.gitVersion": VERSION,
        "k8s.io/component-base/version.gitMajor": VERSION[1:].split(".")[0],
        "k8s.io/component-base/version.gitMinor": VERSION[1:].split(".")[1],
        "k8s.io/component-base/version.gitTreeState": "clean",
    },
)


def _audit_policy(running: Running) -> str:
    """Have what people ask for written down, one line each: who, which verb, which object.

    The components' own traffic would bury that.
    """
    ours = sorted({one.user for part in running.parts for one in part.components if one.user})
    rules = [
        {"level": "None", "users": [*ours, "system:apiserver"]},
        {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
        {"level": "None", "nonResourceURLs": ["/readyz*", "/healthz*", "/livez*"]},
        {"level": "Metadata"},
    ]
    head = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"]}
    path = running.folder("kube-apiserver") / "audit.json"
    path.write_text(json.dumps({**head, "rules": rules}), encoding="utf-8")
    return str(path)


def _api_server(running: Running) -> list[str]:
    # An absolute path: the API server runs in a folder of its own.
    etcd_socket = running.folder("etcd") / etcd.CLIENT_SOCKET
    chosen = [] if running.has("controllers") else ["--disable-admission-plugins=ServiceAccount"]
    if running.has("services"):
        chosen.append(f"--egress-selector-config-file={services.egress(running)}")
    return [
        f"--etcd-servers=unix://{etcd_socket}",
        "--bind-address=127.0.0.1",
        "--external-hostname=127.0.0.1",
        f"--secure-port={running.ports['kube-apiserver']}",
        f"--cert-dir={running.authority.parent}",
        # A loopback address cannot be advertised to Pods; there are none that could ask.
        "--endpoint-reconciler-type=none",
        f"--token-auth-file={running.secret('tokens.csv')}",
        "--anonymous-auth=false",
        "--authorization-mode=RBAC",
        f"--service-account-key-file={running.secret('service-accounts.key')}",
        f"--service-account-signing-key-file={running.secret('service-accounts.key')}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--allow-privileged=true",
        "--profiling=false",
        "--enable-priority-and-fairness=false",
        # Everything is read from etcd, next door. A cache would be made for each kind when it is first asked
        # for, and whoever asks would be told to come back in a second: Kyverno three times over.
        "--watch-cache=false",
        f"--audit-policy-file={_audit_policy(running)}",
        f"--audit-log-path={running.home.audit}",
        "--audit-log-maxsize=20",
        "--audit-log-maxbackup=1",
        # Served from 1.36 on without being asked: a policy of this kind is a right answer already.
        "--feature-gates=MutatingAdmissionPolicy=true",
        "--runtime-config=admissionregistration.k8s.io/v1beta1=true,admissionregistration.k8s.io/v1alpha1=true",
        *chosen,
    ]


def _controller_manager(running: Running) -> list[str]:
    kubeconfig = running.kubeconfig("system:kube-controller-manager")
    return [
        f"--kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={running.ports['kube-controller-manager']}",
        f"--root-ca-file={running.authority}",
        f"--service-account-private-key-file={running.secret('service-accounts.key')}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--allocate-node-cidrs=false",
        "--profiling=false",
        # What limits a client towards a shared API server only slows this one.
        "--kube-api-qps=1000",
        "--kube-api-burst=2000",
        # Without kubelets and clouds these have nothing to do.
        "--controllers=*,-node-ipam-controller,-node-route-controller,-cloud-node-lifecycle-controller",
    ]


def _scheduler(running: Running) -> list[str]:
    return [
        f"--kubeconfig={running.kubeconfig('system:kube-scheduler')}",
        "--bind-address=127.0.0.1",
        f"--secure-port={running.ports['kube-scheduler']}",
        "--leader-elect=false",
        "--profiling=false",
    ]


# These look, for a second or two, whether roles and priority classes exist. In prepared data they do, and the
# components, which may do anything, need not wait for that.
_SLOW = ("poststarthook/rbac/bootstrap-roles", "poststarthook/scheduling/bootstrap-system-priority-classes")
_ENOUGH = "/readyz?" + "&".join(f"exclude={hook}" for hook in _SLOW)

# A machine on which everybody starts something at once lets it think for a while.
_BUSY_SECONDS = 10.0


def _server_ready(running: Running) -> bool:
    return running.authority.exists() and running.api.answers(_ENOUGH, seconds=_BUSY_SECONDS)


def _at_work(running: Running) -> bool:
    """Tell whether the controllers work: each namespace has the certificate of this API server by now.

    Prepared data holds another one, and accounts already.
    """
    query = {"fieldSelector": "metadata.name=kube-root-ca.crt"}
    try:
        held = running.api.request("GET", "/api/v1/configmaps", query=query, seconds=3.0)["items"]
        account = running.api.get("/api/v1/namespaces/default/serviceaccounts/default", seconds=3.0)
    except ApiError:
        return False
    expected = running.authority.read_text(encoding="ascii").strip()
    return (
        account is not None
        and bool(held)
        and all(one.get("data", {}).get("ca.crt", "").strip() == expected for one in held)
    )


SERVER = Part(
    name="server",
    families=(etcd.FAMILY, FAMILY),
    needs=("etcd",),
    components=(
        Component(
            name="kube-apiserver",
            program="kube-apiserver",
            command=_api_server,
            environment=lambda running: services.environment() if running.has("services") else {},
            ready=_server_ready,
            after=("etcd",),
            ports=("kube-apiserver",),
        ),
    ),
    megabytes=350,
)
CONTROLLERS = Part(
    name="controllers",
    families=(FAMILY,),
    needs=("server",),
    tools=("kubectl",),
    components=(
        Component(
            name="kube-controller-manager",
            program="kube-controller-manager",
            command=_controller_manager,
            ready=_at_work,
            after=("kube-apiserver",),
            # It gives an API server that is not healthy ten seconds, and ends.
            welcome=lambda running: running.api.answers("/healthz"),
            user="system:kube-controller-manager",
            ports=("kube-controller-manager",),
        ),
        Component(
            name="kube-scheduler",
            program="kube-scheduler",
            command=_scheduler,
            ready=lambda running: running.listens("kube-scheduler"),
            after=("kube-apiserver",),
            user="system:kube-scheduler",
            ports=("kube-scheduler",),
        ),
    ),
    megabytes=180,
)
