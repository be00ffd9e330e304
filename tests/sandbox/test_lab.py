"""What the lab gives and what its solution writes, on the real API server: accepted, and at work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from workshop.content import Lab
from workshop.sandbox.api import Sandbox
from workshop.sandbox.client import Api, ApiError, Document
from workshop.stand_ins import give

from .test_live import until

pytestmark = pytest.mark.sandbox

# Read by Backstage, not by Kubernetes.
_NOT_OBJECTS = ("backstage.io/", "scaffolder.backstage.io/")
# Its module cannot be had from the module proxy, so neither can its definitions.
_NOT_SERVED = {"helm.m.crossplane.io/v1beta1"}


def _documents(*paths: Path) -> Iterator[Document]:
    for path in paths:
        for found in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if isinstance(found, dict) and {"apiVersion", "kind", "metadata"} <= found.keys():
                yield found


def _refusal(api: Api, document: Document) -> str:
    """What a strict server-side dry run says; empty where it is taken."""
    metadata = {key: value for key, value in document["metadata"].items() if key != "generateName"}
    named = {**document, "metadata": {"name": "probe", **metadata}}
    try:
        collection = api.path(named).rpartition("/")[0]
        api.request("POST", collection, named, query={"dryRun": "All", "fieldValidation": "Strict"})
    except ApiError as error:
        return error.message
    return ""


def _status(api: Api, document: Document) -> Document:
    found: Document = (api.get(api.path(document)) or {}).get("status", {})
    return found


def _at_work(api: Api, document: Document) -> bool:
    """Whether an object is what its controllers make of it once three Pods of the service are Ready."""
    status = _status(api, document)
    conditions = {one["type"]: one["status"] for one in status.get("conditions", [])}
    match document["kind"]:
        case "Deployment":
            return conditions.get("Available") == "True" and status.get("readyReplicas") == 3
        case "PodDisruptionBudget":
            return (status.get("currentHealthy"), status.get("disruptionsAllowed")) == (3, 1)
        case "HorizontalPodAutoscaler":
            # It found what it scales; there is nobody to ask for usage, as nothing runs.
            return conditions.get("AbleToScale") == "True" and status.get("currentReplicas") == 3
        case "Service":
            query = {"labelSelector": f"kubernetes.io/service-name={document['metadata']['name']}"}
            path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
            slices = api.request("GET", path, query=query)["items"]
            return sum(len(one["endpoints"] or []) for one in slices) == 3
    raise AssertionError(f"nobody said what a {document['kind']} does")


def test_the_microservices_come_up(lab: Lab, api: Api) -> None:
    given = list(_documents(*sorted((lab.materials / "kubernetes").glob("*.yaml"))))
    assert {one["kind"] for one in given} == {
        *("Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget")
    }
    assert {one["metadata"]["name"] for one in given} == {"payment-service", "backend-api", "frontend-app"}
    assert {_refusal(api, one) for one in given} == {""}
    api.apply_all(given)
    for one in given:
        until(partial(_at_work, api, one), seconds=120)


def test_an_eviction_beyond_the_budget_is_refused(lab: Lab, api: Api) -> None:
    given = list(_documents(lab.materials / "kubernetes" / "payment-service.yaml"))
    [budget] = [one for one in given if one["kind"] == "PodDisruptionBudget"]
    [deployment] = [one for one in given if one["kind"] == "Deployment"]
    api.apply_all([budget, {**deployment, "spec": {**deployment["spec"], "replicas": 2}}])
    until(lambda: _status(api, budget).get("currentHealthy") == 2, seconds=120)
    pod = api.request("GET", "/api/v1/namespaces/default/pods")["items"][0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    status, said = api.raw("POST", f"/api/v1/namespaces/default/pods/{pod}/eviction", eviction)
    assert (status, b"disruption budget" in said) == (429, True)


def test_what_the_template_makes_is_accepted(lab: Lab, api: Api) -> None:
    skeleton = lab.solutions / "td" / "backstage" / "skeleton" / "k8s"
    texts = [path.read_text(encoding="utf-8") for path in sorted(skeleton.glob("*.yaml"))]
    filled = [re.sub(r"\$\{\{ values\.\w+ \}\}", "orders", text) for text in texts]
    found = [one for text in filled for one in yaml.safe_load_all(text)]
    assert {one["kind"] for one in found} == {"Deployment", "Service", "HorizontalPodAutoscaler"}
    assert {_refusal(api, one) for one in found} == {""}


def test_the_solution_is_accepted_field_by_field(lab: Lab, api: Api) -> None:
    folder = lab.solutions / "td"
    paths = [path for path in sorted(folder.rglob("*.yaml")) if "skeleton" not in path.parts]
    found = [one for one in _documents(*paths) if not one["apiVersion"].startswith(_NOT_OBJECTS)]
    assert {
        *("ClusterPolicy", "Task", "Pipeline", "PipelineRun", "PrometheusRule", "ChaosEngine", "Rollout"),
        *("AnalysisTemplate", "Provider", "ServiceAccount", "ClusterRole", "Role"),
    } <= {one["kind"] for one in found}
    for namespace in {one["metadata"].get("namespace", "default") for one in found} - {"default"}:
        api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    refused = {
        f"{one['kind']} {one['metadata'].get('name')}": said
        for one in found
        if one["apiVersion"] not in _NOT_SERVED and (said := _refusal(api, one))
    }
    assert refused == {}
    assert {one["apiVersion"] for one in found} >= _NOT_SERVED


@pytest.mark.parametrize(
    ("file", "wrong", "said"),
    [
        ("prometheus/slo-rules.yaml", {"spec": {"groups": [{"name": "x", "rulez": []}]}}, "unknown field"),
        ("prometheus/slo-rules.yaml", {"spec": {"groups": [{"rules": []}]}}, "name"),
        ("litmus/chaos-pod-delete.yaml", {"spec": {"experiments": "pod-delete"}}, "experiments"),
        ("bonus/crossplane-postgres.yaml", {"spec": {"pakage": "x"}}, "unknown field"),
    ],
)
def test_a_wrong_field_is_refused(lab: Lab, api: Api, file: str, wrong: Document, said: str) -> None:
    first = next(_documents(lab.solutions / "td" / file))
    assert said in _refusal(api, {**first, **wrong})


def test_the_reference_pipeline_runs_in_a_students_sandbox(lab: Lab, everything: Sandbox, api: Api) -> None:
    """Its clone Task comes from a resolver, its volume from a claim, and block 2 stands in its way."""
    give(everything, lab)
    give(everything, lab)  # once more does no harm
    api.apply_all(_documents(lab.solutions / "td" / "kyverno" / "policy-deny-latest.yaml"))
    found = list(_documents(*sorted((lab.solutions / "td" / "tekton").glob("*.yaml"))))
    [run] = [one for one in found if one["kind"] == "PipelineRun"]
    api.apply_all(one for one in found if one is not run)
    api.create(run)
    until(lambda: _succeeded(api, run) is not None, seconds=120)
    assert _succeeded(api, run), _status(api, run)
    stages = {
        one["metadata"]["labels"]["tekton.dev/pipelineTask"]: one["status"]
        for one in api.request("GET", "/apis/tekton.dev/v1/taskruns")["items"]
    }
    order = ["fetch-source", "build", "scan", "sbom", "sign"]
    assert sorted(stages) == sorted(order)
    for one, following in pairwise(order):
        assert stages[one]["completionTime"] <= stages[following]["startTime"], (one, following)


def _succeeded(api: Api, run: Document) -> bool | None:
    found = [one["status"] for one in _status(api, run).get("conditions", []) if one["type"] == "Succeeded"]
    return None if found in ([], ["Unknown"]) else found == ["True"]
