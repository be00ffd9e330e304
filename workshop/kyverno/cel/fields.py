"""Which fields an ApplyConfiguration may set: as much of the schema as is known without a cluster."""

from __future__ import annotations

from typing import Any, Final

from workshop.kyverno.images import POD_SPEC
from workshop.kyverno.match import Request, as_map
from workshop.kyverno.outcome import Beyond, KyvernoError

#: The fields of a Pod's spec, by their type in JSON.
_POD: Final[dict[type | tuple[type, ...], str]] = {
    list: (
        "containers ephemeralContainers hostAliases imagePullSecrets initContainers readinessGates "
        "resourceClaims schedulingGates tolerations topologySpreadConstraints volumes"
    ),
    dict: "affinity dnsConfig nodeSelector os overhead resources securityContext",
    bool: (
        "automountServiceAccountToken enableServiceLinks hostIPC hostNetwork hostPID hostUsers "
        "setHostnameAsFQDN shareProcessNamespace"
    ),
    (int, float): "activeDeadlineSeconds priority terminationGracePeriodSeconds",
    str: (
        "dnsPolicy hostname hostnameOverride nodeName preemptionPolicy priorityClassName restartPolicy "
        "runtimeClassName schedulerName serviceAccount serviceAccountName subdomain"
    ),
}
_POD_FIELDS: Final = {name: kind for kind, names in _POD.items() for name in names.split()}
_REPLICAS: Final = "minReadySeconds replicas selector template"
#: The fields of the spec of each workload that makes Pods.
_WORKLOADS: Final = {
    "Deployment": f"{_REPLICAS} paused progressDeadlineSeconds revisionHistoryLimit strategy",
    "ReplicaSet": _REPLICAS,
    "ReplicationController": _REPLICAS,
    "DaemonSet": "minReadySeconds revisionHistoryLimit selector template updateStrategy",
    "StatefulSet": (
        f"{_REPLICAS} ordinals persistentVolumeClaimRetentionPolicy podManagementPolicy revisionHistoryLimit "
        "serviceName updateStrategy volumeClaimTemplates"
    ),
    "Job": (
        "activeDeadlineSeconds backoffLimit backoffLimitPerIndex completionMode completions managedBy "
        "manualSelector maxFailedIndexes parallelism podFailurePolicy podReplacementPolicy selector "
        "successPolicy suspend template ttlSecondsAfterFinished"
    ),
    "CronJob": (
        "concurrencyPolicy failedJobsHistoryLimit jobTemplate schedule startingDeadlineSeconds "
        "successfulJobsHistoryLimit suspend timeZone"
    ),
}
_OBJECT: Final = frozenset(["apiVersion", "kind", "metadata", "spec", "status"])


def check_fields(applied: Any, request: Request) -> None:
    """Raise KyvernoError for a field that the schema does not have, or has with another type.

    Of kinds that make no Pods nothing is known but what the resource has already: Beyond for more.
    """
    if request.kind not in POD_SPEC:
        _check_other(applied, request)
        return
    spec = applied
    for part in POD_SPEC[request.kind]:
        spec = as_map(as_map(spec).get(part))
    for key, value in spec.items():
        kind = _POD_FIELDS.get(key)
        if kind is None or not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise KyvernoError(f"error applying patch: .spec.{key}: not declared in schema, or no such type")
    strange = set(applied) - _OBJECT
    if request.kind in _WORKLOADS:
        strange |= as_map(applied.get("spec")).keys() - set(_WORKLOADS[request.kind].split())
    if strange:
        raise KyvernoError(f"error applying patch: {min(strange)}: field not declared in schema")


def _check_other(applied: Any, request: Request) -> None:
    for key, value in as_map(applied).items():
        have = request.resource.get(key)
        unseen = have is None or as_map(value).keys() - as_map(have).keys()
        if key not in {"apiVersion", "kind", "metadata"} and unseen:
            raise Beyond("needs-cluster", f"whether the schema of {request.kind} has what is set in {key}")
