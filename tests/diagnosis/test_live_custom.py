"""Custom resources as their operators leave them, Ingresses, autoscalers and namespaces that stay."""

from __future__ import annotations

from typing import Any

import pytest

from tests.diagnosis.ward import Ward, deny_latest, deployment, gone_after, waiting
from tests.live.test_recording_rules import PROMETHEUS_KIND
from tests.rig.cluster import wait_for
from workshop.diagnosis.symptom import Sign
from workshop.sandbox.client import Document


def litmus(kind: str, name: str, **parts: Any) -> Document:
    return {"apiVersion": "litmuschaos.io/v1alpha1", "kind": kind, "metadata": {"name": name}, **parts}


def account(name: str) -> Document:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}


def operator(image: str = "litmuschaos.docker.scarf.sh/litmuschaos/chaos-operator:3.23.0") -> Document:
    return deployment("chaos-operator-ce", image)


def engine(ward: Ward, status: Document | None = None) -> Document:
    spec = {
        "engineState": "active",
        "chaosServiceAccount": "litmus-admin",
        "experiments": [{"name": "pod-delete", "spec": {"components": {"env": []}}}],
    }
    made = litmus("ChaosEngine", "payment-chaos", spec=spec, **({"status": status} if status else {}))
    exercise = ward.lab.exercise("3.4")
    assert exercise is not None
    ward.file(exercise.deliverables[0], ward.here(made))
    return made


def test_chaos_that_lacks_everything_is_told_in_its_order(ward: Ward) -> None:
    ward.apply(engine(ward))
    found = [each.id for each in ward.look("3.4", "no=workload")]
    assert found == [Sign.CHAOS_NO_OPERATOR, Sign.CHAOS_SERVICE_ACCOUNT, Sign.CHAOS_FAULT_MISSING]


@pytest.mark.shows(
    Sign.CHAOS_NO_OPERATOR, Sign.CHAOS_SERVICE_ACCOUNT, Sign.CHAOS_FAULT_MISSING, Sign.CHAOS_RUNNER_NOT_MADE
)
def test_chaos_mended_step_by_step(ward: Ward) -> None:
    ward.apply(engine(ward))
    found = ward.until(Sign.CHAOS_NO_OPERATOR, "3.4", "no=workload")
    assert found.entry == "chaos-engine-idle"

    ward.apply(operator())
    wait_for(lambda: Sign.CHAOS_NO_OPERATOR not in _signs(ward))
    found = ward.until(Sign.CHAOS_SERVICE_ACCOUNT, "3.4", "no=workload")
    assert found.entry == "chaos-service-account"
    assert "litmus-admin" in str(found.message)

    said = "(chaos start) Unable to get chaos resources"
    ward.post_event("ChaosEngine.litmuschaos.io", "payment-chaos", "ChaosResourcesOperationFailed", said)
    assert ward.until(Sign.CHAOS_SERVICE_ACCOUNT, "3.4", "no=workload").since is not None
    ward.apply(account("litmus-admin"))
    found = ward.until(Sign.CHAOS_RUNNER_NOT_MADE, "3.4", "no=workload")
    assert found.entry == "chaos-refused-by-kyverno"

    found = ward.until(Sign.CHAOS_FAULT_MISSING, "3.4", "no=workload")
    assert found.entry == "chaos-fault-missing"
    ward.apply(litmus("ChaosExperiment", "pod-delete", spec={"definition": {"scope": "Namespaced"}}))
    assert _signs(ward) == [Sign.CHAOS_RUNNER_NOT_MADE]


def _signs(ward: Ward) -> list[str]:
    return [each.id for each in ward.look("3.4", "no=workload")]


@pytest.mark.shows(Sign.CHAOS_TARGET, Sign.CHAOS_FORBIDDEN, Sign.CHAOS_PROBE_FAILED)
@pytest.mark.parametrize(
    ("status", "sign", "entry"),
    [
        (
            {
                "phase": "Error",
                "verdict": "Error",
                "errorOutput": {"errorCode": "TARGET_SELECTION_ERROR", "reason": "no matching pod"},
            },
            Sign.CHAOS_TARGET,
            "chaos-target",
        ),
        (
            {
                "phase": "Error",
                "verdict": "Error",
                "errorOutput": {"errorCode": "GENERIC_ERROR", "reason": 'pods is forbidden: User "x"'},
            },
            Sign.CHAOS_FORBIDDEN,
            "chaos-forbidden",
        ),
        (
            {"phase": "Completed_With_Probe_Failure", "verdict": "Fail", "probeSuccessPercentage": "0"},
            Sign.CHAOS_PROBE_FAILED,
            "chaos-probe-failed",
        ),
    ],
)  # fmt: skip
def test_what_came_of_an_experiment(ward: Ward, status: Document, sign: Sign, entry: str) -> None:
    spec = {"engine": "payment-chaos", "experiment": "pod-delete"}
    result = litmus("ChaosResult", "payment-chaos-pod-delete", spec=spec, status={"experimentStatus": status})
    ward.apply(engine(ward, {"engineStatus": "completed"}), result)
    assert ward.until(sign, "3.4", "no=workload").entry == entry
    assert _signs(ward) == [sign], "what it lacked before it had a result is over"


def test_an_experiment_that_passed_has_no_symptom(ward: Ward) -> None:
    status = {"phase": "Completed", "verdict": "Pass", "probeSuccessPercentage": "100"}
    spec = {"engine": "payment-chaos", "experiment": "pod-delete"}
    result = litmus("ChaosResult", "payment-chaos-pod-delete", spec=spec, status={"experimentStatus": status})
    ward.apply(engine(ward, {"engineStatus": "completed"}), result)
    assert _signs(ward) == []


# --- Crossplane ---------------------------------------------------------------------------------------


def condition(type: str, status: str, reason: str, message: str) -> Document:
    then = "2026-01-15T10:00:00Z"
    return {"type": type, "status": status, "reason": reason, "message": message, "lastTransitionTime": then}


def managed(ward: Ward, name: str) -> Document:
    """An object of provider-kubernetes: the one provider whose definitions the sandbox has."""
    made = {
        "apiVersion": "kubernetes.m.crossplane.io/v1alpha1",
        "kind": "Object",
        "metadata": {"name": name, "namespace": ward.namespace},
        "spec": {"forProvider": {"manifest": {"apiVersion": "v1", "kind": "ConfigMap"}}},
    }
    ward.file("td/bonus/crossplane-postgres.yaml", made)
    return made


@pytest.mark.shows(Sign.CROSSPLANE_PROVIDER_CONFIG, Sign.CROSSPLANE_NOT_SYNCED)
@pytest.mark.parametrize(
    ("message", "sign", "entry"),
    [
        (
            "connect failed: cannot get referenced ProviderConfig: ProviderConfig default not found",
            Sign.CROSSPLANE_PROVIDER_CONFIG,
            "crossplane-provider-config",
        ),
        ("observe failed: no such engine version", Sign.CROSSPLANE_NOT_SYNCED, "crossplane-not-synced"),
    ],
)
def test_a_resource_that_is_not_synced(ward: Ward, message: str, sign: Sign, entry: str) -> None:
    made = managed(ward, "database")
    ward.apply(made)
    ward.write_status(made, {"conditions": [condition("Synced", "False", "ReconcileError", message)]})
    assert ward.until(sign, "bonus-2").entry == entry


@pytest.mark.shows(Sign.CROSSPLANE_PROVIDER_UNHEALTHY)
def test_a_provider_that_is_not_healthy(ward: Ward) -> None:
    ward.apply(managed(ward, "database"))
    provider = {
        "apiVersion": "pkg.crossplane.io/v1",
        "kind": "Provider",
        "metadata": {"name": f"{ward.namespace}-provider"},
        "spec": {"package": "xpkg.example.org/provider:v0"},
    }
    with gone_after(ward.rig, provider):
        said = condition("Healthy", "False", "UnhealthyPackageRevision", "cannot pull the package")
        path = ward.rig.api.path(provider) + "/status"
        ward.rig.api.merge(path, {"status": {"conditions": [said]}})
        found = ward.until(Sign.CROSSPLANE_PROVIDER_UNHEALTHY, "bonus-2")
        ward.file("td/kyverno/policy-deny-latest.yaml", deny_latest("disallow-latest-tag", "default"))
        assert ward.look("2.2") == (), "another exercise has nothing to do with it"
    assert found.entry == "crossplane-provider-unhealthy"


# --- Prometheus' operator -----------------------------------------------------------------------------


def rule(ward: Ward, **labels: str) -> Document:
    record = {"record": "payment_service:success_rate:ratio", "expr": "1"}
    made = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "payment-service-slo", "labels": labels, "namespace": ward.namespace},
        "spec": {"groups": [{"name": "payment-service-slo", "rules": [record]}]},
    }
    exercise = ward.lab.exercise("3.1")
    assert exercise is not None
    ward.file(exercise.deliverables[0], made)
    return made


@pytest.mark.shows(Sign.RULE_NOT_SELECTED)
def test_a_rule_without_the_label_prometheus_looks_for(ward: Ward) -> None:
    ward.rig.api.apply_all([PROMETHEUS_KIND])
    wait_for(lambda: ward.rig.api.answers("/apis/monitoring.coreos.com/v1/prometheuses"))
    server = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": {"name": "k8s", "namespace": ward.namespace},
        "spec": {"ruleSelector": {"matchLabels": {"release": "monitoring"}}},
    }
    # Past the client, which may have learnt the kinds of this group before there was this one.
    there = f"/apis/monitoring.coreos.com/v1/namespaces/{ward.namespace}/prometheuses"
    ward.rig.api.request("POST", there, server)
    ward.apply(rule(ward))
    found = ward.until(Sign.RULE_NOT_SELECTED, "3.1")
    assert found.entry == "rule-not-loaded"
    assert "release=monitoring" in str(found.message)

    ward.apply(rule(ward, release="monitoring"))
    assert ward.look("3.1") == ()


@pytest.mark.shows(Sign.RULE_INVALID)
def test_a_rule_the_operator_turned_away(ward: Ward) -> None:
    ward.apply(rule(ward))
    kind, name = "PrometheusRule.monitoring.coreos.com", "payment-service-slo"
    said = f"PrometheusRule {name} was rejected due to invalid configuration: parse error"
    ward.post_event(kind, name, "InvalidConfiguration", said)
    assert ward.until(Sign.RULE_INVALID, "3.1").entry == "rule-refused"


# --- Kubernetes' own ----------------------------------------------------------------------------------


@pytest.mark.shows(Sign.INGRESS_WITHOUT_CONTROLLER)
def test_an_ingress_nobody_serves(ward: Ward) -> None:
    backend = {"service": {"name": "backstage", "port": {"number": 7007}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "backstage"},
        "spec": {"ingressClassName": "nginx", "rules": [{"http": {"paths": paths}}]},
    }
    ward.apply(ingress)
    found = ward.until(Sign.INGRESS_WITHOUT_CONTROLLER, "1.1")
    assert found.entry == "ingress-without-controller"
    controller = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "nginx"},
        "spec": {"controller": "example.org/ingress"},
    }
    with gone_after(ward.rig, controller):
        assert ward.look("1.1") == ()


@pytest.mark.shows(Sign.HPA_WITHOUT_METRICS)
def test_an_autoscaler_without_metrics(ward: Ward) -> None:
    """The real controller asks for metrics every 15 s, and nothing here serves them."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    hpa = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": target,
            "maxReplicas": 3,
            "metrics": [{"type": "Resource", "resource": cpu}],
        },
    }
    ward.apply(deployment("web"), hpa)
    assert ward.until(Sign.HPA_WITHOUT_METRICS, "0.3").entry == "hpa-unknown"
    # The label is on what it scales, not on the autoscaler.
    assert ward.until(Sign.HPA_WITHOUT_METRICS, "0.3", "app=web").object.endswith("/web")
    assert ward.look("0.3", "app=another") == ()


@pytest.mark.shows(Sign.NAMESPACE_TERMINATING)
def test_a_namespace_that_cannot_go(ward: Ward) -> None:
    metadata = {"name": "kept", "finalizers": ["example.org/operator-is-gone"]}
    kept = ward.here({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    ward.apply(kept)
    ward.rig.api.delete(f"/api/v1/namespaces/{ward.namespace}")
    try:
        found = ward.until(Sign.NAMESPACE_TERMINATING, "0.2")
        assert found.entry == "namespace-terminating"
        assert "example.org/operator-is-gone" in str(found.message)
    finally:
        ward.rig.api.merge(ward.rig.api.path(kept), {"metadata": {"finalizers": None}})


def test_a_namespace_that_goes_is_no_symptom(ward: Ward) -> None:
    ward.pod("web", waiting("ContainerCreating"))
    assert ward.look("1.1") == ()
