"""What can be seen to be wrong on a cluster: a symptom's id, the object that shows it, and its words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from workshop.cluster.port import Object
from workshop.texts import Message

_LONGEST: Final = 400


class Sign(StrEnum):
    """Every symptom that status, conditions, events and answers of the API server can show.

    The order is that of causes before their consequences: of several symptoms the first explains most. The
    troubleshooting guide names the values under `signals`; they are part of the JSON contract.
    """

    KYVERNO_WEBHOOK_DEAD = "kyverno-webhook-dead"
    TEKTON_WEBHOOK_DEAD = "tekton-webhook-dead"
    WEBHOOK_DEAD = "webhook-dead"
    NAMESPACE_TERMINATING = "namespace-terminating"
    KIND_NOT_SERVED = "kind-not-served"
    LEGACY_POLICY_REFUSED = "legacy-policy-refused"
    POLICY_REFUSED = "policy-refused"
    RULE_REFUSED = "rule-refused"
    NODE_PORT_TAKEN = "node-port-taken"
    ANNOTATION_TOO_LONG = "annotation-too-long"
    POLICY_NOT_READY = "policy-not-ready"
    WEBHOOK_LISTS_NO_RULE = "webhook-lists-no-rule"
    REFUSED_BY_POLICY = "refused-by-policy"
    SIGNATURE_NOT_FOUND = "signature-not-found"
    VERIFICATION_UNREACHABLE = "verification-unreachable"
    POD_SECURITY = "pod-security"
    QUOTA_EXCEEDED = "quota-exceeded"
    LIMIT_RANGE = "limit-range"
    SERVICE_ACCOUNT_MISSING = "service-account-missing"
    POD_REFUSED = "pod-refused"
    CLAIM_ACCESS_MODE = "claim-access-mode"
    CLAIM_NOT_PROVISIONED = "claim-not-provisioned"
    CLAIM_MISSING = "claim-missing"
    UNSCHEDULABLE = "unschedulable"
    PULL_RATE_LIMIT = "pull-rate-limit"
    BITNAMI_IMAGE_GONE = "bitnami-image-gone"
    IMAGE_PRIVATE = "image-private"
    IMAGE_UNAVAILABLE = "image-unavailable"
    RUNS_AS_ROOT = "runs-as-root"
    CONTAINER_CONFIG = "container-config"
    START_ERROR = "start-error"
    OUT_OF_MEMORY = "out-of-memory"
    CRASH_LOOP = "crash-loop"
    PROBE_FAILS = "probe-fails"
    RUN_POD_REFUSED = "run-pod-refused"
    TASK_MISSING = "task-missing"
    PIPELINE_MISSING = "pipeline-missing"
    PARAMETER_MISSING = "parameter-missing"
    WORKSPACE_UNBOUND = "workspace-unbound"
    TWO_CLAIMS = "two-claims"
    SCAN_GATE = "scan-gate"
    RUN_TIMED_OUT = "run-timed-out"
    STEP_FAILED = "step-failed"
    CHAOS_NO_OPERATOR = "chaos-no-operator"
    CHAOS_SERVICE_ACCOUNT = "chaos-service-account"
    CHAOS_RUNNER_NOT_MADE = "chaos-runner-not-made"
    CHAOS_FAULT_MISSING = "chaos-fault-missing"
    CHAOS_TARGET = "chaos-target"
    CHAOS_FORBIDDEN = "chaos-forbidden"
    CHAOS_PROBE_FAILED = "chaos-probe-failed"
    ROLLOUT_INVALID = "rollout-invalid"
    ROLLOUT_ABORTED = "rollout-aborted"
    CROSSPLANE_PROVIDER_CONFIG = "crossplane-provider-config"
    CROSSPLANE_PROVIDER_UNHEALTHY = "crossplane-provider-unhealthy"
    CROSSPLANE_NOT_SYNCED = "crossplane-not-synced"
    RULE_NOT_SELECTED = "rule-not-selected"
    RULE_INVALID = "rule-invalid"
    INGRESS_WITHOUT_CONTROLLER = "ingress-without-controller"
    HPA_WITHOUT_METRICS = "hpa-without-metrics"


@dataclass(frozen=True, slots=True)
class Symptom:
    """One symptom. `message` is what the cluster says of it; `since` when, as the cluster wrote it.

    `group` holds together what is one trouble, such as that of all replicas of a Deployment.
    """

    id: Sign
    object: str
    message: Message
    since: str | None = None
    group: str = ""


def shown(kind: str, found: Object) -> str:
    """Return how an object is named to a person: `Pod/namespace/name`."""
    metadata = found.get("metadata", {})
    parts = (kind.partition(".")[0], metadata.get("namespace"), metadata.get("name"))
    return "/".join(str(part) for part in parts if part)


def one_line(message: object) -> str:
    """Return a message of the cluster on one line, no longer than a screen bears."""
    text = " ".join(str(message or "").split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
