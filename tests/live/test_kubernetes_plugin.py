"""1.4 and bonus 3 against a real API server: labels, access reviews, what the running Backstage reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.live.judging import check, look, unmet, untold
from tests.live.portal import BOTH, access, config_map, deployment, release, settle
from tests.rig.cluster import Rig, wait_for
from workshop.content import Lab
from workshop.verdicts import Reason, Verdict

EXERCISE, BONUS = "1.4", "bonus-3"
KEY, NAME = "backstage.io/kubernetes-id", "payment-service"
LABEL = {KEY: NAME}
HERE = {
    "name": "here",
    "url": "https://kubernetes.default.svc",
    "authProvider": "serviceAccount",
    "skipTLSVerify": True,
}
ALL = {"apiGroups": ["", "apps", "batch", "autoscaling", "networking.k8s.io"], "resources": ["*"]}
RUNS = {"apiGroups": ["tekton.dev"], "resources": ["pipelineruns", "taskruns"]}
ENTITY = "td/backstage/catalog-info-payment.yaml"


def plugin(*, locator: str = "multiTenant", **cluster: Any) -> dict[str, Any]:
    """Return an app-config with the plugin's section."""
    method = {"type": "config", "clusters": [{**HERE, **cluster}]}
    return {"kubernetes": {"serviceLocatorMethod": {"type": locator}, "clusterLocatorMethods": [method]}}


def payment(*, own: Mapping[str, str] = LABEL, pods: Mapping[str, str] = LABEL) -> dict[str, Any]:
    return deployment(
        NAME, namespace="default", labels=own, pod_labels=pods, image="techmarket/service:1.0.0"
    )


def entity(annotations: Mapping[str, str]) -> dict[str, str]:
    lines = "".join(f'    {key}: "{value}"\n' for key, value in annotations.items())
    return {
        ENTITY: "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: payment-service\n"
        f"  annotations:\n{lines}"
        "spec: {type: service, lifecycle: production, owner: team-payments}\n"
    }


def install(rig: Rig, *objects: dict[str, Any]) -> None:
    rig.apply(*objects)
    settle(rig)
    settle(rig, "default")


@pytest.mark.parametrize("locator", ["multiTenant", "singleTenant"])
def test_labels_configuration_and_rights_pass(
    locator: str, lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    install(
        pristine_rig,
        *release(config=plugin(locator=locator)),
        payment(),
        *access("default", [ALL]),
    )
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert result.verdict is Verdict.PASSED
    for advice in ("deployment_is_found", "tab_is_complete"):
        assert check(result, advice).verdict is Verdict.PASSED


def test_a_label_selector_will_do(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    install(pristine_rig, payment(own={}, pods={"team": "payments"}))
    files = entity({"backstage.io/kubernetes-label-selector": "app=payment-service,team in (payments, shop)"})
    result = look(lab, pristine_rig, tmp_path, EXERCISE, files)
    assert check(result, "pods_are_found").verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("own", "pods", "fact"),
    [
        (LABEL, {}, "label-on-deployment-only"),
        ({}, {}, "pods-unlabelled"),
        (LABEL, {KEY: "payment"}, "pods-unlabelled"),
    ],
)
def test_pods_that_are_not_found(
    own: Mapping[str, str], pods: Mapping[str, str], fact: str, lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    install(pristine_rig, payment(own=own, pods=pods))
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert unmet(result, "pods_are_found") == [fact]
    assert result.verdict is Verdict.FAILED
    assert result.hint is not None


def test_pods_that_do_not_run(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    made = payment()
    made["spec"]["template"]["spec"]["nodeSelector"] = {"nowhere": "here"}
    pristine_rig.apply(made)
    path = f"/api/v1/namespaces/default/pods?labelSelector={KEY}%3D{NAME}"
    wait_for(lambda: pristine_rig.api.request("GET", path)["items"])
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert unmet(result, "pods_are_found") == ["pods-not-running"]


def test_a_deployment_that_asks_for_no_pod(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    """Its label is right: it is not said to be missing."""
    made = payment()
    made["spec"]["replicas"] = 0
    pristine_rig.apply(made)
    assert unmet(look(lab, pristine_rig, tmp_path, EXERCISE), "pods_are_found") == ["no-pods"]


def test_without_payment_service_or_backstage_it_waits(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert result.verdict is Verdict.BLOCKED
    for name in ("pods_are_found", "backstage_is_configured", "backstage_is_let_in"):
        assert check(result, name).reason is Reason.NEEDS


@pytest.mark.parametrize(
    ("objects", "facts"),
    [
        (release(config={"app": {"title": "x"}}), ["kubernetes-config-missing"]),
        (release(args=BOTH), ["kubernetes-config-missing"]),
        (
            [config_map("extra", {"app-config.k8s.yaml": plugin()}), *release()],
            ["config-not-read", "kubernetes-config-missing"],
        ),
        (release(config=plugin(url="https://127.0.0.1:34567")), ["cluster-url-local"]),
        (release(config=plugin(skipTLSVerify=False)), ["cluster-certificate"]),
        (release(config={"kubernetes": {"clusterLocatorMethods": []}}), None),
    ],
    ids=["no-section", "image-only", "not-mounted", "kubeconfig", "certificate", "empty"],
)
def test_a_backstage_that_does_not_ask(
    objects: list[dict[str, Any]], facts: list[str] | None, lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    install(pristine_rig, *objects)
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    found = unmet(result, "backstage_is_configured")
    assert found == (facts or ["service-locator-missing", "cluster-locator-missing"])
    assert result.verdict is Verdict.FAILED


def test_what_an_image_of_ones_own_says_is_unknown(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    install(pristine_rig, *release(image="registry.example.org/lea/portal:2"))
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert untold(result, "backstage_is_configured") == ["kubernetes-config-unseen"]


def test_rights(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    install(pristine_rig, *release(config=plugin(), account="portal"), payment(), _account("portal"))
    denied = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert unmet(denied, "backstage_is_let_in") == ["rights-not-bound"]
    assert denied.verdict is Verdict.FAILED
    # Rights of the account that the Pod does not run as help nobody.
    pristine_rig.apply(*access("default", [ALL]))
    assert look(lab, pristine_rig, tmp_path, EXERCISE).verdict is Verdict.FAILED
    pods = {"apiGroups": [""], "resources": ["pods"]}
    pristine_rig.apply(*access("portal", [pods]))
    some = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert unmet(some, "backstage_is_let_in") == ["rights-incomplete"]
    deployments = {"apiGroups": ["apps"], "resources": ["deployments"]}
    pristine_rig.apply(*access("portal", [pods, deployments]))
    enough = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert enough.verdict is Verdict.PASSED
    assert unmet(enough, "tab_is_complete") == ["rights-not-bound"]


def test_rights_bound_to_the_group_of_the_namespace_count(
    lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    role, binding = access("default", [ALL])
    binding["subjects"] = [
        {
            "kind": "Group",
            "apiGroup": "rbac.authorization.k8s.io",
            "name": "system:serviceaccounts:backstage",
        }
    ]
    install(pristine_rig, *release(config=plugin()), payment(), role, binding)
    assert look(lab, pristine_rig, tmp_path, EXERCISE).verdict is Verdict.PASSED


def test_rights_in_one_namespace_suffice_where_the_entity_names_it(
    lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    role, binding = access("default", [ALL])
    binding = {**binding, "kind": "RoleBinding", "metadata": {"name": "read", "namespace": "default"}}
    install(pristine_rig, *release(config=plugin()), payment(), role, binding)
    everywhere = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert unmet(everywhere, "backstage_is_let_in") == ["rights-not-bound"]
    there = {**LABEL, "backstage.io/kubernetes-namespace": "default"}
    named = look(lab, pristine_rig, tmp_path, EXERCISE, entity(there))
    assert check(named, "backstage_is_let_in").verdict is Verdict.PASSED


def test_a_token_of_its_own_is_not_looked_into(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    install(pristine_rig, *release(config=plugin(serviceAccountToken="${K8S_TOKEN}")), payment())
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert untold(result, "backstage_is_let_in") == ["account-unseen"]


def run(labels: Mapping[str, str]) -> dict[str, Any]:
    steps = [{"name": "say", "image": "played.invalid/by-kwok:1", "script": "echo built"}]
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": "build", "namespace": "default", "labels": dict(labels)},
        "spec": {"pipelineSpec": {"tasks": [{"name": "build", "taskSpec": {"steps": steps}}]}},
    }


def test_runs_that_the_portal_shows(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    resources = [
        {"group": "tekton.dev", "apiVersion": "v1", "plural": plural}
        for plural in ("pipelineruns", "taskruns")
    ]
    config = plugin()
    config["kubernetes"]["customResources"] = resources
    install(pristine_rig, *release(config=config), *access("default", [RUNS]), run(LABEL))
    result = look(lab, pristine_rig, tmp_path, BONUS)
    assert result.verdict is Verdict.PASSED
    assert check(result, "backstage_asks_for_them").verdict is Verdict.PASSED


def test_runs_that_it_does_not_show(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    install(pristine_rig, *release(config=plugin()), *access("default", [ALL]))
    nothing = look(lab, pristine_rig, tmp_path, BONUS)
    assert unmet(nothing, "runs_are_found") == ["not-run"]
    assert check(nothing, "runs_are_found").verdict is Verdict.UNFINISHED
    pristine_rig.apply(run({}))
    result = look(lab, pristine_rig, tmp_path, BONUS)
    assert unmet(result, "runs_are_found") == ["run-unlabelled"]
    assert unmet(result, "runs_may_be_read") == ["rights-not-bound"]
    assert unmet(result, "backstage_asks_for_them") == ["custom-resources"]
    assert result.verdict is Verdict.FAILED


def _account(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": "backstage"},
    }
