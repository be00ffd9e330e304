"""A cluster on which the whole lab was done: the platform's objects, and the reference files on top."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import yaml

from tests.faults.services import Services
from tests.live.objects import with_status
from tests.rig.cluster import Rig, wait_for
from workshop.cluster.settling import settle
from workshop.content import Lab
from workshop.sandbox.client import ApiError
from workshop.sandbox.definitions import unserved

Object = dict[str, Any]
# Where the reference files say that Backstage is; here it gets a port that nobody else has.
_NODE_PORT: Final = 30000
PORTAL: Final = f"http://localhost:{_NODE_PORT}"
# A machine with other things to do takes a minute for what takes two seconds alone.
_PATIENCE: Final = 300.0
_CHAOS_RESULT: Final[Object] = {
    "apiVersion": "litmuschaos.io/v1alpha1",
    "kind": "ChaosResult",
    "metadata": {"name": "payment-chaos-pod-delete", "namespace": "default"},
    "spec": {"engine": "payment-chaos", "experiment": "pod-delete"},
    "status": {
        "experimentStatus": {"phase": "Completed", "verdict": "Pass"},
        "probeStatuses": [
            {
                "name": "payments-are-answered",
                "type": "httpProbe",
                "mode": "Continuous",
                "status": {"verdict": "Passed"},
            }
        ],
    },
}
# Answers to questions, values of charts and the portal's catalogue are no objects of the cluster. Policies
# come last: they would refuse the init containers Tekton adds, and what is installed here without limits.
_APPLIED: Final = (
    "backstage/kubernetes-rbac.yaml",
    "litmus/chaos-pod-delete.yaml",
    "prometheus/slo-rules.yaml",
    "tekton/build-service-account.yaml",
    "tekton/task-kaniko.yaml",
    "tekton/task-trivy.yaml",
    "tekton/task-sbom.yaml",
    "tekton/task-cosign.yaml",
    "tekton/pipeline-secure-build.yaml",
    "tekton/pipelinerun-payment.yaml",
    "bonus/rollout-canary.yaml",
    "bonus/crossplane-postgres.yaml",
)
_POLICIES: Final = (
    "kyverno/policy-deny-latest.yaml",
    "kyverno/policy-require-limits.yaml",
    "kyverno/policy-add-labels.yaml",
    "kyverno/policy-verify-signature.yaml",
)


def install(rig: Rig, lab: Lab, services: Services | None = None) -> None:
    """Bring the rig into that state, from whatever it was in; its Services answer where they are given."""
    rig.reset()
    rig.apply(*_platform(services.portal_port if services else _NODE_PORT))
    for path in sorted((lab.materials / "kubernetes").glob("*.yaml")):
        rig.apply(*_documents(path))
    wait_for(lambda: not unserved(rig.api))
    wait_for(lambda: _all_available(rig), seconds=_PATIENCE)
    for name in ("tekton-pipelines", "tekton-pipelines-resolvers"):
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        rig.api.merge(f"/api/v1/namespaces/{name}", {"metadata": {"labels": labels}})
    apply_work(rig, lab, services)


def _platform(portal_port: int) -> list[Object]:
    """Return what the charts of the lab leave; Backstage's node port is one of this machine."""
    text = Path(__file__).with_name("platform.yaml").read_text(encoding="utf-8")
    objects: list[Object] = yaml.safe_load(text.replace(PORTAL, f"http://localhost:{portal_port}"))
    portal = next(each for each in objects if each["kind"] == "Service" and _name(each) == "backstage")
    portal["spec"]["ports"][0]["nodePort"] = portal_port
    return objects


def _name(document: Object) -> str:
    return str(document["metadata"]["name"])


def workspace(lab: Lab, folder: Path, services: Services) -> Path:
    """Write a folder whose td/ has the reference files, with the address at which Backstage answers here."""
    shutil.copytree(lab.solutions / "td", folder / "td")
    for path in (folder / "td" / "answers.yaml", folder / "td" / "backstage" / "values.yaml"):
        text = path.read_text(encoding="utf-8")
        assert PORTAL in text
        path.write_text(text.replace(PORTAL, f"http://localhost:{services.portal_port}"), encoding="utf-8")
    return folder


def apply_work(rig: Rig, lab: Lab, services: Services | None = None) -> None:
    """Apply the reference files, as a student does exercise by exercise."""
    began = time.time()
    exercise = lab.exercise("pipeline-run")
    assert exercise is not None
    taken_for_granted = list(_documents(exercise.folder / "sandbox.yaml"))
    rig.apply(*taken_for_granted)
    for name in _APPLIED:
        _apply_what_is_known(rig, _documents(lab.solutions / "td" / name))
    settle(rig.api, [_run(rig)], [each for each in taken_for_granted if each["kind"] == "Task"])
    _play_the_others(rig, lab)
    for name in _POLICIES:
        _apply_what_is_known(rig, _documents(lab.solutions / "td" / name))
    wait_for(lambda: _policies_ready(rig), seconds=_PATIENCE)
    _delete_one(rig)
    if services:
        services.carry(rig)
        services.has_recorded_since(began)


def _play_the_others(rig: Rig, lab: Lab) -> None:
    """Write what Litmus and Crossplane would have written by now: their programs do not run here."""
    engine = next(iter(_documents(lab.solutions / "td" / "litmus" / "chaos-pod-delete.yaml")))
    rig.apply(_CHAOS_RESULT)
    rig.api.merge(rig.api.path(engine), {"status": {"engineStatus": "completed"}})
    now = "2026-01-01T00:00:00Z"
    for document in _documents(lab.solutions / "td" / "bonus" / "crossplane-postgres.yaml"):
        kinds = {"Provider": ("Installed", "Healthy"), "Release": ("Synced", "Ready")}.get(
            document["kind"], ()
        )
        conditions = [
            {"type": each, "status": "True", "reason": "Available", "lastTransitionTime": now}
            for each in kinds
        ]
        if conditions:
            with suppress(ApiError):  # of a provider that this control plane does not know
                with_status(rig, document, {"conditions": conditions})


def _delete_one(rig: Rig) -> None:
    """Delete a Pod of the payment-service as the fault of Litmus does, and return once it is replaced."""
    path = "/api/v1/namespaces/default/pods?labelSelector=app=payment-service"
    before = {_name(each) for each in rig.api.request("GET", path)["items"]}
    rig.api.delete(f"/api/v1/namespaces/default/pods/{min(before)}")

    def is_replaced() -> bool:
        now = rig.api.request("GET", path)["items"]
        return any(
            each["type"] == "Ready" and each["status"] == "True"
            for pod in now
            if _name(pod) not in before
            for each in pod["status"].get("conditions", ())  # nobody has looked at a new Pod yet
        )

    wait_for(is_replaced, seconds=_PATIENCE)


def take_away(rig: Rig, lab: Lab) -> None:
    """Delete what the reference files made; the platform stays."""
    for name in (*_POLICIES, *_APPLIED):
        for document in _documents(lab.solutions / "td" / name):
            with suppress(ApiError):  # of a kind that this control plane does not know
                path = rig.api.path(_named(document))
                rig.api.delete(path if "name" in document["metadata"] else path.rpartition("/")[0])
    wait_for(lambda: not rig.api.request("GET", "/apis/kyverno.io/v1/clusterpolicies")["items"])


def _run(rig: Rig) -> Object:
    runs: list[Object] = rig.api.request("GET", "/apis/tekton.dev/v1/pipelineruns")["items"]
    return {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", **runs[0]}


def _apply_what_is_known(rig: Rig, documents: Iterable[Object]) -> None:
    """Apply objects; what this control plane does not know (a CRD it does not have) is left out."""
    for document in documents:
        try:
            rig.api.path(document if "name" in document["metadata"] else _named(document))
        except ApiError:
            continue
        if "name" in document["metadata"]:
            rig.apply(document)
        else:
            rig.api.create(document)


def _named(document: Object) -> Object:
    return {**document, "metadata": {"name": "x", **document["metadata"]}}


def _documents(path: Path) -> Iterator[Object]:
    yield from (each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each)


def _all_available(rig: Rig) -> bool:
    found = rig.api.request("GET", "/apis/apps/v1/deployments")["items"]
    return all(
        any(
            each["type"] == "Available" and each["status"] == "True"
            for each in deployment.get("status", {}).get("conditions", [])
        )
        for deployment in found
        if deployment["spec"]["replicas"]
    )


def _policies_ready(rig: Rig) -> bool:
    found = rig.api.request("GET", "/apis/kyverno.io/v1/clusterpolicies")["items"]
    return bool(found) and all(
        any(
            each["type"] == "Ready" and each["status"] == "True"
            for each in policy.get("status", {}).get("conditions", [])
        )
        for policy in found
    )
