"""The kinds that have no namespace: Kubernetes' own (1.35) and Kyverno's (1.19), by the version preferred."""

from __future__ import annotations

from typing import Final

_BY_VERSION = {
    "v1": "ComponentStatus Namespace Node PersistentVolume",
    "admissionregistration.k8s.io/v1": (
        "MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding"
        " ValidatingWebhookConfiguration"
    ),
    "apiextensions.k8s.io/v1": "CustomResourceDefinition",
    "apiregistration.k8s.io/v1": "APIService",
    "authentication.k8s.io/v1": "SelfSubjectReview TokenReview",
    "authorization.k8s.io/v1": "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
    "certificates.k8s.io/v1": "CertificateSigningRequest",
    "flowcontrol.apiserver.k8s.io/v1": "FlowSchema PriorityLevelConfiguration",
    "networking.k8s.io/v1": "IPAddress IngressClass ServiceCIDR",
    "node.k8s.io/v1": "RuntimeClass",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding",
    "resource.k8s.io/v1": "DeviceClass ResourceSlice",
    "scheduling.k8s.io/v1": "PriorityClass",
    "storage.k8s.io/v1": "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
    "kyverno.io/v1": "ClusterPolicy",
    "kyverno.io/v2": "ClusterCleanupPolicy GlobalContextEntry",
    "policies.kyverno.io/v1": (
        "DeletingPolicy GeneratingPolicy ImageValidatingPolicy MutatingPolicy ValidatingPolicy"
    ),
}
CLUSTER_KINDS: Final = frozenset(kind for kinds in _BY_VERSION.values() for kind in kinds.split())
#: As Kyverno compares what a policy names with them: the kind alone, or behind its group and version.
CLUSTER_KIND_NAMES: Final = CLUSTER_KINDS | {
    f"{version}/{kind}" for version, kinds in _BY_VERSION.items() for kind in kinds.split()
}
