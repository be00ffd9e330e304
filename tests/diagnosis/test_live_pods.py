"""Pods in trouble: what real controllers say of it, and states of containers that only a kubelet reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.diagnosis.ward import Ward, deny_latest, deployment, ended, gone_after, pod, state, waiting
from tests.rig.cluster import wait_for
from workshop.diagnosis.symptom import Sign
from workshop.sandbox.client import ApiError, Document


def claim(name: str, storage_class: str | None = None, *modes: str) -> Document:
    spec: Document = {
        "accessModes": list(modes or ("ReadWriteOnce",)),
        "resources": {"requests": {"storage": "1Gi"}},
    }
    if storage_class:
        spec["storageClassName"] = storage_class
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


# --- refused before they exist: the real controller-manager, admission plugins and Kyverno ------------


@pytest.mark.shows(Sign.QUOTA_EXCEEDED)
def test_a_quota_that_is_used_up(ward: Ward) -> None:
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"pods": "0"}}}
    ward.apply({"apiVersion": "v1", "kind": "ResourceQuota", **quota})
    wait_for(lambda: "hard" in ward.read("ResourceQuota", "small").get("status", {}))
    ward.apply(deployment("web"))
    found = ward.until(Sign.QUOTA_EXCEEDED, "1.1")
    assert found.entry == "quota-exceeded"
    assert found.object.startswith(f"ReplicaSet/{ward.namespace}/web-")
    assert "exceeded quota: small, requested: pods=1" in str(found.message)
    assert not str(found.message).startswith("Error creating")


@pytest.mark.shows(Sign.LIMIT_RANGE)
def test_a_limit_range_that_allows_less(ward: Ward) -> None:
    limits = {"limits": [{"type": "Container", "max": {"cpu": "100m"}}]}
    asking = {"resources": {"limits": {"cpu": "200m"}}, "name": "main", "image": "nginx:1.27.5"}
    ward.apply({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"}, "spec": limits})
    wait_for(lambda: _is_forbidden(ward, pod("web", containers=[asking])))
    ward.apply(deployment("web", containers=[asking]))
    assert ward.until(Sign.LIMIT_RANGE, "0.3").entry == "limit-range-refused"


@pytest.mark.shows(Sign.POD_SECURITY)
def test_a_namespace_that_wants_more_of_its_pods(ward: Ward) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    ward.rig.api.merge(f"/api/v1/namespaces/{ward.namespace}", {"metadata": {"labels": labels}})
    ward.apply(deployment("web"))
    found = ward.until(Sign.POD_SECURITY, "4.2")
    assert found.entry == "pod-security-refused"
    assert "runAsNonRoot" in str(found.message)


@pytest.mark.shows(Sign.SERVICE_ACCOUNT_MISSING)
def test_an_account_that_is_nowhere(ward: Ward) -> None:
    ward.apply(deployment("web", serviceAccountName="builder"))
    found = ward.until(Sign.SERVICE_ACCOUNT_MISSING, "3.4")
    assert found.entry == "service-account-missing"
    assert "builder" in str(found.message)


@pytest.mark.shows(Sign.POD_REFUSED)
def test_a_refusal_nobody_foresaw_is_told_in_its_own_words(ward: Ward) -> None:
    ward.apply(deployment("web", priorityClassName="vip"))
    found = ward.until(Sign.POD_REFUSED, "1.1")
    assert found.entry == "pod-refused"
    assert "no PriorityClass with name vip" in str(found.message)


@pytest.mark.shows(Sign.REFUSED_BY_POLICY)
def test_a_policy_of_block_two_refuses_the_platform(ward: Ward) -> None:
    policy = deny_latest("ward-deny-latest", ward.namespace)
    with gone_after(ward.rig, policy):
        wait_for(lambda: _refuses(ward))
        ward.apply(deployment("portal", "nginx:latest"))
        found = ward.until(Sign.REFUSED_BY_POLICY, "1.1")
        assert found.entry == "own-policies-block-the-platform"
        assert "ward-deny-latest" in str(found.message)
        assert ward.until(Sign.REFUSED_BY_POLICY, "4.1").entry == "tekton-controller-refused"


@pytest.mark.shows(Sign.VERIFICATION_UNREACHABLE)
def test_a_signature_that_cannot_be_verified_from_here(ward: Ward) -> None:
    identity = {"subject": "lea@example.org", "issuer": "https://github.com/login/oauth"}
    keyless = {**identity, "rekor": {"url": "https://rekor.sigstore.dev"}}
    rule = {
        "name": "signed",
        "match": {"any": [{"resources": {"kinds": ["Pod"], "namespaces": [ward.namespace]}}]},
        "verifyImages": [
            {
                "imageReferences": ["ghcr.io/lea-devops/*"],
                "failureAction": "Enforce",
                "attestors": [{"entries": [{"keyless": keyless}]}],
            }
        ],
    }
    policy = {**deny_latest("ward-signed", ward.namespace), "spec": {"rules": [rule]}}
    with gone_after(ward.rig, policy):
        probe = ward.here(pod("probe", "ghcr.io/lea-devops/payment-service:v1.0.0"))
        wait_for(lambda: ward.rig.cluster().try_create(probe).admitted is not True)
        ward.apply(deployment("payment-service", "ghcr.io/lea-devops/payment-service:v1.0.0"))
        found = ward.until(Sign.VERIFICATION_UNREACHABLE, "2.6", "app=payment-service")
        assert found.entry == "verification-times-out"
        assert "ward-signed" in str(found.message)


def test_a_refusal_that_is_over_is_no_symptom(ward: Ward) -> None:
    with gone_after(ward.rig, deny_latest("ward-deny-for-now", ward.namespace)):
        wait_for(lambda: _refuses(ward))
        ward.apply(deployment("portal", "nginx:latest"))
        ward.until(Sign.REFUSED_BY_POLICY, "1.1")
    # Its event is still there; the Deployment is served by now.
    wait_for(lambda: ward.look("1.1") == ())
    events = ward.rig.cluster().list("Event", namespace=ward.namespace, fields="reason=FailedCreate")
    assert events


def test_the_trace_that_a_probe_leaves_is_no_symptom(ward: Ward) -> None:
    policy = deny_latest("ward-audit", ward.namespace)
    policy["spec"]["rules"][0]["validate"]["failureAction"] = "Audit"
    with gone_after(ward.rig, policy):
        probe = ward.here(pod("probe", "nginx:latest"))

        def left_a_trace() -> bool:
            assert ward.rig.cluster().try_create(probe).admitted
            fields = "reason=PolicyViolation"
            return any(
                ward.rig.cluster().list("Event", namespace=namespace, fields=fields)
                for namespace in (ward.namespace, "default")
            )

        wait_for(left_a_trace)
        assert ward.look("2.2") == ()


def _is_forbidden(ward: Ward, document: Document) -> bool:
    try:
        ward.rig.api.create(ward.here(document), dry_run=True)
    except ApiError as error:
        return error.status == 403
    return False


def _refuses(ward: Ward) -> bool:
    return ward.rig.cluster().try_create(ward.here(pod("probe", "nginx:latest"))).admitted is False


# --- no room, no volume: the real scheduler and volume controller -------------------------------------


@pytest.mark.shows(Sign.UNSCHEDULABLE)
def test_more_than_any_node_has(ward: Ward) -> None:
    asking = {"name": "main", "image": "nginx:1.27.5", "resources": {"requests": {"cpu": "1000"}}}
    ward.apply(deployment("web", replicas=3, containers=[asking]))
    found = ward.until(Sign.UNSCHEDULABLE, "2.1")
    assert found.entry == "pod-unschedulable"
    assert "Insufficient cpu" in str(found.message)
    assert len(ward.look("2.1")) == 1, "three replicas are one trouble"


@pytest.mark.shows(Sign.CLAIM_MISSING)
def test_a_claim_that_is_not_there(ward: Ward) -> None:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    ward.apply(pod("database", volumes=[volume]))
    assert ward.until(Sign.CLAIM_MISSING, "1.1").entry == "claim-missing"


@pytest.mark.shows(Sign.CLAIM_NOT_PROVISIONED)
@pytest.mark.parametrize(
    ("storage_class", "said"), [("fast", "not found"), (None, "no storage class is set")]
)
def test_a_claim_nobody_provides_for(ward: Ward, storage_class: str | None, said: str) -> None:
    ward.apply(claim("data", storage_class))
    found = ward.until(Sign.CLAIM_NOT_PROVISIONED, "1.1")
    assert found.entry == "claim-pending"
    assert found.object == f"PersistentVolumeClaim/{ward.namespace}/data"
    assert said in str(found.message)
    assert ward.until(Sign.CLAIM_NOT_PROVISIONED, "4.7").entry == "run-claim-pending"


def _class(name: str) -> Document:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "example.org/local-path",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def test_a_claim_that_waits_for_its_first_consumer_is_normal(ward: Ward) -> None:
    with gone_after(ward.rig, _class("ward-waiting")):
        ward.apply(claim("data", "ward-waiting"))
        fields = "reason=WaitForFirstConsumer"
        wait_for(lambda: ward.rig.cluster().list("Event", namespace=ward.namespace, fields=fields))
        assert ward.look("1.1") == ()


@pytest.mark.shows(Sign.CLAIM_ACCESS_MODE)
def test_an_access_mode_that_kind_does_not_have(ward: Ward) -> None:
    with gone_after(ward.rig, _class("ward-shared")):
        ward.apply(claim("data", "ward-shared", "ReadWriteMany"))
        # What kind's own provisioner says; it runs as a Pod.
        said = "NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes"
        ward.post_event("PersistentVolumeClaim", "data", "ProvisioningFailed", said)
        assert ward.until(Sign.CLAIM_ACCESS_MODE, "4.7").entry == "run-claim-pending"


# --- what a kubelet would report: states written through the status subresource -----------------------

_GONE = 'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": not found'
_LIMIT = "429 Too Many Requests: toomanyrequests: You have reached your unauthenticated pull rate limit."
_DENIED = "failed to authorize: failed to fetch anonymous token: 401 Unauthorized"
_HUB = "pull access denied, repository does not exist or may require authorization: insufficient_scope"
_RUNC = 'exec: "syft": executable file not found in $PATH: unknown'
_ROOT = "container has runAsNonRoot and image will run as root (pod: x)"


@pytest.mark.shows(
    Sign.IMAGE_UNAVAILABLE, Sign.PULL_RATE_LIMIT, Sign.IMAGE_PRIVATE, Sign.BITNAMI_IMAGE_GONE,
    Sign.CONTAINER_CONFIG, Sign.RUNS_AS_ROOT, Sign.START_ERROR, Sign.CRASH_LOOP, Sign.OUT_OF_MEMORY,
)  # fmt: skip
@pytest.mark.parametrize(
    ("exercise_id", "status", "sign", "entry"),
    [
        ("1.1", waiting("ErrImagePull", _GONE), Sign.IMAGE_UNAVAILABLE, "image-not-pulled"),
        ("0.3", waiting("InvalidImageName", "couldn't parse"), Sign.IMAGE_UNAVAILABLE, "image-not-pulled"),
        ("1.1", waiting("ImagePullBackOff", _HUB), Sign.IMAGE_UNAVAILABLE, "image-not-pulled"),
        ("1.1", waiting("ImagePullBackOff", _LIMIT), Sign.PULL_RATE_LIMIT, "pull-rate-limit"),
        (
            "2.6",
            waiting("ErrImagePull", _DENIED, "ghcr.io/lea-devops/payment-service:v1.0.0"),
            Sign.IMAGE_PRIVATE,
            "package-is-private",
        ),
        (
            "1.1",
            waiting("ImagePullBackOff", _GONE, "docker.io/bitnami/postgresql:15.4.0"),
            Sign.BITNAMI_IMAGE_GONE,
            "bitnami-image-gone",
        ),
        (
            "3.3",
            waiting("ImagePullBackOff", _GONE, "docker.io/bitnami/mongodb:6.0.6"),
            Sign.BITNAMI_IMAGE_GONE,
            "litmus-mongodb",
        ),
        (
            "1.1",
            waiting("CreateContainerConfigError", 'secret "backstage-postgresql" not found'),
            Sign.CONTAINER_CONFIG,
            "container-config",
        ),
        ("4.2", waiting("CreateContainerConfigError", _ROOT), Sign.RUNS_AS_ROOT, "runs-as-root"),
        ("4.5", state(terminated=ended("StartError", 128, _RUNC)), Sign.START_ERROR, "tekton-no-shell"),
        ("1.1", waiting("RunContainerError", _RUNC), Sign.START_ERROR, "container-never-starts"),
        (
            "2.1",
            waiting("CrashLoopBackOff", "back-off 5m0s", restarts=7, last=ended("Error", 1)),
            Sign.CRASH_LOOP,
            "crash-loop",
        ),
        (
            "1.1",
            waiting("CrashLoopBackOff", "back-off", restarts=3, last=ended("OOMKilled", 137)),
            Sign.OUT_OF_MEMORY,
            "container-out-of-memory",
        ),
        (
            "1.1",
            state(restarts=3, terminated=ended("OOMKilled", 137)),
            Sign.OUT_OF_MEMORY,
            "container-out-of-memory",
        ),
    ],
)
def test_what_a_kubelet_reports(
    ward: Ward, exercise_id: str, status: Document, sign: Sign, entry: str
) -> None:
    ward.pod("web", status)
    found = ward.until(sign, exercise_id)
    assert found.entry == entry
    assert found.object == f"Pod/{ward.namespace}/web"
    assert len(ward.look(exercise_id)) == 1


def test_the_registry_s_answer_is_taken_from_the_event(ward: Ward) -> None:
    ward.pod("web", waiting("ImagePullBackOff", 'Back-off pulling image "nginx:1.27.5"'))
    ward.post_event("Pod", "web", "Failed", f'Failed to pull image "nginx:1.27.5": {_LIMIT}')
    found = ward.until(Sign.PULL_RATE_LIMIT, "1.1")
    assert "toomanyrequests" in str(found.message)


@pytest.mark.shows(Sign.CONTAINER_CONFIG)
def test_a_volume_that_cannot_be_mounted(ward: Ward) -> None:
    ward.pod("web", waiting("ContainerCreating"))
    said = 'MountVolume.SetUp failed for volume "config" : configmap "app-config" not found'
    ward.post_event("Pod", "web", "FailedMount", said)
    assert "app-config" in str(ward.until(Sign.CONTAINER_CONFIG, "1.1").message)


@pytest.mark.shows(Sign.PROBE_FAILS)
def test_a_probe_that_finds_nobody(ward: Ward) -> None:
    ward.pod("web", state(running={"startedAt": "2026-01-15T10:00:00Z"}), phase="Running")
    ward.post_event("Pod", "web", "Unhealthy", "Readiness probe failed: connect: connection refused")
    assert ward.until(Sign.PROBE_FAILS, "1.1").entry == "probe-fails"


def test_what_a_pod_went_through_before_it_was_ready_is_over(ward: Ward) -> None:
    ward.apply(deployment("web"))  # kwok plays it to Ready
    ready = "status.phase=Running"
    wait_for(lambda: ward.rig.cluster().list("Pod", namespace=ward.namespace, fields=ready))
    name = ward.rig.cluster().list("Pod", namespace=ward.namespace)[0]["metadata"]["name"]
    ward.post_event("Pod", name, "Failed", f'Failed to pull image "nginx:1.27.5": {_LIMIT}')
    ward.post_event("Pod", name, "Unhealthy", "Readiness probe failed: connection refused")
    assert ward.look("1.1") == ()


def test_somebody_else_s_trouble_is_not_this_exercise_s(ward: Ward, other_ward: Callable[[], Ward]) -> None:
    other = other_ward()
    other.pod("web", waiting("ErrImagePull", _GONE))
    assert other.until(Sign.IMAGE_UNAVAILABLE, "1.1").object == f"Pod/{other.namespace}/web"
    assert ward.look("1.1") == ()


def test_by_its_label_a_workload_is_found_wherever_it_is(ward: Ward) -> None:
    made = ward.pod("theirs", waiting("ErrImagePull", _GONE))
    ward.pod("mine", waiting("ErrImagePull", _GONE))
    mark = f"app={ward.namespace}"
    ward.rig.api.merge(
        ward.rig.api.path({**made, "metadata": {**made["metadata"], "name": "mine"}}),
        {"metadata": {"labels": {"app": ward.namespace}}},
    )
    ward.until(Sign.IMAGE_UNAVAILABLE, "0.3", mark)
    assert [each.object for each in ward.look("0.3", mark)] == [f"Pod/{ward.namespace}/mine"]


def test_housekeeping_that_fails_is_not_why_an_exercise_does(ward: Ward) -> None:
    template = {"spec": {**pod("x")["spec"], "schedulerName": "nobody", "restartPolicy": "Never"}}
    job = {"template": template}
    periodic = {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": {"spec": job}}
    batch: dict[str, Any] = {"apiVersion": "batch/v1"}
    ward.apply({**batch, "kind": "CronJob", "metadata": {"name": "cleanup"}, "spec": periodic})
    uid = ward.read("CronJob.batch", "cleanup")["metadata"]["uid"]
    owner = {**batch, "kind": "CronJob", "name": "cleanup", "uid": uid, "controller": True}
    metadata = {"name": "cleanup-29000000", "ownerReferences": [owner]}
    ward.apply({**batch, "kind": "Job", "metadata": metadata, "spec": job})
    wait_for(lambda: ward.rig.cluster().list("Pod", namespace=ward.namespace))
    made = ward.rig.cluster().list("Pod", namespace=ward.namespace)[0]
    status = {"phase": "Pending", "containerStatuses": [waiting("ImagePullBackOff", _GONE)]}
    ward.write_status({"apiVersion": "v1", "kind": "Pod", "metadata": made["metadata"]}, status)
    assert ward.look("2.1") == ()
