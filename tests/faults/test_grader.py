"""The rights of materials/grader/rbac.yaml: enough for the whole lab, none to spare, and none for Secrets."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.faults import lab_state
from tests.faults.proxy import Proxy, Request, standing_before
from tests.rig.cluster import Rig, wait_for
from workshop.cluster.live import LiveCluster
from workshop.cluster.stage import LiveStages
from workshop.content import Lab
from workshop.engine import Run, judge
from workshop.verdicts import Half, Mode, Reason, Report, Verdict
from workshop.workspace import Workspace

_READING = ["get", "list", "watch"]
_VERBS = {"GET": "get", "POST": "create"}
Object = dict[str, Any]


def _manifest(lab: Lab) -> list[Object]:
    path = lab.materials / "grader" / "rbac.yaml"
    return [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]


def _role(lab: Lab) -> Object:
    return next(each for each in _manifest(lab) if each["kind"] == "ClusterRole")


def _right(request: Request) -> tuple[str, str, str] | None:
    """Return verb, API group and resource of what was asked; None for discovery, which everybody may."""
    if request.resource is None:
        return None
    version, _, resource = request.resource.rpartition("/")
    if resource == "proxy":
        version, resource = "v1", "services/proxy"
    return _VERBS[request.method], version.rpartition("/")[0], resource


def _granted(role: Object) -> set[tuple[str, str, str]]:
    return {
        (verb, group, resource)
        for rule in role["rules"]
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def _is_forbidden(rig: Rig, proxy: Proxy, rule: Object) -> bool:
    """Whether the API server has taken up by now that a rule is gone: rights are asked first of all."""
    group, resource = rule["apiGroups"][0], rule["resources"][0]
    preferred = rig.api.request("GET", f"/apis/{group}")["preferredVersion"]["groupVersion"] if group else ""
    collection = f"/apis/{preferred}/{resource}" if group else f"/api/v1/{resource}"
    if resource == "services/proxy":
        collection = "/api/v1/namespaces/default/services/none/proxy/"
    body = b"{}" if "create" in rule["verbs"] else None
    headers = {"Content-Type": "application/json"}
    url = f"{proxy.url}{collection}?dryRun=All"
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 (our own proxy)
    try:
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 (the same)
    except urllib.error.HTTPError as error:
        return error.code == http.client.FORBIDDEN
    return False


def _judge(lab: Lab, proxy: Proxy, folder: Path, workspace: Path) -> Report:
    kubeconfig = proxy.kubeconfig(folder)
    stages = LiveStages(LiveCluster("lab", kubeconfig))
    return judge(Run.of(lab, Workspace(workspace), Mode.CLUSTER, stages))


def _said(report: Report) -> dict[str, tuple[Verdict, Reason | None, list[str]]]:
    """Return what a report says of the cluster, without what differs from one moment to the next."""
    return {
        check.id: (check.verdict, check.reason, [fact.id for fact in check.facts])
        for result in report.exercises
        for check in result.checks
        if check.half is Half.CLUSTER
    }


@pytest.fixture(scope="module")
def token(rig: Rig, lab: Lab) -> Iterator[str]:
    """The token of the grader's account, on a cluster where the whole lab was done."""
    lab_state.install(rig, lab)
    rig.apply(*_manifest(lab))
    account = next(each for each in _manifest(lab) if each["kind"] == "ServiceAccount")["metadata"]
    path = f"/api/v1/namespaces/{account['namespace']}/serviceaccounts/{account['name']}/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    yield rig.api.request("POST", path, body)["status"]["token"]
    rig.sandbox.reset()


# What only hints, or only a lab that is not finished, take: without it the verdicts here are the same.
_FOR_HINTS = {
    ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("autoscaling", "horizontalpodautoscalers"),
    ("networking.k8s.io", "ingresses"),
    ("pkg.crossplane.io", "providers"),
}
# Asked for by right answers of another shape than the reference's, or by what else may be installed.
_VARIANTS = {
    ("apps", "daemonsets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("networking.k8s.io", "ingressclasses"),
    ("gateway.networking.k8s.io", "httproutes"),
    ("route.openshift.io", "routes"),
    ("traefik.io", "ingressroutes"),
    ("litmuschaos.io", "chaosexperiments"),
    ("monitoring.coreos.com", "prometheuses"),
    ("helm.crossplane.io", "releases"),
    ("helm.m.crossplane.io", "releases"),
    ("postgresql.cnpg.io", "clusters"),
    ("kyverno.io", "policies"),
    ("operator.tekton.dev", "tektonconfigs"),
    ("argoproj.io", "clusteranalysistemplates"),
    *(
        ("admissionregistration.k8s.io", f"{kind}admissionpolic{end}")
        for kind in ("validating", "mutating")
        for end in ("ies", "ybindings")
    ),
    *(
        ("policies.kyverno.io", f"{scope}{kind}policies")
        for scope in ("", "namespaced")
        for kind in ("validating", "mutating", "imagevalidating")
    ),
}


def _compared(rig: Rig, lab: Lab, token: str, folder: Path, workspace: Path) -> set[tuple[str, str, str]]:
    """Judge the lab as the cluster's owner and as the grader, compare, and return the rights that took."""
    with standing_before(rig.sandbox.kubeconfig) as proxy:
        owner = _judge(lab, proxy, folder, workspace)
        asked = {right for each in proxy.asked if (right := _right(each))}
    with standing_before(rig.sandbox.kubeconfig, token) as proxy:
        grader = _judge(lab, proxy, folder, workspace)
    # Everybody may ask what they may do themselves.
    beyond = {right for right in asked if right[2] != "selfsubjectaccessreviews"} - _granted(_role(lab))
    assert beyond == set(), "add them to materials/grader/rbac.yaml"
    assert _said(grader) == _said(owner)
    return asked


def test_enough_and_nothing_to_spare(rig: Rig, lab: Lab, token: str, tmp_path: Path, started: Path) -> None:
    """The grader sees what the owner sees: all done, files hardly begun, and nothing applied."""
    asked = _compared(rig, lab, token, tmp_path, lab.solutions)
    asked |= _compared(rig, lab, token, tmp_path, started)
    lab_state.take_away(rig, lab)
    try:
        asked |= _compared(rig, lab, token, tmp_path, lab.solutions)
    finally:
        lab_state.apply_work(rig, lab)
    kinds = {(group, resource) for _, group, resource in asked}
    to_spare = {
        right
        for right in _granted(_role(lab))
        if right[1:] not in kinds | _VARIANTS or (right[0] == "create" and right not in asked)
    }
    assert to_spare == set()


def _is_asked_for(rule: Object) -> bool:
    """Whether the finished lab takes a rule at all."""
    return "create" not in rule["verbs"] and not _kinds(rule) <= _VARIANTS


def _kinds(rule: Object) -> set[tuple[str, str]]:
    return {(group, each) for group in rule["apiGroups"] for each in rule["resources"]}


def test_no_secret_and_no_change(lab: Lab) -> None:
    granted = _granted(_role(lab))
    assert not [right for right in granted if "secrets" in right[2] or "*" in right]
    assert {right[0] for right in granted} == {*_READING, "create"}


def test_a_right_that_is_missing_is_forbidden_and_no_failure(
    rig: Rig, lab: Lab, token: str, tmp_path: Path
) -> None:
    role, unnoticed = _role(lab), set[tuple[str, str]]()
    with standing_before(rig.sandbox.kubeconfig, token) as proxy:
        truth = _said(_judge(lab, proxy, tmp_path, lab.solutions))
        try:
            for index, rule in enumerate(role["rules"]):
                if not _is_asked_for(rule):
                    continue
                less = {**role, "rules": [each for at, each in enumerate(role["rules"]) if at != index]}
                rig.apply(less)
                wait_for(partial(_is_forbidden, rig, proxy, rule))
                said = _said(_judge(lab, proxy, tmp_path, lab.solutions))
                changed = {check: each for check, each in said.items() if each != truth[check]}
                wrong = {
                    check: each
                    for check, each in changed.items()
                    if each[0] is not truth[check][0] and each[0] not in (Verdict.UNKNOWN, Verdict.BLOCKED)
                }
                assert wrong == {}, rule
                if not any(each[1] is Reason.FORBIDDEN for each in changed.values()):
                    unnoticed |= _kinds(rule)
        finally:
            rig.apply(role)
    assert unnoticed <= _FOR_HINTS | _VARIANTS
