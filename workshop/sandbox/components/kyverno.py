"""Kyverno's admission controller, outside the cluster it judges for."""

from __future__ import annotations

from datetime import UTC, datetime

from workshop.sandbox.client import Api, ApiError, Document
from workshop.sandbox.model import Component, Family, Part, Program
from workshop.sandbox.running import Running

VERSION = "v1.19.1"
FAMILY = Family(
    name="kyverno",
    module="github.com/kyverno/kyverno",
    version=VERSION,
    programs=(
        # People call Kyverno's command line `kyverno`: that name on PATH proves nothing.
        Program("kyverno-admission-controller", "cmd/kyverno", ("--help",), "-webhookServerPort"),
    ),
    files={"crds": "config/crds", "install": "config/install-latest-testing.yaml"},
    stamps={"github.com/kyverno/kyverno/pkg/version.BuildVersion": VERSION},
)

_NAMESPACE = "kyverno"
_CONTROLLER = "kyverno-admission-controller"
_ACCOUNT = f"system:serviceaccount:{_NAMESPACE}:{_CONTROLLER}"
_WANTED = (
    "Namespace",
    "ServiceAccount",
    "ConfigMap",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
)
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_RESOURCE_CONFIGURATIONS = (
    "validatingwebhookconfigurations/kyverno-resource-validating-webhook-cfg",
    "mutatingwebhookconfigurations/kyverno-resource-mutating-webhook-cfg",
)
_POLICIES = (
    "/apis/kyverno.io/v1/clusterpolicies",
    "/apis/kyverno.io/v1/policies",
    "/apis/policies.kyverno.io/v1/validatingpolicies",
    "/apis/policies.kyverno.io/v1/mutatingpolicies",
)
_CONFIGURATIONS = ("validatingwebhookconfigurations/kyverno-", "mutatingwebhookconfigurations/kyverno-")


def _command(running: Running) -> list[str]:
    port = running.ports["kyverno"]
    return [
        f"--kubeconfig={running.kubeconfig(_ACCOUNT)}",
        f"--serverIP=127.0.0.1:{port}",
        "--webhookServerHost=127.0.0.1",
        f"--webhookServerPort={port}",
        f"--caSecretName=kyverno-svc.{_NAMESPACE}.svc.kyverno-tls-ca",
        f"--tlsSecretName=kyverno-svc.{_NAMESPACE}.svc.kyverno-tls-pair",
        "--tlsKeyAlgorithm=ECDSA",  # made at the first start: RSA keys take a second longer
        f"--backgroundServiceAccountName=system:serviceaccount:{_NAMESPACE}:kyverno-background-controller",
        f"--reportsServiceAccountName=system:serviceaccount:{_NAMESPACE}:kyverno-reports-controller",
        # Served even when switched off.
        "--metricsHost=127.0.0.1",
        f"--metricsPort={running.ports['kyverno-metrics']}",
        "--disableMetrics=true",
        "--controllerRuntimeMetricsAddress=0",
        # Nobody makes reports of them here.
        "--enableReporting=",
        "--admissionReports=false",
        # A policy of somebody else must not make this machine call another: no address is allowed.
        "--httpAllowlist=https://nowhere.invalid/",
        # As in the project's own installation.
        "--generateValidatingAdmissionPolicy=true",
        "--enablePolicyException=false",
        "--omitEvents=PolicyApplied,PolicySkipped",
        # Its log is for people.
        "--v=0",
        "--disableLogColor=true",
        # What limits a client towards a shared API server only slows this one.
        "--clientRateLimitQPS=1000",
        "--clientRateLimitBurst=2000",
    ]


def _environment(running: Running) -> dict[str, str]:
    return {
        "KYVERNO_NAMESPACE": _NAMESPACE,
        "KYVERNO_SERVICEACCOUNT_NAME": _CONTROLLER,
        "KYVERNO_ROLE_NAME": "kyverno:admission-controller",
        "KYVERNO_DEPLOYMENT": _CONTROLLER,
        "KYVERNO_POD_NAME": f"{_CONTROLLER}-{running.home.name}",
        "KYVERNO_SVC": "kyverno-svc",
        "INIT_CONFIG": "kyverno",
        "METRICS_CONFIG": "kyverno-metrics",
        "TUF_ROOT": str(running.folder(_CONTROLLER)),
    }


def _install(running: Running) -> None:
    running.api.apply_all(running.documents(FAMILY, "crds"))
    documents = running.documents(FAMILY, "install")
    running.api.apply_all(one for one in documents if one["kind"] in _WANTED)
    for document in documents:
        if document["kind"] == "Deployment" and document["metadata"]["name"] == _CONTROLLER:
            # Kyverno looks for its own Deployment; its Pods would be played, and say nothing.
            document["spec"]["replicas"] = 0
            running.api.apply(document)


# Refused for its own reason by a webhook that works: the variable is defined nowhere.
_REFUSED: Document = {
    "apiVersion": "kyverno.io/v1",
    "kind": "ClusterPolicy",
    "metadata": {"name": "sandbox-probe"},
    "spec": {
        "rules": [
            {
                "name": "probe",
                "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
                "validate": {
                    "failureAction": "Enforce",
                    "message": "probe",
                    "pattern": {"metadata": {"name": "{{ nowhere.defined }}"}},
                },
            }
        ]
    },
}


def _ready(running: Running) -> bool:
    # The configurations are registered before the certificate serves, and before that everything is admitted:
    # what counts is that a wrong policy is refused, by Kyverno.
    if not running.api.refuses(_REFUSED, by="validate-policy.kyverno.svc"):
        return False
    try:
        return _policies_enforced(running.api)
    except ApiError:
        return False


def _policies_enforced(api: Api) -> bool:
    """Tell whether policies from before this start are enforced again: their webhooks were removed."""
    if not any(api.request("GET", f"{path}?limit=1")["items"] for path in _POLICIES):
        return True
    return any((api.get(f"{_ADMISSION}/{name}") or {}).get("webhooks") for name in _RESOURCE_CONFIGURATIONS)


def _adapt(running: Running) -> None:
    """Say that Kyverno is well: without that it looks again, a second later, before it enforces anything."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    running.api.apply(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": "kyverno-health",
                "namespace": _NAMESPACE,
                "labels": {"app.kubernetes.io/name": "kyverno"},
                "annotations": {"kyverno.io/last-request-time": now},
            },
        }
    )


PART = Part(
    name="kyverno",
    families=(FAMILY,),
    needs=("server",),
    # They fill the roles that Kyverno asks whether it may do what a policy says.
    prepared_with=("controllers",),
    components=(
        Component(
            name="kyverno",
            program=_CONTROLLER,
            command=_command,
            environment=_environment,
            ready=_ready,
            after=("kube-apiserver",),
            # It reads what it was compiled with for a while before it needs more than an answer.
            early=lambda running: running.authority.exists() and running.api.answers("/livez/ping"),
            user=_ACCOUNT,
            ports=("kyverno", "kyverno-metrics"),
        ),
    ),
    install=_install,
    adapt=_adapt,
    # A webhook that is not there yet refuses everything its policies match; a lease is waited for.
    stale=(f"leases/{_NAMESPACE}/", *_CONFIGURATIONS),
    owned=_CONFIGURATIONS,
    megabytes=170,
)
