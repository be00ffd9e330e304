"""Block 0: tools, cluster, payment-service, Prometheus; on the real API server where it keeps the state."""

from __future__ import annotations

import copy
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.held import Held, look_at
from tests.live.judging import check, look, unmet, untold
from tests.live.portal import deployment, service, settle
from tests.rig.cluster import Rig
from tests.rig.prometheus import Prometheus
from workshop import doctor
from workshop.content import Lab
from workshop.verdicts import Level, Verdict

TOOLS, KIND, PAYMENT, PROMETHEUS = "0.1", "0.2", "0.3", "0.4"
Object = dict[str, Any]


def node(*, ready: str = "True", provider: str = "") -> Object:
    return {
        "metadata": {"name": "lab"},
        "spec": {"providerID": provider},
        "status": {"conditions": [{"type": "Ready", "status": ready, "reason": "KubeletReady"}]},
    }


def storage(annotations: Object) -> Object:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": annotations},
        "provisioner": "example.org/local",
    }


# --- 0.1 ---------------------------------------------------------------------------------------------


def saying(monkeypatch: pytest.MonkeyPatch, **said: str | None) -> None:
    usual = {
        "kubectl": "Client Version: v1.35.1",
        "helm": "v3.18.2+g04cad46",
        "kind": "kind v0.30.0 go1.25.1 linux/amd64",
        "docker": "Docker version 28.3.2, build 578ccf6",
        "cosign": "GitVersion:    v2.6.1",
        "tkn": "0.42.0",
        **said,
    }
    monkeypatch.setattr(doctor, "_ask", lambda command, *_: usual[command])


def test_six_tools(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Held({})
    saying(monkeypatch)
    result = look_at(lab, cluster, TOOLS)
    assert result.verdict is Verdict.PASSED
    assert check(result, "kubectl_fits_the_cluster").verdict is Verdict.PASSED
    saying(monkeypatch, docker="podman version 5.4.2")
    assert look_at(lab, cluster, TOOLS).verdict is Verdict.PASSED
    saying(monkeypatch, tkn=None)
    missing = look_at(lab, cluster, TOOLS)
    assert unmet(missing, "tools_answer") == ["tool-missing"]
    assert missing.verdict is Verdict.UNFINISHED
    saying(monkeypatch, helm="v2.17.0", kubectl="v1.31.0")
    old = look_at(lab, cluster, TOOLS)
    assert unmet(old, "tools_answer") == ["tool-too-old"]
    assert unmet(old, "kubectl_fits_the_cluster") == ["kubectl-skew"]
    assert old.verdict is Verdict.FAILED
    saying(monkeypatch, cosign="a build of my own")
    assert look_at(lab, cluster, TOOLS).verdict is Verdict.UNKNOWN


# --- 0.2 ---------------------------------------------------------------------------------------------


def test_the_rig_is_a_cluster(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    pristine_rig.apply(storage({"storageclass.kubernetes.io/is-default-class": "true"}))
    result = look(lab, pristine_rig, tmp_path, KIND)
    assert result.verdict is Verdict.PASSED
    assert check(result, "volumes_are_made").verdict is Verdict.PASSED
    # Its node is no container of kind: whether ports lead in cannot be told.
    assert check(result, "ports_lead_in").verdict is Verdict.UNKNOWN
    pristine_rig.sandbox.reset()
    assert unmet(look(lab, pristine_rig, tmp_path, KIND), "volumes_are_made") == ["no-default-storage-class"]


@pytest.mark.parametrize(
    ("nodes", "name", "fact", "verdict"),
    [
        ([node(ready="False")], "nodes_are_ready", "node-not-ready", Verdict.FAILED),
        ([node(ready="Unknown")], "nodes_are_ready", "node-not-ready", Verdict.FAILED),
        ([], "nodes_are_ready", "no-node", Verdict.UNFINISHED),
    ],
)
def test_clusters_that_will_not_do(
    nodes: list[Object], name: str, fact: str, verdict: Verdict, lab: Lab
) -> None:
    result = look_at(lab, Held({"Node": nodes, "StorageClass.storage.k8s.io": []}), KIND)
    assert unmet(result, name) == [fact]
    assert result.verdict is verdict
    assert result.hint is not None


def test_an_old_cluster(lab: Lab) -> None:
    old = Held({"Node": [node()], "StorageClass.storage.k8s.io": []}, served="v1.27.16+k3s1")
    assert unmet(look_at(lab, old, KIND), "version_is_current") == ["cluster-too-old"]
    odd = Held({"Node": [node()], "StorageClass.storage.k8s.io": []}, served="a build of my own")
    assert look_at(lab, odd, KIND).verdict is Verdict.UNKNOWN


def test_ports_of_a_kind_node(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Held(
        {"Node": [node(provider="kind://docker/techmarket/lab")], "StorageClass.storage.k8s.io": []}
    )
    with socket.socket() as listening, socket.socket() as closed:
        for each in (listening, closed):
            each.bind(("127.0.0.1", 0))
        listening.listen()
        monkeypatch.setattr(doctor, "PORTS", {listening.getsockname()[1]: "Backstage"})
        assert check(look_at(lab, cluster, KIND), "ports_lead_in").verdict is Verdict.PASSED
        monkeypatch.setattr(doctor, "PORTS", {closed.getsockname()[1]: "Litmus"})
        result = look_at(lab, cluster, KIND)
    assert unmet(result, "ports_lead_in") == ["port-not-mapped"]
    assert result.verdict is Verdict.PASSED  # a port-forward gets through the lab as well


# --- 0.3 ---------------------------------------------------------------------------------------------


def materials(lab: Lab) -> list[Object]:
    text = (lab.materials / "kubernetes" / "payment-service.yaml").read_text(encoding="utf-8")
    return list(yaml.safe_load_all(text))


def test_the_materials_pass(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    nothing = look(lab, pristine_rig, tmp_path, PAYMENT)
    assert nothing.verdict is Verdict.UNFINISHED
    assert unmet(nothing, "three_are_ready") == ["not-deployed"]
    pristine_rig.apply(*materials(lab))
    settle(pristine_rig, "default")
    result = look(lab, pristine_rig, tmp_path, PAYMENT)
    assert result.verdict is Verdict.PASSED
    for advice in ("it_scales", "it_survives_maintenance"):
        assert check(result, advice).verdict is Verdict.PASSED
    # Nothing runs in Pods that kwok plays: that says nothing about the work.
    assert check(result, "metrics_are_served").verdict is Verdict.UNKNOWN


def two(objects: list[Object]) -> None:
    objects[0]["spec"]["replicas"] = 2
    del objects[2]  # the HPA would make three of them


def no_probes(objects: list[Object]) -> None:
    container = objects[0]["spec"]["template"]["spec"]["containers"][0]
    del container["readinessProbe"], container["livenessProbe"]


def other_label(objects: list[Object]) -> None:
    objects[0]["spec"]["template"]["metadata"]["labels"] = {"app": "payments"}
    objects[0]["spec"]["selector"]["matchLabels"] = {"app": "payments"}
    objects[1]["spec"]["selector"] = {"app": "payments"}


def astray(objects: list[Object]) -> None:
    objects[1]["spec"]["selector"] = {"app": "payment"}


def unknown_port(objects: list[Object]) -> None:
    objects[1]["spec"]["ports"][0]["targetPort"] = "web"


def no_service(objects: list[Object]) -> None:
    del objects[1]


@pytest.mark.parametrize(
    ("change", "name", "fact", "verdict"),
    [
        (two, "three_are_ready", "too-few-ready", Verdict.FAILED),
        (no_probes, "pods_are_probed", "probes-missing", Verdict.FAILED),
        (other_label, "pods_are_labelled", "label-missing", Verdict.FAILED),
        (astray, "service_leads_to_them", "service-selects-nothing", Verdict.FAILED),
        (unknown_port, "service_leads_to_them", "target-port-unknown", Verdict.FAILED),
        (no_service, "service_leads_to_them", "no-service", Verdict.UNFINISHED),
    ],
)
def test_what_was_changed(
    change: Callable[[list[Object]], None],
    name: str,
    fact: str,
    verdict: Verdict,
    lab: Lab,
    pristine_rig: Rig,
    tmp_path: Path,
) -> None:
    objects = copy.deepcopy(materials(lab))
    change(objects)
    pristine_rig.apply(*objects)
    settle(pristine_rig, "default")
    result = look(lab, pristine_rig, tmp_path, PAYMENT)
    assert unmet(result, name) == [fact]
    assert result.verdict is verdict
    assert result.hint is not None


def in_namespace(objects: list[Object], name: str) -> list[Object]:
    return [{**each, "metadata": {**each["metadata"], "namespace": name}} for each in objects]


def test_a_neighbours_is_not_looked_at(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    theirs = in_namespace(copy.deepcopy(materials(lab)), "a-team")
    no_probes(theirs)
    pristine_rig.apply(*materials(lab), *theirs)
    settle(pristine_rig, "default")
    assert look(lab, pristine_rig, tmp_path, PAYMENT).verdict is Verdict.PASSED


def test_a_neighbours_pods_are_not_counted(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    ours = copy.deepcopy(materials(lab))
    two(ours)
    pristine_rig.apply(*ours, *in_namespace(materials(lab), "a-team"))
    settle(pristine_rig, "default")
    settle(pristine_rig, "a-team")
    assert unmet(look(lab, pristine_rig, tmp_path, PAYMENT), "three_are_ready") == ["too-few-ready"]


def test_without_autoscaler_and_budget_it_still_passes(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    pristine_rig.apply(*materials(lab)[:2])
    settle(pristine_rig, "default")
    result = look(lab, pristine_rig, tmp_path, PAYMENT)
    assert result.verdict is Verdict.PASSED
    assert unmet(result, "it_scales") == ["no-autoscaler"]
    assert unmet(result, "it_survives_maintenance") == ["no-budget"]


# --- 0.4: states that a server of its own would take minutes to be in --------------------------------

SERVICE: Object = {
    "metadata": {"name": "prom", "namespace": "observability", "labels": {}},
    "spec": {"selector": {"x": "y"}, "ports": [{"name": "http", "port": 80, "targetPort": 9090}]},
}


def prometheus(*targets: Object) -> Held:
    def success(data: object) -> tuple[int, str]:
        return 200, json.dumps({"status": "success", "data": data})

    answers = {
        "api/v1/query": success({"resultType": "vector", "result": [{"metric": {}, "value": [0, "1"]}]}),
        "api/v1/targets": success({"activeTargets": list(targets)}),
    }
    return Held({"Service": [SERVICE]}, answers)


def target(health: str, error: str = "", **labels: str) -> Object:
    return {
        "health": health,
        "lastError": error,
        "scrapeUrl": "http://10.0.0.1:8080/metrics",
        "labels": labels,
    }


def test_targets(lab: Lab) -> None:
    up = look_at(lab, prometheus(target("up", service="payment-service")), PROMETHEUS)
    assert up.verdict is Verdict.PASSED
    assert unmet(up, "all_services_are_scraped") == ["target-missing"] * 2
    assert unmet(up, "prometheus_opens_to_the_outside") == ["prometheus-not-exposed"]
    down = look_at(lab, prometheus(target("down", "connection refused", job="payment-service")), PROMETHEUS)
    assert unmet(down, "payment_service_is_scraped") == ["target-down"]
    assert down.verdict is Verdict.FAILED
    fresh = look_at(lab, prometheus(target("unknown", pod="payment-service-5c4")), PROMETHEUS)
    assert untold(fresh, "payment_service_is_scraped") == ["target-down"]
    assert fresh.verdict is Verdict.UNKNOWN
    none = look_at(lab, prometheus(target("up", job="prometheus")), PROMETHEUS)
    assert unmet(none, "payment_service_is_scraped") == ["target-missing"]
    assert none.verdict is Verdict.FAILED


def test_no_prometheus(lab: Lab) -> None:
    assert look_at(lab, Held({"Service": []}), PROMETHEUS).verdict is Verdict.UNFINISHED
    other = look_at(lab, Held({"Service": [SERVICE]}), PROMETHEUS)  # port 9090, and something else behind it
    assert unmet(other, "prometheus_answers") == ["prometheus-missing"]
    dead = Held(
        {"Service": [SERVICE]}, {"api/v1/query": (503, '{"kind": "Status", "message": "no endpoints"}')}
    )
    assert check(look_at(lab, dead, PROMETHEUS), "prometheus_answers").verdict is Verdict.UNKNOWN


def test_every_must_of_the_block_has_a_half_that_judges_it(
    lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    for exercise in ("0.1", "0.2", "0.3", "0.4", "1.1", "1.2", "1.3", "1.4", "bonus-3"):
        result = look(lab, pristine_rig, tmp_path, exercise)
        assert not [each for each in result.checks if each.reason == "not-built"], exercise
        assert any(each.level is Level.MUST and each.half == "cluster" for each in result.checks)


# --- 0.4 with a real Prometheus, in the forms that installations give its Service -------------------------

FORMS: dict[str, tuple[Object, Object]] = {
    "kube-prometheus-stack": (
        {"app": "kube-prometheus-stack-prometheus"},
        {"name": "http-web", "port": 9090},
    ),
    "operator": ({"operated-prometheus": "true"}, {"name": "web", "port": 9090}),
    "plain-chart": (
        {"app.kubernetes.io/name": "prometheus", "app.kubernetes.io/component": "server"},
        {"name": "http", "port": 80, "targetPort": 9090},
    ),
    "manifests": ({}, {"port": 9090}),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_real_prometheus_is_found(
    form: str, lab: Lab, pristine_rig: Rig, no_rules: Prometheus, tmp_path: Path
) -> None:
    labels, port = FORMS[form]
    made = deployment("metrics", namespace="watch", image="quay.io/prometheus/prometheus:v3.5.0")
    before = service("metrics", "metrics", namespace="watch", port=9090, labels=labels)
    before["spec"] |= {"ports": [{**port, "nodePort": 30090}], "type": "NodePort"}
    pristine_rig.apply(made, before)
    settle(pristine_rig, "watch")
    pristine_rig.carry("watch", "metrics", no_rules.port)
    no_rules.until(lambda: no_rules.value("up"), "it has scraped")
    result = look(lab, pristine_rig, tmp_path, PROMETHEUS)
    assert result.verdict is Verdict.PASSED
    assert check(result, "prometheus_opens_to_the_outside").verdict is Verdict.PASSED
    assert unmet(result, "all_services_are_scraped") == ["target-missing"] * 2
